//! The order of a transaction: deletions, creations, updates. What is told of an entry names the place it was sent at.

use gate::{Action, GateError, StoreError, WriteOp};

/// Operations in the order in which R4 processes them, and where each was in the bundle.
pub(crate) fn ordered(ops: Vec<(usize, WriteOp)>) -> (Vec<usize>, Vec<WriteOp>) {
    let mut ops = ops;
    // A stable sort: those of one kind stay in the order of the bundle.
    ops.sort_by_key(|(_, op)| turn(&op.action));
    ops.into_iter().unzip()
}

fn turn(action: &Action) -> u8 {
    match action {
        Action::Delete { .. } | Action::ConditionalDelete { .. } => 0,
        Action::Create { .. } => 1,
        Action::Update { .. } | Action::ConditionalUpdate { .. } => 2,
    }
}

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
            let (first, second) = (place(first), place(second));
            GateError::Store(StoreError::SameTwice { first: first.min(second), second: first.max(second) })
        }
        error => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fhir::{Kind, Resource, json};

    #[test]
    fn deletions_come_first_and_errors_name_the_place_in_the_bundle() {
        let patient = Resource::from_value(json!({"resourceType": "Patient", "id": "1"})).unwrap();
        let op = |action| WriteOp { full_url: None, action };
        let ops = vec![
            (0, op(Action::Update { resource: patient.clone(), if_match: None })),
            (2, op(Action::Create { resource: patient, if_none_exist: None })),
            (3, op(Action::Delete { kind: Kind::PATIENT, id: "2".into(), if_match: None })),
        ];
        let (places, ops) = ordered(ops);
        assert_eq!(places, [3, 2, 0]);
        assert!(matches!(ops[0].action, Action::Delete { .. }));
        let error = placed(GateError::InvalidEntry { entry: 1, issues: vec![] }, &places);
        assert!(matches!(error, GateError::InvalidEntry { entry: 2, .. }));
        let error = placed(GateError::Store(StoreError::SameTwice { first: 0, second: 2 }), &places);
        assert!(matches!(error, GateError::Store(StoreError::SameTwice { first: 0, second: 3 })));
    }
}
