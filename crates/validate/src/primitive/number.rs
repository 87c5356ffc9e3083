//! decimal, integer, unsignedInt and positiveInt, by the text of the JSON number.

use super::{Problem, when};

/// Longest decimal that is taken; R4 asks for 18 digits at least.
const DECIMAL_CHARS_MAX: usize = 100;

pub(super) fn check_decimal(text: &str) -> Result<(), Problem> {
    when(text.len() <= DECIMAL_CHARS_MAX, "bad-decimal", "a decimal has at most 100 characters")?;
    // Beyond it, most programs that read the number make infinity of it.
    let finite = text.parse::<f64>().is_ok_and(f64::is_finite);
    when(finite, "bad-decimal", "a decimal lies between -1.7e308 and 1.7e308")
}

pub(super) fn check_integer(text: &str) -> Result<(), Problem> {
    let right = text.parse::<i32>().is_ok();
    when(
        right,
        "bad-integer",
        "an integer is a whole number from -2,147,483,648 to 2,147,483,647, without fraction or exponent",
    )
}

pub(super) fn check_unsigned(text: &str) -> Result<(), Problem> {
    let right = text.parse::<i32>().is_ok_and(|number| number >= 0);
    when(
        right,
        "bad-unsigned-int",
        "a whole number from 0 to 2,147,483,647 is needed, without fraction or exponent",
    )
}

pub(super) fn check_positive(text: &str) -> Result<(), Problem> {
    let right = text.parse::<i32>().is_ok_and(|number| number > 0);
    when(
        right,
        "bad-positive-int",
        "a whole number from 1 to 2,147,483,647 is needed, without fraction or exponent",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_have_ranges() {
        let rights =
            |text| [check_integer(text).is_ok(), check_unsigned(text).is_ok(), check_positive(text).is_ok()];
        for (text, expected) in [
            ("1", [true, true, true]),
            ("0", [true, true, false]),
            ("-1", [true, false, false]),
            ("2147483647", [true, true, true]),
            ("2147483648", [false, false, false]),
            ("-2147483648", [true, false, false]),
            ("1.0", [false, false, false]),
            ("1e2", [false, false, false]),
        ] {
            assert_eq!(rights(text), expected, "{text}");
        }
        assert!(check_decimal("1.50e-3").is_ok());
        for beyond in ["1e400", "-1e400", "1e99999999999"] {
            assert!(check_decimal(beyond).is_err(), "{beyond}");
        }
        assert!(check_decimal(&"1".repeat(101)).is_err());
    }
}
