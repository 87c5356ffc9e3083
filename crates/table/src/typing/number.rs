//! Text to integers, exact decimals, floating point numbers and truth values. Nothing is rounded that was declared exact.

use crate::typing::Fault;

/// Without the blanks around it.
#[inline]
pub(crate) fn trimmed(text: &[u8]) -> &[u8] {
    match text {
        [b' ' | b'\t', ..] | [.., b' ' | b'\t'] => text.trim_ascii(),
        _ => text,
    }
}

/// The sign and what follows it.
#[inline]
fn signed(text: &[u8]) -> (bool, &[u8]) {
    match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    }
}

/// A whole number, with or without a sign.
#[inline]
pub(crate) fn integer(text: &[u8], decimal_comma: bool) -> Result<i64, Fault> {
    let (is_negative, digits) = signed(text);
    if digits.is_empty() {
        return Err(Fault::Form);
    }
    if digits.len() > 18 || decimal_comma {
        return long_integer(is_negative, digits, decimal_comma);
    }
    let mut value = 0_i64;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return Err(Fault::Form);
        }
        value = value * 10 + i64::from(digit);
    }
    Ok(if is_negative { -value } else { value })
}

#[cold]
fn long_integer(is_negative: bool, digits: &[u8], decimal_comma: bool) -> Result<i64, Fault> {
    let value = decimal_of(is_negative, digits, 38, 0, decimal_comma)?;
    i64::try_from(value).map_err(|_| Fault::Range)
}

/// An exact decimal as its unscaled number.
#[inline]
pub(crate) fn decimal(text: &[u8], precision: u8, scale: u8, decimal_comma: bool) -> Result<i128, Fault> {
    let (is_negative, digits) = signed(text);
    if digits.len() > 17 || decimal_comma {
        return decimal_of(is_negative, digits, precision, scale, decimal_comma);
    }
    // Short: 64-bit arithmetic, one pass.
    let (mut value, mut behind, mut n_digits) = (0_i64, u8::MAX, 0);
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            if *byte != b'.' || behind != u8::MAX {
                return Err(Fault::Form);
            }
            behind = 0;
            continue;
        }
        value = value * 10 + i64::from(digit);
        n_digits += 1;
        behind = behind.saturating_add(1);
    }
    let behind = if behind == u8::MAX { 0 } else { behind };
    if n_digits == 0 || (behind == 0 && digits.last() == Some(&b'.')) {
        return Err(Fault::Form);
    }
    if behind > scale || scale - behind > 18 {
        return decimal_of(is_negative, digits, precision, scale, decimal_comma);
    }
    let unscaled = i128::from(value) * i128::from(10_i64.pow(u32::from(scale - behind)));
    if unscaled >= 10_i128.pow(u32::from(precision)) {
        return Err(Fault::Range);
    }
    Ok(if is_negative { -unscaled } else { unscaled })
}

/// The general way: any number of digits, grouping with a decimal comma, zeros behind the declared digits.
#[cold]
fn decimal_of(
    is_negative: bool,
    digits: &[u8],
    precision: u8,
    scale: u8,
    decimal_comma: bool,
) -> Result<i128, Fault> {
    let sign = if decimal_comma { b',' } else { b'.' };
    let (whole, part) = match digits.iter().position(|byte| *byte == sign) {
        Some(at) if at + 1 < digits.len() => (&digits[..at], &digits[at + 1..]),
        Some(_) => return Err(Fault::Form),
        None => (digits, &digits[..0]),
    };
    let whole = if decimal_comma { ungrouped(whole)? } else { whole.to_vec() };
    if (whole.is_empty() && part.is_empty()) || !whole.iter().chain(part).all(u8::is_ascii_digit) {
        return Err(Fault::Form);
    }
    let kept = part.len().min(usize::from(scale));
    if part[kept..].iter().any(|digit| *digit != b'0') {
        return Err(Fault::Digits);
    }
    let limit = 10_i128.pow(u32::from(precision));
    let mut value = 0_i128;
    let zeros = std::iter::repeat_n(&b'0', usize::from(scale) - kept);
    for digit in whole.iter().chain(&part[..kept]).chain(zeros) {
        // Below 10^38 before, so below 10^39 + 9 now: this fits 127 bits only below the limit, so it is checked.
        value = value
            .checked_mul(10)
            .and_then(|value| value.checked_add(i128::from(digit - b'0')))
            .filter(|value| *value < limit)
            .ok_or(Fault::Range)?;
    }
    Ok(if is_negative { -value } else { value })
}

/// `1.234.567` without its points, which must stand before groups of three.
fn ungrouped(whole: &[u8]) -> Result<Vec<u8>, Fault> {
    let mut groups = whole.split(|byte| *byte == b'.');
    let mut joined = groups.next().unwrap_or_default().to_vec();
    let is_grouped = whole.contains(&b'.');
    if is_grouped && (joined.is_empty() || joined.len() > 3) {
        return Err(Fault::Form);
    }
    for group in groups {
        if group.len() != 3 {
            return Err(Fault::Form);
        }
        joined.extend_from_slice(group);
    }
    Ok(joined)
}

const POWERS: [f64; 16] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

