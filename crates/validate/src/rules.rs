//! Rules between the elements of one type.

use fhir::definitions::Child;
use fhir::{IssueType, Kind, Object};

use crate::place::Place;
use crate::walk::Walk;

impl Walk<'_> {
    /// ext-1: an extension has a value or extensions, not both.
    pub(crate) fn extension(&mut self, object: &Object, place: &Place) {
        let n_values = object.keys().filter(|key| key.trim_start_matches('_').starts_with("value")).count();
        let text = match (n_values > 0, object.contains_key("extension")) {
            (true, true) => "an extension has a value or extensions, not both",
            (false, false) => "an extension has a value or extensions: here is neither",
            _ => return,
        };
        self.error(IssueType::Invariant, "ext-1", text, place);
    }

    pub(crate) fn rules_of_type(&mut self, child: Child, object: &Object, place: &Place) {
        let _ = (child, object, place);
    }

    pub(crate) fn rules_of_resource(&mut self, kind: Kind, object: &Object, place: &Place) {
        let _ = (kind, object, place);
    }
}
