//! Overview: what is in here, who the people are, and what changed last.

use fhir::Instant;
use maud::{Markup, html};

use crate::frame::{Frame, Place, framed};
use crate::parts::chart::meter;
use crate::parts::chip::{Tone, chip};
use crate::parts::empty::empty;
use crate::parts::icon::Icon;
use crate::parts::number::{counted, grouped, share};
use crate::parts::time::ago;
use crate::parts::{head, how, or_unknown};
use crate::url;

pub use pyramid::{Band, Pyramid};

mod pyramid;

/// What the page shows.
#[derive(Clone)]
pub struct View {
    /// Who is looking.
    pub frame: Frame,
    /// Resources per type, those with none left out, in any order; `None` when the person may not see any type.
    pub counts: Option<Vec<(String, u64)>>,
    /// People by age and sex; `None` when the person may not see patients.
    pub pyramid: Option<Pyramid>,
    /// The last changes, newest first; `None` when the person may not see the change log.
    pub changes: Option<Vec<Change>>,
    /// Address of the FHIR interface, for the example command.
    pub fhir_base: String,
}

/// One write.
#[derive(Clone)]
pub struct Change {
    /// When.
    pub at: Instant,
    /// What was done.
    pub op: ChangeOp,
    /// Resource type.
    pub kind: String,
    /// Resource id.
    pub id: String,
    /// The version it became.
    pub version: u64,
    /// Who; `None` when the record of it may not be seen.
    pub who: Option<String>,
    /// Why, a v3 code.
    pub purpose: Option<String>,
}

/// What a write did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ChangeOp {
    /// It is new.
    Created,
    /// It has another version.
    Updated,
    /// It is gone.
    Deleted,
}

/// Types that get a tile, in this order, with their icons.
const TILES: [(&str, &str, Icon); 6] = [
    ("Patient", "Patients", Icon::People),
    ("Encounter", "Encounters", Icon::Visit),
    ("Condition", "Conditions", Icon::Pulse),
    ("Observation", "Observations", Icon::Gauge),
    ("MedicationRequest", "Prescriptions", Icon::Pill),
    ("Immunization", "Immunizations", Icon::Shield),
];

/// The page.
pub fn page(view: &View) -> Markup {
    let body = html! {
        (head("Overview", "What is in this system, who the people are, and what changed last."))
        @match &view.counts {
            None => div.panel { (empty(Icon::Box, "Health data is not open to your role", "Administrators and officers manage access under Settings; a clinician or analyst sees the data here.", None)) },
            Some(counts) if counts.is_empty() => div.panel { (empty(Icon::Box, "No resources yet", "Load bundles or NDJSON, or make a synthetic population:", Some("salus import ./data   or   salus demo"))) },
            Some(counts) => (filled(view, counts)),
        }
    };
    framed(&view.frame, Some(Place::Overview), "Overview", &body)
}

fn filled(view: &View, counts: &[(String, u64)]) -> Markup {
    let total: u64 = counts.iter().map(|(_, n)| n).sum();
    html! {
        (tiles(counts, total))
        div.columns {
            @match &view.pyramid {
                Some(pyramid) => (pyramid::panel(pyramid)),
                None => div.panel { (empty(Icon::People, "The population is not open to your role", "A role that reads patients, such as clinician or analyst, sees it here.", None)) },
            }
            (by_type(view, counts, total))
        }
        (changes(view))
    }
}

fn tiles(counts: &[(String, u64)], total: u64) -> Markup {
    let count_of = |kind: &str| counts.iter().find(|(name, _)| name == kind).map_or(0, |(_, n)| *n);
    let patients = count_of("Patient");
    html! {
        div.tiles {
            @for (kind, title, icon) in TILES {
                @let n = count_of(kind);
                a.panel.tile href=(if kind == "Patient" { url::PATIENTS.to_string() } else { url::search_of(kind) }) {
                    span.label { (icon.svg()) (title) }
                    span.value { (grouped(n)) }
                    span.note {
                        @if kind == "Patient" { "of " (counted(total, "resource", "resources")) }
                        @else if n == 0 { "none recorded" }
                        @else if patients > 0 { (per(n, patients)) " per patient" }
                        @else { (share(n, total).unwrap_or_default()) " of resources" }
                    }
                }
            }
        }
    }
}

