//! Whom a rule is for: age band, pregnancy, targets, ward. What is not known is said, not guessed.

use clinical::age::{Day, months_on, parse_day, years_on};
use clinical::{Pregnancy, Subject as Person};
use fhir::Instant;

use crate::Subject;
use crate::model::Applies;
use crate::span::{Age, AgeUnit};

const DAY_MICROS: i64 = 86_400_000_000;

/// What is missing to know whether a rule is for somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unknown {
    Age,
    Ward,
}

impl Unknown {
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Unknown::Age => "the age is not known: record the birth date",
            Unknown::Ward => "the ward is not known",
        }
    }
}

/// First and last day on which somebody can be born: a birth date can be a year or a month only.
#[derive(Clone, Copy)]
pub(crate) struct Birth(Day, Day);

impl Birth {
    pub(crate) fn of(subject: &Subject) -> Option<Birth> {
        let text = subject.birth_date.as_deref()?;
        match text.len() {
            4 => Some(Birth(parse_day(&format!("{text}-01-01"))?, parse_day(&format!("{text}-12-31"))?)),
            7 => {
                let first = parse_day(&format!("{text}-01"))?;
                let last = (28..=31).rev().find_map(|day| parse_day(&format!("{text}-{day}")))?;
                Some(Birth(first, last))
            }
            _ => parse_day(text.get(..10)?).map(|day| Birth(day, day)),
        }
    }

    pub(crate) fn is_exact(self) -> bool {
        self.0 == self.1
    }

    /// Has somebody completed an age; `None` when it depends on the day.
    fn completed(self, age: Age, on: Day) -> Option<bool> {
        let reached = |birth: Day| -> Option<bool> {
            let count = match age.unit {
                AgeUnit::Days => {
                    // Born after the day, or more than 130 years before it, is no age.
                    years_on(birth, on)?;
                    on.epoch_days() - birth.epoch_days()
                }
                AgeUnit::Months => i32::from(months_on(birth, on)?),
                AgeUnit::Years => i32::from(years_on(birth, on)?),
            };
            Some(count >= i32::from(age.count))
        };
        let (older, younger) = (reached(self.0)?, reached(self.1)?);
        (older == younger).then_some(older)
    }

    /// Completed years, when they do not depend on the day or it does not matter to scores of adults.
    fn years(self, on: Day) -> Option<u16> {
        let (older, younger) = (years_on(self.0, on)?, years_on(self.1, on)?);
        (older == younger || younger >= 18).then_some(younger)
    }
}

/// The day of an instant in UTC.
pub(crate) fn day_of(at: Instant) -> Option<Day> {
    Day::of_epoch_days(i32::try_from(at.0.div_euclid(DAY_MICROS)).ok()?)
}

/// A person as scores need to know them.
pub(crate) fn person_of(subject: &Subject, at: Instant) -> Person {
    let age_years = Birth::of(subject).and_then(|birth| birth.years(day_of(at)?));
    Person { age_years, sex: None, pregnancy: subject.pregnancy }
}

impl Applies {
    pub(crate) fn asks_age(&self) -> bool {
        (self.from.is_some() || self.below.is_some()) && !self.unknown_age
    }

    /// Is the rule for this patient at this time and place.
    pub(crate) fn judge(&self, subject: &Subject, ward: Option<&str>, at: Instant) -> Result<bool, Unknown> {
        let pregnant = subject.pregnancy == Pregnancy::PregnantOrPostPartum;
        let facts = [
            (self.pregnant, pregnant),
            (self.spo2_target_88_92, subject.spo2_target_88_92),
            (self.dialysis, subject.dialysis),
        ];
        if facts.iter().any(|(asked, is)| asked.is_some_and(|asked| asked != *is)) {
            return Ok(false);
        }
        if !self.not_units.is_empty()
            && ward.is_some_and(|ward| self.not_units.iter().any(|unit| unit == ward))
        {
            return Ok(false);
        }
        if !self.units.is_empty() {
            match ward {
                None => return Err(Unknown::Ward),
                Some(ward) if !self.units.iter().any(|unit| unit == ward) => return Ok(false),
                Some(_) => {}
            }
        }
        self.judge_age(subject, at)
    }

