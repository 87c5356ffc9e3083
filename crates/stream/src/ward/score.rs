//! NEWS2 of what was last heard of a patient: points, what is missing or too old, and why there is none. Pure.

use std::collections::BTreeMap;

use clinical::news2::{Breathing, Consciousness, News2, Points, Scale, Vitals, news2};
use clinical::quantity::{PulsePerMin, RespirationsPerMin, Spo2Percent, SystolicMmHg, TemperatureCelsius};
use clinical::{NotComputed, Number};
use fhir::Instant;

use crate::process::board::Latest;

/// A reading counts for so long: the same as in the shipped rules, so that board and alert agree.
pub const FRESH_MICROS: i64 = 4 * 3_600 * 1_000_000;
/// Readings with one of these are not scored.
const NOT_SCORED: [&str; 3] = ["artefact", "imputed", "unreadable"];

/// A parameter of the score: measure, and how the chart calls it.
const PARAMETERS: [(&str, &str); 7] = [
    ("respiratory_rate", "RR"),
    ("spo2", "SpO₂"),
    ("breathing", "Air/O₂"),
    ("systolic", "SBP"),
    ("heart_rate", "Pulse"),
    ("consciousness", "ACVPU"),
    ("temperature", "Temp"),
];

/// What the board says of a patient's state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Everything is there and fresh.
    Total {
        /// 0 to 20.
        points: u8,
        /// `low`, `low-medium`, `medium`, `high`.
        band: &'static str,
    },
    /// Something is missing or too old: no total, only what is certain.
    Partial {
        /// The total is at least this.
        at_least: u8,
        /// The band that this alone reaches.
        band: Option<&'static str>,
        /// Measures that are missing or too old.
        missing: Vec<&'static str>,
    },
    /// The score is not for this person, or something is not known that it needs.
    NotEvaluated(String),
    /// Nothing fresh at all.
    NoData,
}

/// One parameter.
#[derive(Clone, PartialEq)]
pub struct Parameter {
    /// The measure's short name.
    pub name: &'static str,
    /// How the chart calls it.
    pub label: &'static str,
    /// Its last value; `None` when there never was one.
    pub latest: Option<Latest>,
    /// Its points; `None` when it does not count.
    pub points: Option<u8>,
    /// Too old to count.
    pub is_stale: bool,
}

/// The score and the parameters behind it.
#[derive(Clone, PartialEq)]
pub struct Scored {
    /// What it comes to.
    pub outcome: Outcome,
    /// In the order of the chart.
    pub parameters: Vec<Parameter>,
}

/// Who is scored, beyond the readings.
#[derive(Clone, Copy, Debug)]
pub struct Person {
    /// Age and pregnancy.
    pub subject: clinical::Subject,
    /// A prescriber ordered 88 to 92 %.
    pub is_scale_two: bool,
}

/// Scores the last values as they were known at `now`.
pub fn score(values: &BTreeMap<String, Latest>, person: Person, now: Instant) -> Scored {
    let scale = if person.is_scale_two { Scale::Two } else { Scale::One };
    let vitals = vitals_of(values, now);
    let scored = news2(&vitals, scale, person.subject);
    let points = scored.as_ref().ok().map(|scored| scored.points);
    let parameters: Vec<Parameter> = PARAMETERS
        .into_iter()
        .map(|(name, label)| parameter(values, name, label, points.as_ref(), now))
        .collect();
    let is_silent = !values.values().any(|latest| is_fresh(latest, now) && !latest.is_absent);
    let outcome = match scored {
        _ if is_silent => Outcome::NoData,
        Err(why) => Outcome::NotEvaluated(words(why)),
        Ok(scored) => outcome_of(&scored, &parameters),
    };
    Scored { outcome, parameters }
}

fn outcome_of(scored: &News2, parameters: &[Parameter]) -> Outcome {
    let band = scored.band.map(clinical::news2::Band::code);
    match (scored.total, band) {
        (Some(points), Some(band)) => Outcome::Total { points, band },
        _ => {
            let missing = parameters.iter().filter(|one| one.points.is_none()).map(|one| one.name).collect();
            Outcome::Partial { at_least: scored.partial, band, missing }
        }
    }
}

fn parameter(
    values: &BTreeMap<String, Latest>,
    name: &'static str,
    label: &'static str,
    points: Option<&Points>,
    now: Instant,
) -> Parameter {
    let latest = values.get(name).cloned();
    let is_stale = latest.as_ref().is_some_and(|latest| !is_fresh(latest, now));
    let points = points.and_then(|points| match name {
        "respiratory_rate" => points.respirations,
        "spo2" => points.spo2,
        "breathing" => points.breathing,
        "systolic" => points.systolic,
        "heart_rate" => points.pulse,
        "consciousness" => points.consciousness,
        _ => points.temperature,
    });
    Parameter { name, label, latest, points, is_stale }
}

fn is_fresh(latest: &Latest, now: Instant) -> bool {
    latest.at <= now.0 + FRESH_MICROS && now.0 - latest.at <= FRESH_MICROS
}

