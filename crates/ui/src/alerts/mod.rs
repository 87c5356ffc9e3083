//! Alerts as people handle them: the queue, one alert with its evidence and trail, and the forms that change it.

mod act;
mod facts;
mod list;
mod one;
mod row;

pub use act::REASONS;
pub use facts::{Alert, AlertFacts, Burden, Delivery, Person, Said, Seen, Step, severity_tone};
pub use list::{Filter, View as ListView, page as list_page};
pub use one::{View as OneView, card, page as one_page};
pub use row::row as list_row;

use maud::{Markup, html};

use crate::parts::chip::{Tone, chip};
use crate::url;

/// A severity: shape and word.
pub(crate) fn severity(word: &str) -> Markup {
    chip(severity_tone(word), word)
}

/// A state of an alert: shape and word.
pub(crate) fn state(word: &str) -> Markup {
    let tone = match word {
        "open" => Tone::High,
        "escalated" => Tone::Critical,
        "acknowledged" => Tone::Low,
        "snoozed" | "silenced" => Tone::Medium,
        "resolved" => Tone::Good,
        _ => Tone::Info,
    };
    chip(tone, word)
}

/// Whom it is about: a link to the vitals when there is a record; what the stream calls them when there is none.
pub(crate) fn person(person: &Person) -> Markup {
    html! {
        @match (&person.id, &person.name) {
            (Some(id), name) => a href=(url::vitals(id)) { (name.as_deref().unwrap_or("name unknown")) },
            (None, Some(name)) => (name),
            (None, None) => {
                @match person.subject.strip_prefix("population:") {
                    Some(population) => span.mono { (population) },
                    None => { span.unknown { "no record" } " " span.mono.muted { (person.subject) } },
                }
            },
        }
    }
}
