//! The normal distribution.

use super::bisect;
use super::gamma::gamma_lower;

/// The value below which a share `p` of the standard normal distribution lies; 0 < p < 1.
pub(crate) fn normal_quantile(p: f64) -> f64 {
    if p == 0.5 {
        return 0.0;
    }
    // P(|Z| < z) is the incomplete gamma function of 1/2 at z²/2; the tail is used where it is small.
    let tail = p.min(1.0 - p);
    let z = bisect(0.0, 40.0, 1.0 - 2.0 * tail, |z| gamma_lower(0.5, z * z / 2.0));
    if p < 0.5 { -z } else { z }
}
