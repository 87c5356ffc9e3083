//! Signing in: what a person sees who has no session, and the confirmation behind a set-up link.

use maud::{Markup, html};

use crate::frame::bare;
use crate::parts::ticked;
use crate::url;

/// What the page shows.
#[derive(Clone)]
pub struct View {
    /// The secret of a set-up link that was opened; `None` when there is none.
    pub link: Option<String>,
    /// Why the person is here again: a session that ended, a link that was used.
    pub why: Option<String>,
}

/// The page. Opening a link does not sign in yet, because mail scanners and chat previews open links too.
pub fn page(view: &View) -> Markup {
    let body = match &view.link {
        Some(link) => confirm(link),
        None => needed(view),
    };
    bare("Sign in", &body)
}

fn confirm(link: &str) -> Markup {
    html! {
        div.panel.card {
            h1 { "Sign in to salus" }
            p.muted { "This link works once. It opens a session of at most 12 hours on this browser." }
            form method="post" action=(url::SIGN_IN) {
                input type="hidden" name="token" value=(link);
                button.primary autofocus { "Sign in" }
            }
        }
    }
}

fn needed(view: &View) -> Markup {
    html! {
        div.panel.card {
            h1 { "Sign in needed" }
            @if let Some(why) = &view.why {
                div.notice.medium role="status" { span.shape aria-hidden="true" { "■" } div { p { (ticked(why)) } } }
            }
            p { "salus shows health data only to people it knows. Open the link that somebody gave you or that the server printed when it first started. It works once; on the server's machine you can make another:" }
            p.command { "salus token link --role clinician --name NAME" }
        }
    }
}
