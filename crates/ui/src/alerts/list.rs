//! The queue: what waits, the worst and the most overdue first, handled by keyboard, in bulk, or one by one.

use maud::{Markup, html};

use super::{Alert, act, row};
use crate::frame::{Frame, Place, framed};
use crate::live;
use crate::parts::empty::{Notice, empty, notice};
use crate::parts::how;
use crate::parts::icon::Icon;
use crate::parts::number::{counted, grouped};
use crate::url;

/// What the page shows.
#[derive(Clone)]
pub struct View {
    /// Who is looking.
    pub frame: Frame,
    /// What is filtered by.
    pub filter: Filter,
    /// Units with alerts, to choose from.
    pub units: Vec<String>,
    /// The alerts of this page.
    pub alerts: Vec<Alert>,
    /// There are more than are shown.
    pub has_more: bool,
    /// How many wait, by severity, the worst first.
    pub waiting: Vec<(String, u64)>,
    /// May they act.
    pub may_act: bool,
    /// Where the live stream goes on.
    pub cursor: String,
    /// Something that just happened.
    pub notice: Option<Notice>,
}

/// Empty parts filter nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// `active` (the usual), `waiting`, or a state.
    pub state: String,
    /// A severity.
    pub severity: String,
    /// A ward.
    pub unit: String,
}

impl Filter {
    /// The address of the page with this filter.
    pub fn address(&self) -> String {
        url::with_query(
            url::ALERTS,
            &[("state", &self.state), ("severity", &self.severity), ("unit", &self.unit)],
        )
    }

    /// Does it let this alert through.
    pub fn passes(&self, alert: &Alert) -> bool {
        let state = match self.state.as_str() {
            "" | "active" => alert.is_active(),
            "waiting" => alert.waits(),
            "all" => true,
            state => alert.state == state,
        };
        state
            && (self.severity.is_empty() || self.severity == alert.severity)
            && (self.unit.is_empty() || alert.unit.as_deref() == Some(self.unit.as_str()))
    }
}

const STATES: [(&str, &str); 9] = [
    ("", "active"),
    ("waiting", "waiting for somebody"),
    ("acknowledged", "acknowledged"),
    ("escalated", "escalated"),
    ("snoozed", "snoozed"),
    ("silenced", "silenced"),
    ("resolved", "resolved"),
    ("retracted", "retracted"),
    ("all", "all"),
];
const SEVERITIES: [&str; 5] = ["critical", "high", "medium", "low", "info"];

/// The page.
pub fn page(view: &View) -> Markup {
    let back = view.filter.address();
    let body = html! {
        (live::head("Alerts", "What waits for somebody, the worst first, and how long it has waited.", &format!("alerts{}", back.trim_start_matches(url::ALERTS)), &view.cursor))
        @if let Some(told) = &view.notice { (notice(told)) }
        (filter(view))
        (act::reasons())
        section.panel aria-labelledby="queue" {
            header {
                h2 id="queue" { "Queue" }
                p { @if view.waiting.is_empty() { "nobody waits" } @for (at, (severity, n)) in view.waiting.iter().enumerate() { @if at > 0 { ", " } (grouped(*n)) " " (severity) } @if !view.waiting.is_empty() { " waiting" } }
            }
            @if view.alerts.is_empty() { (nothing(view)) }
            (table(view, &back))
            @if view.has_more { p.hint.below { "More alerts match than are shown: " (counted(view.alerts.len() as u64, "alert", "alerts")) ". Filter to see the others." } }
            (how("the queue", &[
                ("Order", "the worst first, of those the one that waits longest".into()),
                ("Target", "the rule's own response time, or the one of its severity; counted from when the alert was raised".into()),
                ("Together", "rules that speak of one topic of one patient are one alert, with the highest severity".into()),
                ("Snooze", "at most as long as the policy allows for the severity, with a reason; it ends early when the alert gets worse".into()),
                ("Advice only", "an alert says what was measured and against which limit; it makes no diagnosis and no order".into()),
            ]))
        }
    };
    framed(&view.frame, Some(Place::Alerts), "Alerts", &body)
}

fn filter(view: &View) -> Markup {
    html! {
        form.panel method="get" action=(url::ALERTS) aria-label="Filter" {
            div.body.padded {
                div.fields {
                    div { label for="state" { "State" } select id="state" name="state" { @for (code, word) in STATES { option value=(code) selected[view.filter.state == code] { (word) } } } }
                    div { label for="severity" { "Severity" } select id="severity" name="severity" { option value="" { "all" } @for word in SEVERITIES { option value=(word) selected[view.filter.severity == word] { (word) } } } }
                    div { label for="unit" { "Ward" } select id="unit" name="unit" { option value="" { "all" } @for word in &view.units { option value=(word) selected[view.filter.unit == *word] { (word) } } } }
                    div.actions { button.primary { "Filter" } @if view.filter != Filter::default() { a.button href=(url::ALERTS) { "Clear" } } }
                }
            }
        }
    }
}

fn nothing(view: &View) -> Markup {
    let is_filtered = view.filter != Filter::default();
    html! {
        div data-when-empty="queue-rows" {
            @if is_filtered { (empty(Icon::Bell, "No alert matches", "Nothing in this state, of this severity, on this ward.", None)) }
            @else { (empty(Icon::Bell, "Nothing waits", "Alerts appear here by themselves. To see some arise:", Some("salus stream simulate"))) }
        }
    }
}

fn table(view: &View, back: &str) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label="Table of alerts" data-when-full="queue-rows" hidden[view.alerts.is_empty()] {
            table.stacks.queue {
                caption.sr { "Alerts" }
                thead { tr {
                    th scope="col" { span.sr { "Ticked" } } th scope="col" { "Severity" } th scope="col" { "What" } th scope="col" { "Patient" }
                    th scope="col" { "Raised" } th scope="col" { "State" } th scope="col" { span.sr { "Actions" } }
                } }
                tbody id="queue-rows" data-grows="alert-" { @for alert in &view.alerts { (row::row(&view.frame, alert, view.may_act, back)) } }
            }
        }
        @if view.may_act { div.pager data-when-full="queue-rows" hidden[view.alerts.is_empty()] { (act::bulk(&view.frame, back)) } }
    }
}
