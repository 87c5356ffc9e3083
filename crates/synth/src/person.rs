//! Who a patient is: sex, age, origin, home, payer, habits and chronic diseases. Knows nothing of visits or of FHIR.

use compact_str::{CompactString, format_compact};

use crate::day::{Day, Moment};
use crate::disease::{Chronic, DISEASES, age_band};
use crate::planted;
use crate::random::Draw;
use crate::region::{COUNTIES, County};

/// Race by the categories of the OMB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Race {
    White,
    Black,
    Asian,
    Native,
    Pacific,
    Several,
    Unknown,
}

/// Who pays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Payer {
    Medicare,
    Medicaid,
    Private,
    Uninsured,
}

/// Does the person smoke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Smoking {
    Never,
    Former,
    Daily,
    SomeDays,
}

/// Languages people prefer, as BCP 47 tags with English names.
pub(crate) const LANGUAGES: [(&str, &str); 5] =
    [("en", "English"), ("es", "Spanish"), ("zh", "Chinese"), ("vi", "Vietnamese"), ("ar", "Arabic")];

/// Everything about a person that does not depend on visits.
pub(crate) struct Person {
    /// Counted from 1.
    pub(crate) number: u64,
    pub(crate) id: CompactString,
    pub(crate) female: bool,
    pub(crate) birth: Day,
    /// Age at the end of the simulation, had the person lived.
    pub(crate) age: i32,
    pub(crate) death: Option<Moment>,
    pub(crate) race: Race,
    pub(crate) hispanic: bool,
    /// Position in [`LANGUAGES`].
    pub(crate) language: usize,
    pub(crate) county: &'static County,
    pub(crate) moved: Option<(&'static County, Day)>,
    pub(crate) payer: Payer,
    pub(crate) smoking: Smoking,
    pub(crate) bmi: f64,
    pub(crate) height_cm: f64,
    /// Chronic diseases with the day of onset.
    pub(crate) diseases: Vec<(Chronic, Day)>,
    /// Is HbA1c above 9 % (for people with diabetes).
    pub(crate) hba1c_high: bool,
    /// Is blood pressure below 140/90 (for people with hypertension).
    pub(crate) pressure_controlled: bool,
}

/// Upper ends of age bands and the share of each in the population, close to the United States of the 2020s.
const PYRAMID: [(i32, f64); 18] = [
    (4, 5.5),
    (9, 5.9),
    (14, 6.2),
    (19, 6.5),
    (24, 6.6),
    (29, 6.5),
    (34, 6.9),
    (39, 6.7),
    (44, 6.4),
    (49, 5.9),
    (54, 6.2),
    (59, 6.2),
    (64, 6.3),
    (69, 5.6),
    (74, 4.6),
    (79, 3.3),
    (84, 2.0),
    (99, 1.9),
];

/// Yearly risk of death at ages 0–17, 18–29, 30–44, 45–64, 65–79 and from 80.
const MORTALITY: [f64; 6] = [0.0003, 0.001, 0.0018, 0.0055, 0.017, 0.075];

impl Person {
    /// The person of a number, as far as fixed before any visit. `years` is how long the records go back.
    pub(crate) fn draw(draw: &mut Draw, seed: u64, number: u64, end: Day, years: i32) -> Person {
        let age = draw_age(draw);
        let share_female = [0.49, 0.50, 0.50, 0.505, 0.53, 0.61][age_band(age)];
        let female = draw.chance(share_female);
        // The last birthday was at most a year ago; people are born before the end, not on it.
        let (year, month, day) = end.ymd();
        let birthday = Day::of(year - age, month, day.min(28));
        let birth = birthday.plus(-draw.between(4, 360));
        let county = draw.pick(&COUNTIES);
        let (race, hispanic) = draw_race(draw, county);
        let language = draw_language(draw, race, hispanic, county);
        let smoking = draw_smoking(draw, age);
        let mut person = Person {
            number,
            id: format_compact!("s{seed}-{number:06}"),
            female,
            birth,
            age,
            death: None,
            race,
            hispanic,
            language,
            county,
            moved: draw_move(draw, county, birth, end, years),
            payer: draw_payer(draw, age, county),
            smoking,
            bmi: draw.normal(28.5, 5.5).clamp(17.0, 52.0),
            height_cm: draw.normal(if female { 161.5 } else { 175.5 }, 7.0),
            diseases: Vec::new(),
            hba1c_high: false,
            pressure_controlled: false,
        };
        person.draw_diseases(draw, end);
        person.draw_death(draw, end, years);
        let last = person.last_day(end);
        person.diseases.retain(|(_, onset)| *onset < last);
        person.moved = person.moved.filter(|(_, day)| *day < last);
        person.hba1c_high = draw.chance(planted::hba1c_above_nine(&person));
        let poor = matches!(person.payer, Payer::Medicaid | Payer::Uninsured);
        person.pressure_controlled = draw.chance(planted::BLOOD_PRESSURE.rate(poor));
        person
    }

    /// Has the person this disease at any time.
    pub(crate) fn has(&self, chronic: Chronic) -> bool {
        self.diseases.iter().any(|(one, _)| *one == chronic)
    }

    /// Nothing but death itself happens on or after this day.
    pub(crate) fn last_day(&self, end: Day) -> Day {
        // Two days of distance keep every local time before the end in UTC.
        let last = end.plus(-1);
        self.death.map_or(last, |death| death.day().min(last))
    }

    pub(crate) fn is_black_not_hispanic(&self) -> bool {
        self.race == Race::Black && !self.hispanic
    }

