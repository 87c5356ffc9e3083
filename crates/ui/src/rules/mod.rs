//! Rules: what applies, at which limits, from which file and version, whether its tests pass, and what changed between versions.

mod one;

pub use one::{Change, View as OneView, page as one_page};

use maud::{Markup, html};

use crate::alerts::severity_tone;
use crate::frame::{Frame, Place, framed};
use crate::parts::chip::{Tone, chip};
use crate::parts::empty::{Notice, empty, notice};
use crate::parts::icon::Icon;
use crate::parts::number::counted;
use crate::parts::{head, how};
use crate::streams::tabs;
use crate::url;

/// What the page shows.
#[derive(Clone)]
pub struct View {
    /// Who is looking.
    pub frame: Frame,
    /// Rules that apply, by pack and name.
    pub rules: Vec<Rule>,
    /// What is wrong in files that therefore do not apply.
    pub faults: Vec<String>,
}

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its name.
    pub name: String,
    /// The version that applies.
    pub version: String,
    /// Hash of its content.
    pub hash: String,
    /// Pack or file.
    pub pack: String,
    /// The kind of event it looks at.
    pub kind: String,
    /// Severities it can raise, the worst first.
    pub severities: Vec<String>,
    /// What it looks for, in words or as written.
    pub when: String,
    /// To whom it applies.
    pub applies: String,
    /// Where its limits come from.
    pub source: Option<String>,
    /// Does it apply.
    pub is_enabled: bool,
    /// How its tests went: passed and all; `None` when it has none.
    pub tests: Option<(u64, u64)>,
    /// Alerts that it has open.
    pub active: u64,
}

/// The page.
pub fn page(view: &View) -> Markup {
    let body = html! {
        (head("Rules", "What raises an alert, at which limits, and whether its tests pass."))
        (tabs("Rules"))
        @for fault in &view.faults { (notice(&Notice { tone: Tone::Critical, title: fault.clone(), text: "The version that applied before goes on applying. `salus rules check` says the same.".into() })) }
        section.panel aria-labelledby="rules" {
            header { h2 id="rules" { "Rules" } p { (counted(view.rules.len() as u64, "rule", "rules")) } }
            @if view.rules.is_empty() { (empty(Icon::Stream, "No rules", "The shipped rules are part of salus; own ones are files:", Some("salus rules check rules/"))) }
            @else { (table(view)) }
            (how("the list of rules", &[
                ("Rules", "the shipped packs, and the files of the folder that the configuration names; read again when they change".into()),
                ("Tests", "every rule carries its tests; they ran when the rule was loaded, and a rule whose test fails does not apply".into()),
                ("Missing", "a value that is not there is never taken as normal: the rule says “not evaluated”".into()),
            ]))
        }
    };
    framed(&view.frame, Some(Place::Rules), "Rules", &body)
}

fn table(view: &View) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label="Table of rules" {
            table.stacks {
                caption.sr { "Rules" }
                thead { tr { th scope="col" { "Rule" } th scope="col" { "Raises" } th scope="col" { "When" } th scope="col" { "Applies to" } th scope="col" { "Tests" } th.number scope="col" { "Active alerts" } } }
                tbody { @for rule in &view.rules { (row(rule)) } }
            }
        }
    }
}

fn row(rule: &Rule) -> Markup {
    html! {
        tr data-row {
            th scope="row" { a.main href=(url::rule(&rule.name)) { (rule.name) } div.sub { (rule.version) ", " (rule.pack) @if !rule.is_enabled { ", " span.unknown { "not enabled" } } } }
            td data-label="Raises" { @for word in &rule.severities { (chip(severity_tone(word), word)) " " } @if rule.severities.is_empty() { span.muted { "–" } } }
            td data-label="When" { div.words { (rule.when) } }
            td data-label="Applies to" { (rule.applies) }
            td.nowrap data-label="Tests" { (tests(rule)) }
            td.number data-label="Active alerts" { (rule.active) }
        }
    }
}

/// How the tests of a rule went.
pub(crate) fn tests(rule: &Rule) -> Markup {
    html! {
        @match rule.tests {
            None => (chip(Tone::Medium, "none")),
            Some((passed, all)) if passed == all => (chip(Tone::Good, &format!("{all} passed"))),
            Some((passed, all)) => (chip(Tone::Critical, &format!("{} of {all} fail", all - passed))),
        }
    }
}
