//! Measures of inequality of a rate among groups of people.
//!
//! Sources: Pearcy and Keppel, Public Health Rep 2002;117:273 (index of disparity); Harper and Lynch, Methods for Measuring Cancer Disparities, NCI
//! 2005 (between-group variance, Theil, MLD); Mackenbach and Kunst, Soc Sci Med 1997;44:757 (slope and relative index); Wagstaff, Paci and van
//! Doorslaer, Soc Sci Med 1991;33:545 (concentration index). WHO's HEAT toolkit estimates the slope index by a logit model: other numbers.

use super::NotEstimable;

/// A group: its rate, and how many people it has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Group {
    /// Its rate, at least zero.
    pub rate: f64,
    /// Its people.
    pub people: u64,
}

/// Which rates are good ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Better {
    /// Mortality, readmissions.
    Lower,
    /// Screening, vaccination.
    Higher,
}

/// Groups without order, at least two with people.
#[derive(Clone, Debug, PartialEq)]
pub struct Groups {
    groups: Vec<Group>,
    people: f64,
    mean: f64,
}

impl Groups {
    /// Groups without people are left out.
    ///
    /// # Errors
    /// Fewer than two groups, or a rate that is negative or no number.
    pub fn of(groups: &[Group]) -> Result<Groups, NotEstimable> {
        let groups: Vec<Group> = groups.iter().copied().filter(|group| group.people > 0).collect();
        if groups.len() < 2 {
            return Err(NotEstimable::TooFewGroups);
        }
        if groups.iter().any(|group| !(group.rate >= 0.0 && group.rate.is_finite())) {
            return Err(NotEstimable::WrongRate);
        }
        let people: f64 = groups.iter().map(|group| group.people as f64).sum();
        let mean = groups.iter().map(|group| group.people as f64 / people * group.rate).sum();
        Ok(Groups { groups, people, mean })
    }

    /// The rate of all people together.
    pub fn mean(&self) -> f64 {
        self.mean
    }

    /// Share of people and rate of each group.
    fn each(&self) -> impl Iterator<Item = (f64, f64)> {
        self.groups.iter().map(|group| (group.people as f64 / self.people, group.rate))
    }

    fn nonzero_mean(&self) -> Result<f64, NotEstimable> {
        if self.mean > 0.0 { Ok(self.mean) } else { Err(NotEstimable::NoEvents) }
    }

    /// Index of disparity from the best rate: mean distance of the other groups from it, in percent of it. Groups count alike.
    ///
    /// # Errors
    /// The best rate is zero.
    pub fn disparity_from_best_percent(&self, better: Better) -> Result<f64, NotEstimable> {
        let rates = || self.groups.iter().map(|group| group.rate);
        let best = match better {
            Better::Lower => rates().fold(f64::INFINITY, f64::min),
            Better::Higher => rates().fold(0.0, f64::max),
        };
        if best <= 0.0 {
            return Err(NotEstimable::NoEvents);
        }
        let distance: f64 = rates().map(|rate| (rate - best).abs()).sum();
        Ok(distance / (self.groups.len() - 1) as f64 / best * 100.0)
    }

    /// Index of disparity from the mean: mean distance of the groups from the rate of all people, in percent of it. Groups count alike.
    ///
    /// # Errors
    /// No events.
    pub fn disparity_from_mean_percent(&self) -> Result<f64, NotEstimable> {
        let mean = self.nonzero_mean()?;
        let distance: f64 = self.groups.iter().map(|group| (group.rate - mean).abs()).sum();
        Ok(distance / self.groups.len() as f64 / mean * 100.0)
    }

    /// Variance between the groups, weighted by people; in the square of the rate's unit.
    pub fn between_group_variance(&self) -> f64 {
        self.each().map(|(share, rate)| share * (rate - self.mean).powi(2)).sum()
    }

