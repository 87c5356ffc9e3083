//! Numbers as people read them.

/// `1,234,567`.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 rule`, `2 rules`.
pub(super) fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(number), if number == 1 { one } else { many })
}

/// A score with four digits, rounded down so that 0.99999 does not read as perfect; or "not assessed".
pub(super) fn score(score: Option<f64>) -> String {
    match score {
        Some(score) => format!("{:.4}", (score * 10_000.0 + 1e-9).floor() / 10_000.0),
        None => "not assessed".to_owned(),
    }
}

/// A share in percent; `< 0.01 %` instead of a zero that is none.
pub(super) fn percent(share: Option<f64>) -> String {
    match share {
        None => "–".to_owned(),
        Some(share) if share > 0.0 && share < 0.000_1 => "< 0.01 %".to_owned(),
        Some(share) => format!("{:.2} %", share * 100.0),
    }
}

/// Text in which what stands between backticks is code.
pub(super) fn ticked(text: &str) -> maud::Markup {
    maud::html! {
        @for (at, part) in text.split('`').enumerate() {
            @if at % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_do_not_promise_more_than_they_hold() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(
            [Some(1.0), Some(0.999_999), Some(0.95), None].map(score),
            ["1.0000", "0.9999", "0.9500", "not assessed"]
        );
        assert_eq!(
            [Some(0.0), Some(0.000_01), Some(0.5), None].map(percent),
            ["0.00 %", "< 0.01 %", "50.00 %", "–"]
        );
    }
}
