//! Work that blocks, away from the threads of the async runtime.

use crate::EtlError;

use super::LakeError;

/// Something that works on blocking threads, one call at a time.
pub(crate) struct Worker<T> {
    target: String,
    inner: Option<Box<T>>,
}

impl<T: Send + 'static> Worker<T> {
    /// For the target with a name.
    pub(crate) fn new(target: String, inner: T) -> Worker<T> {
        Worker { target, inner: Some(Box::new(inner)) }
    }

    /// Runs a function. When the caller stops waiting, the function still ends, and then the worker is gone.
    pub(crate) async fn run<R: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut T) -> Result<R, LakeError> + Send + 'static,
    ) -> Result<R, EtlError> {
        let Some(mut inner) = self.inner.take() else { return Err(EtlError::Cancelled) };
        let done = tokio::task::spawn_blocking(move || {
            let result = work(&mut inner);
            (inner, result)
        });
        match done.await {
            Ok((inner, result)) => {
                self.inner = Some(inner);
                result.map_err(|error| error.of_target(&self.target))
            }
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => Err(EtlError::Cancelled),
            },
        }
    }

    /// The inside, between two calls.
    pub(crate) fn inner(&mut self) -> Option<&mut T> {
        self.inner.as_deref_mut()
    }
}
