//! CUSUM: adds up what counts have above their expectation, and begins again after an alert.
//!
//! Source: Page, Biometrika 1954;41:100; standardised, one-sided, as in Montgomery, Introduction to Statistical Quality Control.

/// The sum so far and when it alerts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cusum {
    /// What is allowed per day, in standard deviations; 0.5 finds shifts of one standard deviation.
    pub allowance: f64,
    /// Alerts above this sum; 4 to 5 are usual.
    pub decision: f64,
    sum: f64,
}

/// One day.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// The sum with this day.
    pub sum: f64,
    /// Is it above the decision.
    pub alert: bool,
}

impl Cusum {
    /// Begins at zero.
    pub fn new(allowance: f64, decision: f64) -> Cusum {
        Cusum { allowance, decision, sum: 0.0 }
    }

    /// Adds a day with its expectation and standard deviation (above zero). After an alert the sum begins again at zero; without that it
    /// would go on to alert long after the outbreak.
    pub fn add(&mut self, count: f64, expected: f64, sd: f64) -> Step {
        let sum = f64::max(0.0, self.sum + (count - expected) / sd - self.allowance);
        let alert = sum > self.decision;
        self.sum = if alert { 0.0 } else { sum };
        Step { sum, alert }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::tests::near;

    const SERIES: [u8; 30] =
        [5, 7, 6, 4, 8, 6, 5, 7, 9, 6, 5, 8, 7, 6, 14, 21, 25, 18, 9, 7, 6, 5, 8, 6, 7, 5, 30, 6, 7, 6];

    fn steps(decision: f64) -> Vec<Step> {
        let mut cusum = Cusum::new(0.5, decision);
        SERIES.iter().map(|count| cusum.add(f64::from(*count), 6.5, 2.5)).collect()
    }

    #[test]
    fn it_adds_up() {
        let steps = steps(1e9);
        for (day, expected) in [(14, 0.0), (15, 2.5), (16, 7.8), (17, 14.7)] {
            near(steps[day - 1].sum, expected, 1e-9);
        }
        assert!(steps[29].sum > 4.0, "without a new beginning it alerts to the end");
    }

    #[test]
    fn it_begins_again_after_an_alert() {
        let alerts: Vec<usize> =
            steps(4.0).iter().zip(1..).filter(|(step, _)| step.alert).map(|(_, day)| day).collect();
        // Day 16: 7.8. Day 17 alone: 7.4 - 0.5 = 6.9; day 18: 4.6 - 0.5 = 4.1; day 27: 9.4 - 0.5.
        assert_eq!(alerts, [16, 17, 18, 27]);
        assert!(steps(4.2)[17].sum < 4.2);
    }
}
