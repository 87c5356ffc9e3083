//! Scores: of dimensions from their rules, of the source from its dimensions. What was not assessed has none.

use quality::Dimension;
use serde::{Deserialize, Serialize};

use crate::report::RuleQuality;

/// The score of one dimension.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DimensionQuality {
    /// The dimension.
    #[serde(with = "super::dimension")]
    pub dimension: Dimension,
    /// The mean of the passing shares of its assessed rules; `None`: none was assessed.
    pub score: Option<f64>,
    /// Rules that were assessed.
    pub n_rules: u64,
    /// The rule with the lowest passing share, when that is below 1.
    pub worst: Option<String>,
}

/// How good a source is, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Below 0.60, or a gate failed.
    Unacceptable,
    /// From 0.60.
    Poor,
    /// From 0.75.
    Acceptable,
    /// From 0.85.
    Good,
    /// From 0.95.
    Excellent,
}

impl Level {
    /// The level of a score.
    pub fn of(score: f64) -> Level {
        match score {
            score if reaches(score, 0.95) => Level::Excellent,
            score if reaches(score, 0.85) => Level::Good,
            score if reaches(score, 0.75) => Level::Acceptable,
            score if reaches(score, 0.60) => Level::Poor,
            _ => Level::Unacceptable,
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Level::Excellent => "excellent",
            Level::Good => "good",
            Level::Acceptable => "acceptable",
            Level::Poor => "poor",
            Level::Unacceptable => "unacceptable",
        }
    }
}

/// Whether a score reaches a threshold; the mean of three scores of 0.95 does reach 0.95, although not in binary.
pub(super) fn reaches(score: f64, least: f64) -> bool {
    score >= least - 1e-9
}

/// The scores of all six dimensions.
pub(super) fn dimensions(rules: &[RuleQuality]) -> Vec<DimensionQuality> {
    let of = |dimension: Dimension| {
        let own = rules.iter().filter(|rule| rule.dimension == dimension && rule.counts());
        let scores: Vec<(f64, &str)> =
            own.filter_map(|rule| Some((rule.score()?, rule.id.as_str()))).collect();
        let n = scores.len();
        let worst = scores.iter().min_by(|a, b| a.0.total_cmp(&b.0)).filter(|(score, _)| *score < 1.0);
        DimensionQuality {
            dimension,
            score: (n > 0).then(|| scores.iter().map(|(score, _)| score).sum::<f64>() / n as f64),
            n_rules: n as u64,
            worst: worst.map(|(_, id)| (*id).to_owned()),
        }
    };
    Dimension::ALL.map(of).into()
}

/// The mean of the assessed dimensions.
pub(super) fn overall(dimensions: &[DimensionQuality]) -> Option<f64> {
    let scores: Vec<f64> = dimensions.iter().filter_map(|dimension| dimension.score).collect();
    (!scores.is_empty()).then(|| scores.iter().sum::<f64>() / scores.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ladder_holds_at_its_steps() {
        let check = |score: f64, level: Level| assert_eq!(Level::of(score), level, "{score}");
        check(1.0, Level::Excellent);
        check(0.95, Level::Excellent);
        check(0.949_999, Level::Good);
        check(0.85, Level::Good);
        check(0.75, Level::Acceptable);
        check(0.60, Level::Poor);
        check(0.599_999, Level::Unacceptable);
        check(0.0, Level::Unacceptable);
        assert!(Level::Excellent > Level::Good && Level::Poor > Level::Unacceptable);
    }
}
