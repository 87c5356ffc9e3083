//! Powers by `+ - * /` alone: the libraries of two machines may differ in the last bit, and the same seed must give the same bytes.

/// `base` to the power of `exponent`, for a positive base; good to 12 digits.
pub(crate) fn power(base: f64, exponent: f64) -> f64 {
    exp(exponent * ln(base))
}

/// CKD-EPI 2021 creatinine equation, mL/min/1.73 m² (Inker et al., NEJM 2021;385:1737). Creatinine in mg/dL, adults.
pub(crate) fn egfr(creatinine: f64, age: i32, female: bool) -> f64 {
    let (kappa, alpha, factor) = if female { (0.7, -0.241, 1.012) } else { (0.9, -0.302, 1.0) };
    let ratio = creatinine / kappa;
    let (low, high) = (if ratio < 1.0 { ratio } else { 1.0 }, if ratio > 1.0 { ratio } else { 1.0 });
    142.0 * power(low, alpha) * power(high, -1.2) * power(0.9938, f64::from(age)) * factor
}

fn ln(x: f64) -> f64 {
    let (mut mantissa, mut twos) = (x, 0.0);
    while mantissa > 1.5 {
        mantissa /= 2.0;
        twos += 1.0;
    }
    while mantissa < 0.75 {
        mantissa *= 2.0;
        twos -= 1.0;
    }
    // ln m = 2 artanh((m - 1) / (m + 1)); the argument is at most 0.2.
    let ratio = (mantissa - 1.0) / (mantissa + 1.0);
    let square = ratio * ratio;
    let (mut term, mut sum) = (ratio, 0.0);
    for odd in 0..12 {
        sum += term / f64::from(2 * odd + 1);
        term *= square;
    }
    2.0 * sum + twos * std::f64::consts::LN_2
}

fn exp(x: f64) -> f64 {
    // e^x = (e^(x/64))^64
    let small = x / 64.0;
    let (mut term, mut sum) = (1.0, 1.0);
    for n in 1..14 {
        term *= small / f64::from(n);
        sum += term;
    }
    (0..6).fold(sum, |value, _| value * value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_agree_with_the_library() {
        for (base, exponent) in [(2.0, 10.0), (0.9938, 85.0), (1.4, -1.2), (0.1, 0.5), (40.0, -0.3)] {
            let expected = f64::powf(base, exponent);
            assert!((power(base, exponent) / expected - 1.0).abs() < 1e-12, "{base}^{exponent}");
        }
    }

    #[test]
    fn the_filtration_rate_agrees_with_published_vectors() {
        let vectors = [
            (1.0, 50, true, 68.63),
            (1.0, 50, false, 91.69),
            (0.6, 30, true, 123.76),
            (0.8, 30, false, 122.10),
            (2.5, 70, false, 26.96),
        ];
        for (creatinine, age, female, expected) in vectors {
            assert!((egfr(creatinine, age, female) - expected).abs() < 0.005, "{creatinine} {age} {female}");
        }
    }
}