/// A floating point number: the nearest one to the text. Infinity and NaN are refused.
#[inline]
pub(crate) fn number(text: &[u8], decimal_comma: bool) -> Result<f64, Fault> {
    if decimal_comma {
        return with_comma(text);
    }
    // Up to 15 digits and a power of ten up to 15 are exact in a double, so one division rounds once: correct.
    let (is_negative, digits) = signed(text);
    if digits.len() > 16 || digits.is_empty() {
        return any_number(text);
    }
    let (mut value, mut point, mut n_digits) = (0_u64, usize::MAX, 0);
    for (index, byte) in digits.iter().enumerate() {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            if *byte != b'.' || point != usize::MAX {
                return any_number(text);
            }
            point = index;
            continue;
        }
        value = value * 10 + u64::from(digit);
        n_digits += 1;
    }
    if n_digits == 0 || n_digits > 15 {
        return any_number(text);
    }
    let behind = if point == usize::MAX { 0 } else { digits.len() - 1 - point };
    let magnitude = value as f64 / POWERS[behind];
    Ok(if is_negative { -magnitude } else { magnitude })
}

#[cold]
fn any_number(text: &[u8]) -> Result<f64, Fault> {
    let is_number = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'+' | b'e' | b'E');
    if !text.iter().all(is_number) {
        return Err(Fault::Form);
    }
    let text = std::str::from_utf8(text).map_err(|_| Fault::Form)?;
    let value: f64 = text.parse().map_err(|_| Fault::Form)?;
    if value.is_finite() { Ok(value) } else { Err(Fault::Range) }
}

fn with_comma(text: &[u8]) -> Result<f64, Fault> {
    let (is_negative, digits) = signed(text);
    let at = digits.iter().position(|byte| matches!(byte, b',' | b'e' | b'E')).unwrap_or(digits.len());
    let mut plain = ungrouped(&digits[..at])?;
    plain.extend(digits[at..].iter().map(|byte| if *byte == b',' { b'.' } else { *byte }));
    if digits[at..].contains(&b'.') {
        return Err(Fault::Form);
    }
    any_number(&plain).map(|value| if is_negative { -value } else { value })
}

/// `true`, `t`, `yes`, `y`, `1` and their opposites, in any case.
#[inline]
pub(crate) fn boolean(text: &[u8]) -> Result<bool, Fault> {
    const TRUE: [&[u8]; 5] = [b"true", b"t", b"yes", b"y", b"1"];
    const FALSE: [&[u8]; 5] = [b"false", b"f", b"no", b"n", b"0"];
    let is_in = |words: [&[u8]; 5]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    if is_in(TRUE) {
        Ok(true)
    } else if is_in(FALSE) {
        Ok(false)
    } else {
        Err(Fault::Form)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn integers_and_truth_values_are_strict() {
        let check = |text: &str, expected: Result<i64, Fault>| {
            assert_eq!(integer(text.as_bytes(), false), expected, "{text}");
        };
        check("007", Ok(7));
        check("-9223372036854775808", Ok(i64::MIN));
        check("9223372036854775808", Err(Fault::Range));
        check("99999999999999999999999999999999999999999", Err(Fault::Range));
        check("1.0", Err(Fault::Form));
        check("1e3", Err(Fault::Form));
        check("", Err(Fault::Form));
        check("-", Err(Fault::Form));
        assert_eq!(integer(b"1.234.567", true), Ok(1_234_567));
        assert_eq!(integer(b"12.34", true), Err(Fault::Form));
        assert_eq!((boolean(b"YES"), boolean(b"0"), boolean(b"si")), (Ok(true), Ok(false), Err(Fault::Form)));
    }

    #[test]
    fn decimals_are_exact_or_refused() {
        let check = |text: &str, precision, scale, expected: Result<i128, Fault>| {
            assert_eq!(decimal(text.as_bytes(), precision, scale, false), expected, "{text}");
        };
        check("1.5", 9, 2, Ok(150));
        check("-0.005", 9, 3, Ok(-5));
        check(".5", 9, 1, Ok(5));
        check("5.", 9, 1, Err(Fault::Form));
        check("1.500", 9, 1, Ok(15));
        check("1.55", 9, 1, Err(Fault::Digits));
        check("123.4", 3, 1, Err(Fault::Range));
        check("1e2", 9, 2, Err(Fault::Form));
        check("1,5", 9, 2, Err(Fault::Form));
        check("99999999999999999999999999999999999999", 38, 0, Ok(10_i128.pow(38) - 1));
        check("100000000000000000000000000000000000000", 38, 0, Err(Fault::Range));
        assert_eq!(decimal(b"1.234,50", 9, 2, true), Ok(123_450));
        assert_eq!(decimal(b"1.23,50", 9, 2, true), Err(Fault::Form));
    }

    proptest! {
        #[test]
        fn a_decimal_is_what_its_digits_say(value in -999_999_999_999_999_i64..999_999_999_999_999, scale in 0_u8..10) {
            let text = crate::Value::Decimal(i128::from(value), scale).to_text().unwrap();
            prop_assert_eq!(decimal(text.as_bytes(), 38, scale, false), Ok(i128::from(value)));
            prop_assert_eq!(decimal(text.as_bytes(), 38, scale + 20, false), Ok(i128::from(value) * 10_i128.pow(20)));
        }

        #[test]
        fn a_number_is_the_nearest_one(text in "-?[0-9]{1,18}(\\.[0-9]{1,18})?") {
            prop_assert_eq!(number(text.as_bytes(), false).unwrap().to_bits(), text.parse::<f64>().unwrap().to_bits());
        }

        #[test]
        fn no_text_breaks_a_reader(text in "[-+0-9.,eE ]{0,24}") {
            for comma in [false, true] {
                let _ = (integer(text.as_bytes(), comma), decimal(text.as_bytes(), 9, 3, comma), number(text.as_bytes(), comma));
            }
        }
    }
}
