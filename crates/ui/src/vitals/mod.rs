//! The vitals of one patient: lines with alert markers, the score, and for each value the event it came from.

mod chart;

use fhir::Instant;
use maud::{Markup, html};

use crate::alerts::{Alert, Person, Seen, list_row};
use crate::frame::{Frame, Place, framed};
use crate::live;
use crate::parts::empty::empty;
use crate::parts::how;
use crate::parts::icon::Icon;
use crate::parts::number::counted;
use crate::parts::time::exact;
use crate::url;
use crate::ward::{Bed, tile};

/// What the page shows.
#[derive(Clone)]
pub struct View {
    /// Who is looking.
    pub frame: Frame,
    /// Whom it is about.
    pub person: Person,
    /// Hours that are shown.
    pub hours: u32,
    /// The patient as on the board; `None` when there was never a reading.
    pub bed: Option<Bed>,
    /// One line per measure, in the order of the chart.
    pub lines: Vec<Line>,
    /// Alerts in this time, the newest first.
    pub alerts: Vec<Alert>,
    /// More values were there than are drawn.
    pub is_cut: bool,
    /// May they act on alerts.
    pub may_act: bool,
    /// May they open raw events.
    pub may_open: bool,
    /// Where the live stream goes on.
    pub cursor: String,
}

/// A measure over time.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Short name, `heart_rate`.
    pub name: String,
    /// For people, `Heart rate`.
    pub title: String,
    /// Unit for people.
    pub unit: String,
    /// Values that are usual, drawn as a band: low and high.
    pub usual: Option<(f64, f64)>,
    /// The values, the oldest first.
    pub points: Vec<Point>,
}

/// One value.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// The number that is drawn; `None` for texts.
    pub number: Option<f64>,
    /// Where it came from.
    pub seen: Seen,
    /// Flags of specimen and device.
    pub flags: Vec<String>,
}

/// Hours that can be chosen.
pub const HOURS: [u32; 4] = [1, 6, 24, 72];

/// The page. Its title names nobody.
pub fn page(view: &View) -> Markup {
    let id = view.person.id.as_deref().unwrap_or_default();
    let body = html! {
        nav.crumbs aria-label="Where this is" { a href=(url::WARD) { "Ward" } span aria-hidden="true" { "/" } a href=(url::patient(id)) { "Patient" } span aria-hidden="true" { "/" } span { "Vitals" } }
        (live::head(view.person.name.as_deref().unwrap_or("Name unknown"), "Vital signs and results over time, with the alerts they raised.", &format!("vitals?patient={}&hours={}", fhir::uri::encode(id), view.hours), &view.cursor))
        (hours(view, id))
        @match &view.bed {
            None => div.panel { (empty(Icon::Pulse, "No readings", "Nothing was received for this patient. Send an event:", Some("salus stream publish event.json"))) },
            Some(bed) => {
                div.columns.vitals {
                    (lines(view))
                    div { ul.beds.one { (tile(bed, view.frame.now)) } (alerts(view)) }
                }
                (table(view))
            },
        }
    };
    framed(&view.frame, Some(Place::Ward), "Vitals", &body)
}

fn hours(view: &View, id: &str) -> Markup {
    html! {
        nav.tabs aria-label="Time shown" {
            ul { @for hours in HOURS { li { a href=(url::vitals_of(id, hours)) aria-current=[(hours == view.hours).then_some("page")] { (hours) @if hours == 1 { " hour" } @else { " hours" } } } } }
        }
    }
}

/// The drawings; the live stream swaps them as one by their id.
pub fn lines(view: &View) -> Markup {
    let from = Instant(view.frame.now.0 - i64::from(view.hours) * 3_600_000_000);
    let drawn: Vec<&Line> =
        view.lines.iter().filter(|line| line.points.iter().any(|point| point.number.is_some())).collect();
    html! {
        section.panel id="vitals-lines" aria-labelledby="over-time" {
            header { h2 id="over-time" { "Over time" } p { "The last " (view.hours) @if view.hours == 1 { " hour" } @else { " hours" } ", to " (exact(view.frame.now)) } }
            @if drawn.is_empty() { p.body.muted { "No number was received in this time." } }
            @else { div.body { @for line in drawn { (chart::drawing(line, from, view.frame.now, &view.alerts)) } } }
            @if view.is_cut { p.hint.below { "More values were received than are drawn: choose a shorter time." } }
            (how("the lines", &[
                ("Values", "as received, in the canonical unit; a gap in a line is a time without values".into()),
                ("Band", "values without points in NEWS2, or the usual range of the shipped rules".into()),
                ("Markers", "alerts, at the time of the event that raised them, in the line of the value that decided".into()),
            ]))
        }
    }
}

fn alerts(view: &View) -> Markup {
    html! {
        section.panel aria-labelledby="alerts-here" {
            header { h2 id="alerts-here" { "Alerts" } p.end.muted { (view.alerts.len()) } }
            @if view.alerts.is_empty() { p.body.muted { "None in this time." } }
            @else {
                div.scroll tabindex="0" role="region" aria-label="Table of alerts" {
                    table.stacks.narrow {
                        caption.sr { "Alerts of this patient" }
                        thead.sr { tr { th scope="col" { "Ticked" } th scope="col" { "Severity" } th scope="col" { "What" } th scope="col" { "Patient" } th scope="col" { "Raised" } th scope="col" { "State" } th scope="col" { "Actions" } } }
                        tbody id="queue-rows" data-grows="alert-" { @for alert in &view.alerts { (list_row(&view.frame, alert, false, "")) } }
                    }
                }
            }
        }
    }
}

fn table(view: &View) -> Markup {
    let mut rows: Vec<(&Line, &Point)> =
        view.lines.iter().flat_map(|line| line.points.iter().map(move |point| (line, point))).collect();
    rows.sort_by_key(|(_, point)| std::cmp::Reverse(point.seen.at.0));
    html! {
        section.panel.below aria-labelledby="values" {
            header { h2 id="values" { "Values" } p { (counted(rows.len() as u64, "value", "values")) ", the newest first, each with its event" } }
            details.fold.padded-fold {
                summary { "As a table" }
                div.scroll tabindex="0" role="region" aria-label="Table of values" {
                    table.stacks {
                        caption.sr { "Values of this patient" }
                        thead { tr { th scope="col" { "When" } th scope="col" { "Measure" } th.number scope="col" { "Value" } th scope="col" { "Flags" } th scope="col" { "Source" } th scope="col" { "Event" } } }
                        tbody { @for (line, point) in rows { (value_row(view, line, point)) } }
                    }
                }
            }
        }
    }
}

fn value_row(view: &View, line: &Line, point: &Point) -> Markup {
    let seen = &point.seen;
    html! {
        tr data-row {
            td.nowrap data-label="When" { time datetime=(seen.at) { (exact(seen.at)) } }
            th scope="row" { (line.title) }
            td.number data-label="Value" { (seen.value) " " span.muted { (line.unit) } }
            td data-label="Flags" { @if point.flags.is_empty() { span.muted { "–" } } @else { (point.flags.join(", ")) } }
            td data-label="Source" { (seen.source) }
            td data-label="Event" { @match seen.position.as_ref().filter(|_| view.may_open) { Some(position) => a.mono href=(url::event(position)) { (position) }, None => span.mono.muted { (seen.event) } } }
        }
    }
}
