//! Versions of a resource, and what changed between two of them.

use fhir::Instant;
use maud::{Markup, html};

use super::View;
use crate::json::Change;
use crate::parts::chip::{Tone, chip};
use crate::parts::empty::empty;
use crate::parts::icon::Icon;
use crate::parts::number::counted;
use crate::parts::time::{ago, exact};
use crate::url;

/// One version.
#[derive(Clone)]
pub struct Version {
    /// Its number.
    pub version: u64,
    /// When it was written.
    pub at: Instant,
    /// Is it a deletion.
    pub is_deletion: bool,
    /// Who wrote it; `None` when the record of it may not be seen.
    pub who: Option<String>,
}

/// Two versions and what differs.
#[derive(Clone)]
pub struct Compared {
    /// The older one.
    pub before: Version,
    /// The newer one.
    pub after: Version,
    /// What differs.
    pub changes: Vec<Change>,
}

pub(super) fn list(view: &View, versions: &[Version], older: Option<&str>) -> Markup {
    let base = url::resource(&view.kind, &view.id);
    let may_compare = versions.iter().filter(|version| !version.is_deletion).count() > 1;
    html! {
        section.panel aria-labelledby="versions" {
            header { h2 id="versions" { "Versions" } p { "newest first; none is ever overwritten" } }
            form method="get" action=(base) {
                input type="hidden" name="view" value="compare";
                div.scroll tabindex="0" role="region" aria-label="Table of versions" {
                    table {
                        caption.sr { "Versions of the resource" }
                        thead { tr {
                            th scope="col" { "Version" } th scope="col" { "Written" } th scope="col" { "Exactly" } th scope="col" { "Who" }
                            @if may_compare { th scope="col" { "Older" } th scope="col" { "Newer" } }
                        } }
                        tbody { @for (at, version) in versions.iter().enumerate() { (row(view, version, at, may_compare)) } }
                    }
                }
                div.pager {
                    p { (counted(versions.len() as u64, "version", "versions")) }
                    div.end {
                        @if let Some(older) = older { a.button href=(older) rel="next" { "Older" } }
                        @if may_compare { button.primary { "Compare" } }
                    }
                }
            }
        }
    }
}

fn row(view: &View, version: &Version, at: usize, may_compare: bool) -> Markup {
    let number = version.version;
    let base = url::resource(&view.kind, &view.id);
    html! {
        tr data-row {
            th scope="row" {
                @if version.is_deletion { (number) " " (chip(Tone::Medium, "deleted")) }
                @else { a.main href={ (base) "?version=" (number) } { (number) } @if at == 0 { " " (chip(Tone::Info, "current")) } }
            }
            td.nowrap { (ago(version.at, view.frame.now)) }
            td.nowrap.muted { (exact(version.at)) }
            td { @match &version.who { Some(who) => (who), None => span.unknown { "unknown" } } }
            @if may_compare {
                @if version.is_deletion { td {} td {} } @else {
                    td { input type="radio" name="a" value=(number) checked[at == 1] aria-label={ "version " (number) " as the older one" }; }
                    td { input type="radio" name="b" value=(number) checked[at == 0] aria-label={ "version " (number) " as the newer one" }; }
                }
            }
        }
    }
}

pub(super) fn compared(view: &View, compared: &Compared) -> Markup {
    let title = format!("Version {} to version {}", compared.before.version, compared.after.version);
    html! {
        section.panel aria-labelledby="compared" {
            header {
                h2 id="compared" { (title) }
                p { (counted(compared.changes.len() as u64, "element differs", "elements differ")) ", written " (ago(compared.after.at, view.frame.now)) }
                div.end { a href={ (url::resource(&view.kind, &view.id)) "?view=versions" } { "All versions" } }
            }
            @if compared.changes.is_empty() {
                (empty(Icon::Document, "The same content", "Only version number and time differ.", None))
            } @else {
                div.scroll tabindex="0" role="region" aria-label="Table of compared" {
                    table.diff.stacks {
                        caption.sr { "Elements that differ" }
                        thead { tr { th scope="col" { "Element" } th scope="col" { "Before" } th scope="col" { "After" } } }
                        tbody { @for change in &compared.changes { (difference(change)) } }
                    }
                }
            }
        }
    }
}

fn difference(change: &Change) -> Markup {
    html! {
        tr data-row {
            th.mono scope="row" { (change.path) }
            td data-label="Before" { @match &change.before { Some(text) => code.old { span.sr { "removed " } (text) }, None => span.muted { "not there" } } }
            td data-label="After" { @match &change.after { Some(text) => code.new { span.sr { "added " } (text) }, None => span.muted { "not there" } } }
        }
    }
}
