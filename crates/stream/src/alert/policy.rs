//! The section `alerts` of the configuration: response times, limits of snoozes and silences, inhibition; and who is told.

use std::collections::BTreeMap;

use fhir::Instant;
use notify::{Channels, Plan};
use rules::Severity;
use serde::Deserialize;

const MINUTE_MICROS: i64 = 60 * 1_000_000;

/// As it is written. Times by severity: what is not said keeps its default, 0 means none.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Minutes until an alert that nobody answers is escalated; default critical 5, high 15, medium 60, low 480, info none.
    pub response_mins: BTreeMap<String, u32>,
    /// Minutes between the levels of escalation; default as `response_mins`.
    pub escalate_every_mins: BTreeMap<String, u32>,
    /// How often the last level is repeated for critical and high; default 12.
    pub repeats_max: Option<u32>,
    /// Minutes after which an acknowledged alert that still holds is told again; default critical 60, high 240, others none.
    pub acknowledged_max_mins: BTreeMap<String, u32>,
    /// Longest snooze in minutes; default critical 15, high 30, medium 240, low 720, info 1440.
    pub snooze_max_mins: BTreeMap<String, u32>,
    /// Longest silence in minutes; default 10080, a week.
    pub silence_max_mins: Option<u32>,
    /// Which alerts keep others of the same patient quiet.
    pub inhibit: Vec<Inhibit>,
    /// Beds per unit, for the burden of alarms per bed and day.
    pub beds: BTreeMap<String, u32>,
    /// Which alerts are written to the FHIR store as `Flag` or `DetectedIssue`: severities, packs as `PACK/*`, rules as `PACK/RULE`.
    pub fhir: Vec<String>,
}

/// While an alert of `while_topic` is live, alerts of `topics` of the same patient tell nobody. Never applies to critical or high.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inhibit {
    /// The topic that covers.
    pub while_topic: String,
    /// How bad it must be; default `info`.
    pub at_least: Option<String>,
    /// What it covers.
    pub topics: Vec<String>,
}

/// What is wrong with the section.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// A severity that does not exist.
    #[error("`alerts.{place}`: severity `{name}` is unknown: use critical, high, medium, low or info")]
    Severity {
        /// Where.
        place: String,
        /// What is written.
        name: String,
    },
    /// A covering that cannot be meant.
    #[error("`alerts.inhibit[{index}]`: {why}")]
    Inhibit {
        /// Which.
        index: usize,
        /// What is wrong, and what to do.
        why: &'static str,
    },
    /// A word that asks for nothing.
    #[error(
        "`alerts.fhir[{index}]`: `{word}` is neither a severity nor a pack `PACK/*` nor a rule `PACK/RULE`"
    )]
    Fhir {
        /// Which.
        index: usize,
        /// What is written.
        word: String,
    },
    /// The section `notify`.
    #[error(transparent)]
    Notify(#[from] notify::PlanError),
}

/// Which alerts are written to the store.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Asked {
    Severity(Severity),
    /// `PACK/`.
    Pack(String),
    Rule(String),
}

impl Asked {
    fn of(index: usize, word: &str) -> Result<Asked, PolicyError> {
        let known = Severity::named(word).map(Asked::Severity);
        let named = || match word.split_once('/')? {
            ("", _) | (_, "") => None,
            (pack, "*") => Some(Asked::Pack(format!("{pack}/"))),
            _ => Some(Asked::Rule(word.to_owned())),
        };
        known.or_else(named).ok_or_else(|| PolicyError::Fhir { index, word: word.to_owned() })
    }
}

/// The section, checked, with who is told.
#[derive(Clone, Debug)]
pub struct Policy {
    response: [u32; 5],
    every: [u32; 5],
    acknowledged: [u32; 5],
    snooze: [u32; 5],
    /// How often the last level of escalation is repeated.
    pub repeats_max: u32,
    /// Longest silence.
    pub silence_max_mins: u32,
    inhibit: Vec<(String, Severity, Vec<String>)>,
    /// Beds per unit.
    pub beds: BTreeMap<String, u32>,
    fhir: Vec<Asked>,
    /// Who is told.
    pub plan: Plan,
    /// What delivers the outbox; without it somebody else does, or nobody.
    pub(crate) messages: Option<(Channels, notify::Settings)>,
}

