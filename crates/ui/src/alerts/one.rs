//! One alert: what it rests on, where each value came from, what happened to it and who was told.

use maud::{Markup, html};

use super::{Alert, AlertFacts, act, person, row, severity, state};
use crate::frame::{Frame, Place, csrf, framed};
use crate::live;
use crate::parts::chip::{Tone, chip};
use crate::parts::empty::{Notice, notice};
use crate::parts::time::{ago, exact};
use crate::parts::{or_unknown, ticked};
use crate::url;

/// What the page shows.
#[derive(Clone)]
pub struct View {
    /// Who is looking.
    pub frame: Frame,
    /// The alert.
    pub facts: AlertFacts,
    /// May they act.
    pub may_act: bool,
    /// May they open raw events.
    pub may_open: bool,
    /// Where the live stream goes on.
    pub cursor: String,
    /// Something that just happened.
    pub notice: Option<Notice>,
}

/// The page. Its title names nobody.
pub fn page(view: &View) -> Markup {
    let alert = &view.facts.alert;
    let body = html! {
        nav.crumbs aria-label="Where this is" { a href=(url::ALERTS) { "Alerts" } span aria-hidden="true" { "/" } span { "Alert" } }
        (live::head("Alert", "What it rests on, what happened to it, and who was told.", &format!("alert?id={}", alert.id), &view.cursor))
        @if let Some(told) = &view.notice { (notice(told)) }
        (act::reasons())
        (card(&view.frame, &view.facts.alert, view.may_act))
        div.stack {
            (evidence(view))
            (trail(view))
            (deliveries(view))
            (said(view))
        }
    };
    framed(&view.frame, Some(Place::Alerts), "Alert", &body)
}

/// What the alert is now; the live stream swaps it by its id.
pub fn card(frame: &Frame, alert: &Alert, may_act: bool) -> Markup {
    let now = frame.now;
    let (back, said) = (url::alert(&alert.id), row::parts_of(&alert.message));
    html! {
        section.panel.person id={ "card-" (alert.id) } aria-label="The alert" {
            div.top {
                div.who {
                    p.alert-message { (said.0) }
                    @if !said.1.is_empty() { p.muted.beside { (said.1) } }
                    p { (severity(&alert.severity)) " " (state(&alert.state)) @if row::is_late(alert, now) { " " (chip(Tone::Critical, "response overdue")) } }
                }
                @if may_act { (act::buttons(frame, alert, &back)) }
            }
            dl.facts {
                div { dt { "Patient" } dd { (person(&alert.person)) } }
                div { dt { "Ward" } dd { (or_unknown(alert.unit.as_deref())) } }
                div { dt { "Measured" } dd { (ago(alert.at, now)) } }
                div { dt { "Raised" } dd { (ago(alert.raised_at, now)) } }
                div { dt { "Respond by" } dd { @match alert.respond_by { Some(by) => (ago(by, now)), None => "no target" } } }
                div { dt { "Taken by" } dd { @match &alert.owner { Some(owner) => (owner), None => "nobody yet" } } }
                div { dt { "Rule" } dd { (rule_link(&alert.rule, &alert.version)) " " (alert.version) } }
            }
            @if may_act && alert.is_active() { (silence(frame, alert)) }
        }
    }
}

fn silence(frame: &Frame, alert: &Alert) -> Markup {
    if matches!(alert.severity.as_str(), "critical" | "high") {
        return html! { p.hint { "An alert of this severity cannot be silenced." } };
    }
    html! {
        details.fold {
            summary { "Silence this rule for this patient" }
            form.fields method="post" action=(url::SILENCES) {
                (csrf(frame))
                input type="hidden" name="id" value=(alert.id);
                div { label for="silence-hours" { "Hours, at most 24" } input id="silence-hours" name="hours" type="number" min="1" max="24" value="4" required; }
                div.wide { (act::why("silence-why")) }
                div.actions { button { "Silence" } }
            }
        }
    }
}

