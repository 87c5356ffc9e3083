//! An exact positive factor: `n × 10^e / d`.

use fhir::Decimal;

/// Largest power of ten.
const EXPONENT_MAX: i32 = 200;
/// Largest numerator and denominator, so that long division fits into 128 bits.
const PART_MAX: u128 = 1_000_000_000_000_000_000_000_000_000_000_000_000;

/// `n × 10^e / d` in lowest terms; `n` and `d` have no factor ten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Factor {
    n: u128,
    e: i32,
    d: u128,
}

impl Factor {
    pub(super) const ONE: Factor = Factor { n: 1, e: 0, d: 1 };

    /// In lowest terms; `None` when out of range.
    pub(super) fn new(n: u128, e: i32, d: u128) -> Option<Factor> {
        if n == 0 || d == 0 {
            return None;
        }
        let common = gcd(n, d);
        let (mut n, mut e, mut d) = (n / common, e, d / common);
        while n.is_multiple_of(10) {
            (n, e) = (n / 10, e + 1);
        }
        while d.is_multiple_of(10) {
            (d, e) = (d / 10, e - 1);
        }
        // Factors two and five of the denominator are powers of ten in disguise: 1/2 is 5 × 10^-1.
        while d.is_multiple_of(2) {
            (n, e, d) = (n.checked_mul(5)?, e - 1, d / 2);
        }
        while d.is_multiple_of(5) {
            (n, e, d) = (n.checked_mul(2)?, e - 1, d / 5);
        }
        (n <= PART_MAX && d <= PART_MAX && e.abs() <= EXPONENT_MAX).then_some(Factor { n, e, d })
    }

    pub(super) fn times(self, other: Factor) -> Option<Factor> {
        // Reduced crosswise first, so that large parts that cancel do not overflow.
        let (a, b) = (gcd(self.n, other.d), gcd(other.n, self.d));
        let n = (self.n / a).checked_mul(other.n / b)?;
        let d = (self.d / b).checked_mul(other.d / a)?;
        Factor::new(n, self.e.checked_add(other.e)?, d)
    }

    pub(super) fn inverse(self) -> Option<Factor> {
        Factor::new(self.d, -self.e, self.n)
    }

    pub(super) fn power(self, exponent: i8) -> Option<Factor> {
        let base = if exponent < 0 { self.inverse()? } else { self };
        (0..exponent.unsigned_abs()).try_fold(Factor::ONE, |product, _| product.times(base))
    }

    pub(super) fn denominator(self) -> u128 {
        self.d
    }

    /// `n × 10^e`; `None` when it is 1.
    pub(super) fn numerator(self) -> Option<Decimal> {
        if self.n == 1 && self.e == 0 {
            return None;
        }
        Some(Decimal::parse(&format!("{}e{}", self.n, self.e)).expect("the parts are bounded"))
    }
}

fn gcd(a: u128, b: u128) -> u128 {
    let (mut a, mut b) = (a, b);
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::Factor;

    #[test]
    fn lowest_terms_are_unique() {
        assert_eq!(Factor::new(60, 0, 120), Factor::new(5, -1, 1));
        assert_eq!(Factor::new(1, 0, 60), Factor::new(5, -2, 3));
        let minute = Factor::new(60, 0, 1).unwrap();
        assert_eq!(minute.times(minute.inverse().unwrap()), Some(Factor::ONE));
        assert_eq!(minute.power(-2), Factor::new(1, 0, 3600));
        assert_eq!(Factor::new(0, 0, 1), None);
        assert_eq!(Factor::new(1, 300, 1), None);
    }
}
