//! The ward board: one tile per patient with readings, the worst first.

mod facts;
mod tile;

pub use facts::{Bed, Reading, Score, Trend};
pub use tile::tile;

use maud::{Markup, html};

use crate::frame::{Frame, Place, framed};
use crate::live;
use crate::parts::empty::empty;
use crate::parts::how;
use crate::parts::icon::Icon;
use crate::parts::number::counted;
use crate::url;

/// What the page shows.
#[derive(Clone)]
pub struct View {
    /// Who is looking.
    pub frame: Frame,
    /// The ward that is shown; empty for all.
    pub unit: String,
    /// Wards with patients, to choose from.
    pub units: Vec<String>,
    /// The patients, the worst first.
    pub beds: Vec<Bed>,
    /// There are more than are shown.
    pub has_more: bool,
    /// Where the live stream goes on.
    pub cursor: String,
}

/// The page.
pub fn page(view: &View) -> Markup {
    let watch = if view.unit.is_empty() {
        "ward".to_owned()
    } else {
        url::with_query("ward", &[("unit", &view.unit)])
    };
    let body = html! {
        (live::head("Ward", "Who is getting worse, who is missing readings, and who has an alert.", &watch, &view.cursor))
        (units(view))
        @if view.beds.is_empty() {
            div.panel data-when-empty="beds" { (empty(Icon::Bed, "No patient has readings", "Send vital signs, or let a simulated ward send some:", Some("salus stream simulate"))) }
        } @else { (summary(view)) }
        h2.sr { "Patients" }
        ul.beds id="beds" data-grows="bed-" data-ranked aria-label="Patients, the worst first" { @for bed in &view.beds { (tile(bed, view.frame.now)) } }
        @if view.has_more { p.hint { "More patients have readings than are shown: choose a ward." } }
        section.panel.below aria-label="About this page" {
            (how("the ward board", &[
                ("Score", "NEWS2 (Royal College of Physicians, 2017; reproduced with acknowledgement): 0–4 low, 5–6 medium, 7 or more high; one parameter with 3 points is low to medium".into()),
                ("Scale", "SpO2 scale 1, and scale 2 only where a prescriber ordered 88–92 %".into()),
                ("Missing", "a parameter that was not measured, or longer ago than it counts, is missing: then there is no total, and “≥” shows what is certain. Air and Alert are never assumed".into()),
                ("Not evaluated", "under 16 years, pregnant, or age unknown".into()),
                ("Order", "by points; those without data stand before those with a low score".into()),
                ("Line", "the scores of the last 24 hours, with lines at 5 and 7".into()),
                ("Advice only", "the board supports a clinician's judgement and does not replace it".into()),
            ]))
        }
    };
    framed(&view.frame, Some(Place::Ward), "Ward", &body)
}

fn units(view: &View) -> Markup {
    html! {
        @if view.units.len() > 1 || !view.unit.is_empty() {
            nav.tabs aria-label="Wards" {
                ul {
                    li { a href=(url::WARD) aria-current=[view.unit.is_empty().then_some("page")] { "All" } }
                    @for unit in &view.units { li { a href=(url::ward_of(unit)) aria-current=[(*unit == view.unit).then_some("page")] { (unit) } } }
                }
            }
        }
    }
}

fn summary(view: &View) -> Markup {
    let n = |pick: fn(&Score) -> bool| view.beds.iter().filter(|bed| pick(&bed.score)).count() as u64;
    let high = n(
        |score| matches!(score, Score::Total { band, .. } | Score::Partial { band: Some(band), .. } if band == "high"),
    );
    let silent = n(|score| matches!(score, Score::NoData));
    html! {
        p.muted.board-sum {
            (counted(view.beds.len() as u64, "patient", "patients")) " as of this page: "
            (high) " at high risk, " (silent) " without data"
        }
    }
}