impl Policy {
    /// The defaults; nobody is told, alerts are on the pages only.
    pub fn standard() -> Policy {
        Policy::new(&Settings::default(), Plan::silent()).expect("the defaults are right")
    }

    /// Checks the section.
    ///
    /// # Errors
    /// The first thing that is wrong, with its place.
    pub fn new(settings: &Settings, plan: Plan) -> Result<Policy, PolicyError> {
        // From info to critical.
        let response = times("response_mins", &settings.response_mins, [0, 480, 60, 15, 5])?;
        let mut inhibit = Vec::new();
        for (index, written) in settings.inhibit.iter().enumerate() {
            if written.topics.is_empty() {
                return Err(PolicyError::Inhibit { index, why: "it covers nothing: name `topics`" });
            }
            if written.topics.contains(&written.while_topic) {
                return Err(PolicyError::Inhibit { index, why: "a topic cannot cover itself" });
            }
            let at_least = match &written.at_least {
                None => Severity::Info,
                Some(name) => named(&format!("inhibit[{index}].at_least"), name)?,
            };
            inhibit.push((written.while_topic.clone(), at_least, written.topics.clone()));
        }
        let fhir = settings.fhir.iter().enumerate().map(|(index, word)| Asked::of(index, word));
        let fhir = fhir.collect::<Result<Vec<Asked>, PolicyError>>()?;
        Ok(Policy {
            every: times("escalate_every_mins", &settings.escalate_every_mins, response)?,
            acknowledged: times(
                "acknowledged_max_mins",
                &settings.acknowledged_max_mins,
                [0, 0, 0, 240, 60],
            )?,
            snooze: times("snooze_max_mins", &settings.snooze_max_mins, [1440, 720, 240, 30, 15])?,
            response,
            repeats_max: settings.repeats_max.unwrap_or(12),
            silence_max_mins: settings.silence_max_mins.unwrap_or(7 * 24 * 60),
            inhibit,
            beds: settings.beds.clone(),
            fhir,
            plan,
            messages: None,
        })
    }

    /// Messages are delivered by these channels while the timers are kept.
    pub fn delivering(mut self, channels: Channels, settings: notify::Settings) -> Policy {
        self.messages = Some((channels, settings));
        self
    }

    /// Is any alert to be written to the FHIR store.
    pub(crate) fn writes_alerts(&self) -> bool {
        !self.fhir.is_empty()
    }

    /// Is an alert of these rules that was at worst so bad to be written to the FHIR store.
    pub(crate) fn writes(&self, rules: &[&str], peak: Severity) -> bool {
        self.fhir.iter().any(|asked| match asked {
            Asked::Severity(severity) => *severity == peak,
            Asked::Pack(pack) => rules.iter().any(|rule| rule.starts_with(pack)),
            Asked::Rule(name) => rules.contains(&name.as_str()),
        })
    }

    /// When somebody must have answered an alert that is raised now; a rule may ask for less time, not for more.
    pub fn respond_by(&self, severity: Severity, asked_mins: Option<u32>, now: Instant) -> Option<Instant> {
        let own = Some(self.response[severity as usize]).filter(|mins| *mins > 0);
        let mins = match (own, asked_mins) {
            (Some(own), Some(asked)) => Some(own.min(asked)),
            (own, asked) => own.or(asked),
        };
        mins.map(|mins| later(now, mins))
    }

    /// When the next level of escalation comes.
    pub fn escalate_after(&self, severity: Severity, now: Instant) -> Option<Instant> {
        Some(self.every[severity as usize]).filter(|mins| *mins > 0).map(|mins| later(now, mins))
    }

    /// When an acknowledgement that is given now is too old.
    pub fn forgotten_after(&self, severity: Severity, now: Instant) -> Option<Instant> {
        Some(self.acknowledged[severity as usize]).filter(|mins| *mins > 0).map(|mins| later(now, mins))
    }

