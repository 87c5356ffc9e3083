//! Division, rounding and exact comparison of decimals.

use std::cmp::Ordering;

use super::{DIGITS_MAX, Decimal, add, compare, subtract};

impl Decimal {
    /// Digits behind the point that are stated; negative when zeros before it are not (`1e2`).
    pub fn scale(&self) -> i64 {
        self.scale
    }

    /// How many significant digits it has.
    pub fn n_digits(&self) -> usize {
        self.digits.len()
    }

    /// The number with the other sign.
    #[must_use]
    pub fn negated(&self) -> Decimal {
        Decimal { negative: !self.negative && !self.is_zero(), ..self.clone() }
    }

    /// The order by value; `1.5` and `1.50` are equal.
    pub fn compare(&self, other: &Decimal) -> Ordering {
        if self.scale == other.scale {
            return match (self.negative, other.negative) {
                (false, false) => compare(&self.digits, &other.digits),
                (true, true) => compare(&other.digits, &self.digits),
                (negative, _) => {
                    if negative {
                        Ordering::Less
                    } else {
                        Ordering::Greater
                    }
                }
            };
        }
        self.key().cmp(&other.key())
    }

    /// The quotient with `scale` digits behind the point, rounded half away from zero. `None`: division by zero, or more digits than
    /// are kept.
    pub fn over(&self, divisor: &Decimal, scale: u16) -> Option<Decimal> {
        // One digit more than asked for, so that rounding knows the half.
        let cut = self.quotient(divisor, i64::from(scale) + 1)?;
        Some(cut.rounded(i64::from(scale)))
    }

    /// The whole part of the quotient, cut toward zero.
    pub fn over_whole(&self, divisor: &Decimal) -> Option<Decimal> {
        self.quotient(divisor, 0)
    }

    /// Long division, cut toward zero behind `scale` digits.
    fn quotient(&self, divisor: &Decimal, scale: i64) -> Option<Decimal> {
        if divisor.is_zero() {
            return None;
        }
        // self / divisor = (a × 10^shift / b) × 10^-scale with whole a and b.
        let shift = scale - self.scale + divisor.scale;
        let mut digits = self.digits.clone();
        match usize::try_from(shift) {
            Ok(zeros) if digits.len() + zeros > 2 * DIGITS_MAX => return None,
            Ok(zeros) => digits.resize(digits.len() + zeros, 0),
            Err(_) => {
                let cut = usize::try_from(-shift).ok()?;
                digits.truncate(digits.len().saturating_sub(cut));
            }
        }
        let mut rest: Vec<u8> = Vec::with_capacity(divisor.digits.len() + 1);
        let mut out = Vec::with_capacity(digits.len());
        for digit in digits {
            if !(rest.is_empty() && digit == 0) {
                rest.push(digit);
            }
            let mut times = 0;
            while compare(&rest, &divisor.digits) != Ordering::Less {
                rest = without_zeros(subtract(&rest, &divisor.digits));
                times += 1;
            }
            out.push(times);
        }
        Some(Decimal::of(self.negative != divisor.negative, out, scale))
    }

    /// The nearest number with `scale` digits behind the point, halves away from zero; itself when it has no more.
    #[must_use]
    pub fn rounded(&self, scale: i64) -> Decimal {
        if self.scale <= scale {
            return self.clone();
        }
        let cut = usize::try_from(self.scale - scale).unwrap_or(usize::MAX);
        let Some(keep) = self.digits.len().checked_sub(cut) else {
            return Decimal::of(false, Vec::new(), scale);
        };
        let digits = self.digits[..keep].to_vec();
        let up = self.digits.get(keep).is_some_and(|digit| *digit >= 5);
        Decimal::of(self.negative, if up { add(&digits, &[1]) } else { digits }, scale)
    }

