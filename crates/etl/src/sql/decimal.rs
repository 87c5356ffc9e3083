//! Decimals from text, exactly or not at all.

/// The unscaled number of a decimal in the column's scale; zeros behind it are left out. `None`: not a decimal, or more digits.
pub(crate) fn decimal_of(text: &str, precision: u8, scale: u8) -> Option<i128> {
    let (is_negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let part = part.trim_end_matches('0');
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if (whole.is_empty() && part.is_empty())
        || !is_digits(whole)
        || !is_digits(part)
        || part.len() > usize::from(scale)
    {
        return None;
    }
    let zeros = std::iter::repeat_n(b'0', usize::from(scale) - part.len());
    let all = whole.bytes().chain(part.bytes()).chain(zeros);
    let unscaled = all.skip_while(|byte| *byte == b'0').try_fold((0_i128, 0_u8), |(number, n), byte| {
        (n < precision).then(|| (number * 10 + i128::from(byte - b'0'), n + 1))
    });
    unscaled.map(|(number, _)| if is_negative { -number } else { number })
}

#[cfg(test)]
mod tests {
    use super::decimal_of as decimal;

    #[test]
    fn decimals_are_exact_or_nothing() {
        assert_eq!(decimal("1.50", 9, 2), Some(150));
        assert_eq!(decimal("-.5", 9, 3), Some(-500));
        assert_eq!(decimal("1.5000", 9, 1), Some(15));
        assert_eq!(decimal("1.55", 9, 1), None);
        assert_eq!(decimal(&"9".repeat(38), 38, 0), Some(10_i128.pow(38) - 1));
        assert_eq!(decimal("1000", 3, 0), None);
        for wrong in ["", ".", "-", "1e3", "NaN", "1.2.3", " 1"] {
            assert_eq!(decimal(wrong, 9, 2), None, "{wrong}");
        }
    }
}
