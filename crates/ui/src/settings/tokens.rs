//! Tokens: listed, created, revoked. A secret is shown once, in the answer to the form that made it.

use fhir::Instant;
use maud::{Markup, html};

use crate::frame::{Frame, csrf};
use crate::parts::chip::{Tone, chip};
use crate::parts::empty::empty;
use crate::parts::icon::Icon;
use crate::parts::number::counted;
use crate::parts::time::ago;
use crate::url;

/// The tokens of a tenant.
#[derive(Clone, Default)]
pub struct Tokens {
    /// All of them, also those that have ended, newest first.
    pub list: Vec<Token>,
    /// Roles that can be given.
    pub roles: Vec<String>,
    /// The token or link that was just made.
    pub fresh: Option<Fresh>,
}

/// Something secret that was just made, shown this once.
#[derive(Clone)]
pub enum Fresh {
    /// A token of a name.
    Token {
        /// What people call it.
        name: String,
        /// Its secret.
        secret: String,
    },
    /// A link that signs somebody in.
    Link {
        /// Who.
        name: String,
        /// The whole address.
        address: String,
    },
}

/// A token without its secret.
#[derive(Clone)]
pub struct Token {
    /// Identifier.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Roles.
    pub roles: String,
    /// Scopes.
    pub scopes: String,
    /// The patient of `patient/` scopes.
    pub patient: Option<String>,
    /// When it was created.
    pub created: Instant,
    /// When it ends.
    pub expires: Option<Instant>,
    /// When it was revoked.
    pub revoked: Option<Instant>,
}

impl Token {
    fn is_open(&self, now: Instant) -> bool {
        self.revoked.is_none() && self.expires.is_none_or(|at| now < at)
    }
}

pub(super) fn panels(frame: &Frame, tokens: &Tokens) -> Markup {
    let open = tokens.list.iter().filter(|token| token.is_open(frame.now)).count();
    html! {
        @if let Some(fresh) = &tokens.fresh { (secret(fresh)) }
        (invite(frame, tokens))
        (create(frame, tokens))
        section.panel aria-labelledby="tokens" {
            header { h2 id="tokens" { "Tokens" } p { (counted(open as u64, "token opens", "tokens open")) " this system now" } }
            @if tokens.list.is_empty() {
                (empty(Icon::Settings, "No tokens yet", "Create one above, or on the server's machine:", Some("salus token create --role service --name NAME")))
            } @else {
                (table(frame, tokens))
            }
        }
    }
}

fn secret(fresh: &Fresh) -> Markup {
    let (title, todo, value) = match fresh {
        Fresh::Token { name, secret } => (
            format!("Token {name} was created"),
            "Copy its secret now: only its hash is kept, and nobody can show it again.",
            secret,
        ),
        Fresh::Link { name, address } => (
            format!("A link for {name} was created"),
            "Give it to this person only, over a channel you trust. It works once, within 24 hours.",
            address,
        ),
    };
    html! {
        div.notice.good role="status" {
            span.shape aria-hidden="true" { "✓" }
            div {
                p { strong { (title) } }
                p.muted { (todo) }
                div.secret-line {
                    input.secret id="secret" readonly value=(value) aria-label="Copy this now";
                    button type="button" data-script hidden data-do="copy" data-from="secret" { "Copy" }
                }
            }
        }
    }
}

fn invite(frame: &Frame, tokens: &Tokens) -> Markup {
    html! {
        section.panel aria-labelledby="invite" {
            header { h2 id="invite" { "Let a person in" } p { "A link that signs one person in, once." } }
            form.body method="post" action=(url::LINKS) {
                (csrf(frame))
                div.fields {
                    div.wide { label for="link-name" { "Name" } input id="link-name" name="name" required maxlength="100" autocomplete="off" placeholder="as it should stand in the ledger"; }
                    div { label for="link-role" { "Role" } (roles("link-role", tokens.roles.iter().filter(|role| *role != "service"))) }
                    div.actions { button.primary { "Create link" } }
                }
            }
        }
    }
}

fn roles<'r>(id: &str, roles: impl Iterator<Item = &'r String>) -> Markup {
    html! { select id=(id) name="role" { @for role in roles { option value=(role) { (role) } } } }
}

fn create(frame: &Frame, tokens: &Tokens) -> Markup {
    html! {
        section.panel aria-labelledby="create" {
            header { h2 id="create" { "Create a token" } p { "Scopes can only narrow what the role may do." } }
            form.body method="post" action=(url::TOKENS) {
                (csrf(frame))
                div.fields {
                    div { label for="token-name" { "Name" } input id="token-name" name="name" required maxlength="100" autocomplete="off" placeholder="who or what uses it"; }
                    div { label for="token-role" { "Role" } (roles("token-role", tokens.roles.iter())) }
                    div { label for="token-scopes" { "Scopes (optional)" } input id="token-scopes" name="scopes" maxlength="2000" autocomplete="off" spellcheck="false" placeholder="all the role may have"; }
                    div { label for="token-patient" { "Patient id (optional)" } input id="token-patient" name="patient" maxlength="64" autocomplete="off" placeholder="for patient/ scopes"; }
                    div { label for="token-expires" { "Lives for" } input id="token-expires" name="expires" required value="30d" maxlength="10" autocomplete="off"; }
                    div.actions { button.primary { "Create" } }
                }
            }
        }
    }
}

fn table(frame: &Frame, tokens: &Tokens) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label="Table of tokens" {
            table.stacks {
                caption.sr { "Tokens" }
                thead { tr {
                    th scope="col" { "Name" } th scope="col" { "Role" } th scope="col" { "Scopes" } th scope="col" { "Created" }
                    th scope="col" { "State" } th scope="col" { "Ends" } th scope="col" { span.sr { "Action" } }
                } }
                tbody { @for token in &tokens.list { (row(frame, token)) } }
            }
        }
    }
}

fn row(frame: &Frame, token: &Token) -> Markup {
    let now = frame.now;
    html! {
        tr data-row {
            th scope="row" { (token.name) div.sub.mono { (token.id) } }
            td.nowrap data-label="Role" { (token.roles.replace(' ', ", ")) }
            td data-label="Scopes" { code { (token.scopes) } @if let Some(patient) = &token.patient { div.sub { "patient " span.mono { (patient) } } } }
            td.nowrap data-label="Created" { (ago(token.created, now)) }
            td data-label="State" {
                @match token.revoked {
                    Some(_) => (chip(Tone::Medium, "revoked")),
                    None if token.is_open(now) => (chip(Tone::Good, "open")),
                    None => (chip(Tone::Info, "expired")),
                }
            }
            td.nowrap data-label="Ends" {
                @match (token.revoked, token.expires) {
                    (Some(at), _) | (None, Some(at)) => (ago(at, now)),
                    (None, None) => "never",
                }
            }
            td.number {
                @if token.is_open(now) {
                    form method="post" action=(url::revoke(&token.id)) { (csrf(frame)) button.small.danger { "Revoke" span.sr { " " (token.name) } } }
                }
            }
        }
    }
}
