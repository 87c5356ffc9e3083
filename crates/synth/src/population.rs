//! The population: a configuration in, the resources of any of its patients out.

use fhir::{Instant, Value};

use crate::chart::chart_of;
use crate::day::Day;
use crate::group::{self, Membership};
use crate::person::Person;
use crate::random::Draw;
use crate::shared;

/// What to generate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// How many patients.
    pub patients: u32,
    /// The seed: the same seed gives the same people.
    pub seed: u64,
    /// "Today" of the simulation; nothing happens after it. The part behind the day is dropped.
    pub end: Instant,
    /// How many years the visits go back; at least one.
    pub years: u32,
}

/// 2026-07-01, so that the same seed gives the same bytes on any day.
const END: Instant = Instant(1_782_864_000_000_000);
const DAY_MICROS: i64 = 86_400_000_000;

impl Config {
    /// So many patients of a seed, seen over four years before 2026-07-01.
    pub fn new(patients: u32, seed: u64) -> Config {
        Config { patients, seed, end: END, years: 4 }
    }
}

/// 500 patients of seed 42.
impl Default for Config {
    fn default() -> Config {
        Config::new(500, 42)
    }
}

/// A population that is computed when it is asked for: a patient depends on seed and index only.
///
/// ```
/// let few = synth::Population::new(synth::Config::new(3, 42));
/// let many = synth::Population::new(synth::Config::new(3_000_000, 42));
/// assert_eq!(few.patient(2), many.patient(2));
/// assert_eq!(few.patient(0)[0].text("id"), Some("s42-000001"));
/// ```
pub struct Population {
    config: Config,
    end: Day,
    years: i32,
}

impl Population {
    /// The population of a configuration; nothing is computed yet.
    pub fn new(config: Config) -> Population {
        // A century is more than any record; days of the calendar stay within their type.
        let years = i32::try_from(config.years.clamp(1, 100)).expect("a century is a small number");
        let days = config.end.0.div_euclid(DAY_MICROS).clamp(-100_000, 1_000_000);
        let end = Day(i32::try_from(days).expect("the days are clamped"));
        Population { config, end, years }
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Organizations, locations, practitioners and payers, with ids that do not depend on the seed.
    pub fn shared(&self) -> Vec<Value> {
        shared::resources()
    }

    /// Every resource of the patient at an index from 0 on, the Patient first. References go to the patient's own resources
    /// and to [`Population::shared`] ones.
    pub fn patient(&self, index: u32) -> Vec<Value> {
        let (person, draw) = self.person(index);
        chart_of(&person, draw, self.end, self.years)
    }

    /// The programmes with their members, as Groups; they refer to the patients and are loaded after them.
    pub fn groups(&self) -> Vec<Value> {
        let members: Vec<Membership> =
            (0..self.config.patients).flat_map(|index| self.memberships(index)).collect();
        group::groups_of(&members, self.config.seed).collect()
    }

    pub(crate) fn memberships(&self, index: u32) -> Vec<Membership> {
        group::memberships_of(&self.person(index).0, self.end, self.years)
    }

    fn person(&self, index: u32) -> (Person, Draw) {
        let number = u64::from(index) + 1;
        let mut draw = Draw::of(self.config.seed, number);
        let person = Person::draw(&mut draw, self.config.seed, number, self.end, self.years);
        (person, draw)
    }
}
