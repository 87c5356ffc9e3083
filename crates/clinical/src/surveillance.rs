//! Detectors of outbreaks in series of counts. Each look uses counts up to its own day only; a guard band keeps an outbreak out of its baseline.
//!
//! Days and weeks are counted from 0 in this crate; papers and R count from 1.

pub mod cusum;
pub mod ears;
pub mod ewma;
pub mod farrington;
mod glm;
mod reference;

/// Mean and standard deviation (n - 1) of a baseline of at least two counts.
fn mean_and_sd(counts: &[f64]) -> (f64, f64) {
    let n = counts.len() as f64;
    let mean = counts.iter().sum::<f64>() / n;
    let squares: f64 = counts.iter().map(|count| (count - mean).powi(2)).sum();
    (mean, (squares / (n - 1.0)).sqrt())
}
