//! Nothing to show: says so, and what to do next, with the command. Notices stand beside it.

use maud::{Markup, html};

use super::chip::Tone;
use super::icon::Icon;
use super::ticked;

/// An empty state.
pub fn empty(icon: Icon, title: &str, next: &str, command: Option<&str>) -> Markup {
    html! {
        div.empty {
            (icon.svg())
            p { strong { (title) } }
            p { (next) }
            @if let Some(command) = command { code { (command) } }
        }
    }
}

/// Something to know before the rest of the page.
#[derive(Clone)]
pub struct Notice {
    /// How much it matters.
    pub tone: Tone,
    /// What happened.
    pub title: String,
    /// What to do, or nothing.
    pub text: String,
}

/// A notice.
pub fn notice(notice: &Notice) -> Markup {
    let role = if matches!(notice.tone, Tone::Critical | Tone::High) { "alert" } else { "status" };
    html! {
        div class={ "notice " (notice.tone.class()) } role=(role) {
            span.shape aria-hidden="true" { (notice.tone.shape()) }
            div { p { strong { (ticked(&notice.title)) } } @if !notice.text.is_empty() { p.muted { (ticked(&notice.text)) } } }
        }
    }
}
