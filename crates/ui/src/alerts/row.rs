//! One alert in the queue: severity, whom, what, how old against its target, and what can be done.

use fhir::Instant;
use maud::{Markup, html};

use super::{Alert, act, person, severity, state};
use crate::frame::Frame;
use crate::parts::time::{ago, exact};
use crate::url;

/// The row; the live stream swaps it by its id. `back` is where the forms return to.
pub fn row(frame: &Frame, alert: &Alert, may_act: bool, back: &str) -> Markup {
    let said = parts_of(&alert.message);
    html! {
        tr data-row id={ "alert-" (alert.id) } class=[is_late(alert, frame.now).then_some("late")] {
            td.tick { @if may_act && alert.is_active() { input type="checkbox" form="bulk" name="id" value=(alert.id) aria-label={ "Tick: " (alert.message) }; } }
            td.nowrap data-label="Severity" { (severity(&alert.severity)) }
            th.says scope="row" {
                a.main href=(url::alert(&alert.id)) { (said.0) }
                @if alert.n_grouped > 1 { " " span.count title="rules that speak of it" { (alert.n_grouped) " rules" } }
                @if !said.1.is_empty() { div.sub { (said.1) } }
                div.sub { (alert.rule) " " (alert.version) @if let Some(why) = &alert.quiet { ", not sent out: " (why) } }
            }
            td data-label="Patient" { (person(&alert.person)) @if let Some(unit) = &alert.unit { div.sub { (unit) } } }
            td.nowrap data-label="Raised" { (ago(alert.raised_at, frame.now)) (target(alert, frame.now)) }
            td data-label="State" {
                (state(&alert.state))
                div.sub {
                    @if let Some(until) = alert.snoozed_until.filter(|_| alert.state == "snoozed") { "until " time datetime=(until) title=(exact(until)) { (clock(until)) } }
                    @else if let Some(owner) = &alert.owner { (owner) }
                    @else if alert.waits() { "nobody yet" }
                }
            }
            td.acts-cell { @if may_act { (act::buttons(frame, alert, back)) } }
        }
    }
}

/// What was found, and what is beside it: messages put first what matters, then source, values before, and the rule, which is shown anyway.
pub(super) fn parts_of(message: &str) -> (&str, &str) {
    let (first, rest) = message.split_once("; ").unwrap_or((message, ""));
    let end = if rest.starts_with("rule ") { 0 } else { rest.rfind("; rule ").unwrap_or(rest.len()) };
    (first, &rest[..end])
}

/// Is the response overdue.
pub(super) fn is_late(alert: &Alert, now: Instant) -> bool {
    alert.waits() && alert.respond_by.is_some_and(|by| by.0 < now.0)
}

/// How the time that has passed stands against the target.
fn target(alert: &Alert, now: Instant) -> Markup {
    html! {
        @if let Some(by) = alert.respond_by.filter(|_| alert.waits()) {
            div.sub data-target=(by) {
                @if by.0 < now.0 { strong.overdue { "overdue by " (span_text(now.0 - by.0)) } } @else { (span_text(by.0 - now.0)) " left" }
            }
        }
    }
}

/// A length of time in one unit.
pub(crate) fn span_text(micros: i64) -> String {
    let secs = micros / 1_000_000;
    match secs {
        ..60 => format!("{secs} s"),
        60..3_600 => format!("{} min", secs / 60),
        3_600..86_400 => format!("{} h {} min", secs / 3_600, secs % 3_600 / 60),
        _ => format!("{} d", secs / 86_400),
    }
}

/// `13:17` UTC.
fn clock(at: Instant) -> String {
    at.to_rfc3339_millis().get(11..16).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_matters_comes_first() {
        let check = |message: &str, first: &str, rest: &str| assert_eq!(parts_of(message), (first, rest));
        check("pulse 150; by m; before 120; rule a/b 1.0.0", "pulse 150", "by m; before 120");
        check("pulse 150; rule a/b 1.0.0", "pulse 150", "");
        check("pulse 150", "pulse 150", "");
    }

    #[test]
    fn lengths_have_one_unit() {
        let check = |secs: i64, expected: &str| assert_eq!(span_text(secs * 1_000_000), expected);
        check(59, "59 s");
        check(60, "1 min");
        check(3_700, "1 h 1 min");
        check(90_000, "1 d");
    }
}
