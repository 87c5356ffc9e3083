//! What a message says: what happened, how bad, where, and a link. Nothing of the patient, unless an item carries its text.

use std::fmt::Write as _;

use rules::Severity;

use crate::Purpose;
use crate::outbox::{Claimed, Item};

/// Items that are written out; the others are counted.
const ITEMS_SHOWN_MAX: usize = 20;

/// A message, ready for any channel.
#[derive(Clone, PartialEq, Eq)]
pub struct Rendered {
    /// One line.
    pub subject: String,
    /// The whole text.
    pub text: String,
    /// Where to look.
    pub link: String,
}

/// Writes the message of what was claimed. The same every time: an attempt that is repeated says the same.
pub fn render(message: &Claimed, link_base: &str) -> Rendered {
    let base = link_base.trim_end_matches('/');
    match message.items.as_slice() {
        [only] if message.n_items <= 1 => one(only, base),
        _ => many(message, base),
    }
}

fn one(item: &Item, base: &str) -> Rendered {
    let link = format!("{base}/alerts/{}", item.reference);
    let subject = headline(item);
    let mut text = format!("{subject}\nsince {}\n", item.at);
    if let Some(what) = &item.text {
        let _ = writeln!(text, "{what}");
    }
    if item.purpose == Purpose::Retracted {
        text.push_str("What you were told before was wrong. Do not act on it.\n");
    }
    let _ = writeln!(text, "{link}");
    Rendered { subject, text, link }
}

fn headline(item: &Item) -> String {
    let mut line = format!("{} alert {}", item.severity.name(), said(item.purpose));
    if let Some(unit) = &item.unit {
        let _ = write!(line, ", unit {}", clean(unit));
    }
    line
}

fn said(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Raised => "raised",
        Purpose::Worsened => "got worse",
        Purpose::Reminded => "still holds",
        Purpose::Escalated => "escalated: no answer",
        Purpose::Corrected => "corrected",
        Purpose::Retracted => "RETRACTED",
        Purpose::Resolved => "resolved",
    }
}

fn many(message: &Claimed, base: &str) -> Rendered {
    let link = format!("{base}/alerts");
    let mut counts = String::new();
    for severity in Severity::ALL {
        let n = message.items.iter().filter(|item| item.severity == severity).count();
        if n > 0 {
            let _ = write!(counts, "{}{n} {}", if counts.is_empty() { "" } else { ", " }, severity.name());
        }
    }
    if message.n_items > message.items.len() {
        let _ = write!(counts, ", {} more", message.n_items - message.items.len());
    }
    let subject = format!("{} alert messages: {counts}", message.n_items);
    let mut text = format!("{subject}\n{link}\n\n");
    for item in message.items.iter().take(ITEMS_SHOWN_MAX) {
        let _ = writeln!(text, "{}\n{base}/alerts/{}", headline(item), item.reference);
        if let Some(what) = &item.text {
            let _ = writeln!(text, "{what}");
        }
    }
    let n_left = message.n_items.saturating_sub(ITEMS_SHOWN_MAX.min(message.items.len()));
    if n_left > 0 {
        let _ = writeln!(text, "and {n_left} more");
    }
    Rendered { subject, text, link }
}

/// A unit's name comes from an event: it must not break a line of a header.
fn clean(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(60).collect()
}

/// What an SMS says: the first lines, short enough for three parts.
pub(crate) fn short(rendered: &Rendered) -> String {
    const CHARS_MAX: usize = 459;
    let mut text = rendered.text.trim_end().to_owned();
    if text.chars().count() > CHARS_MAX {
        text = format!("{}\n{}", rendered.subject, rendered.link);
    }
    text.chars().take(CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use fhir::Instant;

    use super::*;
    use crate::Channel;

    fn message(items: Vec<Item>) -> Claimed {
        Claimed {
            key: 1,
            tenant: "main".into(),
            idempotency: "i".into(),
            receiver: "r".into(),
            channel: Channel::Email,
            address: "a@b.example".into(),
            attempt: 1,
            severity: Severity::Critical,
            put_at: Instant(0),
            n_items: items.len(),
            items,
        }
    }

    fn item(reference: &str, purpose: Purpose, text: Option<&str>) -> Item {
        Item {
            reference: reference.into(),
            purpose,
            severity: Severity::Critical,
            at: Instant::parse("2026-03-01T12:00:00Z").unwrap(),
            unit: Some("ICU\r\nBcc: x".into()),
            text: text.map(str::to_owned),
        }
    }

    #[test]
    fn one_alert_is_a_line_and_a_link() {
        let rendered = render(&message(vec![item("a1", Purpose::Raised, None)]), "https://h/");
        assert_eq!(rendered.subject, "critical alert raised, unit ICUBcc: x");
        assert_eq!(
            rendered.text,
            "critical alert raised, unit ICUBcc: x\nsince 2026-03-01T12:00:00.000Z\nhttps://h/alerts/a1\n"
        );
    }

    #[test]
    fn a_retraction_says_not_to_act() {
        let rendered =
            render(&message(vec![item("a1", Purpose::Retracted, Some("K 7.9 mmol/L"))]), "https://h");
        assert!(
            rendered.text.contains("K 7.9 mmol/L\nWhat you were told before was wrong. Do not act on it.")
        );
    }

    #[test]
    fn many_are_counted() {
        let items = (0..30).map(|n| item(&format!("a{n}"), Purpose::Raised, None)).collect();
        let mut message = message(items);
        message.n_items = 1000;
        let rendered = render(&message, "https://h");
        assert_eq!(rendered.subject, "1000 alert messages: 30 critical, 970 more");
        assert!(rendered.text.ends_with("and 980 more\n"), "{}", rendered.text);
        assert!(short(&rendered).chars().count() <= 459);
        assert_eq!(short(&rendered), "1000 alert messages: 30 critical, 970 more\nhttps://h/alerts");
    }
}