    /// Theil's index, weighted by people; 0 is equality. A rate of zero adds nothing.
    ///
    /// # Errors
    /// No events.
    pub fn theil(&self) -> Result<f64, NotEstimable> {
        let mean = self.nonzero_mean()?;
        let term = |(share, rate): (f64, f64)| {
            if rate > 0.0 { share * rate / mean * (rate / mean).ln() } else { 0.0 }
        };
        Ok(self.each().map(term).sum::<f64>().max(0.0))
    }

    /// Mean logarithmic deviation, weighted by people; 0 is equality.
    ///
    /// # Errors
    /// A group without events: its logarithm is infinite.
    pub fn mean_log_deviation(&self) -> Result<f64, NotEstimable> {
        let mean = self.nonzero_mean()?;
        if self.groups.iter().any(|group| group.rate == 0.0) {
            return Err(NotEstimable::NoEvents);
        }
        Ok(self.each().map(|(share, rate)| share * (mean / rate).ln()).sum::<f64>().max(0.0))
    }
}

/// Groups in order from the worst off to the best off.
#[derive(Clone, Debug, PartialEq)]
pub struct Ordered(Groups);

/// Slope and relative index of inequality, by least squares weighted by people on the groups' middle ranks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Slope {
    /// Slope index: the line's rate of the best off minus that of the worst off.
    pub slope: f64,
    /// Relative index: the slope by the rate of all people.
    pub relative: f64,
    /// The line's rate of the best off by that of the worst off; `None` when the line is not above zero there.
    pub ratio: Option<f64>,
}

impl Ordered {
    /// Of groups in order from the worst off to the best off.
    ///
    /// # Errors
    /// As [`Groups::of`].
    pub fn of(groups: &[Group]) -> Result<Ordered, NotEstimable> {
        Groups::of(groups).map(Ordered)
    }

    /// The middle of each group's range of ranks, from 0 (worst off) to 1.
    pub fn middle_ranks(&self) -> Vec<f64> {
        let mut below = 0.0;
        let middle = |(share, _)| {
            below += share;
            below - share / 2.0
        };
        self.0.each().map(middle).collect()
    }

    /// Slope and relative index of inequality.
    ///
    /// # Errors
    /// No events.
    pub fn slope(&self) -> Result<Slope, NotEstimable> {
        let mean = self.0.nonzero_mean()?;
        // The mean of the middle ranks, weighted by people, is 1/2.
        let (mut products, mut squares) = (0.0, 0.0);
        for ((share, rate), rank) in self.0.each().zip(self.middle_ranks()) {
            products += share * (rank - 0.5) * (rate - mean);
            squares += share * (rank - 0.5).powi(2);
        }
        let slope = products / squares;
        let (worst, best) = (mean - slope / 2.0, mean + slope / 2.0);
        let ratio = (worst > 0.0 && best > 0.0).then(|| best / worst);
        Ok(Slope { slope, relative: slope / mean, ratio })
    }

