//! Points in time: UTC microseconds, handed in by a clock.

use std::fmt;

use jiff::{Span, civil};

use crate::date;

const EPOCH: civil::Date = civil::date(1970, 1, 1);
const DAY_MICROS: i64 = 86_400_000_000;

/// Microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Instant(pub i64);

/// Tells the time. Rules, metrics and tests hand in their own.
pub trait Clock: Send + Sync {
    /// The time now.
    fn now(&self) -> Instant;
}

impl Instant {
    /// A FHIR instant: date, time with seconds, and offset.
    pub fn parse(text: &str) -> Option<Instant> {
        date::parse_instant(text)
    }

    /// `2026-11-25T13:17:43.123Z`: milliseconds, as `meta.lastUpdated` has them.
    pub fn to_rfc3339_millis(self) -> String {
        let (days, micros) = (self.0.div_euclid(DAY_MICROS), self.0.rem_euclid(DAY_MICROS));
        // The calendar ends with year 9999; what lies beyond is shown as its last day.
        let day = EPOCH.saturating_add(Span::new().days(days.clamp(-4_000_000, 4_000_000)));
        let (seconds, millis) = (micros / 1_000_000, micros % 1_000_000 / 1_000);
        let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        let (year, month, day) = (day.year(), day.month(), day.day());
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_rfc3339_millis())
    }
}

#[cfg(test)]
mod tests {
    use super::Instant;

    #[test]
    fn instants_are_written_and_read() {
        for text in ["1970-01-01T00:00:00.000Z", "2024-02-29T23:59:59.999Z", "1969-12-31T23:59:59.001Z"] {
            assert_eq!(Instant::parse(text).unwrap().to_rfc3339_millis(), text);
        }
        assert_eq!(Instant::parse("2024-01-01T01:00:00+01:00"), Instant::parse("2024-01-01T00:00:00Z"));
        assert_eq!(Instant::parse("2024-01-01"), None);
    }
}
