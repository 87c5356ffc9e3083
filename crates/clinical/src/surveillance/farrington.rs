//! Farrington's detector: this week against the same weeks of past years, by a regression that outbreaks of the past hardly move.
//!
//! Sources: Farrington et al., J R Stat Soc A 1996;159:547 (original); Noufaily et al., Stat Med 2013;32:1206 (flexible: all weeks of the past in
//! ten seasonal periods, a higher threshold for reweighting, negative binomial bound, and the last 26 weeks left out of the baseline).

use super::glm::{Data, Fit, fit};
use super::reference::{Baseline, seasons, windows};
use crate::age::Day;
use crate::special::{
    negative_binomial_quantile, negative_binomial_upper, normal_quantile, poisson_quantile, poisson_upper,
    t_upper,
};

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// 1996: windows of past years, bound by the 2/3 power.
    Original,
    /// 2013: seasonal periods, bound by the negative binomial distribution.
    Flexible,
}

/// How to look.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// Which of the two.
    pub method: Method,
    /// Years of the past.
    pub years: usize,
    /// Weeks before and behind the same week of a past year.
    pub half_window_weeks: usize,
    /// Probability of an alert without an outbreak; the original uses half of it.
    pub alpha: f64,
    /// A trend is kept below this p-value; 1 keeps every trend.
    pub trend_p_max: f64,
    /// Anscombe residuals above this lower the weight of their week.
    pub residual_max: f64,
    /// Seasonal periods of a year; flexible only.
    pub periods: usize,
    /// Weeks before this one that are left out of the baseline; flexible only.
    pub guard_weeks: usize,
    /// No alert when this and the three weeks before have fewer cases.
    pub cases_min: u64,
}

impl Options {
    /// The original: five years, ± 3 weeks, alpha 0.01.
    pub const ORIGINAL: Options = Options {
        method: Method::Original,
        years: 5,
        half_window_weeks: 3,
        alpha: 0.01,
        trend_p_max: 0.05,
        residual_max: 1.0,
        periods: 1,
        guard_weeks: 0,
        cases_min: 5,
    };

    /// The flexible one: five years, ± 3 weeks, ten periods, alpha 0.01, always a trend, 26 weeks of guard.
    pub const FLEXIBLE: Options = Options {
        method: Method::Flexible,
        trend_p_max: 1.0,
        residual_max: 2.58,
        periods: 10,
        guard_weeks: 26,
        ..Options::ORIGINAL
    };
}

/// One tested week.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Look {
    /// Cases expected without an outbreak.
    pub expected: f64,
    /// Above it, it alerts.
    pub upper: f64,
    /// Probability of as many cases without an outbreak; flexible only.
    pub p: Option<f64>,
    /// Overdispersion, at least 1.
    pub dispersion: f64,
    /// Is there a trend in the model.
    pub trend: bool,
    /// Does it alert.
    pub alert: bool,
}

/// Why a week is not tested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotTested {
    /// The series does not go back far enough, or has no such week.
    #[error("not tested: the series has too few weeks before this one")]
    TooShort,
    /// Fewer cases in four weeks than the limit.
    #[error("not tested: too few cases in this and the three weeks before")]
    TooFewCases,
    /// The regression has no answer, for example without any case in the baseline.
    #[error("not tested: the regression of the baseline does not converge")]
    NoConvergence,
}

/// A series of weekly counts.
#[derive(Clone, Copy, Debug)]
pub struct Weekly<'a> {
    /// Cases per week.
    pub counts: &'a [u64],
    /// First day of the first week: past years are then found by the calendar. Without it a year has 52 weeks.
    pub first_day: Option<Day>,
}

/// Looks at one week.
///
/// # Errors
/// The week cannot be tested.
pub fn farrington(series: Weekly<'_>, week: usize, options: &Options) -> Result<Look, NotTested> {
    let counts = series.counts;
    let count = *counts.get(week).ok_or(NotTested::TooShort)?;
    let baseline = match options.method {
        Method::Original => windows(series, week, options),
        Method::Flexible => seasons(series, week, options),
    };
    let baseline = baseline.ok_or(NotTested::TooShort)?;
    let four_weeks =
        counts.get(week.checked_sub(3).ok_or(NotTested::TooShort)?..=week).ok_or(NotTested::TooShort)?;
    if four_weeks.iter().sum::<u64>() < options.cases_min {
        return Err(NotTested::TooFewCases);
    }
    let (fit, now, trend) = model(counts, week, &baseline, options).ok_or(NotTested::NoConvergence)?;
    let (expected, dispersion) = (fit.mean_at(&now), fit.dispersion.max(1.0));
    let (upper, p) = match options.method {
        Method::Original => {
            let variance = expected * expected * dispersion * fit.variance_at(&now);
            (power_bound(expected, dispersion, variance, options.alpha), None)
        }
        Method::Flexible => count_bound(expected, dispersion, count as f64, options.alpha),
    };
    Ok(Look { expected, upper, p, dispersion, trend, alert: count as f64 > upper })
}

