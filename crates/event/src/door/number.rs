//! A number of a text: `131`, ` 7.9 `, `>10`, `1.2e2`. What it cannot read it says so, and never changes it.

use clinical::{Number, Rounding};

use crate::{Comparator, Why};

/// Longest text that is looked at.
const CHARS_MAX: usize = 64;

/// The number of a text, and the comparator before it.
pub(crate) fn number_of(text: &str) -> Result<(Option<Comparator>, Number), Why> {
    let text = text.trim();
    if text.len() > CHARS_MAX {
        return Err(Why::NotANumber);
    }
    let n_sign = text.find(|c: char| !matches!(c, '<' | '>' | '=' | '\u{2264}' | '\u{2265}')).unwrap_or(0);
    let (sign, digits) = text.split_at(n_sign);
    let comparator = match sign {
        "" => None,
        sign => Some(Comparator::of_sign(sign).ok_or(Why::NotANumber)?),
    };
    Ok((comparator, plain(digits.trim_start())?))
}

/// A number without comparator; an exponent is worked out exactly.
fn plain(text: &str) -> Result<Number, Why> {
    if let Some(number) = Number::parse(text) {
        return Ok(number);
    }
    let is_number_like = text.bytes().any(|byte| byte.is_ascii_digit())
        && text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'+'));
    let Some((mantissa, exponent)) = text.split_once(['e', 'E']) else {
        let is_long = is_number_like && text.len() > 18;
        return Err(if is_long { Why::TooManyDigits } else { Why::NotANumber });
    };
    let mantissa = Number::parse(mantissa).ok_or(Why::NotANumber)?;
    let exponent: i8 = exponent.parse().map_err(|_| Why::NotANumber)?;
    let power = 10_i64.checked_pow(u32::from(exponent.unsigned_abs())).ok_or(Why::TooManyDigits)?;
    let (places, scaled) = (mantissa.parts().1, exponent.unsigned_abs());
    let found = if exponent < 0 {
        mantissa.scaled(1, power, places.saturating_add(scaled), Rounding::HalfUp)
    } else {
        mantissa.scaled(power, 1, places.saturating_sub(scaled), Rounding::HalfUp)
    };
    found.ok_or(Why::TooManyDigits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let found = match number_of(text) {
            Ok((comparator, number)) => format!("{}{number}", comparator.map_or("", Comparator::sign)),
            Err(why) => why.slug().to_owned(),
        };
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn numbers_in_strings() {
        check("125", "125");
        check(" 7.9 ", "7.9");
        check(">10", ">10");
        check("< 0.01", "<0.01");
        check(">=500", ">=500");
        check("\u{2264}5", "<=5");
        check("1.2e2", "120");
        check("1.25e1", "12.5");
        check("5E-2", "0.05");
        check("0", "0");
        check("-1.5", "-1.5");
        for text in
            ["", "NaN", "inf", "-Infinity", "7,9", "12 mg", ">>1", "><1", ">", "abc", "1e999", "0x10", "1-2"]
        {
            check(text, "not-a-number");
        }
        check("1e30", "too-many-digits");
        check("12345678901234567890", "too-many-digits");
        check("1e18", "too-many-digits");
    }
}
