//! Rules: what applies, at which limits, from which file and version, whether its tests pass, and what changed between versions.

mod one;

pub use one::{Change, Used, View as OneView, page as one_page};

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
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rule {
    /// Its name, `PACK/NAME`.
    pub name: String,
    /// The version that applies.
    pub version: String,
    /// Hash of its content.
    pub hash: String,
    /// What it is for; may be empty.
    pub about: String,
    /// What it looks at, in words.
    pub looks_at: String,
    /// To whom it applies.
    pub applies: String,
    /// Where its limits come from.
    pub source: String,
    /// Rules of one topic make one alert.
    pub topic: String,
    /// Its limits.
    pub limits: Vec<Limit>,
    /// After an alert is over, the same is not said again for this time.
    pub refractory: Option<String>,
    /// Does it apply.
    pub is_enabled: bool,
    /// How its tests went: passed and all; `None` when it has none.
    pub tests: Option<(u64, u64)>,
    /// Alerts that it has open.
    pub active: u64,
}

/// One limit of a rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limit {
    /// With its unit.
    pub limit: String,
    /// Severity.
    pub severity: String,
    /// How long it must hold.
    pub sustained: Option<String>,
    /// When it is over.
    pub clear: String,
    /// In which time somebody must respond.
    pub respond_within: Option<String>,
    /// Arrest range: never delayed, silenced or inhibited.
    pub is_immediate: bool,
    /// What the alert says.
    pub says: Option<String>,
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
                thead { tr { th scope="col" { "Rule" } th scope="col" { "Looks at" } th scope="col" { "Raises" } th scope="col" { "Applies to" } th scope="col" { "Tests" } th.number scope="col" { "Active alerts" } } }
                tbody { @for rule in &view.rules { (row(rule)) } }
            }
        }
    }
}

fn row(rule: &Rule) -> Markup {
    html! {
        tr data-row {
            th scope="row" { a.main href=(url::rule(&rule.name)) { (rule.name) } div.sub { (rule.version) @if !rule.is_enabled { ", " span.unknown { "not enabled" } } } }
            td data-label="Looks at" { div.words { (rule.looks_at) } }
            td data-label="Raises" { ul.limits { @for limit in &rule.limits { li { (chip(severity_tone(&limit.severity), &limit.severity)) " " (limit.limit) } } } @if rule.limits.is_empty() { span.muted { "nothing" } } }
            td data-label="Applies to" { div.words { (rule.applies) } }
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
