//! Which types tell about patients, and when what they tell happened: read from `definitions/event_dates.txt`.

use std::sync::OnceLock;

use fhir::Kind;

use crate::ParamId;

/// A line of the file.
struct Line {
    patients: Vec<&'static str>,
    date: Option<&'static str>,
}

fn table() -> &'static [Option<Line>] {
    static TABLE: OnceLock<Vec<Option<Line>>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut table: Vec<Option<Line>> = Kind::all().map(|_| None).collect();
        for line in include_str!("../definitions/event_dates.txt").lines() {
            let mut words = line.split(' ');
            if line.starts_with('#') {
                continue;
            }
            let mut word = || words.next().expect("a line has a type, parameters and a date");
            let (kind, patients, date) = (word(), word(), word());
            let date = Some(date).filter(|date| *date != "-");
            table[Kind::named(kind).index()] = Some(Line { patients: patients.split(',').collect(), date });
        }
        table
    })
}

/// Does a type tell about patients.
pub(crate) fn tells_of_patients(kind: Kind) -> bool {
    table()[kind.index()].is_some()
}

/// The date parameter that says when something of a type happened; `None` when R4 has none.
pub fn event_date_param(kind: Kind) -> Option<ParamId> {
    ParamId::find(kind, table()[kind.index()].as_ref()?.date?)
}

/// The reference parameters that lead from a type to its patients; none for types that tell of no patient, and for `Patient` itself.
pub fn patient_params(kind: Kind) -> Vec<ParamId> {
    let Some(line) = &table()[kind.index()] else { return Vec::new() };
    line.patients.iter().filter_map(|code| ParamId::find(kind, code)).collect()
}

#[cfg(test)]
mod tests {
    use fhir::definitions::SearchType;

    use super::*;

    #[test]
    fn every_name_is_a_parameter_of_the_right_sort() {
        let mut n_kinds = 0;
        for kind in Kind::all() {
            let Some(line) = &table()[kind.index()] else { continue };
            n_kinds += 1;
            let params = patient_params(kind);
            assert_eq!(params.len(), line.patients.len(), "{kind}");
            assert!(params.iter().all(|param| param.def().leads_to(Kind::PATIENT)), "{kind}");
            let date = event_date_param(kind);
            assert_eq!(date.is_some(), line.date.is_some(), "{kind}");
            assert!(date.is_none_or(|date| date.def().ty == SearchType::Date), "{kind}");
        }
        assert!(n_kinds > 60);
        assert_eq!(event_date_param(Kind::named("Observation")).unwrap().def().code, "date");
        assert!(patient_params(Kind::named("Organization")).is_empty());
    }
}
