//! One raw event, as it stands in the log: the end of every trace from an alert or a value.

use fhir::Instant;
use maud::{Markup, html};

use crate::frame::{Frame, Place, framed};
use crate::parts::time::exact;
use crate::parts::{head, or_unknown};
use crate::url;

/// What the page shows.
#[derive(Clone)]
pub struct View {
    /// Who is looking.
    pub frame: Frame,
    /// Where it stands, `vital_signs:3:1042`.
    pub position: String,
    /// When it was appended.
    pub appended_at: Option<Instant>,
    /// Headers.
    pub headers: Vec<(String, String)>,
    /// The event as it is kept.
    pub text: String,
    /// Id of the patient's record, when there is one.
    pub patient: Option<String>,
}

/// The page.
pub fn page(view: &View) -> Markup {
    let mut parts = view.position.splitn(3, ':');
    let (kind, partition, offset) = (parts.next(), parts.next(), parts.next());
    let body = html! {
        nav.crumbs aria-label="Where this is" { a href=(url::STREAMS) { "Streams" } span aria-hidden="true" { "/" } span { "Event" } }
        (head("Event", "What stands in the log at this place. Events are never changed."))
        section.panel aria-label="Place" {
            div.body.padded {
                dl.facts.first {
                    div { dt { "Kind" } dd { (or_unknown(kind)) } }
                    div { dt { "Partition" } dd { (or_unknown(partition)) } }
                    div { dt { "Offset" } dd { (or_unknown(offset)) } }
                    div { dt { "Appended" } dd { @match view.appended_at { Some(at) => (exact(at)), None => span.unknown { "unknown" } } } }
                    @for (name, value) in &view.headers { div { dt { (name) } dd.mono { (value) } } }
                    @if let Some(id) = &view.patient { div { dt { "Patient" } dd { a href=(url::vitals(id)) { "Vitals" } } } }
                }
            }
        }
        section.panel.below aria-labelledby="content" {
            header { h2 id="content" { "Content" } p { "That it was opened is in the audit ledger." } }
            pre.raw tabindex="0" role="region" aria-label="Content of the event" { (view.text) }
        }
    };
    framed(&view.frame, Some(Place::Streams), "Event", &body)
}
