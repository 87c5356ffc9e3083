//! Filters that can identify people: kept here, so that addresses, histories and logs hold only an opaque handle.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard};

use crate::error::ServerError;

const HANDLES_MAX: usize = 10_000;
const TEXT_BYTES_MAX: usize = 16 * 1024;

/// The filters of all sessions of this process. The oldest are forgotten first.
#[derive(Default)]
pub(crate) struct Handles(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    by_handle: HashMap<String, Filter>,
    in_order: VecDeque<String>,
}

struct Filter {
    principal: String,
    text: String,
}

impl Handles {
    /// Keeps a filter and gives its handle.
    pub(crate) fn keep(&self, principal: &str, text: String) -> Result<String, ServerError> {
        if text.len() > TEXT_BYTES_MAX {
            return Err(ServerError::BodyTooLarge { bytes_max: TEXT_BYTES_MAX });
        }
        let handle = uuid::Uuid::new_v4().simple().to_string();
        let mut kept = self.lock();
        if kept.in_order.len() >= HANDLES_MAX
            && let Some(oldest) = kept.in_order.pop_front()
        {
            kept.by_handle.remove(&oldest);
        }
        kept.in_order.push_back(handle.clone());
        kept.by_handle.insert(handle.clone(), Filter { principal: principal.to_string(), text });
        Ok(handle)
    }

    /// The filter of a handle, for the one who made it.
    pub(crate) fn find(&self, principal: &str, handle: &str) -> Option<String> {
        let kept = self.lock();
        kept.by_handle
            .get(handle)
            .filter(|filter| filter.principal == principal)
            .map(|filter| filter.text.clone())
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().expect("nothing panics while the lock is held")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_opens_only_for_its_maker() {
        let handles = Handles::default();
        let handle = handles.keep("session:a", "name=ng".into()).unwrap();
        assert_eq!(handles.find("session:a", &handle).as_deref(), Some("name=ng"));
        assert_eq!(handles.find("session:b", &handle), None);
        assert!(handles.keep("session:a", "x".repeat(TEXT_BYTES_MAX + 1)).is_err());
    }

    #[test]
    fn the_oldest_is_forgotten() {
        let handles = Handles::default();
        let first = handles.keep("a", "1".into()).unwrap();
        for n in 0..HANDLES_MAX {
            handles.keep("a", n.to_string()).unwrap();
        }
        assert_eq!(handles.find("a", &first), None);
        assert_eq!(handles.lock().by_handle.len(), HANDLES_MAX);
    }
}