/// The bound by the 2/3 power; `variance` is that of the expected count.
fn power_bound(expected: f64, dispersion: f64, variance: f64, alpha: f64) -> f64 {
    let tau = dispersion + variance / expected;
    let se = (4.0 / 9.0 * expected.powf(1.0 / 3.0) * tau).sqrt();
    (expected.powf(2.0 / 3.0) + normal_quantile(1.0 - alpha / 2.0) * se).powf(1.5)
}

/// The bound of the negative binomial (or, without overdispersion, Poisson) distribution, and the probability of as many cases.
fn count_bound(expected: f64, dispersion: f64, count: f64, alpha: f64) -> (f64, Option<f64>) {
    if dispersion > 1.0 {
        let size = expected / (dispersion - 1.0);
        let p = negative_binomial_upper(count, size, expected);
        return (negative_binomial_quantile(1.0 - alpha, size, expected), Some(p));
    }
    (poisson_quantile(1.0 - alpha, expected), Some(poisson_upper(count, expected)))
}

/// The model of the baseline, the row of its design for this week, and whether it has a trend.
fn model(
    counts: &[u64],
    week: usize,
    baseline: &Baseline,
    options: &Options,
) -> Option<(Fit, Vec<f64>, bool)> {
    let observed: Vec<f64> = baseline.weeks.iter().map(|week| counts[*week] as f64).collect();
    let highest = observed.iter().copied().fold(0.0, f64::max);
    if let Some((fit, now)) = fitted(&observed, week, baseline, true, options) {
        let t = fit.coefficients[1] / (fit.dispersion * fit.variance_of(1)).sqrt();
        let significant = 2.0 * t_upper(t.abs(), fit.degrees) < options.trend_p_max;
        if significant && options.years >= 3 && fit.mean_at(&now) <= highest {
            return Some((fit, now, true));
        }
    }
    let (fit, now) = fitted(&observed, week, baseline, false, options)?;
    Some((fit, now, false))
}

/// Fits, lowers the weight of weeks with large residuals, fits again.
fn fitted(
    observed: &[f64],
    week: usize,
    baseline: &Baseline,
    trend: bool,
    options: &Options,
) -> Option<(Fit, Vec<f64>)> {
    // Time in years from this week, so that numbers of the design are alike in size.
    let row = |at: usize, period: usize| {
        let mut row = vec![1.0];
        if trend {
            row.push((at as f64 - week as f64) / 52.0);
        }
        // The windows are the last period, and the one that others are compared with.
        row.extend((1..options.periods).map(|other| f64::from(u8::from(other == period))));
        row
    };
    let design: Vec<Vec<f64>> =
        baseline.weeks.iter().zip(&baseline.periods).map(|(at, period)| row(*at, *period)).collect();
    let equal = vec![1.0; observed.len()];
    let first = fit(&Data { design: &design, counts: observed, priors: &equal })?;
    let priors = weights(&first, &design, observed, options.residual_max);
    let second = fit(&Data { design: &design, counts: observed, priors: &priors })?;
    Some((second, row(week, options.periods)))
}

/// Weights that sum to the number of weeks, lower by the square of Anscombe residuals above the limit.
fn weights(fit: &Fit, design: &[Vec<f64>], observed: &[f64], residual_max: f64) -> Vec<f64> {
    let dispersion = fit.dispersion.max(1.0);
    let raw: Vec<f64> = (0..observed.len())
        .map(|i| {
            let mean = fit.means[i];
            let distance = 1.5 * (observed[i].powf(2.0 / 3.0) * mean.powf(-1.0 / 6.0) - mean.sqrt());
            let residual = distance / (dispersion * (1.0 - fit.leverage(design, i))).sqrt();
            if residual > residual_max { residual.powi(-2) } else { 1.0 }
        })
        .collect();
    let factor = raw.len() as f64 / raw.iter().sum::<f64>();
    raw.iter().map(|weight| weight * factor).collect()
}

#[cfg(test)]
mod tests;
