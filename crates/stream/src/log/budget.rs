//! Bytes that may be on their way at once. Who would pass the limit is refused, and does not wait: the sender is told to come again.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{Append, ENTRY_BYTES_MAX, LogError};

/// Shared by all who append.
#[derive(Clone, Debug)]
pub(super) struct Budget {
    free: Arc<Semaphore>,
    bytes_max: usize,
}

impl Budget {
    pub(super) fn new(bytes_max: usize) -> Budget {
        let bytes_max = bytes_max.min(u32::MAX as usize);
        Budget { free: Arc::new(Semaphore::new(bytes_max)), bytes_max }
    }

    /// Takes what the entries need until the result is dropped.
    pub(super) fn take(&self, entries: &[Append]) -> Result<OwnedSemaphorePermit, LogError> {
        let mut total = 0_usize;
        for entry in entries {
            let bytes = entry.n_bytes();
            if bytes > ENTRY_BYTES_MAX {
                return Err(LogError::TooLarge { bytes, bytes_max: ENTRY_BYTES_MAX });
            }
            total = total.saturating_add(bytes);
        }
        // More than is ever free would be refused for ever.
        if total > self.bytes_max {
            return Err(LogError::TooLarge { bytes: total, bytes_max: self.bytes_max });
        }
        let total = u32::try_from(total).expect("the limit is one of 32 bits");
        let full = LogError::Full { bytes_max: self.bytes_max };
        Arc::clone(&self.free).try_acquire_many_owned(total).map_err(|_| full)
    }
}
