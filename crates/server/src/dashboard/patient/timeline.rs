//! One page of a patient's timeline, merged from one search per type. A page shows whole days only.

use fhir::{Kind, Resource, Value};
use ui::facts::{Event, day_of, event_of, when_of};

use super::OfPatient;
use crate::error::ServerError;

/// Rows of each type that are asked for; if one day has more, so many.
const ROWS: u32 = 40;
const ROWS_OF_A_FULL_DAY: u32 = 500;
/// Rows of each type without a date, shown behind the oldest day.
const ROWS_UNDATED: u32 = 50;

/// Entries of one page, and the day before which the next page begins.
pub(super) async fn page(
    patient: &OfPatient<'_>,
    kinds: &[Kind],
    before: Option<&str>,
) -> Result<(Vec<Event>, Option<String>), ServerError> {
    let mut found = dated(patient, kinds, before, ROWS).await?;
    if found.shown().next().is_none() && found.horizon.is_some() {
        found = dated(patient, kinds, before, ROWS_OF_A_FULL_DAY).await?;
    }
    let mut events: Vec<Event> = found.shown().cloned().collect();
    match &found.horizon {
        // More than any page holds happened on one day: show what was found of it and go on before it.
        Some(day) if events.is_empty() => Ok((found.events, Some(day.clone()))),
        Some(day) => Ok((events, Some(following(day)))),
        None => {
            events.extend(undated(patient, kinds).await?);
            Ok((events, None))
        }
    }
}

/// What was found, and the newest day that may be incomplete.
struct Found {
    events: Vec<Event>,
    horizon: Option<String>,
}

impl Found {
    fn shown(&self) -> impl Iterator<Item = &Event> {
        let horizon = self.horizon.as_deref().unwrap_or("");
        self.events
            .iter()
            .filter(move |event| event.day.as_deref().is_none_or(|day| full(day).as_str() > horizon))
    }
}

async fn dated(
    patient: &OfPatient<'_>,
    kinds: &[Kind],
    before: Option<&str>,
    rows: u32,
) -> Result<Found, ServerError> {
    let mut found = Found { events: Vec::new(), horizon: None };
    for kind in kinds {
        let Some(date) = search::event_date_param(*kind) else { continue };
        let date = date.def().code;
        let bound = before.map_or_else(|| format!("{date}:missing=false"), |day| format!("{date}=lt{day}"));
        let (resources, has_more) = patient.search(*kind, &format!("{bound}&_sort=-{date}"), rows).await?;
        if has_more {
            let last = resources.last().and_then(|resource| last_day_of(resource.value()));
            found.horizon = found.horizon.max(last);
        }
        found.events.extend(resources.iter().filter_map(event_of));
    }
    Ok(found)
}

async fn undated(patient: &OfPatient<'_>, kinds: &[Kind]) -> Result<Vec<Event>, ServerError> {
    let mut events = Vec::new();
    for kind in kinds {
        let filter = search::event_date_param(*kind)
            .map_or_else(String::new, |date| format!("{}:missing=true", date.def().code));
        let (resources, _): (Vec<Resource>, bool) = patient.search(*kind, &filter, ROWS_UNDATED).await?;
        events.extend(resources.iter().filter_map(event_of));
    }
    Ok(events)
}

/// The last day of what a resource tells: searches that sort from the newest order periods by their end.
fn last_day_of(resource: &Value) -> Option<String> {
    let periods = ["period", "effectivePeriod", "performedPeriod", "occurrencePeriod", "onsetPeriod"];
    let end = periods.into_iter().find_map(|name| resource.get(name)?.text("end"));
    end.into_iter().chain(when_of(resource)).map(|when| full(day_of(when))).max()
}

/// A month or year as its first day, so that days compare as text.
fn full(day: &str) -> String {
    match day.len() {
        4 => format!("{day}-01-01"),
        7 => format!("{day}-01"),
        _ => day.to_string(),
    }
}

/// The day after, as an upper bound that leaves it out.
fn following(day: &str) -> String {
    // A time on the day itself is before its last second; no calendar is needed.
    format!("{day}T23:59:59Z")
}

#[cfg(test)]
mod tests {
    use super::*;
    use fhir::json;

    #[test]
    fn days_compare_as_text() {
        assert!(full("2011") < full("2011-05") && full("2011-05") < full("2011-05-18"));
    }

    #[test]
    fn the_end_of_a_stay_counts() {
        let stay = json!({"period": {"start": "2020-01-01", "end": "2020-02-03T10:00:00Z"}});
        assert_eq!(last_day_of(&stay).as_deref(), Some("2020-02-03"));
        assert_eq!(last_day_of(&json!({"onsetDateTime": "2011-05"})).as_deref(), Some("2011-05-01"));
    }
}
