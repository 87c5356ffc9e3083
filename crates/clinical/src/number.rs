//! Small exact decimals: what a measurement is before it is compared with a limit or converted. Knows no units.

use std::cmp::Ordering;
use std::fmt;

/// Most decimal places, and most significant digits.
const DIGITS_MAX: u8 = 18;

/// `digits × 10^-scale`, at most 18 digits. `1.50` equals `1.5` and prints as it was written.
#[derive(Clone, Copy)]
pub struct Number {
    digits: i64,
    scale: u8,
}

/// What happens to the places that are cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// To the nearest; a half goes away from zero (`2.5` → 3, `-2.5` → -3).
    HalfUp,
    /// To the next higher number.
    Up,
    /// To the next lower number.
    Down,
}

/// Powers of ten: looked up, because millions of values are compared and converted.
const POWERS: [i128; 37] = {
    let mut powers = [1; 37];
    let mut at = 1;
    while at < powers.len() {
        powers[at] = powers[at - 1] * 10;
        at += 1;
    }
    powers
};

/// `10^exponent`; the exponent is at most 36.
pub(crate) const fn ten_to(exponent: u8) -> i128 {
    POWERS[exponent as usize]
}

impl Number {
    /// `digits × 10^-scale`, for constants.
    ///
    /// # Panics
    /// When `scale` is above 18.
    pub const fn of(digits: i64, scale: u8) -> Number {
        assert!(scale <= DIGITS_MAX, "a number has at most 18 decimal places");
        Number { digits, scale }
    }

