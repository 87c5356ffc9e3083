//! The live part of a page: which stream it listens to, where that goes on, and how it stands. Without script a page is as of its time.

use maud::{Markup, html};

/// Title and line of a page that is kept fresh. `watch` is the question to the stream, `cursor` what the page has seen already.
pub(crate) fn head(title: &str, answers: &str, watch: &str, cursor: &str) -> Markup {
    let (what, rest) = watch.split_once('?').unwrap_or((watch, ""));
    let mut address = format!("/api/v1/stream?page={what}&after={cursor}");
    if !rest.is_empty() {
        address.push('&');
        address.push_str(rest);
    }
    html! {
        div.head {
            div { h1 { (title) } p { (answers) } }
            div.actions {
                p.live role="status" data-live data-script hidden { "connecting" }
                button.small type="button" data-do="pause" data-script hidden aria-pressed="false" { "Pause" }
            }
        }
        div data-stream=(address) hidden {}
    }
}