fn vitals_of(values: &BTreeMap<String, Latest>, now: Instant) -> Vitals {
    let counted = |name: &str| {
        let latest = values.get(name)?;
        let is_out = latest.is_absent || latest.flags.iter().any(|flag| NOT_SCORED.contains(&flag.as_str()));
        (is_fresh(latest, now) && !is_out).then_some(latest.value.as_str())
    };
    // A bound is scored as its number: beyond it the points do not get fewer.
    let number = |name: &str| Number::parse(counted(name)?.trim_start_matches(['<', '>', '=']).trim());
    Vitals {
        respirations: number("respiratory_rate").and_then(|n| RespirationsPerMin::of(n).ok()),
        spo2: number("spo2").and_then(|n| Spo2Percent::of(n).ok()),
        breathing: counted("breathing").and_then(breathing_of),
        systolic: number("systolic").and_then(|n| SystolicMmHg::of(n).ok()),
        pulse: number("heart_rate").and_then(|n| PulsePerMin::of(n).ok()),
        consciousness: counted("consciousness").and_then(consciousness_of),
        temperature: number("temperature").and_then(|n| TemperatureCelsius::of(n).ok()),
    }
}

fn breathing_of(text: &str) -> Option<Breathing> {
    match text {
        "air" => Some(Breathing::Air),
        "oxygen" => Some(Breathing::Oxygen),
        _ => None,
    }
}

fn consciousness_of(text: &str) -> Option<Consciousness> {
    match text {
        "A" => Some(Consciousness::Alert),
        "C" => Some(Consciousness::Confusion),
        "V" => Some(Consciousness::Voice),
        "P" => Some(Consciousness::Pain),
        "U" => Some(Consciousness::Unresponsive),
        _ => None,
    }
}

fn words(why: NotComputed) -> String {
    match why {
        NotComputed::AgeUnknown { age_years_min } => {
            format!("age unknown; NEWS2 is for people from {age_years_min} years")
        }
        NotComputed::TooYoung { age_years_min } => format!("NEWS2 is for people from {age_years_min} years"),
        NotComputed::Pregnant => "NEWS2 does not hold in pregnancy and post-partum".to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Instant = Instant(1_800_000_000_000_000);

    fn latest(value: &str, hours: i64) -> Latest {
        Latest {
            value: value.into(),
            is_absent: false,
            unit: None,
            at: NOW.0 - hours * 3_600_000_000,
            event: "e".into(),
            source: "m".into(),
            flags: Vec::new(),
        }
    }

    /// `name=value` or `name=value@hours`.
    fn values(text: &str) -> BTreeMap<String, Latest> {
        let one = |part: &str| {
            let (name, value) = part.split_once('=').unwrap();
            let (value, hours) = value.split_once('@').unwrap_or((value, "0"));
            (name.to_owned(), latest(value, hours.parse().unwrap()))
        };
        text.split_whitespace().map(one).collect()
    }

    fn adult() -> Person {
        Person {
            subject: clinical::Subject { age_years: Some(70), ..clinical::Subject::default() },
            is_scale_two: false,
        }
    }

    fn check(text: &str, person: Person) -> String {
        match score(&values(text), person, NOW).outcome {
            Outcome::Total { points, band } => format!("{points} {band}"),
            Outcome::Partial { at_least, band, missing } => {
                format!("at least {at_least}, {}, missing {}", band.unwrap_or("no band"), missing.join(" "))
            }
            Outcome::NotEvaluated(why) => why,
            Outcome::NoData => "no data".into(),
        }
    }

    // Case C of the reference cases: 24, 93 on oxygen, 98, 118, alert, 38.6 gives 11.
    const SICK: &str = "respiratory_rate=24 spo2=93 breathing=oxygen systolic=98 heart_rate=118 consciousness=A temperature=38.6";

    #[test]
    fn the_reference_case_is_scored() {
        assert_eq!(check(SICK, adult()), "11 high");
        assert_eq!(check(&SICK.replace("heart_rate=118", "heart_rate=>118"), adult()), "11 high");
    }

    #[test]
    fn what_is_missing_or_old_leaves_no_total() {
        let old = SICK.replace("temperature=38.6", "temperature=38.6@5").replace(" consciousness=A", "");
        assert_eq!(check(&old, adult()), "at least 10, high, missing consciousness temperature");
        assert_eq!(
            check("heart_rate=80", adult()),
            "at least 0, no band, missing respiratory_rate spo2 breathing systolic consciousness temperature"
        );
        assert_eq!(check("heart_rate=80@5", adult()), "no data");
        assert_eq!(check("", adult()), "no data");
    }

    #[test]
    fn artefacts_and_imputed_values_do_not_count() {
        for flag in NOT_SCORED {
            let mut values = values(SICK);
            values.get_mut("heart_rate").unwrap().flags.push(flag.into());
            let scored = score(&values, adult(), NOW);
            assert_eq!(scored.parameters[4].points, None, "{flag}");
            assert!(matches!(scored.outcome, Outcome::Partial { .. }), "{flag}");
        }
    }

    #[test]
    fn who_is_not_scored_is_said() {
        let child = Person {
            subject: clinical::Subject { age_years: Some(9), ..clinical::Subject::default() },
            ..adult()
        };
        assert_eq!(check(SICK, child), "NEWS2 is for people from 16 years");
        let unknown = Person { subject: clinical::Subject::default(), ..adult() };
        assert_eq!(check(SICK, unknown), "age unknown; NEWS2 is for people from 16 years");
    }
}