    /// The longest snooze.
    pub fn snooze_max_mins(&self, severity: Severity) -> u32 {
        self.snooze[severity as usize]
    }

    /// Topics, and how bad they must be, that cover a topic.
    pub(crate) fn covers_of<'a>(&'a self, topic: &'a str) -> impl Iterator<Item = (&'a str, Severity)> {
        let of_topic =
            self.inhibit.iter().filter(move |(_, _, topics)| topics.iter().any(|one| one == topic));
        of_topic.map(|(covering, at_least, _)| (covering.as_str(), *at_least))
    }

    /// What a topic covers when it is so bad.
    pub(crate) fn covered_by<'a>(
        &'a self,
        topic: &'a str,
        severity: Severity,
    ) -> impl Iterator<Item = &'a str> {
        let by = self
            .inhibit
            .iter()
            .filter(move |(covering, at_least, _)| covering == topic && severity >= *at_least);
        by.flat_map(|(_, _, topics)| topics.iter().map(String::as_str))
    }
}

/// So many minutes later.
pub(crate) fn later(now: Instant, mins: u32) -> Instant {
    Instant(now.0 + i64::from(mins) * MINUTE_MICROS)
}

fn times(place: &str, written: &BTreeMap<String, u32>, default: [u32; 5]) -> Result<[u32; 5], PolicyError> {
    let mut times = default;
    for (name, mins) in written {
        times[named(place, name)? as usize] = *mins;
    }
    Ok(times)
}

fn named(place: &str, name: &str) -> Result<Severity, PolicyError> {
    let unknown = || PolicyError::Severity { place: place.to_owned(), name: name.to_owned() };
    Severity::named(name).ok_or_else(unknown)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<Policy, String> {
        let settings: Settings = serde_json::from_str(text).map_err(|error| error.to_string())?;
        Policy::new(&settings, Plan::silent()).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_not_said_keeps_its_default() {
        let policy = check(r#"{"response_mins": {"high": 10, "low": 0}}"#).unwrap();
        let mins =
            |severity, asked| policy.respond_by(severity, asked, Instant(0)).map(|at| at.0 / MINUTE_MICROS);
        assert_eq!(mins(Severity::Critical, None), Some(5));
        assert_eq!(mins(Severity::High, None), Some(10));
        assert_eq!(mins(Severity::High, Some(3)), Some(3));
        assert_eq!(mins(Severity::High, Some(30)), Some(10));
        assert_eq!(mins(Severity::Low, None), None);
        assert_eq!(mins(Severity::Info, Some(30)), Some(30));
    }

    #[test]
    fn alerts_are_written_by_severity_pack_or_rule() {
        let policy = check(r#"{"fhir": ["critical", "medication/*", "news2/total"]}"#).unwrap();
        let written =
            |rules: &[&str], peak, expected| assert_eq!(policy.writes(rules, peak), expected, "{rules:?}");
        written(&["a/b"], Severity::Critical, true);
        written(&["a/b"], Severity::High, false);
        written(&["a/b", "medication/allergy"], Severity::Low, true);
        written(&["news2/total"], Severity::Low, true);
        written(&["news2/red"], Severity::Low, false);
        assert!(!Policy::standard().writes_alerts());
        let error = check(r#"{"fhir": ["high", "urgent"]}"#).unwrap_err();
        assert!(error.starts_with("`alerts.fhir[1]`: `urgent` is neither"), "{error}");
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        let error = check(r#"{"snooze_max_mins": {"urgent": 1}}"#).unwrap_err();
        assert_eq!(
            error,
            "`alerts.snooze_max_mins`: severity `urgent` is unknown: use critical, high, medium, low or info"
        );
        assert!(check(r#"{"inhibit": [{"while_topic": "a", "topics": []}]}"#).is_err());
        assert!(check(r#"{"inhibit": [{"while_topic": "a", "topics": ["a"]}]}"#).is_err());
        assert!(check(r#"{"color": 1}"#).unwrap_err().contains("unknown field"));
    }
}
