//! Instants for people: relative, with the exact one on hover and for machines.

use fhir::Instant;
use maud::{Markup, html};

/// `3 min ago`, with the exact instant in `title` and `datetime`; the module keeps it fresh.
pub fn ago(at: Instant, now: Instant) -> Markup {
    html! {
        time datetime=(at) title=(exact(at)) data-relative { (relative(at, now)) }
    }
}

/// `2026-11-25 13:17:43 UTC`.
pub fn exact(at: Instant) -> String {
    let text = at.to_rfc3339_millis();
    let day = text.get(..10).unwrap_or_default();
    let time = text.get(11..19).unwrap_or_default();
    format!("{day} {time} UTC")
}

/// `3 min ago`, `in 5 d`.
pub fn relative(at: Instant, now: Instant) -> String {
    let seconds = (now.0 - at.0) / 1_000_000;
    let amount = seconds.unsigned_abs();
    let text = match amount {
        0..10 => return "just now".into(),
        10..60 => format!("{amount} s"),
        60..3_600 => format!("{} min", amount / 60),
        3_600..86_400 => format!("{} h", amount / 3_600),
        86_400..2_630_016 => format!("{} d", amount / 86_400),
        2_630_016..31_560_192 => format!("{} mo", amount / 2_630_016),
        _ => format!("{} y", amount / 31_560_192),
    };
    if seconds < 0 { format!("in {text}") } else { format!("{text} ago") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_in_words() {
        let now = Instant::parse("2026-11-25T12:00:00Z").unwrap();
        let check = |at: &str, expected: &str| {
            assert_eq!(relative(Instant::parse(at).unwrap(), now), expected, "{at}");
        };
        check("2026-11-25T11:59:55Z", "just now");
        check("2026-11-25T11:57:00Z", "3 min ago");
        check("2026-11-24T11:57:00Z", "1 d ago");
        check("2026-08-20T12:00:00Z", "3 mo ago");
        check("2020-08-20T12:00:00Z", "6 y ago");
        check("2026-12-05T12:00:00Z", "in 10 d");
        assert_eq!(exact(now), "2026-11-25 12:00:00 UTC");
    }
}
