//! One rule: its text, its tests, and the difference between two of its versions.

use fhir::Instant;
use maud::{Markup, html};

use super::{Rule, tests};
use crate::alerts::severity_tone;
use crate::frame::{Frame, Place, framed};
use crate::parts::chip::{Tone, chip};
use crate::parts::time::exact;
use crate::parts::{or_unknown, ticked};
use crate::url;

/// What the page shows.
#[derive(Clone)]
pub struct View {
    /// Who is looking.
    pub frame: Frame,
    /// The rule.
    pub rule: Rule,
    /// Its tests: name, and why it fails if it does.
    pub cases: Vec<(String, Option<String>)>,
    /// Versions that were ever applied on this data, the newest first.
    pub versions: Vec<String>,
    /// Compared with this version, line by line.
    pub compared: Option<(String, Vec<Change>)>,
    /// The version that was asked for, as it was used.
    pub asked: Option<Used>,
}

/// A version that was used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Used {
    /// Its version.
    pub version: String,
    /// Since when it was used here.
    pub since: Instant,
    /// What it said, a line for each thing.
    pub says: Vec<String>,
    /// The file it stood in: path and text; `None` when it was used before files were kept.
    pub file: Option<(String, String)>,
}

/// A line of a comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// In both.
    Same(String),
    /// Only in the version before.
    Gone(String),
    /// Only in the version that applies.
    New(String),
}

/// The page.
pub fn page(view: &View) -> Markup {
    let rule = &view.rule;
    let body = html! {
        nav.crumbs aria-label="Where this is" { a href=(url::RULES) { "Rules" } span aria-hidden="true" { "/" } span { "Rule" } }
        div.head { div { h1 { (rule.name) } p { "What it looks at, its limits, and whether its tests pass." } } }
        section.panel.person aria-label="About the rule" {
            @if !rule.about.is_empty() { p.about { (ticked(&rule.about)) } }
            dl.facts.first {
                div { dt { "Looks at" } dd { (rule.looks_at) } }
                div { dt { "Applies to" } dd { (rule.applies) } }
                div { dt { "Topic" } dd { (rule.topic) } }
                div { dt { "Version" } dd { (rule.version) @if !rule.is_enabled { ", " span.unknown { "not enabled" } } } }
                div { dt { "Limits from" } dd { (or_unknown(Some(&rule.source))) } }
                div { dt { "Quiet after" } dd { @match &rule.refractory { Some(time) => (time), None => "not at all" } } }
                div { dt { "Tests" } dd { (tests(rule)) } }
                div { dt { "Active alerts" } dd { (rule.active) } }
                div { dt { "Content hash" } dd.mono { (rule.hash) } }
            }
        }
        div.stack {
            @if let Some(used) = &view.asked { (version_used(used, &rule.version)) }
            @if !rule.limits.is_empty() { (limits(rule)) }
            (versions(view))
            @if let Some((with, changes)) = &view.compared { (diff(with, &rule.version, changes)) }
            (cases(view))
        }
    };
    framed(&view.frame, Some(Place::Rules), "Rule", &body)
}

fn limits(rule: &Rule) -> Markup {
    let or = |text: &Option<String>, none: &'static str| html! { @match text { Some(text) => (text), None => span.muted { (none) } } };
    html! {
        section.panel aria-labelledby="limits" {
            header { h2 id="limits" { "Limits" } p { "Test them against history: " code { "salus rules test --replay 30d" } } }
            div.scroll tabindex="0" role="region" aria-label="Table of limits" {
                table.stacks {
                    caption.sr { "Limits of the rule" }
                    thead { tr { th scope="col" { "Limit" } th scope="col" { "Raises" } th scope="col" { "Holds for" } th scope="col" { "Over when" } th scope="col" { "Respond within" } th scope="col" { "Says" } } }
                    tbody { @for limit in &rule.limits { tr {
                        th.words scope="row" { (limit.limit) @if limit.is_immediate { div.sub { "arrest range: never delayed or silenced" } } }
                        td data-label="Raises" { (chip(severity_tone(&limit.severity), &limit.severity)) }
                        td data-label="Holds for" { (or(&limit.sustained, "at once")) }
                        td data-label="Over when" { div.words { (limit.clear) } }
                        td data-label="Respond within" { (or(&limit.respond_within, "as the severity")) }
                        td data-label="Says" { (or(&limit.says, "–")) }
                    } } }
                }
            }
        }
    }
}

fn version_used(used: &Used, now: &str) -> Markup {
    html! {
        section.panel aria-labelledby="used" {
            header {
                h2 id="used" { "Version " (used.version) }
                p { "Used here since " time datetime=(used.since) { (exact(used.since)) } @if used.version == now { ", in force." } @else { ", not in force any more." } }
            }
            div.raw tabindex="0" role="region" aria-label="What the version said" { @for line in &used.says { div.line { (line) } } }
            @match &used.file {
                Some((path, text)) => details { summary { "The file it stood in, " (path) } div.raw tabindex="0" role="region" aria-label="The file" { @for line in text.lines() { div.line { (line) } } } },
                None => p.body.muted { "It was used before files of rules were kept." },
            }
        }
    }
}

fn versions(view: &View) -> Markup {
    let others: Vec<&String> =
        view.versions.iter().filter(|version| **version != view.rule.version).collect();
    html! {
        @if !others.is_empty() {
            form.panel method="get" action=(url::rule(&view.rule.name)) aria-label="Compare" {
                div.body.padded { div.fields {
                    div { label for="compare" { "Compare with version" } select id="compare" name="compare" { @for version in others { option value=(version) { (version) } } } }
                    div.actions { button { "Compare" } }
                } }
            }
        }
    }
}

fn diff(with: &str, version: &str, changes: &[Change]) -> Markup {
    html! {
        section.panel aria-labelledby="diff" {
            header { h2 id="diff" { "What changed" } p { "From " (with) " to " (version) "." } }
            div.raw tabindex="0" role="region" aria-label="Difference of the versions" {
                @for change in changes { @match change {
                    Change::Same(line) => div.line { span aria-hidden="true" { "  " } (line) },
                    Change::Gone(line) => div.line.gone { span aria-hidden="true" { "- " } span.sr { "removed: " } (line) },
                    Change::New(line) => div.line.added { span aria-hidden="true" { "+ " } span.sr { "added: " } (line) },
                } }
            }
        }
    }
}

fn cases(view: &View) -> Markup {
    html! {
        section.panel aria-labelledby="cases" {
            header { h2 id="cases" { "Tests" } }
            @if view.cases.is_empty() { p.body.muted { "This rule has no tests of its own." } } @else {
                div.scroll tabindex="0" role="region" aria-label="Table of tests" {
                    table.stacks {
                        caption.sr { "Tests of the rule" }
                        thead { tr { th scope="col" { "Test" } th scope="col" { "Result" } } }
                        tbody { @for (name, why) in &view.cases { tr {
                            th scope="row" { (name) }
                            td data-label="Result" { @match why { None => (chip(Tone::Good, "passed")), Some(why) => { (chip(Tone::Critical, "fails")) div.sub.words { (ticked(why)) } } } }
                        } } }
                    }
                }
            }
        }
    }
}