fn evidence(view: &View) -> Markup {
    html! {
        section.panel aria-labelledby="evidence" {
            header { h2 id="evidence" { "What it rests on" } p { "The deciding value first, each with the event that brought it." } }
            div.scroll tabindex="0" role="region" aria-label="Table of values" {
                table.stacks {
                    caption.sr { "Values that the alert rests on" }
                    thead { tr { th scope="col" { "Measure" } th.number scope="col" { "Value" } th scope="col" { "When" } th scope="col" { "Source" } th scope="col" { "Event" } } }
                    tbody {
                        @for seen in &view.facts.seen {
                            tr data-row {
                                th scope="row" { (seen.name.replace('_', " ")) }
                                td.number data-label="Value" { strong { (seen.value) } @if let Some(unit) = &seen.unit { " " span.muted { (unit) } } }
                                td.nowrap data-label="When" { (ago(seen.at, view.frame.now)) }
                                td data-label="Source" { (seen.source) }
                                td data-label="Event" { @match seen.position.as_ref().filter(|_| view.may_open) { Some(position) => a.mono href=(url::event(position)) { (position) }, None => span.mono.muted { (seen.event) } } }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn trail(view: &View) -> Markup {
    html! {
        section.panel aria-labelledby="trail" {
            header { h2 id="trail" { "Trail" } p { "Everything that happened to it, and who did it." } }
            div.scroll tabindex="0" role="region" aria-label="Table of what happened" {
                table.stacks {
                    caption.sr { "What happened to the alert" }
                    thead { tr { th scope="col" { "When" } th scope="col" { "What" } th scope="col" { "State" } th scope="col" { "Who" } th scope="col" { "Why" } } }
                    tbody { @for step in &view.facts.trail { tr {
                        td.nowrap data-label="When" { time datetime=(step.at) { (exact(step.at)) } }
                        th scope="row" { (step.what) }
                        td data-label="State" { (state(&step.state)) }
                        td data-label="Who" { span.mono.who-id { (step.by) } }
                        td data-label="Why" { @match &step.reason { Some(why) => (why), None => span.muted { "–" } } }
                    } } }
                }
            }
        }
    }
}

fn deliveries(view: &View) -> Markup {
    html! {
        section.panel aria-labelledby="told" {
            header { h2 id="told" { "Who was told" } }
            @if view.facts.deliveries.is_empty() {
                p.body.muted { "No message went out: no channel is configured for it, or it is quiet. It is shown here and on the ward." }
            } @else {
                div.scroll tabindex="0" role="region" aria-label="Table of messages" {
                    table.stacks {
                        caption.sr { "Messages that went out" }
                        thead { tr { th scope="col" { "Channel" } th scope="col" { "To" } th scope="col" { "Status" } th.number scope="col" { "Tries" } th scope="col" { "Last" } } }
                        tbody { @for one in &view.facts.deliveries { tr {
                            th scope="row" { (one.channel) }
                            td data-label="To" { (one.to) }
                            td data-label="Status" { (delivery(&one.status)) @if let Some(why) = &one.error { div.sub.words { (ticked(why)) } } }
                            td.number data-label="Tries" { (one.attempts) }
                            td.nowrap data-label="Last" { @match one.at { Some(at) => (ago(at, view.frame.now)), None => span.muted { "not yet" } } }
                        } } }
                    }
                }
            }
        }
    }
}

fn delivery(word: &str) -> Markup {
    let tone = match word {
        "delivered" => Tone::Good,
        "failed" => Tone::Critical,
        _ => Tone::Low,
    };
    chip(tone, word)
}

/// Leads to the text of the version that spoke. Detectors of surveillance have no file.
fn rule_link(rule: &str, version: &str) -> Markup {
    html! { @if rule.contains('/') { a href=(url::rule_version(rule, version)) { (rule) } } @else { (rule) } }
}

fn said(view: &View) -> Markup {
    html! {
        section.panel aria-labelledby="said" {
            header { h2 id="said" { "What each rule says" } p { "Rules that speak of one topic are one alert." } }
            div.scroll tabindex="0" role="region" aria-label="Table of rules" {
                table.stacks {
                    caption.sr { "What each rule says" }
                    thead { tr { th scope="col" { "Rule" } th scope="col" { "Severity" } th scope="col" { "Says" } th scope="col" { "State" } th scope="col" { "When" } } }
                    tbody { @for one in &view.facts.said { tr {
                        th scope="row" { (rule_link(&one.rule, &one.version)) div.sub { (one.version) } }
                        td data-label="Severity" { (severity(&one.severity)) }
                        td data-label="Says" { (one.message) }
                        td data-label="State" { (one.state) }
                        td.nowrap data-label="When" { (ago(one.at, view.frame.now)) }
                    } } }
                }
            }
        }
    }
}
