//! What the store tells of an operation names its place in the bundle, where reads stand between the writes.

use gate::{GateError, StoreError};

/// The same error with the entries' places in the bundle.
pub(crate) fn placed(error: GateError, places: &[usize]) -> GateError {
    let place = |entry: usize| places.get(entry).copied().unwrap_or(entry);
    match error {
        GateError::InvalidEntry { entry, issues } => GateError::InvalidEntry { entry: place(entry), issues },
        GateError::Store(StoreError::InEntry { entry, error }) => {
            GateError::Store(StoreError::InEntry { entry: place(entry), error })
        }
        GateError::Store(StoreError::Reference { entry, target, problem }) => {
            GateError::Store(StoreError::Reference { entry: place(entry), target, problem })
        }
        GateError::Store(StoreError::SameTwice { first, second }) => {
            GateError::Store(StoreError::SameTwice { first: place(first), second: place(second) })
        }
        error => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_name_the_place_in_the_bundle() {
        let places = [1, 4, 5];
        let error = placed(GateError::InvalidEntry { entry: 1, issues: vec![] }, &places);
        assert!(matches!(error, GateError::InvalidEntry { entry: 4, .. }));
        let error = placed(GateError::Store(StoreError::SameTwice { first: 0, second: 2 }), &places);
        assert!(matches!(error, GateError::Store(StoreError::SameTwice { first: 1, second: 5 })));
        let inner = Box::new(StoreError::Cursor);
        let error = placed(GateError::Store(StoreError::InEntry { entry: 2, error: inner }), &places);
        assert!(matches!(error, GateError::Store(StoreError::InEntry { entry: 5, .. })));
    }
}
