//! The date a resource is about, with the precision it was stated in.

use fhir::Value;

/// Elements that say when, most telling first. A period counts by its start.
const ELEMENTS: [&str; 28] = [
    "effectiveDateTime",
    "effectivePeriod",
    "effectiveInstant",
    "onsetDateTime",
    "onsetPeriod",
    "performedDateTime",
    "performedPeriod",
    "occurrenceDateTime",
    "occurrencePeriod",
    "period",
    "authoredOn",
    "authored",
    "startDate",
    "whenHandedOver",
    "whenPrepared",
    "servicedDate",
    "servicedPeriod",
    "billablePeriod",
    "started",
    "recordedDate",
    "issued",
    "dateTime",
    "date",
    "created",
    "sent",
    "recorded",
    "assertedDate",
    "abatementDateTime",
];

/// The date as it was stated, `2019-03` or `2019-03-04T10:20:00+01:00`.
pub fn when_of(resource: &Value) -> Option<&str> {
    ELEMENTS.iter().find_map(|name| {
        let value = resource.get(name)?;
        value.as_str().or_else(|| value.text("start")).or_else(|| value.text("end"))
    })
}

/// The day of a stated date, or the month or year when no more is known.
pub fn day_of(when: &str) -> &str {
    when.split('T').next().unwrap_or(when)
}

/// Hours and minutes as they were on the clock on the wall; `None` for a bare date.
pub fn time_of(when: &str) -> Option<&str> {
    when.split_once('T').and_then(|(_, time)| time.get(..5))
}

#[cfg(test)]
mod tests {
    use super::*;
    use fhir::json;

    #[test]
    fn precision_stays() {
        let visit = json!({"period": {"start": "2019-03-04T10:20:00+01:00"}});
        assert_eq!(
            when_of(&visit).map(|when| (day_of(when), time_of(when))),
            Some(("2019-03-04", Some("10:20")))
        );
        assert_eq!(
            when_of(&json!({"onsetDateTime": "2019"})).map(|when| (day_of(when), time_of(when))),
            Some(("2019", None))
        );
        assert_eq!(when_of(&json!({"id": "x"})), None);
    }
}
