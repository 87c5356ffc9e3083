//! What sources over HTTP share: credentials, requests that are repeated and renewed, windows of time, rows out of JSON objects.

pub(super) mod auth;
pub(super) mod caller;
pub(super) mod rows;
pub(super) mod window;

use crate::EtlError;

/// Long work beside the async runtime.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, EtlError> + Send + 'static,
) -> Result<T, EtlError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(_) => Err(EtlError::Cancelled),
    }
}
