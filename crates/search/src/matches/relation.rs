//! What belongs to the patient, looked up at the time of the event.

use fhir::Kind;

use super::{Known, Scene};
use crate::query::{Relation, RelationOperand};
use crate::rows::RelationRow;
use crate::{event_date_param, patient_params};

impl Scene<'_> {
    /// Is one of the operands in force for a patient of the resource, at the start of its event. The facts that resources state which the
    /// caller may not see do not count.
    pub(super) fn related(&self, relation: Relation, any_of: &[RelationOperand], resource: &Known) -> bool {
        let times = self.times(resource);
        let patients: Vec<&str> = if resource.kind == Kind::PATIENT {
            vec![&resource.id]
        } else {
            let params = patient_params(resource.kind);
            let targets = params.into_iter().flat_map(|param| self.targets(param, resource));
            targets.filter(|(kind, _)| *kind == Kind::PATIENT).map(|(_, id)| id).collect()
        };
        let fits = |row: &RelationRow| {
            row.relation == relation
                && patients.contains(&row.patient.as_str())
                && times.iter().any(|at| row.low <= *at && *at < row.high)
                && any_of.iter().any(|operand| is(operand, row))
        };
        SOURCES.iter().any(|source| {
            self.all_visible(Kind::named(source)).iter().any(|known| known.rows.relations.iter().any(fits))
        })
    }

    /// The starts of the resource's event dates; now for patients and for types without an event date. A resource without a value there
    /// happened at no known time.
    fn times(&self, resource: &Known) -> Vec<i64> {
        match event_date_param(resource.kind) {
            None => vec![self.now.0],
            Some(param) => {
                resource.rows.dates.iter().filter(|row| row.param == param).map(|row| row.low).collect()
            }
        }
    }
}

/// The types that state facts about patients.
const SOURCES: [&str; 3] = ["Patient", "Group", "RiskAssessment"];

fn is(operand: &RelationOperand, row: &RelationRow) -> bool {
    operand.code == row.code && (operand.system.is_none() || operand.system == row.system)
}
