//! What is configured of those who send: units that they do not say, codes of their own, zone, quality, how late is late.

use std::collections::BTreeMap;

use fhir::Instant;
use serde::Deserialize;

use crate::Event;

/// One sender.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SourceConfig {
    /// Units of measures that it sends without one: `glucose: mg/dL`, by short name or LOINC code.
    pub units: BTreeMap<String, String>,
    /// Its own codes and names: `GLUC: glucose` or `GLUC: "2345-7"`.
    pub codes: BTreeMap<String, String>,
    /// The zone of its times without offset, in minutes east of UTC. Without it such times are refused.
    pub zone_minutes: Option<i16>,
    /// The system of patients that it names by a bare value; without it a bare value is the id of a Patient here.
    pub patient_system: Option<String>,
    /// Systems of its assigning authorities in HL7 v2: `NORTH: urn:oid:1.2.3`. One that is not here is its own system.
    pub systems: BTreeMap<String, String>,
    /// Events whose `quality` is below it are stored and flagged, not alerted on.
    pub quality_min: Option<f64>,
    /// From so many seconds between happening and receipt an event is late.
    pub late_after_secs: u32,
    /// Late events up to here are re-evaluated; later ones are stored and counted.
    pub late_secs_max: u32,
    /// An event from later than now by more than this is refused.
    pub future_secs_max: u32,
}

impl Default for SourceConfig {
    fn default() -> SourceConfig {
        SourceConfig {
            units: BTreeMap::new(),
            codes: BTreeMap::new(),
            zone_minutes: None,
            patient_system: None,
            systems: BTreeMap::new(),
            quality_min: None,
            late_after_secs: 15 * 60,
            late_secs_max: 72 * 60 * 60,
            future_secs_max: 5 * 60,
        }
    }
}

/// All senders: those with a configuration of their own, and one for the others.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sources {
    /// Of senders without their own.
    pub default: SourceConfig,
    /// By the event's `source`.
    pub named: BTreeMap<String, SourceConfig>,
}

impl Sources {
    /// The configuration of a sender. An HL7 v2 sender `APPLICATION@FACILITY` may be configured by its application alone.
    pub fn of(&self, source: &str) -> &SourceConfig {
        let application = || self.named.get(source.split_once('@')?.0);
        self.named.get(source).or_else(application).unwrap_or(&self.default)
    }
}

/// How old an event was when it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lateness {
    /// In time.
    OnTime,
    /// Late, within the bound: it is evaluated, and what it says is marked late.
    Late,
    /// Beyond the bound: stored and counted, not evaluated.
    TooLate,
}

/// How late an event that happened at `at` is when it is received.
pub fn lateness(at: Instant, received_at: Instant, source: &SourceConfig) -> Lateness {
    let micros = received_at.0.saturating_sub(at.0);
    let over = |secs: u32| micros > i64::from(secs) * 1_000_000;
    match (over(source.late_after_secs), over(source.late_secs_max)) {
        (_, true) => Lateness::TooLate,
        (true, false) => Lateness::Late,
        (false, false) => Lateness::OnTime,
    }
}

impl Event {
    /// How late it was when it came.
    pub fn lateness(&self, sources: &Sources) -> Lateness {
        lateness(self.at, self.received_at, sources.of(&self.source))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lateness_has_two_bounds() {
        let source = SourceConfig { late_after_secs: 10, late_secs_max: 100, ..SourceConfig::default() };
        let check = |secs: i64, expected| {
            assert_eq!(lateness(Instant(0), Instant(secs * 1_000_000), &source), expected, "{secs}");
        };
        check(-50, Lateness::OnTime);
        check(10, Lateness::OnTime);
        check(11, Lateness::Late);
        check(100, Lateness::Late);
        check(101, Lateness::TooLate);
    }
}
