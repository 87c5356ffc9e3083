//! One page of a patient's timeline, merged from one search per type. A page shows whole days only.
//!
//! A search finds by instants, a page shows the days that the record states: with offsets, an instant may lie on the day before or after.
//! So each page looks one day further than it shows.

use fhir::{Kind, Resource, Value};
use ui::facts::{Event, event_of, when_of};

use super::OfPatient;
use crate::dashboard::calendar::{Day, first_day, last_day, next, previous, text_of};
use crate::error::ServerError;

/// Rows of each type that are asked for; if that holds no whole day, so many.
const ROWS: u32 = 40;
const ROWS_OF_A_FULL_DAY: u32 = 500;
/// Rows of each type without a date, shown behind the oldest day.
const ROWS_UNDATED: u32 = 50;

/// Entries of one page.
pub(super) struct Page {
    pub(super) events: Vec<Event>,
    /// The newest day of the next page.
    pub(super) older: Option<Day>,
    /// A day with more of one type than any page holds.
    pub(super) cut: Option<Day>,
}

/// The page whose newest day is `until`; the newest page when there is none.
pub(super) async fn page(
    patient: &OfPatient<'_>,
    kinds: &[Kind],
    until: Option<Day>,
) -> Result<Page, ServerError> {
    let mut found = dated(patient, kinds, until, ROWS).await?;
    if found.horizon.is_some() && found.whole_days().next().is_none() {
        found = dated(patient, kinds, until, ROWS_OF_A_FULL_DAY).await?;
    }
    let mut events: Vec<Event> = found.whole_days().cloned().collect();
    match found.horizon {
        None => {
            events.extend(undated(patient, kinds).await?);
            Ok(Page { events, older: None, cut: None })
        }
        Some(horizon) if !events.is_empty() => Ok(Page { events, older: Some(horizon), cut: None }),
        // One day holds more than a page may: what was found of it is shown, and the page says so.
        Some(horizon) => {
            let day = until.map_or(horizon, |until| until.min(horizon));
            let events = found.events.into_iter().filter(|event| day_of(event) >= Some(day)).collect();
            Ok(Page { events, older: Some(previous(day)), cut: Some(day) })
        }
    }
}

/// What was found up to a day, and the newest day that may be incomplete.
struct Found {
    events: Vec<Event>,
    horizon: Option<Day>,
}

impl Found {
    fn whole_days(&self) -> impl Iterator<Item = &Event> {
        self.events.iter().filter(|event| self.horizon.is_none_or(|horizon| day_of(event) > Some(horizon)))
    }
}

/// The day under which an entry stands.
fn day_of(event: &Event) -> Option<Day> {
    event.day.as_deref().and_then(first_day)
}

async fn dated(
    patient: &OfPatient<'_>,
    kinds: &[Kind],
    until: Option<Day>,
    rows: u32,
) -> Result<Found, ServerError> {
    let mut found = Found { events: Vec::new(), horizon: None };
    for kind in kinds {
        let Some(date) = search::event_date_param(*kind) else { continue };
        let date = date.def().code;
        let bound = until.map_or_else(
            || format!("{date}:missing=false"),
            |day| format!("{date}=lt{}", text_of(next(next(day)))),
        );
        let (resources, has_more) = patient.search(*kind, &format!("{bound}&_sort=-{date}"), rows).await?;
        if has_more {
            let last = resources.last().and_then(|resource| last_day_of(resource.value()));
            found.horizon = found.horizon.max(last.map(next));
        }
        let events = resources.iter().filter_map(event_of);
        found.events.extend(events.filter(|event| until.is_none_or(|until| day_of(event) <= Some(until))));
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

/// The last day of what a resource tells: searches that sort from the newest order periods and inexact dates by their end.
fn last_day_of(resource: &Value) -> Option<Day> {
    let periods = ["period", "effectivePeriod", "performedPeriod", "occurrencePeriod", "onsetPeriod"];
    let end = periods.into_iter().find_map(|name| resource.get(name)?.text("end"));
    end.into_iter().chain(when_of(resource)).filter_map(last_day).max()
}

#[cfg(test)]
mod tests {
    use super::*;
    use fhir::json;

    #[test]
    fn the_end_of_what_is_told_counts() {
        let stay = json!({"period": {"start": "2020-01-01", "end": "2020-02-03T10:00:00Z"}});
        assert_eq!(last_day_of(&stay), Some((2020, 2, 3)));
        assert_eq!(last_day_of(&json!({"onsetDateTime": "2011-05"})), Some((2011, 5, 31)));
        assert_eq!(last_day_of(&json!({"status": "final"})), None);
    }
}
