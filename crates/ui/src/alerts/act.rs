//! Forms that change alerts: acknowledge, escalate, snooze with reason and maximum, resolve, override. They work without script.

use maud::{Markup, html};

use super::Alert;
use crate::frame::{Frame, csrf};
use crate::url;

/// Reasons that are offered; others may be written.
pub const REASONS: [&str; 6] = [
    "patient seen, being treated",
    "known and expected for this patient",
    "sensor or artefact, checked",
    "specimen problem, repeated",
    "care plan or treatment limit",
    "wrong patient",
];

/// Acknowledge and escalate at once; snooze and resolve behind a sheet that asks why.
pub(super) fn buttons(frame: &Frame, alert: &Alert, back: &str) -> Markup {
    if !alert.is_active() {
        return html! { span.muted { "nothing to do" } };
    }
    html! {
        div.actions.acts {
            form method="post" action=(url::ALERT_ACTS) {
                (csrf(frame))
                input type="hidden" name="id" value=(alert.id);
                input type="hidden" name="seen" value=(alert.seq);
                input type="hidden" name="back" value=(back);
                @if alert.waits() { button.small.primary name="act" value="acknowledge" data-act="a" { "Acknowledge" } }
                @if alert.state != "escalated" { button.small name="act" value="escalate" data-act="e" { "Escalate" } }
            }
            details.menu.confirm {
                summary.button { "More" span.sr { " for this alert" } }
                div.sheet { (snooze(frame, alert, back)) (resolve(frame, alert, back)) }
            }
        }
    }
}

fn snooze(frame: &Frame, alert: &Alert, back: &str) -> Markup {
    let most = alert.snooze_max_mins;
    let (mins, reason) = (format!("mins-{}", alert.id), format!("snooze-why-{}", alert.id));
    html! {
        form.field method="post" action=(url::ALERT_ACTS) {
            (csrf(frame))
            input type="hidden" name="id" value=(alert.id);
            input type="hidden" name="seen" value=(alert.seq);
            input type="hidden" name="back" value=(back);
            label for=(mins) { "Snooze for minutes, at most " (most) }
            input id=(mins) name="mins" type="number" min="1" max=(most) value=(most) required;
            (why(&reason))
            button name="act" value="snooze" { "Snooze" }
        }
    }
}

fn resolve(frame: &Frame, alert: &Alert, back: &str) -> Markup {
    html! {
        form.field method="post" action=(url::ALERT_ACTS) {
            (csrf(frame))
            input type="hidden" name="id" value=(alert.id);
            input type="hidden" name="seen" value=(alert.seq);
            input type="hidden" name="back" value=(back);
            (why(&format!("resolve-why-{}", alert.id)))
            button name="act" value="resolve" { "Resolve" }
            button name="act" value="override" title="ends it, and counts it as an alarm that nobody needed" { "Not useful" }
        }
    }
}

/// A reason: offered ones, or one's own words.
pub(super) fn why(id: &str) -> Markup {
    html! {
        label for=(id) { "Reason" }
        input id=(id) name="reason" maxlength="200" required autocomplete="off" list="reasons" placeholder="why, in a few words";
    }
}

/// What is offered as reasons; once per page.
pub(super) fn reasons() -> Markup {
    html! { datalist id="reasons" { @for reason in REASONS { option value=(reason) {} } } }
}

/// What happens to all rows that are ticked.
pub(super) fn bulk(frame: &Frame, back: &str) -> Markup {
    html! {
        form.bulk id="bulk" method="post" action=(url::ALERT_ACTS) aria-label="All ticked alerts" {
            (csrf(frame))
            input type="hidden" name="back" value=(back);
            span.muted { "Ticked alerts:" }
            button.small name="act" value="acknowledge" { "Acknowledge" }
            button.small name="act" value="escalate" { "Escalate" }
            span.bulk-why {
                label.sr for="bulk-why" { "Reason for resolving the ticked alerts" }
                input id="bulk-why" name="reason" maxlength="200" autocomplete="off" list="reasons" placeholder="reason, for resolving";
            }
            button.small name="act" value="resolve" { "Resolve" }
        }
    }
}
