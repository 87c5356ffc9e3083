//! Compares temporal values as far as both state something.

use std::cmp::Ordering;

use super::{Family, Precision, Temporal};

const HOUR_MICROS: i64 = 3_600_000_000;

impl Temporal {
    /// Is one a time of day and the other not: such values are never equal and have no order.
    pub(crate) fn is_foreign_to(&self, other: &Temporal) -> bool {
        (self.family == Family::Time) != (other.family == Family::Time)
    }

    /// The order of two values; `None` when it hangs on what one of them does not state.
    pub(crate) fn compare(&self, other: &Temporal) -> Option<Ordering> {
        let timed = self.precision >= Precision::Hour && other.precision >= Precision::Hour;
        match (self.offset, other.offset) {
            (Some(a), Some(b)) if a != b => self.in_utc().compare_parts(&other.in_utc()),
            (Some(_), None) | (None, Some(_)) if timed => self.compare_unzoned(other),
            _ => self.compare_parts(other),
        }
    }

    fn compare_parts(&self, other: &Temporal) -> Option<Ordering> {
        let parts = |value: &Temporal| {
            [
                (Precision::Year, i64::from(value.year)),
                (Precision::Month, value.month.into()),
                (Precision::Day, value.day.into()),
                (Precision::Hour, value.hour.into()),
                (Precision::Minute, value.minute.into()),
                // Seconds and their fraction are one number.
                (Precision::Second, i64::from(value.second) * 1_000_000_000 + i64::from(value.nanos)),
            ]
        };
        for ((precision, a), (_, b)) in parts(self).into_iter().zip(parts(other)) {
            match (self.precision >= precision, other.precision >= precision) {
                (true, true) if a != b => return Some(a.cmp(&b)),
                (true, true) => {}
                (false, false) => break,
                _ => return None,
            }
        }
        Some(Ordering::Equal)
    }

    /// One has no offset: it may be anywhere from UTC-12 to UTC+14.
    fn compare_unzoned(&self, other: &Temporal) -> Option<Ordering> {
        let range = |value: &Temporal| {
            let low = value.local_micros();
            let width = match value.precision {
                Precision::Year | Precision::Month | Precision::Day | Precision::Hour => HOUR_MICROS,
                Precision::Minute => 60_000_000,
                Precision::Second | Precision::Fraction => 1,
            };
            match value.offset {
                Some(offset) => {
                    let shift = i64::from(offset) * 60_000_000;
                    (low - shift, low - shift + width)
                }
                None => (low - 14 * HOUR_MICROS, low + 12 * HOUR_MICROS + width),
            }
        };
        let ((low_a, high_a), (low_b, high_b)) = (range(self), range(other));
        if high_a <= low_b {
            return Some(Ordering::Less);
        }
        (high_b <= low_a).then_some(Ordering::Greater)
    }

    fn in_utc(self) -> Temporal {
        let Some(offset) = self.offset else { return self };
        let moved = self.plus_micros(-i64::from(offset) * 60_000_000);
        moved.map_or(self, |moved| Temporal { offset: Some(0), ..moved })
    }
}