    /// Concentration index: below zero when the rate gathers among the worse off.
    ///
    /// # Errors
    /// No events.
    pub fn concentration(&self) -> Result<f64, NotEstimable> {
        let mean = self.0.nonzero_mean()?;
        let ranked = self.0.each().zip(self.middle_ranks()).map(|((share, rate), rank)| share * rate * rank);
        Ok(2.0 / mean * ranked.sum::<f64>() - 1.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::near;
    use super::*;

    fn groups(rates: &[f64], people: &[u64]) -> Vec<Group> {
        rates.iter().zip(people).map(|(rate, people)| Group { rate: *rate, people: *people }).collect()
    }

    /// Expected: ID best, ID mean, BGV, Theil, MLD, SII, RII, RII ratio, concentration.
    fn check(rates: &[f64], people: &[u64], expected: [f64; 9]) {
        let groups = groups(rates, people);
        let (plain, ordered) = (Groups::of(&groups).unwrap(), Ordered::of(&groups).unwrap());
        let slope = ordered.slope().unwrap();
        let found = [
            plain.disparity_from_best_percent(Better::Lower).unwrap(),
            plain.disparity_from_mean_percent().unwrap(),
            plain.between_group_variance(),
            plain.theil().unwrap(),
            plain.mean_log_deviation().unwrap(),
            slope.slope,
            slope.relative,
            slope.ratio.unwrap(),
            ordered.concentration().unwrap(),
        ];
        for (found, expected) in found.into_iter().zip(expected) {
            near(found, expected, 5e-8 * expected.abs().max(1.0));
        }
    }

    #[test]
    fn the_reference_agrees() {
        let rates = [0.20, 0.16, 0.12, 0.08];
        let equal = [
            100.0,
            28.571_428_6,
            0.002,
            0.052_558_33,
            0.055_890_03,
            -0.16,
            -1.142_857_1,
            0.272_727_3,
            -0.178_571_4,
        ];
        check(&rates, &[2500; 4], equal);
        let rates = [0.25, 0.20, 0.15, 0.10];
        let unequal = [100.0, 33.333_333_3, 0.0025, 0.053_728_79, 0.053_567_07, -0.18, -1.2, 0.25, -0.18];
        check(&rates, &[1000, 2000, 3000, 4000], unequal);
        let ordered = Ordered::of(&groups(&rates, &[1000, 2000, 3000, 4000])).unwrap();
        for (found, expected) in ordered.middle_ranks().into_iter().zip([0.05, 0.2, 0.45, 0.8]) {
            near(found, expected, 1e-12);
        }
    }

    #[test]
    fn the_best_rate_depends_on_what_is_better() {
        let groups = Groups::of(&groups(&[0.2, 0.4], &[10, 10])).unwrap();
        near(groups.disparity_from_best_percent(Better::Lower).unwrap(), 100.0, 1e-9);
        near(groups.disparity_from_best_percent(Better::Higher).unwrap(), 50.0, 1e-9);
    }

    #[test]
    fn what_has_no_estimate_says_why() {
        assert_eq!(Groups::of(&groups(&[0.1, 0.2], &[10, 0])), Err(NotEstimable::TooFewGroups));
        assert_eq!(Groups::of(&groups(&[0.1, -0.2], &[10, 10])), Err(NotEstimable::WrongRate));
        assert_eq!(Groups::of(&groups(&[0.1, f64::NAN], &[10, 10])), Err(NotEstimable::WrongRate));
        let none = Groups::of(&groups(&[0.0, 0.0], &[10, 10])).unwrap();
        assert_eq!(none.theil(), Err(NotEstimable::NoEvents));
        let some = Groups::of(&groups(&[0.0, 0.2], &[10, 10])).unwrap();
        assert_eq!(some.mean_log_deviation(), Err(NotEstimable::NoEvents));
        assert_eq!(some.disparity_from_best_percent(Better::Lower), Err(NotEstimable::NoEvents));
        near(some.theil().unwrap(), 2.0_f64.ln(), 1e-12);
        let steep = Ordered::of(&groups(&[1.0, 0.0, 0.0], &[10, 10, 10])).unwrap();
        assert_eq!(steep.slope().unwrap().ratio, None);
    }

    proptest! {
        #[test]
        fn equality_is_zero_and_order_turns_the_sign(rates in proptest::collection::vec(0.001f64..1.0, 2..8), people in 1u64..1000) {
            let people: Vec<u64> = (1..=rates.len() as u64).map(|n| n * people).collect();
            let mut all = groups(&rates, &people);
            let found = Groups::of(&all).unwrap();
            prop_assert!(found.theil().unwrap() >= 0.0 && found.mean_log_deviation().unwrap() >= 0.0);
            let concentration = Ordered::of(&all).unwrap().concentration().unwrap();
            all.reverse();
            prop_assert!((Ordered::of(&all).unwrap().concentration().unwrap() + concentration).abs() < 1e-9);
            all.iter_mut().for_each(|group| group.rate = 0.3);
            let equal = Ordered::of(&all).unwrap();
            prop_assert!(equal.slope().unwrap().slope.abs() < 1e-9 && equal.concentration().unwrap().abs() < 1e-9);
            prop_assert!(equal.0.theil().unwrap().abs() < 1e-9 && equal.0.between_group_variance() < 1e-18);
        }
    }
}
