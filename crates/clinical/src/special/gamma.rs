//! The gamma function and the gamma and chi-squared distributions.

use super::bisect;

/// Lanczos coefficients for g = 7, n = 9 (Godfrey).
const LANCZOS: [f64; 9] = [
    0.999_999_999_999_809_9,
    676.520_368_121_885_1,
    -1_259.139_216_722_402_8,
    771.323_428_777_653_1,
    -176.615_029_162_140_6,
    12.507_343_278_686_905,
    -0.138_571_095_265_720_12,
    9.984_369_578_019_572e-6,
    1.505_632_735_149_311_6e-7,
];

/// Natural logarithm of the gamma function of a positive number.
pub(super) fn ln_gamma(x: f64) -> f64 {
    if x < 0.5 {
        // Reflection: Γ(x) Γ(1 - x) = π / sin πx.
        return (std::f64::consts::PI / (std::f64::consts::PI * x).sin()).ln() - ln_gamma(1.0 - x);
    }
    let x = x - 1.0;
    let mut sum = LANCZOS[0];
    for (coefficient, place) in LANCZOS[1..].iter().zip(1_u8..) {
        sum += coefficient / (x + f64::from(place));
    }
    let t = x + 7.5;
    0.5 * (2.0 * std::f64::consts::PI).ln() + (x + 0.5) * t.ln() - t + sum.ln()
}

/// The share of the gamma distribution with this shape and scale 1 below `x`.
pub(super) fn gamma_lower(shape: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    let front = (shape * x.ln() - x - ln_gamma(shape)).exp();
    if x < shape + 1.0 {
        // Power series.
        let (mut term, mut sum, mut n) = (1.0 / shape, 1.0 / shape, shape);
        while term.abs() > sum.abs() * 1e-17 {
            n += 1.0;
            term *= x / n;
            sum += term;
        }
        return front * sum;
    }
    // Continued fraction of the upper tail, by Lentz.
    let mut b = x + 1.0 - shape;
    let (mut c, mut d) = (1e300, 1.0 / b);
    let mut fraction = d;
    for i in 1..1_000_000 {
        let i = f64::from(i);
        let a = -i * (i - shape);
        b += 2.0;
        d = 1.0 / nonzero(a * d + b);
        c = nonzero(b + a / c);
        fraction *= d * c;
        if (d * c - 1.0).abs() < 1e-16 {
            break;
        }
    }
    1.0 - front * fraction
}

/// Lentz's remedy against division by zero.
pub(super) fn nonzero(x: f64) -> f64 {
    if x.abs() < 1e-300 { 1e-300 } else { x }
}

/// The value below which a share `p` of the gamma distribution lies; a shape of 0 is all at 0.
pub(crate) fn gamma_quantile(p: f64, shape: f64, scale: f64) -> f64 {
    if shape <= 0.0 || p <= 0.0 {
        return 0.0;
    }
    let mut high = shape.max(1.0);
    while gamma_lower(shape, high) < p && high < 1e300 {
        high *= 2.0;
    }
    bisect(0.0, high, p, |x| gamma_lower(shape, x)) * scale
}

/// The value below which a share `p` of the chi-squared distribution lies.
pub(crate) fn chi_squared_quantile(p: f64, degrees: f64) -> f64 {
    gamma_quantile(p, degrees / 2.0, 2.0)
}

/// The probability of `count` or more under the Poisson distribution.
pub(crate) fn poisson_upper(count: f64, mean: f64) -> f64 {
    if count <= 0.0 { 1.0 } else { gamma_lower(count, mean) }
}

/// The lowest count whose Poisson distribution function reaches `p`.
pub(crate) fn poisson_quantile(p: f64, mean: f64) -> f64 {
    super::count_quantile(mean, |count| 1.0 - poisson_upper(count + 1.0, mean) >= p)
}