    /// A number of its text: `-12.50`, `+3`, `.5` is none, nor is `1e3`, `>10` or anything with more than 18 digits.
    pub fn parse(text: &str) -> Option<Number> {
        let (negative, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (whole, fraction) = match text.split_once('.') {
            Some((_, "")) => return None,
            Some(parts) => parts,
            None => (text, ""),
        };
        if whole.is_empty() || fraction.len() > usize::from(DIGITS_MAX) {
            return None;
        }
        let mut digits: i64 = 0;
        for byte in whole.bytes().chain(fraction.bytes()) {
            if !byte.is_ascii_digit() {
                return None;
            }
            digits = digits.checked_mul(10)?.checked_add(i64::from(byte - b'0'))?;
        }
        if i128::from(digits) >= ten_to(DIGITS_MAX) {
            return None;
        }
        let scale = u8::try_from(fraction.len()).ok()?;
        Some(Number { digits: if negative { -digits } else { digits }, scale })
    }

    /// The digits as one integer, and how many of them stand behind the point.
    pub const fn parts(self) -> (i64, u8) {
        (self.digits, self.scale)
    }

    /// With at most `places` behind the point.
    #[must_use]
    pub fn rounded(self, places: u8, rounding: Rounding) -> Number {
        if self.scale <= places {
            return self;
        }
        let digits = divided(i128::from(self.digits), ten_to(self.scale - places), rounding);
        Number { digits: i64::try_from(digits).expect("fewer digits than before"), scale: places }
    }

    /// `self × multiplier ÷ divisor`, rounded once to `places`. `None`: the divisor is zero, or the result has more than 18 digits.
    pub fn scaled(self, multiplier: i64, divisor: i64, places: u8, rounding: Rounding) -> Option<Number> {
        if places > DIGITS_MAX || divisor == 0 {
            return None;
        }
        let dividend = i128::from(self.digits).checked_mul(i128::from(multiplier))?;
        let dividend = dividend.checked_mul(ten_to(places))?;
        let divisor = i128::from(divisor).checked_mul(ten_to(self.scale))?;
        let (dividend, divisor) = if divisor < 0 { (-dividend, -divisor) } else { (dividend, divisor) };
        let digits = divided(dividend, divisor, rounding);
        let digits = i64::try_from(digits).ok().filter(|n| i128::from(*n).abs() < ten_to(DIGITS_MAX))?;
        Some(Number { digits, scale: places })
    }

    /// The sum, with the places of the finer one. `None`: more than 18 digits.
    pub fn plus(self, other: Number) -> Option<Number> {
        let scale = self.scale.max(other.scale);
        let at = |n: Number| i128::from(n.digits) * ten_to(scale - n.scale);
        let digits = at(self) + at(other);
        let digits = i64::try_from(digits).ok().filter(|n| i128::from(*n).abs() < ten_to(DIGITS_MAX))?;
        Some(Number { digits, scale })
    }

    /// The nearest double; for formulas with logarithms and powers, never for a comparison with a limit.
    pub fn to_f64(self) -> f64 {
        // Below 2^53 both are exact and the quotient is correctly rounded; more digits than a double holds are no measurement.
        self.digits as f64 / ten_to(self.scale) as f64
    }
}

/// The divisor is positive.
fn divided(dividend: i128, divisor: i128, rounding: Rounding) -> i128 {
    let floor = dividend.div_euclid(divisor);
    let rest = dividend.rem_euclid(divisor);
    // Compared as `rest > divisor - rest`, because twice the rest may not fit.
    let up = match (rounding, rest.cmp(&(divisor - rest))) {
        (Rounding::Down, _) => false,
        (Rounding::Up, _) => rest > 0,
        (Rounding::HalfUp, Ordering::Greater) => true,
        (Rounding::HalfUp, Ordering::Equal) => dividend >= 0,
        (Rounding::HalfUp, Ordering::Less) => false,
    };
    floor + i128::from(up)
}

impl Ord for Number {
    fn cmp(&self, other: &Number) -> Ordering {
        if self.scale == other.scale {
            return self.digits.cmp(&other.digits);
        }
        let scale = self.scale.max(other.scale);
        let at = |n: &Number| i128::from(n.digits) * ten_to(scale - n.scale);
        at(self).cmp(&at(other))
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Number) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Number) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Number {}

impl From<i32> for Number {
    fn from(number: i32) -> Number {
        Number { digits: i64::from(number), scale: 0 }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.digits < 0 { "-" } else { "" };
        let digits = self.digits.unsigned_abs();
        let unit = 10_u64.pow(u32::from(self.scale));
        if self.scale == 0 {
            return write!(f, "{sign}{digits}");
        }
        write!(f, "{sign}{}.{:0width$}", digits / unit, digits % unit, width = usize::from(self.scale))
    }
}

/// A measurement is patient data and does not print.
impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Number(scale {})", self.scale)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn number(text: &str) -> Number {
        Number::parse(text).unwrap_or_else(|| panic!("{text} is a number"))
    }

    #[test]
    fn text_is_read_exactly_or_not_at_all() {
        for text in ["0", "-12.50", "172.49999999999997", "0.000000000000000001", "999999999999999999"] {
            assert_eq!(number(text).to_string(), text);
        }
        assert_eq!(number("+3").to_string(), "3");
        for text in [
            "",
            "-",
            ".5",
            "5.",
            "1e3",
            ">10",
            "1,5",
            " 1",
            "NaN",
            "1000000000000000000",
            "1.0000000000000000000",
            "--1",
        ] {
            assert!(Number::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn numbers_compare_by_value() {
        assert_eq!(number("1.50"), number("1.5"));
        assert!(number("-0.1") < number("0"));
        assert!(number("999999999999999999") > number("0.000000000000000001"));
        assert_eq!(number("37.0").to_f64(), 37.0);
        assert_eq!(format!("{:?}", number("37.05")), "Number(scale 2)");
    }

    #[test]
    fn rounding_is_stated() {
        let check = |text: &str, half_up: &str, up: &str, down: &str| {
            let rounded = |rounding| number(text).rounded(0, rounding).to_string();
            let found = [Rounding::HalfUp, Rounding::Up, Rounding::Down].map(rounded);
            assert_eq!(found, [half_up, up, down], "{text}");
        };
        check("2.5", "3", "3", "2");
        check("2.49", "2", "3", "2");
        check("-2.5", "-3", "-2", "-3");
        check("-2.51", "-3", "-2", "-3");
        check("-2.49", "-2", "-2", "-3");
        check("2.0", "2", "2", "2");
        assert_eq!(number("2.5").rounded(3, Rounding::Up).to_string(), "2.5");
    }

    #[test]
    fn scaling_rounds_once() {
        let check = |text: &str, multiplier, divisor, places, expected: Option<&str>| {
            let found = number(text).scaled(multiplier, divisor, places, Rounding::HalfUp);
            assert_eq!(
                found.map(|n| n.to_string()).as_deref(),
                expected,
                "{text} × {multiplier} ÷ {divisor}"
            );
        };
        check("100", 1000, 18_016, 4, Some("5.5506"));
        check("1", 1, 0, 4, None);
        check("1", -1, 8, 2, Some("-0.13"));
        check("1", 1, -8, 2, Some("-0.13"));
        check("999999999999999999", 10, 1, 0, None);
        assert_eq!(number("1.5").plus(number("-0.25")).map(|n| n.to_string()).as_deref(), Some("1.25"));
    }

    proptest! {
        #[test]
        fn printing_and_reading_is_the_identity(digits in -999_999_999_999_999_999_i64..=999_999_999_999_999_999, scale in 0u8..=18) {
            let start = Number::of(digits, scale);
            prop_assert_eq!(Number::parse(&start.to_string()).map(Number::parts), Some((digits, scale)));
        }
    }
}
