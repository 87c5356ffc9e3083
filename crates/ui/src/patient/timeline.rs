//! The timeline: days from the newest to the oldest; within a day visits first and measurements, closely set, last.

use maud::{Markup, html};

use super::{View, nothing, telling_status};
use crate::facts::{Category, Event};
use crate::parts::chip::flag;
use crate::search::measure;
use crate::url;

/// What happened on one day.
#[derive(Clone)]
pub struct Day {
    /// The day, or the month or year when no more is known; `None` when the record does not say.
    pub day: Option<String>,
    /// What happened.
    pub events: Vec<Event>,
}

/// Groups events by day, newest first; those without a date come last.
pub fn days_of(mut events: Vec<Event>) -> Vec<Day> {
    events.sort_by(|a, b| {
        let by_day = b.day.cmp(&a.day);
        by_day
            .then(a.category.cmp(&b.category))
            .then_with(|| a.time.cmp(&b.time))
            .then_with(|| a.title.cmp(&b.title))
    });
    let mut days: Vec<Day> = Vec::new();
    for event in events {
        match days.last_mut().filter(|day| day.day == event.day) {
            Some(day) => day.events.push(event),
            None => days.push(Day { day: event.day.clone(), events: vec![event] }),
        }
    }
    days
}

pub(super) fn panel(view: &View) -> Markup {
    html! {
        section.panel aria-labelledby="timeline" {
            h2.sr id="timeline" { "Timeline" }
            @if view.days.is_empty() { (nothing(view)) } @else {
                @if let Some(day) = &view.cut {
                    div.notice.medium role="status" {
                        span.shape aria-hidden="true" { "■" }
                        div { p { "On " (day) " more happened than one page holds: not everything of this day is shown. The search finds all of it." } }
                    }
                }
                ol.timeline { @for day in &view.days { (one_day(day, view)) } }
                @if let Some(older) = &view.older {
                    nav.pager aria-label="Pages" {
                        p { "Newest first" }
                        div.end { a.button href=(older) rel="next" { "Older" } }
                    }
                }
            }
        }
    }
}

fn one_day(day: &Day, view: &View) -> Markup {
    let (measures, others): (Vec<&Event>, Vec<&Event>) =
        day.events.iter().partition(|event| event.category == Category::Observations);
    html! {
        li {
            div.day-head {
                h3 { @match &day.day { Some(text) => time datetime=(text) { (text) }, None => span.unknown { "date unknown" } } }
                @if let Some(age) = age_then(day, view) { p { (age) } }
            }
            div.day {
                @for event in others { (entry(event)) }
                @if !measures.is_empty() {
                    ul.measures { @for event in measures { (measurement(event)) } }
                }
            }
        }
    }
}

/// How old the person was.
fn age_then(day: &Day, view: &View) -> Option<String> {
    let at = fhir::Instant::parse(&format!("{}T12:00:00Z", day.day.as_deref()?))?;
    Some(format!("age {}", crate::facts::age_text(view.person.born.as_deref()?, at)?))
}

fn entry(event: &Event) -> Markup {
    html! {
        div class={ "event " (event.category.slug()) } data-row {
            span.dot title=(event.kind) { (event.category.icon().svg()) }
            p.text {
                a href=(url::resource(&event.kind, &event.id)) { (event.title.as_deref().unwrap_or(&event.kind)) }
                (telling_status(event))
                " " span.sub { (event.kind) }
            }
            span.when { (event.time.as_deref().unwrap_or("")) }
        }
    }
}

fn measurement(event: &Event) -> Markup {
    html! {
        li data-row {
            a href=(url::resource(&event.kind, &event.id)) title=[event.title.as_deref()] { (event.title.as_deref().unwrap_or(&event.kind)) }
            @match &event.measured { Some(measured) => (measure(measured)), None => span.unknown { "no value" } }
            @if let Some(word) = event.flag { (flag(word)) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newest_first_and_undated_last() {
        let event = |day: Option<&str>, category| Event {
            category,
            kind: "X".into(),
            id: "1".into(),
            day: day.map(String::from),
            time: None,
            title: None,
            measured: None,
            status: None,
            flag: None,
        };
        let days = days_of(vec![
            event(None, Category::Other),
            event(Some("2020-01-02"), Category::Observations),
            event(Some("2024"), Category::Other),
            event(Some("2020-01-02"), Category::Encounters),
        ]);
        let shown: Vec<_> = days.iter().map(|day| (day.day.as_deref(), day.events.len())).collect();
        assert_eq!(shown, [(Some("2024"), 1), (Some("2020-01-02"), 2), (None, 1)]);
        assert_eq!(days[1].events[0].category, Category::Encounters);
    }
}
