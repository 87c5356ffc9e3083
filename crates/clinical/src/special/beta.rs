//! The beta function and the distributions that hang on it: beta, Student's t, negative binomial.

use super::bisect;
use super::gamma::{ln_gamma, nonzero};

/// Continued fraction of the incomplete beta function, by Lentz.
fn fraction(a: f64, b: f64, x: f64) -> f64 {
    let (mut c, mut d) = (1.0, 1.0 / nonzero(1.0 - (a + b) * x / (a + 1.0)));
    let mut fraction = d;
    for m in 1..1_000_000 {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / nonzero(1.0 + even * d);
        c = nonzero(1.0 + even / c);
        fraction *= d * c;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / nonzero(1.0 + odd * d);
        c = nonzero(1.0 + odd / c);
        fraction *= d * c;
        if (d * c - 1.0).abs() < 1e-16 {
            break;
        }
    }
    fraction
}

/// The share of the beta distribution below `x`.
pub(super) fn beta_lower(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return if x <= 0.0 { 0.0 } else { 1.0 };
    }
    let front = (ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * x.ln() + b * (-x).ln_1p()).exp();
    if x < (a + 1.0) / (a + b + 2.0) {
        front * fraction(a, b, x) / a
    } else {
        1.0 - front * fraction(b, a, 1.0 - x) / b
    }
}

/// The value below which a share `p` of the beta distribution lies.
pub(crate) fn beta_quantile(p: f64, a: f64, b: f64) -> f64 {
    bisect(0.0, 1.0, p, |x| beta_lower(x, a, b))
}

/// The share of Student's t distribution above `t`.
pub(crate) fn t_upper(t: f64, degrees: f64) -> f64 {
    let tail = 0.5 * beta_lower(degrees / (degrees + t * t), degrees / 2.0, 0.5);
    if t >= 0.0 { tail } else { 1.0 - tail }
}

/// The value below which a share `p` of Student's t distribution lies; 0 < p < 1.
pub(crate) fn t_quantile(p: f64, degrees: f64) -> f64 {
    let x = beta_quantile(2.0 * p.min(1.0 - p), degrees / 2.0, 0.5);
    let t = (degrees * (1.0 - x) / x).sqrt();
    if p < 0.5 { -t } else { t }
}

/// The probability of `count` or more under the negative binomial distribution with this size and mean.
pub(crate) fn negative_binomial_upper(count: f64, size: f64, mean: f64) -> f64 {
    if count <= 0.0 {
        return 1.0;
    }
    beta_lower(mean / (size + mean), count, size)
}

/// The lowest count whose distribution function reaches `p`.
pub(crate) fn negative_binomial_quantile(p: f64, size: f64, mean: f64) -> f64 {
    super::count_quantile(mean, |count| 1.0 - negative_binomial_upper(count + 1.0, size, mean) >= p)
}
