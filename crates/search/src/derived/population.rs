//! Which programmes and groups a patient is in: members of actual Groups with the period of their membership, and tags of the patient.

use compact_str::{CompactString, format_compact};
use fhir::{Kind, Resource, Value};

use super::patient_of;
use crate::extract::period_of;
use crate::query::Relation;
use crate::rows::{IndexRows, RelationRow};

/// The system of tags that name a population.
const POPULATION: &str = "urn:salus:population";

pub(super) fn add(resource: &Resource, bases: &[String], rows: &mut IndexRows) {
    if resource.kind() == Kind::PATIENT {
        tags(resource, rows);
    } else if resource.kind() == Kind::GROUP {
        members(resource, bases, rows);
    }
}

fn tags(patient: &Resource, rows: &mut IndexRows) {
    let Some(id) = patient.id() else { return };
    let tags =
        patient.value().get("meta").and_then(|meta| meta.get("tag")).map(Value::each).unwrap_or_default();
    for tag in tags.iter().filter(|tag| tag.text("system") == Some(POPULATION)) {
        rows.relations.extend(tag.text("code").map(|code| RelationRow {
            relation: Relation::Population,
            patient: id.into(),
            system: Some(CompactString::const_new(POPULATION)),
            code: code.into(),
            low: i64::MIN,
            high: i64::MAX,
        }));
    }
}

/// The group is named by its codes and by `Group/id`. A descriptive group (`actual` is false) has no members, only a wish for them.
fn members(group: &Resource, bases: &[String], rows: &mut IndexRows) {
    let value = group.value();
    let is_actual = value.get("actual").and_then(Value::as_bool) == Some(true);
    let is_active = value.get("active").and_then(Value::as_bool) != Some(false);
    if !is_actual || !is_active {
        return;
    }
    let codings = value.get("code").and_then(|code| code.get("coding")).map(Value::each).unwrap_or_default();
    let mut names: Vec<(Option<CompactString>, CompactString)> = codings
        .iter()
        .filter_map(|one| Some((one.text("system").map(Into::into), one.text("code")?.into())))
        .collect();
    names.extend(group.id().map(|id| (None, format_compact!("Group/{id}"))));
    for member in value.get("member").map(Value::each).unwrap_or_default() {
        let text = member.get("entity").and_then(|entity| entity.text("reference"));
        let Some(patient) = text.and_then(|text| patient_of(text, bases)) else { continue };
        let period = member.get("period").and_then(period_of);
        let is_inactive = member.get("inactive").and_then(Value::as_bool) == Some(true);
        let (low, high) = period.map_or((i64::MIN, i64::MAX), |period| (period.low, period.high));
        if is_inactive && high == i64::MAX {
            // It ended, and nobody knows when: no time at which it was in force is certain.
            continue;
        }
        rows.relations.extend(names.iter().map(|(system, code)| RelationRow {
            relation: Relation::Population,
            patient: patient.into(),
            system: system.clone(),
            code: code.clone(),
            low,
            high,
        }));
    }
}
