//! Date shifts: every date of a patient moves by the same secret number of days, so that intervals stay.

use std::borrow::Cow;

use jiff::Span;
use jiff::civil::Date;
use keys::HmacKey;

use crate::date::{Stated, parse};
use crate::{Cell, Effect};

const DOMAIN: &str = "salus/date-shift/v1";
/// Furthest move in days.
const DAYS_MAX: u64 = 182;

/// What happens to the time of day of a shifted date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum TimeOfDay {
    /// It stays, and intervals stay exact.
    #[default]
    Keep,
    /// It goes, and intervals stay in days.
    Drop,
}

/// A shift of dates under a key.
#[derive(Clone, Debug)]
pub struct DateShift {
    key: HmacKey,
    time_of_day: TimeOfDay,
    /// Up to this day is the past.
    as_of: Date,
}

impl DateShift {
    /// Shifts under a key; what lies up to `as_of` stays up to it.
    pub fn new(key: HmacKey, time_of_day: TimeOfDay, as_of: Date) -> DateShift {
        DateShift { key, time_of_day, as_of }
    }

    /// By how many days a patient's dates move: -182 to 182, never 0.
    pub fn days(&self, patient: &str) -> i32 {
        let mac = self.key.mac(DOMAIN, patient.as_bytes());
        let number = mac[..8].iter().fold(0u64, |number, byte| number << 8 | u64::from(*byte));
        let step = i32::try_from(number % (2 * DAYS_MAX)).expect("a small number");
        let days = step - DAYS_MAX as i32;
        if days < 0 { days } else { days + 1 }
    }

    /// The date, moved. A date without a day has no days to move and becomes its year. What was past stays past and what was future
    /// stays future, which shortens intervals across the limit, and never turns their order.
    pub(crate) fn apply<'a>(&self, value: &str, patient: &str) -> Cell<'a> {
        let Some(parts) = parse(value) else { return Cell::empty(Effect::Unreadable) };
        if parts.stated < Stated::Day {
            return Cell::new(format!("{:04}", parts.first.year()), Effect::Generalised);
        }
        let Ok(moved) = parts.first.checked_add(Span::new().days(self.days(patient))) else {
            return Cell::empty(Effect::Unreadable);
        };
        let limited = if parts.first <= self.as_of { moved.min(self.as_of) } else { moved.max(self.as_of) };
        let effect = if limited == moved { Effect::Shifted } else { Effect::Clamped };
        let time = match self.time_of_day {
            TimeOfDay::Keep => Cow::Borrowed(parts.time),
            TimeOfDay::Drop => Cow::Borrowed(""),
        };
        let dash = if parts.dashes { "-" } else { "" };
        let (year, month, day) = (limited.year(), limited.month(), limited.day());
        Cell::new(format!("{year:04}{dash}{month:02}{dash}{day:02}{time}"), effect)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn shift(time_of_day: TimeOfDay) -> DateShift {
        let key = HmacKey::from_bytes(std::array::from_fn(|n| n as u8));
        DateShift::new(key, time_of_day, date(2026, 1, 15))
    }

    #[test]
    fn vectors_of_the_reference_program() {
        let shift = shift(TimeOfDay::Keep);
        let days: Vec<i32> = (0..6).map(|n| shift.days(&format!("P{n:09}"))).collect();
        assert_eq!(days, [-59, 127, 38, 86, -106, -153]);
    }

    #[test]
    fn days_are_within_the_range_and_never_none() {
        let shift = shift(TimeOfDay::Keep);
        let days: Vec<i32> = (0..20_000).map(|n| shift.days(&n.to_string())).collect();
        assert!(days.iter().all(|days| (-182..=182).contains(days) && *days != 0));
        assert!((-182..=182).filter(|days| *days != 0).all(|wanted| days.contains(&wanted)));
    }

    #[test]
    fn dates_move_with_their_time_and_the_past_stays_past() {
        let check = |value: &str, patient: &str, expected: Option<&str>, effect: Effect| {
            let shift = shift(TimeOfDay::Keep);
            let cell = shift.apply(value, patient);
            assert_eq!((cell.text(), cell.effect()), (expected, effect), "{value}");
        };
        let (back, on) = ("P000000000", "P000000001");
        check("2024-03-01", back, Some("2024-01-02"), Effect::Shifted);
        check("2024-03-01T10:30:00Z", back, Some("2024-01-02T10:30:00Z"), Effect::Shifted);
        check("202403011030", back, Some("202401021030"), Effect::Shifted);
        check("2024-03-01", on, Some("2024-07-06"), Effect::Shifted);
        check("2026-01-10", on, Some("2026-01-15"), Effect::Clamped);
        check("2026-02-01", back, Some("2026-01-15"), Effect::Clamped);
        check("2026-02-01", on, Some("2026-06-08"), Effect::Shifted);
        check("2024-03", back, Some("2024"), Effect::Generalised);
        check("03/01/2024", back, None, Effect::Unreadable);
        let without_time = shift(TimeOfDay::Drop);
        assert_eq!(without_time.apply("2024-03-01T10:30:00Z", back).text(), Some("2024-01-02"));
    }
}
