//! One rule: its text, its tests, and the difference between two of its versions.

use maud::{Markup, html};

use super::{Rule, tests};
use crate::alerts::severity_tone;
use crate::frame::{Frame, Place, framed};
use crate::parts::chip::{Tone, chip};
use crate::parts::{or_unknown, ticked};
use crate::url;

/// What the page shows.
#[derive(Clone)]
pub struct View {
    /// Who is looking.
    pub frame: Frame,
    /// The rule.
    pub rule: Rule,
    /// Its text.
    pub text: String,
    /// Its tests: name, and why it fails if it does.
    pub cases: Vec<(String, Option<String>)>,
    /// Versions that were ever applied on this data, the newest first.
    pub versions: Vec<String>,
    /// Compared with this version, line by line.
    pub compared: Option<(String, Vec<Change>)>,
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
        div.head { div { h1 { (rule.name) } p { (rule.when) } } }
        section.panel.person aria-label="About the rule" {
            dl.facts.first {
                div { dt { "Version" } dd { (rule.version) } }
                div { dt { "Pack" } dd { (rule.pack) } }
                div { dt { "Looks at" } dd { (rule.kind) } }
                div { dt { "Raises" } dd { @for word in &rule.severities { (chip(severity_tone(word), word)) " " } @if rule.severities.is_empty() { "nothing" } } }
                div { dt { "Applies to" } dd { (rule.applies) } }
                div { dt { "Limits from" } dd { (or_unknown(rule.source.as_deref())) } }
                div { dt { "Tests" } dd { (tests(rule)) } }
                div { dt { "Content hash" } dd.mono { (rule.hash) } }
            }
        }
        div.stack {
            (versions(view))
            @if let Some((with, changes)) = &view.compared { (diff(with, &rule.version, changes)) }
            (cases(view))
            section.panel aria-labelledby="text" {
                header { h2 id="text" { "As written" } p { "Test it against history: " code { "salus rules test --replay 30d" } } }
                pre.raw tabindex="0" role="region" aria-label="Text of the rule" { (view.text) }
            }
        }
    };
    framed(&view.frame, Some(Place::Rules), "Rule", &body)
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
