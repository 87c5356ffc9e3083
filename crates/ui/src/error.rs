//! Errors: what happened, what was not lost, what to do. They never echo a cause from inside.

use maud::{Markup, html};

use crate::frame::{Frame, bare, framed};
use crate::parts::ticked;

/// What the page shows.
#[derive(Clone)]
pub struct View {
    /// Who is looking; `None` when nobody is signed in.
    pub frame: Option<Frame>,
    /// The HTTP status.
    pub status: u16,
    /// In a few words.
    pub title: String,
    /// What happened.
    pub happened: String,
    /// What was not lost.
    pub kept: String,
    /// What to do.
    pub next: String,
    /// A link that helps: address and words.
    pub action: Option<(String, String)>,
    /// The request, for whoever looks into the log.
    pub request: Option<String>,
}

/// The page.
pub fn page(view: &View) -> Markup {
    let card = html! {
        div.panel.card {
            p.status { (view.status) }
            h1 { (view.title) }
            dl.what {
                div { dt { "What happened" } dd { (ticked(&view.happened)) } }
                div { dt { "What was not lost" } dd { (ticked(&view.kept)) } }
                div { dt { "What to do" } dd { (ticked(&view.next)) } }
                @if let Some(request) = &view.request { div { dt { "Request" } dd.mono { (request) } } }
            }
            @if let Some((href, words)) = &view.action { div.actions { a.button.primary href=(href) { (words) } } }
        }
    };
    match &view.frame {
        Some(frame) => framed(frame, None, &view.title, &html! { div.alone { (card) } }),
        None => bare(&view.title, &card),
    }
}
