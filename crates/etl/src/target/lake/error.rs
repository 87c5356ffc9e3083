//! Why files cannot be written, on the way to the error of the run.

use super::cells::CellError;
use super::folder::FolderError;
use super::format::FileError;
use crate::EtlError;

/// Why a load into files ends. Becomes [`EtlError::Target`], which names the target.
#[derive(Debug, thiserror::Error)]
#[error("{why}")]
pub(crate) struct LakeError {
    why: String,
    is_transient: bool,
    is_cancelled: bool,
}

impl LakeError {
    /// An error that trying again does not help.
    pub(crate) fn new(why: impl Into<String>) -> LakeError {
        LakeError { why: why.into(), is_transient: false, is_cancelled: false }
    }

    /// An error that trying again may help.
    pub(crate) fn transient(why: impl Into<String>) -> LakeError {
        LakeError { why: why.into(), is_transient: true, is_cancelled: false }
    }

    /// Somebody wants the run to stop.
    pub(crate) fn cancelled() -> LakeError {
        LakeError { why: "the run was cancelled".to_owned(), is_transient: false, is_cancelled: true }
    }

    /// A file could not be created, written, read.
    pub(crate) fn file(what: &str, name: &str, error: FileError) -> LakeError {
        match error {
            FileError::Io(error) => FolderError::io(what, name, &error).into(),
            FileError::Cell(error) => LakeError::rows(error),
            error => match io_inside(&error) {
                Some(inner) => FolderError::io(what, name, inner).into(),
                None => LakeError::new(format!("cannot {what} `{name}`: {error}")),
            },
        }
    }

    /// Rows could not be written.
    #[allow(clippy::needless_pass_by_value, reason = "handed on by value where it is called")]
    pub(crate) fn rows(error: CellError) -> LakeError {
        LakeError::new(error.to_string())
    }

    /// The file in which rows wait could not be written or read.
    #[allow(clippy::needless_pass_by_value, reason = "handed on by value where it is called")]
    pub(crate) fn spool(error: std::io::Error) -> LakeError {
        FolderError::io("keep rows in", "the scratch folder", &error).into()
    }

    /// Keys could not be kept.
    #[allow(clippy::needless_pass_by_value, reason = "handed on by value where it is called")]
    pub(crate) fn keys(error: EtlError) -> LakeError {
        LakeError::new(error.to_string())
    }

    /// The error of the run.
    pub(crate) fn of_target(self, target: &str) -> EtlError {
        if self.is_cancelled {
            return EtlError::Cancelled;
        }
        EtlError::Target { target: target.to_owned(), why: self.why, is_transient: self.is_transient }
    }
}

/// The error of the system inside of one of a library.
fn io_inside<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a std::io::Error> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(io) = error.downcast_ref::<std::io::Error>() {
            return Some(io);
        }
        next = error.source();
    }
    None
}

impl From<FolderError> for LakeError {
    fn from(error: FolderError) -> LakeError {
        LakeError { why: error.why, is_transient: error.is_transient, is_cancelled: false }
    }
}

impl From<arrow::error::ArrowError> for LakeError {
    fn from(error: arrow::error::ArrowError) -> LakeError {
        match io_inside(&error) {
            Some(inner) => FolderError::io("keep rows in", "the scratch folder", inner).into(),
            None => LakeError::new(format!("the table cannot be built: {error}")),
        }
    }
}
