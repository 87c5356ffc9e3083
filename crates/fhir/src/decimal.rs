//! Exact decimals: the digits that were sent, never a binary float.

mod divide;

use std::cmp::Ordering;
use std::fmt;

/// Largest power of ten that is told apart; FHIR systems need not go beyond 18 digits.
const EXPONENT_MAX: i64 = 10_000;
/// Most significant digits.
const DIGITS_MAX: usize = 200;

/// `±digits × 10^-scale`. The scale is the stated precision: `1.50` has two.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Decimal {
    negative: bool,
    /// Values 0 to 9, most significant first, no leading zero; empty for zero.
    digits: Vec<u8>,
    scale: i64,
}

impl Decimal {
    /// A decimal of its text (as JSON writes it; a leading `+` is allowed). `None`: not a number, or out of range.
    pub fn parse(text: &str) -> Option<Decimal> {
        let (negative, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
            None => (text, 0),
        };
        let (whole, fraction) = match mantissa.split_once('.') {
            Some((_, "")) => return None,
            Some((whole, fraction)) => (whole, fraction),
            None => (mantissa, ""),
        };
        if whole.is_empty() || whole.len() + fraction.len() > DIGITS_MAX || exponent.abs() > EXPONENT_MAX {
            return None;
        }
        let mut digits = Vec::with_capacity(whole.len() + fraction.len());
        for byte in whole.bytes().chain(fraction.bytes()) {
            if !byte.is_ascii_digit() {
                return None;
            }
            digits.push(byte - b'0');
        }
        let scale = i64::try_from(fraction.len()).ok()? - exponent;
        Some(Decimal::of(negative, digits, scale))
    }

    fn of(negative: bool, mut digits: Vec<u8>, scale: i64) -> Decimal {
        let zeros = digits.iter().take_while(|digit| **digit == 0).count();
        digits.drain(..zeros);
        Decimal { negative: negative && !digits.is_empty(), digits, scale }
    }

    /// Is it zero.
    pub fn is_zero(&self) -> bool {
        self.digits.is_empty()
    }

    /// Is it below zero.
    pub fn is_negative(&self) -> bool {
        self.negative
    }

    /// The range that its stated precision covers: `5.4` is `[5.35, 5.45)`, `100` is `[99.5, 100.5)`.
    pub fn range(&self) -> (Decimal, Decimal) {
        let half = Decimal { negative: false, digits: vec![5], scale: self.scale + 1 };
        (self.minus(&half), self.plus(&half))
    }

    /// The range within a tenth of it, for `ap`.
    pub fn around(&self) -> (Decimal, Decimal) {
        let tenth = Decimal { negative: false, digits: self.digits.clone(), scale: self.scale + 1 };
        (self.minus(&tenth), self.plus(&tenth))
    }

    /// Sum.
    #[must_use]
    pub fn plus(&self, other: &Decimal) -> Decimal {
        let scale = self.scale.max(other.scale);
        let (a, b) = (self.digits_at(scale), other.digits_at(scale));
        if self.negative == other.negative {
            return Decimal::of(self.negative, add(&a, &b), scale);
        }
        match compare(&a, &b) {
            Ordering::Less => Decimal::of(other.negative, subtract(&b, &a), scale),
            Ordering::Equal | Ordering::Greater => Decimal::of(self.negative, subtract(&a, &b), scale),
        }
    }

    /// Difference.
    #[must_use]
    pub fn minus(&self, other: &Decimal) -> Decimal {
        self.plus(&Decimal { negative: !other.negative && !other.is_zero(), ..other.clone() })
    }

    /// Product.
    #[must_use]
    pub fn times(&self, other: &Decimal) -> Decimal {
        let mut cells = vec![0u32; self.digits.len() + other.digits.len()];
        for (i, a) in self.digits.iter().rev().enumerate() {
            for (j, b) in other.digits.iter().rev().enumerate() {
                cells[i + j] += u32::from(*a) * u32::from(*b);
            }
        }
        let mut carry = 0;
        let mut digits: Vec<u8> = Vec::with_capacity(cells.len());
        for cell in cells {
            let sum = cell + carry;
            digits.push((sum % 10) as u8);
            carry = sum / 10;
        }
        digits.reverse();
        Decimal::of(self.negative != other.negative, digits, self.scale + other.scale)
    }

    /// An equal number with the last digits cut to `scale` digits behind the point (toward zero); for display only.
    #[must_use]
    pub fn truncated(&self, scale: i64) -> Decimal {
        if self.scale <= scale {
            return self.clone();
        }
        let cut = usize::try_from(self.scale - scale).unwrap_or(usize::MAX).min(self.digits.len());
        Decimal::of(self.negative, self.digits[..self.digits.len() - cut].to_vec(), scale)
    }

    /// A key of bytes that sorts as the numbers do; equal numbers (`1.5`, `1.50`) have equal keys.
    pub fn key(&self) -> Vec<u8> {
        let significant =
            self.digits.len() - self.digits.iter().rev().take_while(|digit| **digit == 0).count();
        if significant == 0 {
            return vec![0x80];
        }
        // The number is 0.ddd × 10^point.
        let point = i64::try_from(self.digits.len()).unwrap_or(0) - self.scale;
        let point = u16::try_from((point + 0x8000).clamp(0, 0xFFFF)).unwrap_or(0);
        let mut key = vec![0x81];
        key.extend_from_slice(&point.to_be_bytes());
        // Two digits a byte; one is added so that the end sorts before any further digit.
        for pair in self.digits[..significant].chunks(2) {
            key.push(pair[0] * 10 + pair.get(1).copied().unwrap_or(0) + 1);
        }
        key.push(0);
        if self.negative {
            key.iter_mut().for_each(|byte| *byte = !*byte);
        }
        key
    }

