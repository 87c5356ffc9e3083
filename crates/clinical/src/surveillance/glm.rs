//! Quasi-Poisson regression with a log link by iteratively reweighted least squares.
//!
//! Starts and ends as R's `glm` does (start at the counts + 0.1, end when the deviance changes by less than 1e-8 of itself, at most 25 rounds), so
//! that bounds agree with published ones to their last digits. Weights and covariance are those of the last round.

const ROUNDS_MAX: usize = 25;
const TOLERANCE: f64 = 1e-8;

/// A fitted model.
pub(super) struct Fit {
    pub(super) coefficients: Vec<f64>,
    /// Fitted means.
    pub(super) means: Vec<f64>,
    /// Working weights.
    weights: Vec<f64>,
    /// Inverse of X'WX, row by row.
    covariance: Vec<Vec<f64>>,
    /// Pearson's statistic by the degrees of freedom; not floored.
    pub(super) dispersion: f64,
    /// Observations less coefficients.
    pub(super) degrees: f64,
}

/// Observations: a row of the design each, counts, and prior weights.
pub(super) struct Data<'a> {
    pub(super) design: &'a [Vec<f64>],
    pub(super) counts: &'a [f64],
    pub(super) priors: &'a [f64],
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The inverse of a symmetric positive definite matrix by elimination with pivots on the diagonal. `None`: it has none.
fn inverse(mut matrix: Vec<Vec<f64>>) -> Option<Vec<Vec<f64>>> {
    let n = matrix.len();
    let scale = (0..n).map(|i| matrix[i][i]).collect::<Vec<_>>();
    let mut result: Vec<Vec<f64>> =
        (0..n).map(|i| (0..n).map(|j| f64::from(u8::from(i == j))).collect()).collect();
    for i in 0..n {
        let pivot = matrix[i][i];
        if pivot.is_nan() || pivot <= scale[i] * 1e-11 {
            return None;
        }
        for j in 0..n {
            matrix[i][j] /= pivot;
            result[i][j] /= pivot;
        }
        let (row, inverse_row) = (matrix[i].clone(), result[i].clone());
        for k in (0..n).filter(|k| *k != i) {
            let factor = matrix[k][i];
            for j in 0..n {
                matrix[k][j] -= factor * row[j];
                result[k][j] -= factor * inverse_row[j];
            }
        }
    }
    Some(result)
}

fn deviance(data: &Data<'_>, means: &[f64]) -> f64 {
    let term = |((count, prior), mean): ((&f64, &f64), &f64)| {
        let log = if *count > 0.0 { count * (count / mean).ln() } else { 0.0 };
        2.0 * prior * (log - (count - mean))
    };
    data.counts.iter().zip(data.priors).zip(means).map(term).sum()
}

/// Fits the model. `None`: no convergence, or a design without a unique answer.
pub(super) fn fit(data: &Data<'_>) -> Option<Fit> {
    let n_coefficients = data.design.first()?.len();
    let mut means: Vec<f64> = data.counts.iter().map(|count| count + 0.1).collect();
    let mut predictors: Vec<f64> = means.iter().map(|mean| mean.ln()).collect();
    let mut before = deviance(data, &means);
    for _ in 0..ROUNDS_MAX {
        let weights: Vec<f64> = data.priors.iter().zip(&means).map(|(prior, mean)| prior * mean).collect();
        let mut information = vec![vec![0.0; n_coefficients]; n_coefficients];
        let mut right = vec![0.0; n_coefficients];
        for (i, row) in data.design.iter().enumerate() {
            let working = predictors[i] + (data.counts[i] - means[i]) / means[i];
            for (a, x) in row.iter().enumerate() {
                right[a] += weights[i] * x * working;
                for (b, y) in row.iter().enumerate() {
                    information[a][b] += weights[i] * x * y;
                }
            }
        }
        let covariance = inverse(information)?;
        let coefficients: Vec<f64> = covariance.iter().map(|row| dot(row, &right)).collect();
        predictors = data.design.iter().map(|row| dot(row, &coefficients)).collect();
        means = predictors.iter().map(|predictor| predictor.exp()).collect();
        let now = deviance(data, &means);
        if !now.is_finite() {
            return None;
        }
        if (now - before).abs() / (now.abs() + 0.1) < TOLERANCE {
            return Some(finish(data, coefficients, means, weights, covariance));
        }
        before = now;
    }
    None
}

fn finish(
    data: &Data<'_>,
    coefficients: Vec<f64>,
    means: Vec<f64>,
    weights: Vec<f64>,
    covariance: Vec<Vec<f64>>,
) -> Fit {
    let residual = |i: usize| weights[i] * ((data.counts[i] - means[i]) / means[i]).powi(2);
    let degrees = data.counts.len() as f64 - coefficients.len() as f64;
    let dispersion = (0..means.len()).map(residual).sum::<f64>() / degrees;
    Fit { coefficients, means, weights, covariance, dispersion, degrees }
}

impl Fit {
    /// `x' (X'WX)⁻¹ x`: the variance of the linear predictor at `x`, without dispersion.
    pub(super) fn variance_at(&self, x: &[f64]) -> f64 {
        self.covariance.iter().zip(x).map(|(row, x_i)| x_i * dot(row, x)).sum()
    }

    /// Variance of one coefficient, without dispersion.
    pub(super) fn variance_of(&self, coefficient: usize) -> f64 {
        self.covariance[coefficient][coefficient]
    }

    /// The fitted mean at `x`.
    pub(super) fn mean_at(&self, x: &[f64]) -> f64 {
        dot(&self.coefficients, x).exp()
    }

    /// How much an observation draws the line to itself.
    pub(super) fn leverage(&self, design: &[Vec<f64>], i: usize) -> f64 {
        self.weights[i] * self.variance_at(&design[i])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::tests::near;

    #[test]
    fn a_mean_alone_is_the_mean() {
        let counts = [3.0, 0.0, 5.0, 4.0];
        let design = vec![vec![1.0]; 4];
        let fit = fit(&Data { design: &design, counts: &counts, priors: &[1.0; 4] }).unwrap();
        near(fit.mean_at(&[1.0]), 3.0, 1e-8);
        // Pearson: (0 + 9 + 4 + 1) / 3, by 3 degrees of freedom.
        near(fit.dispersion, 14.0 / 9.0, 1e-6);
        near(fit.leverage(&design, 0), 0.25, 1e-12);
    }

    #[test]
    fn an_exact_line_is_found() {
        let design: Vec<Vec<f64>> = (0..5).map(|x| vec![1.0, f64::from(x)]).collect();
        let counts: Vec<f64> = (0..5).map(|x| 2.0 * f64::from(x).exp2()).collect();
        let fit = fit(&Data { design: &design, counts: &counts, priors: &[1.0; 5] }).unwrap();
        near(fit.coefficients[0], 2.0_f64.ln(), 1e-8);
        near(fit.coefficients[1], 2.0_f64.ln(), 1e-8);
        assert_eq!(fit.degrees, 3.0);
    }

    #[test]
    fn a_design_without_a_unique_answer_is_refused() {
        let design = vec![vec![1.0, 2.0]; 4];
        assert!(fit(&Data { design: &design, counts: &[1.0, 2.0, 3.0, 4.0], priors: &[1.0; 4] }).is_none());
        assert!(fit(&Data { design: &[], counts: &[], priors: &[] }).is_none());
    }
}