    pub(crate) fn is_insured(&self) -> bool {
        self.payer != Payer::Uninsured
    }

    fn draw_diseases(&mut self, draw: &mut Draw, end: Day) {
        let band = age_band(self.age);
        for (chronic, disease) in &DISEASES {
            let sex = if self.female { disease.by_sex.0 } else { disease.by_sex.1 };
            let smoking = if self.smoking == Smoking::Never { 1.0 } else { disease.by_smoking };
            let p = match chronic {
                Chronic::Asthma if self.age < 18 => {
                    planted::ASTHMA.rate(planted::ASTHMA_COUNTIES.contains(&self.county.fips))
                }
                Chronic::Obesity => f64::from(u8::from(self.age >= 20 && self.bmi >= 30.0)) * 0.8,
                _ => disease.prevalence[band] * sex * smoking,
            };
            if !draw.chance(p) {
                continue;
            }
            let youngest = self.birth.0 + disease.onset_age_min.min(self.age / 2) * 365;
            // Most diseases are found late: the later of two draws.
            let found = draw.between(youngest, end.0 - 60).max(draw.between(youngest, end.0 - 60));
            self.diseases.push((*chronic, Day(found.max(self.birth.0 + 30).min(end.0 - 3))));
        }
        // Infants of the last two months have no disease yet.
        let first = self.birth.plus(30);
        self.diseases.retain(|(_, onset)| *onset >= first);
    }

    fn draw_death(&mut self, draw: &mut Draw, end: Day, years: i32) {
        let factor: f64 = self.diseases.iter().map(|(chronic, _)| chronic.disease().mortality).product();
        let yearly = (MORTALITY[age_band(self.age)] * factor).min(0.4);
        for year in 0..years {
            if draw.chance(yearly) {
                let day = end.plus(-365 * (year + 1) + draw.between(0, 360));
                let minute = draw.between(0, 1_439);
                if day > self.birth.plus(90) && day < end.plus(-2) {
                    self.death = Some(day.at(minute, self.county.offset_hours));
                }
                return;
            }
        }
    }
}

fn draw_age(draw: &mut Draw) -> i32 {
    let weights = PYRAMID.map(|(_, share)| share);
    let band = draw.weighted(&weights);
    let low = if band == 0 { 0 } else { PYRAMID[band - 1].0 + 1 };
    draw.between(low, PYRAMID[band].0)
}

fn draw_race(draw: &mut Draw, county: &County) -> (Race, bool) {
    let races = [Race::White, Race::Black, Race::Asian, Race::Native, Race::Pacific];
    match draw.weighted(&county.mix) {
        0 => (
            *draw.pick(&[Race::White, Race::White, Race::White, Race::Unknown, Race::Black, Race::Native]),
            true,
        ),
        6 => (*draw.pick(&[Race::Several, Race::Several, Race::Unknown]), false),
        at => (races[at - 1], false),
    }
}

fn draw_language(draw: &mut Draw, race: Race, hispanic: bool, county: &County) -> usize {
    let (other, p) = match (race, county.fips) {
        _ if hispanic => (1, 0.5),
        (Race::Asian, _) => (if draw.chance(0.6) { 2 } else { 3 }, 0.35),
        (Race::White, "26163") => (4, 0.15),
        _ => (1, 0.005),
    };
    if draw.chance(p) { other } else { 0 }
}

fn draw_smoking(draw: &mut Draw, age: i32) -> Smoking {
    if age < 16 {
        return Smoking::Never;
    }
    let all = [Smoking::Never, Smoking::Former, Smoking::Daily, Smoking::SomeDays];
    all[draw.weighted(&[0.63, 0.22, 0.11, 0.04])]
}

fn draw_payer(draw: &mut Draw, age: i32, county: &County) -> Payer {
    let all = [Payer::Medicare, Payer::Medicaid, Payer::Private, Payer::Uninsured];
    let medicaid = if county.is_vulnerable() { 0.34 } else { 0.14 };
    let weights = match age {
        65.. => [0.90, 0.04, 0.04, 0.02],
        19.. => [0.03, medicaid, 0.85 - medicaid, county.uninsured * 1.15],
        _ => [0.0, medicaid * 1.5, 0.9 - medicaid * 1.5, county.uninsured * 0.5],
    };
    all[draw.weighted(&weights)]
}

/// One in twelve moved to the county from the other one of its state.
fn draw_move(
    draw: &mut Draw,
    county: &County,
    birth: Day,
    end: Day,
    years: i32,
) -> Option<(&'static County, Day)> {
    let day = end.plus(-draw.between(90, 365 * years));
    let moves = draw.chance(1.0 / 12.0) && day > birth.plus(60);
    let from = COUNTIES.iter().find(|other| other.state == county.state && other.fips != county.fips)?;
    moves.then_some((from, day))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_born_before_they_die_and_before_the_end() {
        let end = Day::of(2026, 7, 1);
        let mut over_64 = 0;
        for number in 1..3_000 {
            let person = Person::draw(&mut Draw::of(1, number), 1, number, end, 4);
            assert!(person.birth < end.plus(-3));
            assert_eq!(person.birth.age_on(end), person.age);
            let last = person.last_day(end);
            for (_, onset) in &person.diseases {
                assert!(*onset >= person.birth && *onset < last);
            }
            assert!(person.death.is_none_or(|death| death.day() > person.birth && death.day() < end));
            over_64 += u32::from(person.age > 64);
        }
        assert!((440..620).contains(&over_64), "{over_64}");
    }
}