    /// The nearest double; for charts and statistics, never for storage or comparison.
    pub fn to_f64(&self) -> f64 {
        self.to_string().parse().unwrap_or(f64::NAN)
    }

    /// Digits with zeros behind them as if the scale were `scale`, which is not below the own one.
    fn digits_at(&self, scale: i64) -> Vec<u8> {
        let mut digits = self.digits.clone();
        if !digits.is_empty() {
            digits.resize(digits.len() + usize::try_from(scale - self.scale).unwrap_or(0), 0);
        }
        digits
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Decimal) -> Ordering {
        self.key().cmp(&other.key()).then(self.scale.cmp(&other.scale))
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Decimal) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl From<i64> for Decimal {
    fn from(number: i64) -> Decimal {
        Decimal::parse(&number.to_string()).expect("an integer has few digits")
    }
}

/// Without exponent.
impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.negative {
            f.write_str("-")?;
        }
        let n_digits = i64::try_from(self.digits.len()).unwrap_or(0);
        let digit = |place: i64| -> char {
            // `place` counts from the point: 0 is ones, -1 tenths.
            let at = n_digits - 1 - (place + self.scale);
            let value = usize::try_from(at).ok().and_then(|at| self.digits.get(at)).copied().unwrap_or(0);
            char::from(b'0' + value)
        };
        let top = (n_digits - self.scale - 1).max(0);
        for place in (0..=top).rev() {
            write!(f, "{}", digit(place))?;
        }
        if self.scale > 0 {
            f.write_str(".")?;
            for place in 1..=self.scale {
                write!(f, "{}", digit(-place))?;
            }
        }
        Ok(())
    }
}

fn compare(a: &[u8], b: &[u8]) -> Ordering {
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

fn add(a: &[u8], b: &[u8]) -> Vec<u8> {
    let mut digits = Vec::with_capacity(a.len().max(b.len()) + 1);
    let (mut a, mut b) = (a.iter().rev(), b.iter().rev());
    let mut carry = 0;
    loop {
        let (x, y) = (a.next(), b.next());
        if x.is_none() && y.is_none() {
            break;
        }
        let sum = x.copied().unwrap_or(0) + y.copied().unwrap_or(0) + carry;
        digits.push(sum % 10);
        carry = sum / 10;
    }
    digits.push(carry);
    digits.reverse();
    digits
}

/// `a - b`; `a` is not below `b`.
fn subtract(a: &[u8], b: &[u8]) -> Vec<u8> {
    let mut digits = Vec::with_capacity(a.len());
    let mut b = b.iter().rev();
    let mut borrow = 0;
    for x in a.iter().rev() {
        let y = b.next().copied().unwrap_or(0) + borrow;
        borrow = u8::from(*x < y);
        digits.push(x + borrow * 10 - y);
    }
    digits.reverse();
    digits
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dec(text: &str) -> Decimal {
        Decimal::parse(text).unwrap_or_else(|| panic!("{text} is a decimal"))
    }

    #[test]
    fn precision_is_a_range() {
        let check = |text: &str, low: &str, high: &str| {
            let (l, h) = dec(text).range();
            assert_eq!((l.to_string(), h.to_string()), (low.into(), high.into()), "{text}");
        };
        check("5.4", "5.35", "5.45");
        check("100", "99.5", "100.5");
        check("1e2", "50", "150");
        check("0", "-0.5", "0.5");
        check("-1.00", "-1.005", "-0.995");
        assert_eq!(dec("50").around().0.to_string(), "45.0");
        assert_eq!(dec("-50").around().0.to_string(), "-55.0");
    }

    #[test]
    fn keys_sort_as_numbers_do() {
        let rising = [
            "-1e30", "-100", "-99.5", "-1.5", "-1", "-0.01", "0", "0.001", "0.01", "0.011", "1", "1.05",
            "1.5", "9.99", "10", "1e30",
        ];
        for pair in rising.windows(2) {
            assert!(dec(pair[0]).key() < dec(pair[1]).key(), "{pair:?}");
        }
        for (a, b) in [("1.50", "1.5"), ("-0", "0.00"), ("100", "1e2"), ("0.10", "1e-1")] {
            assert_eq!(dec(a).key(), dec(b).key());
        }
    }

    #[test]
    fn arithmetic_is_exact() {
        assert_eq!(dec("0.1").plus(&dec("0.2")).to_string(), "0.3");
        assert_eq!(dec("1").minus(&dec("0.001")).to_string(), "0.999");
        assert_eq!(dec("-2.5").times(&dec("0.40")).to_string(), "-1.000");
        assert_eq!(dec("65.7708929999").to_string(), "65.7708929999");
        assert_eq!(dec("1.2e-3").to_string(), "0.0012");
        assert_eq!(dec("1.999").truncated(2).to_string(), "1.99");
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in ["", "-", "1.", ".5", "1e", "1e99999999999999999999", "1e20000", "a", "1 "] {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn keys_order_like_integers(a in -1_000_000_000i64..1_000_000_000, b in -1_000_000_000i64..1_000_000_000) {
            proptest::prop_assert_eq!(Decimal::from(a).key().cmp(&Decimal::from(b).key()), a.cmp(&b));
            proptest::prop_assert_eq!(Decimal::from(a).plus(&Decimal::from(b)).to_string(), (a + b).to_string());
            proptest::prop_assert_eq!(Decimal::from(a).times(&Decimal::from(b)).to_string(), (i128::from(a) * i128::from(b)).to_string());
        }
    }
}