    /// The greatest number with `scale` digits behind the point that is not above it.
    #[must_use]
    pub fn floor(&self, scale: i64) -> Decimal {
        let cut = self.truncated(scale);
        if !self.negative || cut.compare(self) == Ordering::Equal {
            return cut;
        }
        cut.minus(&Decimal { negative: false, digits: vec![1], scale })
    }

    /// The same value with `scale` digits behind the point, zeros added; itself when it has as many or more.
    #[must_use]
    pub fn padded(&self, scale: i64) -> Decimal {
        if self.scale >= scale {
            return self.clone();
        }
        Decimal { negative: self.negative, digits: self.digits_at(scale), scale }
    }

    /// The same value without zeros at the end of its fraction.
    #[must_use]
    pub fn trimmed(&self) -> Decimal {
        if self.is_zero() {
            return Decimal::of(false, Vec::new(), 0);
        }
        let zeros = self.digits.iter().rev().take_while(|digit| **digit == 0).count();
        let cut = i64::try_from(zeros).unwrap_or(0).min(self.scale.max(0));
        self.truncated(self.scale - cut)
    }

    /// The value, when it is whole and fits.
    pub fn to_i64(&self) -> Option<i64> {
        let whole = self.truncated(0);
        if whole.compare(self) != Ordering::Equal || whole.n_digits() > 19 || whole.scale < -19 {
            return None;
        }
        whole.to_string().parse().ok()
    }
}

fn without_zeros(mut digits: Vec<u8>) -> Vec<u8> {
    let zeros = digits.iter().take_while(|digit| **digit == 0).count();
    digits.drain(..zeros);
    digits
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dec(text: &str) -> Decimal {
        Decimal::parse(text).unwrap_or_else(|| panic!("{text} is a decimal"))
    }

    #[test]
    fn quotients_are_rounded() {
        let check = |a: &str, b: &str, scale, expected: &str| {
            let answer = dec(a).over(&dec(b), scale).map_or("none".into(), |quotient| quotient.to_string());
            assert_eq!(answer, expected, "{a} / {b}");
        };
        check("1", "3", 4, "0.3333");
        check("2", "3", 4, "0.6667");
        check("-2", "3", 0, "-1");
        check("1e3", "0.25", 1, "4000.0");
        check("0", "7", 2, "0.00");
        check("7", "0", 2, "none");
        check("1.00", "1000", 2, "0.00");
        check("5", "1000", 2, "0.01");
        assert_eq!(dec("-7.5").over_whole(&dec("2")).unwrap().to_string(), "-3");
    }

    #[test]
    fn numbers_are_rounded_and_cut() {
        assert_eq!(dec("2.345").rounded(2).to_string(), "2.35");
        assert_eq!(dec("-9.99").rounded(1).to_string(), "-10.0");
        assert_eq!(dec("0.04").rounded(1).to_string(), "0.0");
        assert_eq!(dec("0.05").rounded(1).to_string(), "0.1");
        assert_eq!(dec("-2.1").floor(0).to_string(), "-3");
        assert_eq!(dec("2.9").floor(0).to_string(), "2");
        assert_eq!(dec("1.50").padded(4).to_string(), "1.5000");
        assert_eq!(dec("1.500").trimmed().to_string(), "1.5");
        assert_eq!(dec("100.0").trimmed().to_string(), "100");
        assert_eq!(dec("-12.0").to_i64(), Some(-12));
        assert_eq!(dec("1e3").to_i64(), Some(1000));
        assert_eq!(dec("12.5").to_i64(), None);
        assert_eq!(dec("1e30").to_i64(), None);
    }

    proptest::proptest! {
        #[test]
        fn division_agrees_with_integers(a in -1_000_000_000_000i64..1_000_000_000_000, b in -1_000_000i64..1_000_000) {
            let whole = Decimal::from(a).over_whole(&Decimal::from(b)).and_then(|q| q.to_i64());
            proptest::prop_assert_eq!(whole, a.checked_div(b));
            proptest::prop_assert_eq!(Decimal::from(a).compare(&Decimal::from(b)), a.cmp(&b));
        }
    }
}
