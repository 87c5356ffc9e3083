//! Division of a decimal by a whole number, to so many digits that only equal fractions come out equal.

use std::fmt::Write;

use fhir::Decimal;

/// Significant digits of a quotient. Equal fractions give equal quotients, because the digits depend on the value alone.
pub(super) const DIGITS: usize = 60;

/// `number / divisor`, cut at [`DIGITS`] significant digits.
pub(super) fn quotient(number: &Decimal, divisor: u128) -> Decimal {
    let text = number.to_string();
    let (sign, text) = text.strip_prefix('-').map_or(("", text.as_str()), |rest| ("-", rest));
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut exponent = -i64::try_from(fraction.len()).unwrap_or(0);
    let mut digits = whole.bytes().chain(fraction.bytes()).map(|byte| u128::from(byte - b'0'));
    let mut answer = String::with_capacity(DIGITS + 16);
    answer.push_str(sign);
    let (mut remainder, mut n_significant) = (0, 0);
    loop {
        let digit = match digits.next() {
            Some(digit) => digit,
            None if remainder == 0 || n_significant >= DIGITS => break,
            None => {
                exponent -= 1;
                0
            }
        };
        remainder = remainder * 10 + digit;
        let next = remainder / divisor;
        remainder %= divisor;
        if n_significant >= DIGITS {
            // What does not fit any more keeps its place, not its value.
            answer.push('0');
        } else if next > 0 || n_significant > 0 {
            n_significant += 1;
            write!(answer, "{next}").expect("a string takes what is written");
        }
    }
    if n_significant == 0 {
        return Decimal::from(0);
    }
    let answer = trimmed(&mut answer, &mut exponent);
    Decimal::parse(&format!("{answer}e{exponent}")).unwrap_or_else(|| Decimal::from(0))
}

/// Zeros at the end become part of the exponent, so that the text stays short.
fn trimmed<'t>(answer: &'t mut String, exponent: &mut i64) -> &'t str {
    while answer.ends_with('0') {
        answer.pop();
        *exponent += 1;
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(number: &str, divisor: u128, expected: &str) {
        let answer = quotient(&Decimal::parse(number).unwrap(), divisor);
        assert_eq!(answer.key(), Decimal::parse(expected).unwrap().key(), "{number}/{divisor} is {answer}");
    }

    #[test]
    fn fractions_are_exact_or_long() {
        check("6", 3, "2");
        check("-1.5", 3, "-0.5");
        check("0", 7, "0");
        check("1000", 3, &format!("333.{}", "3".repeat(57)));
        check("0.001", 3, &format!("0.000{}", "3".repeat(60)));
        check("1e100", 3, &format!("{}e40", "3".repeat(60)));
        assert_eq!(
            quotient(&Decimal::parse("2").unwrap(), 3).key(),
            quotient(&Decimal::parse("2.000").unwrap(), 3).key()
        );
    }
}
