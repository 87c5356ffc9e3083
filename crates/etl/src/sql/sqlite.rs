//! Files of SQLite, and what it refuses in words without values of rows.

use rusqlite::ErrorCode;

use crate::sql::Failure;

/// What SQLite refused. Its messages name tables, columns and constraints; only what triggers raise may quote values.
pub(crate) fn failure(error: &rusqlite::Error) -> Failure {
    match error {
        rusqlite::Error::SqliteFailure(code, message) => {
            let is_transient = matches!(code.code, ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked);
            let is_trigger = code.extended_code == rusqlite::ffi::SQLITE_CONSTRAINT_TRIGGER;
            let what = match message {
                Some(message) if !is_trigger => message.clone(),
                _ => code.to_string(),
            };
            Failure { why: format!("SQLite says: {what}"), is_transient }
        }
        rusqlite::Error::SqlInputError { msg, .. } => Failure::lasting(format!("SQLite says: {msg}")),
        rusqlite::Error::MultipleStatement => Failure::lasting("the query holds more than one statement"),
        rusqlite::Error::InvalidParameterCount(..) => {
            Failure::lasting("the query has parameters that are not written `${name}`")
        }
        // These tell of columns and types, not of values.
        other => Failure::lasting(format!("SQLite cannot be used: {other}")),
    }
}

/// Runs blocking work on a thread for it.
pub(crate) async fn blocking<T: Send + 'static, E: From<Failure> + Send + 'static>(
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, E> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Err(E::from(Failure::lasting("the process is ending"))),
        },
    }
}
