//! Numbers for people: thousands apart, shares with the precision they deserve.

/// `1,234,567`.
pub fn grouped(number: u64) -> String {
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

/// `12.3 %`; `< 0.1 %` instead of a zero that is none.
pub fn share(part: u64, whole: u64) -> Option<String> {
    if whole == 0 {
        return None;
    }
    let per_mille = (part.saturating_mul(1_000) + whole / 2) / whole;
    Some(if part > 0 && per_mille == 0 {
        "< 0.1 %".into()
    } else {
        format!("{}.{} %", per_mille / 10, per_mille % 10)
    })
}

/// `1 patient`, `2 patients`.
pub fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(number), if number == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_readable() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(share(1, 3).as_deref(), Some("33.3 %"));
        assert_eq!(share(1, 100_000).as_deref(), Some("< 0.1 %"));
        assert_eq!(share(0, 5).as_deref(), Some("0.0 %"));
        assert_eq!(share(0, 0), None);
    }
}
