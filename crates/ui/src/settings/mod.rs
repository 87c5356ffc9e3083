//! Settings: who one is here, and the tokens of machines and people.

mod tokens;

use fhir::Instant;
use maud::{Markup, html};

pub use tokens::{Fresh, Token, Tokens};

use crate::frame::{Frame, Place, framed};
use crate::parts::empty::{Notice, notice};
use crate::parts::head;
use crate::parts::time::{ago, exact};

/// What the page shows.
#[derive(Clone)]
pub struct View {
    /// Who is looking.
    pub frame: Frame,
    /// Their stable name in the audit ledger.
    pub principal: String,
    /// What they may do, as SMART scopes.
    pub scopes: String,
    /// When their session ends.
    pub expires: Option<Instant>,
    /// Tokens; `None` when their role does not manage them.
    pub tokens: Option<Tokens>,
    /// What became of the last form.
    pub notice: Option<Notice>,
}

/// The page.
pub fn page(view: &View) -> Markup {
    let body = html! {
        (head("Settings", "Who you are here, and which tokens open this system."))
        @if let Some(text) = &view.notice { (notice(text)) }
        div.stack {
            (you(view))
            @match &view.tokens {
                Some(tokens) => (tokens::panels(&view.frame, tokens)),
                None => section.panel aria-labelledby="tokens" {
                    header { h2 id="tokens" { "Tokens" } }
                    p.body.muted { "Tokens are managed by people with the role admin or security-officer. On the server's machine: " code { "salus token create --role clinician --name NAME" } }
                },
            }
        }
    };
    framed(&view.frame, Some(Place::Settings), "Settings", &body)
}

fn you(view: &View) -> Markup {
    html! {
        section.panel aria-labelledby="you" {
            header { h2 id="you" { "Your session" } }
            div.body {
                dl.facts.first {
                    div { dt { "Name" } dd { (view.frame.name) } }
                    div { dt { "Roles" } dd { (view.frame.roles.replace(' ', ", ")) } }
                    div { dt { "Scopes" } dd.mono { (view.scopes) } }
                    div { dt { "In the ledger" } dd.mono { (view.principal) } }
                    div { dt { "Ends" } dd { @match view.expires { Some(at) => { (ago(at, view.frame.now)) " (" (exact(at)) ")" }, None => "never" } } }
                }
            }
        }
    }
}
