//! The latest of each measure of a patient, for people: one row, one read.

use event::{Data, Event, Measurement, Moved, Value};
use fhir::Instant;

use super::few::Few;

/// Measures that are remembered of one patient.
const MEASURES_MAX: usize = 200;

/// What was last heard of a patient. Does not print.
#[derive(Clone, Default, PartialEq)]
pub struct Board {
    /// When something was last measured or heard.
    pub at: i64,
    /// The ward or unit.
    pub unit: Option<String>,
    /// Room and bed.
    pub bed: Option<String>,
    /// The encounter.
    pub encounter: Option<String>,
    /// Went out; a later event of the patient brings them back.
    pub is_discharged: bool,
    /// By short name of the measure.
    pub values: Few<Latest>,
    /// By measure: the last interval of which an Observation was kept.
    pub(crate) kept: Few<i64>,
}

/// The latest value of one measure.
#[derive(Clone, PartialEq)]
pub struct Latest {
    /// The value with its comparator; a reason when there is none.
    pub value: String,
    /// There is no value, or it could not be read.
    pub is_absent: bool,
    /// UCUM.
    pub unit: Option<String>,
    /// When it was measured, UTC microseconds.
    pub at: i64,
    /// The event.
    pub event: String,
    /// Who sent it.
    pub source: String,
    /// Of specimen and device.
    pub flags: Vec<String>,
}

impl std::fmt::Debug for Board {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Board({} measures)", self.values.len())
    }
}

impl std::fmt::Debug for Latest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Latest")
    }
}

/// The value as text, with its comparator.
pub(crate) fn text_of(measurement: &Measurement) -> String {
    match &measurement.value {
        Value::Number(number) => {
            let sign = measurement.comparator.map_or("", event::Comparator::sign);
            format!("{sign}{number}")
        }
        Value::Text(text) | Value::Absent(text) => text.clone(),
    }
}

impl Board {
    /// Takes what an event says; older values do not replace newer ones.
    pub(crate) fn take(&mut self, event: &Event) {
        let is_newer = event.at.0 >= self.at;
        if is_newer {
            self.at = event.at.0;
            self.is_discharged = false;
            for (mine, said) in [(&mut self.unit, &event.unit), (&mut self.encounter, &event.encounter)] {
                if said.is_some() {
                    mine.clone_from(said);
                }
            }
        }
        if let (Data::Movement(movement), true) = (&event.data, is_newer) {
            self.is_discharged = movement.moved == Moved::Discharged;
            if movement.bed.is_some() {
                self.bed.clone_from(&movement.bed);
            }
        }
        for measurement in event.measurements() {
            self.take_one(event, measurement);
        }
    }

    fn take_one(&mut self, event: &Event, measurement: &Measurement) {
        let is_known = self.values.get(measurement.name.as_str());
        if is_known.is_some_and(|latest| latest.at > event.at.0)
            || (is_known.is_none() && self.values.len() >= MEASURES_MAX)
        {
            return;
        }
        let latest = Latest {
            value: text_of(measurement),
            is_absent: matches!(measurement.value, Value::Absent(_)),
            unit: measurement.unit.as_deref().map(str::to_owned),
            at: event.at.0,
            event: event.id.clone(),
            source: event.source.clone(),
            flags: measurement.flags.clone(),
        };
        self.values.insert(measurement.name.as_str(), latest);
    }

    /// Takes what another record of the same patient has that is newer.
    pub(crate) fn join(&mut self, other: Board) {
        if other.at > self.at {
            self.at = other.at;
            self.is_discharged = other.is_discharged;
            self.unit = other.unit.or(self.unit.take());
            self.bed = other.bed.or(self.bed.take());
            self.encounter = other.encounter.or(self.encounter.take());
        }
        for (name, latest) in other.values {
            if self.values.get(&name).is_none_or(|mine| mine.at < latest.at) {
                self.values.insert(&name, latest);
            }
        }
    }

    /// Is this the first of its measure in an interval; remembers it.
    pub(crate) fn is_first(&mut self, measure: &str, at: Instant, interval_secs: u32) -> bool {
        let interval = at.0.div_euclid(i64::from(interval_secs.max(1)) * 1_000_000);
        if self.kept.get(measure).is_some_and(|kept| *kept >= interval) {
            return false;
        }
        if self.kept.len() >= MEASURES_MAX && self.kept.get(measure).is_none() {
            return true;
        }
        self.kept.insert(measure, interval);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use event::Sources;

    fn event(at: &str, data: &str) -> Event {
        let text = format!(
            r#"{{"id":"{at}","kind":"vital_signs","patient":"Patient/1","at":"{at}","source":"m","unit":"7A","data":{data}}}"#
        );
        let now = Instant::parse("2026-11-25T12:00:00Z").unwrap();
        Event::parse(text.as_bytes(), &Sources::default(), now).unwrap()
    }

    #[test]
    fn the_latest_stays_whatever_comes_late() {
        let mut board = Board::default();
        board.take(&event("2026-11-25T10:05:00Z", r#"{"heart_rate":80,"spo2":97}"#));
        board.take(&event("2026-11-25T10:01:00Z", r#"{"heart_rate":60,"temp_c":37.0}"#));
        let value = |name: &str| board.values[name].value.clone();
        assert_eq!(value("heart_rate"), "80");
        assert!(value("temperature").starts_with("37"));
        assert_eq!(board.unit.as_deref(), Some("7A"));
        assert_eq!(Board::of_text(&board.to_text()), board);
        assert_eq!(format!("{board:?}"), "Board(3 measures)");
    }

    #[test]
    fn the_first_of_an_interval_is_kept() {
        let mut board = Board::default();
        let mut check = |secs: i64, expected: bool| {
            assert_eq!(board.is_first("heart_rate", Instant(secs * 1_000_000), 300), expected, "{secs}");
        };
        check(0, true);
        check(299, false);
        check(300, true);
        check(10, false);
        check(601, true);
    }
}
