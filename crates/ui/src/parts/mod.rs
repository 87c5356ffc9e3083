//! Small pieces that pages are made of.

pub mod chart;
pub mod chip;
pub mod empty;
pub mod icon;
pub mod number;
pub mod pager;
pub(crate) mod plot;
pub mod time;

use maud::{Markup, html};

/// A value, or the word "unknown".
pub(crate) fn or_unknown(value: Option<&str>) -> Markup {
    html! {
        @match value {
            Some(text) if !text.trim().is_empty() => (text),
            _ => span.unknown { "unknown" },
        }
    }
}

/// Title of a page and the line that says what it answers.
pub(crate) fn head(title: &str, answers: &str) -> Markup {
    html! {
        div.head { div { h1 { (title) } p { (answers) } } }
    }
}

/// How something on a page is computed: pairs of what and how.
pub(crate) fn how(about: &str, facts: &[(&str, String)]) -> Markup {
    html! {
        details.how {
            summary { "How is this computed" span.sr { ": " (about) } }
            dl { @for (what, how) in facts { dt { (what) } dd { (how) } } }
        }
    }
}

/// Text in which what stands between backticks is code.
pub(crate) fn ticked(text: &str) -> Markup {
    html! {
        @for (at, part) in text.split('`').enumerate() {
            @if at % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}