/// `12.3`, or `123` when a digit behind the point says nothing.
fn per(n: u64, whole: u64) -> String {
    let tenths = (n.saturating_mul(10) + whole / 2) / whole;
    if tenths >= 1_000 { grouped(tenths / 10) } else { format!("{}.{}", tenths / 10, tenths % 10) }
}

fn by_type(view: &View, counts: &[(String, u64)], total: u64) -> Markup {
    let mut rows = counts.to_vec();
    rows.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let most = rows.first().map_or(0, |(_, n)| *n);
    html! {
        section.panel.counts aria-labelledby="types" {
            header { h2 id="types" { "Resources by type" } p { (counted(rows.len() as u64, "type", "types")) } }
            div.scroll tabindex="0" role="region" aria-label="Table of types" {
                table {
                    caption.sr { "Resources by type" }
                    thead { tr { th scope="col" { "Type" } th scope="col" { span.sr { "Bar" } } th.number scope="col" { "Number" } th.number scope="col" { "Share" } } }
                    tbody {
                        @for (kind, n) in &rows {
                            tr data-row {
                                th scope="row" { a.main href=(url::search_of(kind)) { (kind) } }
                                td.meter-cell { (meter(*n, most)) }
                                td.number { (grouped(*n)) }
                                td.number.muted { (share(*n, total).unwrap_or_default()) }
                            }
                        }
                    }
                }
            }
            (how("resources by type", &[
                ("What", "current versions that you may see; deleted resources are not counted".into()),
                ("Source", "the store's index, at this moment".into()),
                ("The same by FHIR", format!("GET {}/Observation?_summary=count", view.fhir_base)),
            ]))
        }
    }
}

fn changes(view: &View) -> Markup {
    html! {
        section.panel aria-labelledby="changes" {
            header { h2 id="changes" { "Last changes" } p { "Newest first, from the change log." } }
            @match &view.changes {
                None => (empty(Icon::Ledger, "The change log is not open to your role", "It spans all patients: a role that reads all types sees it here.", None)),
                Some(changes) if changes.is_empty() => (empty(Icon::Ledger, "Nothing has changed yet", "Every write appears here.", None)),
                Some(changes) => (change_table(view, changes)),
            }
        }
    }
}

fn change_table(view: &View, changes: &[Change]) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label="Table of changes" {
            table.stacks {
                caption.sr { "Last changes" }
                thead { tr {
                    th scope="col" { "Resource" } th scope="col" { "Change" } th.number scope="col" { "Version" }
                    th scope="col" { "When" } th scope="col" { "Who" } th scope="col" { "Purpose" }
                } }
                tbody {
                    @for change in changes {
                        tr data-row {
                            td.clip { a.main href=(url::resource(&change.kind, &change.id)) { (change.kind) } " " span.muted.mono { (change.id) } }
                            td data-label="Change" { (op(change.op)) }
                            td.number data-label="Version" { (change.version) }
                            td.nowrap data-label="When" { (ago(change.at, view.frame.now)) }
                            td.nowrap data-label="Who" { (or_unknown(change.who.as_deref())) }
                            td.nowrap.muted data-label="Purpose" { (or_unknown(change.purpose.as_deref().map(crate::frame::purpose_text))) }
                        }
                    }
                }
            }
        }
    }
}

fn op(op: ChangeOp) -> Markup {
    match op {
        ChangeOp::Created => chip(Tone::Good, "created"),
        ChangeOp::Updated => chip(Tone::Low, "updated"),
        ChangeOp::Deleted => chip(Tone::Medium, "deleted"),
    }
}
