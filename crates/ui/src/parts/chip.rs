//! States and severities: always a shape and a word, never a colour alone.

use maud::{Markup, html};

use crate::facts::Flag;

/// How much something matters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "each is named for what it says")]
pub enum Tone {
    Critical,
    High,
    Medium,
    Low,
    Good,
    Info,
}

impl Tone {
    /// The class in the style sheet.
    pub fn class(self) -> &'static str {
        match self {
            Tone::Critical => "critical",
            Tone::High => "high",
            Tone::Medium => "medium",
            Tone::Low => "low",
            Tone::Good => "good",
            Tone::Info => "info",
        }
    }

    /// Its shape.
    pub fn shape(self) -> &'static str {
        match self {
            Tone::Critical => "●",
            Tone::High => "▲",
            Tone::Medium => "■",
            Tone::Low => "◆",
            Tone::Good => "✓",
            Tone::Info => "○",
        }
    }
}

/// A shape and a word.
pub fn chip(tone: Tone, word: &str) -> Markup {
    html! {
        span class={ "chip " (tone.class()) } { span.shape aria-hidden="true" { (tone.shape()) } (word) }
    }
}

/// The status of a resource. Only what ended badly stands out.
pub fn status(word: &str) -> Markup {
    chip(tone_of_status(word), word)
}

fn tone_of_status(word: &str) -> Tone {
    match word {
        "active" | "in-progress" | "recurrence" | "relapse" => Tone::Low,
        "entered-in-error" | "stopped" | "cancelled" | "not-done" | "aborted" | "failed" => Tone::Medium,
        _ => Tone::Info,
    }
}

/// What an interpretation says of a value.
pub fn flag(flag: Flag) -> Markup {
    let (class, shape, word) = match flag {
        Flag::Critical => ("critical", "●", "critical"),
        Flag::Above => ("high", "▲", "above"),
        Flag::Below => ("high", "▼", "below"),
        Flag::Abnormal => ("medium", "■", "abnormal"),
    };
    html! {
        span class={ "chip " (class) } title="against its reference range" { span.shape aria-hidden="true" { (shape) } (word) }
    }
}
