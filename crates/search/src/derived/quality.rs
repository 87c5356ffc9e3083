//! The quality score of a resource at the time it was written. What cannot be assessed gives no row.

use fhir::{Decimal, Instant, Resource};

use super::param;
use crate::rows::{IndexRows, NumberRow};

pub(super) fn add(resource: &Resource, at: Instant, rows: &mut IndexRows) {
    let Some(param) = param(resource, "quality") else { return };
    let Some(thousandths) = ::quality::score(resource, at).overall_thousandths else { return };
    let score =
        Decimal::from(i64::from(thousandths)).times(&Decimal::parse("0.001").expect("this is a decimal"));
    let key = score.key();
    rows.numbers.push(NumberRow { param, low: key.clone(), high: key });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &str, expected: Option<&str>) {
        let resource = Resource::parse(json.as_bytes(), &fhir::json::Limits::default()).unwrap();
        let mut rows = IndexRows::default();
        add(&resource, Instant::parse("2026-01-01T00:00:00Z").unwrap(), &mut rows);
        let keys: Vec<&[u8]> = rows.numbers.iter().map(|row| row.low.as_slice()).collect();
        let expected: Vec<Vec<u8>> =
            expected.iter().map(|text| Decimal::parse(text).unwrap().key()).collect();
        assert_eq!(keys, expected, "{json}");
    }

    #[test]
    fn the_score_is_a_number_and_what_is_not_assessed_is_none() {
        check(r#"{"resourceType":"Patient"}"#, Some("0"));
        check(
            r#"{"resourceType":"Patient","name":[{"family":"F"}],"gender":"male","birthDate":"2190-01-01"}"#,
            Some("0.533"),
        );
        check(r#"{"resourceType":"Appointment","status":"booked"}"#, None);
    }
}