    fn judge_age(&self, subject: &Subject, at: Instant) -> Result<bool, Unknown> {
        if self.from.is_none() && self.below.is_none() {
            return Ok(true);
        }
        let reached = |age: Option<Age>| -> Option<Option<bool>> {
            let Some(age) = age else { return Some(None) };
            Birth::of(subject)?.completed(age, day_of(at)?).map(Some)
        };
        match (reached(self.from), reached(self.below)) {
            (Some(Some(false)), _) | (_, Some(Some(true))) => Ok(false),
            (Some(_), Some(_)) => Ok(true),
            _ if self.unknown_age => Ok(true),
            _ => Err(Unknown::Age),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(from: Option<&str>, below: Option<&str>, birth: Option<&str>, expected: Result<bool, Unknown>) {
        let age = |text: Option<&str>| text.map(|text| text.parse().unwrap());
        let applies = Applies { from: age(from), below: age(below), ..Applies::default() };
        let subject = Subject { birth_date: birth.map(str::to_owned), ..Subject::default() };
        let at = Instant::parse("2026-03-01T00:00:00Z").unwrap();
        assert_eq!(applies.judge(&subject, None, at), expected, "{from:?} {below:?} {birth:?}");
    }

    #[test]
    fn bands_of_age() {
        check(Some("16y"), None, Some("2010-03-01"), Ok(true));
        check(Some("16y"), None, Some("2010-03-02"), Ok(false));
        check(None, Some("28d"), Some("2026-02-02"), Ok(true));
        check(None, Some("28d"), Some("2026-02-01"), Ok(false));
        check(Some("1mo"), Some("2y"), Some("2026-02-01"), Ok(true));
        check(Some("1mo"), Some("2y"), Some("2024-03-01"), Ok(false));
        check(Some("16y"), None, None, Err(Unknown::Age));
        check(Some("16y"), None, Some("nonsense!!"), Err(Unknown::Age));
        check(None, None, None, Ok(true));
    }

    #[test]
    fn a_part_of_a_date_is_enough_when_it_does_not_matter() {
        check(Some("16y"), None, Some("1950"), Ok(true));
        check(Some("16y"), None, Some("2020-07"), Ok(false));
        check(Some("16y"), None, Some("2010"), Err(Unknown::Age));
        check(Some("16y"), None, Some("2010-03"), Err(Unknown::Age));
        check(Some("16y"), None, Some("2010-02"), Ok(true));
        // Born tomorrow is no age.
        check(Some("16y"), None, Some("2026-03-02"), Err(Unknown::Age));
    }

    #[test]
    fn wards_and_pregnancy() {
        let at = Instant::parse("2026-03-01T00:00:00Z").unwrap();
        let only = Applies { units: vec!["ICU".to_owned()], ..Applies::default() };
        let judge = |applies: &Applies, ward| applies.judge(&Subject::default(), ward, at);
        assert_eq!(judge(&only, Some("ICU")), Ok(true));
        assert_eq!(judge(&only, Some("W3")), Ok(false));
        assert_eq!(judge(&only, None), Err(Unknown::Ward));
        let not = Applies { not_units: vec!["ICU".to_owned()], ..Applies::default() };
        assert_eq!(
            [Some("ICU"), Some("W3"), None].map(|ward| judge(&not, ward)),
            [Ok(false), Ok(true), Ok(true)]
        );
        let pregnant = Applies { pregnant: Some(true), ..Applies::default() };
        assert_eq!(judge(&pregnant, None), Ok(false));
        let subject = Subject { pregnancy: Pregnancy::PregnantOrPostPartum, ..Subject::default() };
        assert_eq!(pregnant.judge(&subject, None, at), Ok(true));
    }
}
