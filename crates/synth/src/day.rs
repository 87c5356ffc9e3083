//! Days and moments of the simulation, and their FHIR texts. Knows no clock.

use compact_str::{CompactString, format_compact};

/// Days since 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Day(pub(crate) i32);

impl Day {
    /// The day of a date of the proleptic Gregorian calendar.
    pub(crate) fn of(year: i32, month: i32, day: i32) -> Day {
        // Years that begin in March, so that the leap day is the last.
        let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
        let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
        let of_year = (153 * month + 2) / 5 + day - 1;
        Day(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
    }

    /// Year, month and day.
    pub(crate) fn ymd(self) -> (i32, i32, i32) {
        let days = self.0 + 719_468;
        let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
        let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year + year / 4 - year / 100);
        let month = (5 * of_year + 2) / 153;
        let day = of_year - (153 * month + 2) / 5 + 1;
        let (year, month) = (era * 400 + year, month);
        if month < 10 { (year, month + 3, day) } else { (year + 1, month - 9, day) }
    }

    pub(crate) fn year(self) -> i32 {
        self.ymd().0
    }

    /// `n` days later.
    pub(crate) fn plus(self, n: i32) -> Day {
        Day(self.0 + n)
    }

    /// Whole years from this birthday to `day`.
    pub(crate) fn age_on(self, day: Day) -> i32 {
        let ((y, m, d), (year, month, of_month)) = (self.ymd(), day.ymd());
        year - y - i32::from((month, of_month) < (m, d))
    }

    /// `2026-07-01`.
    pub(crate) fn text(self) -> CompactString {
        let (year, month, day) = self.ymd();
        format_compact!("{year:04}-{month:02}-{day:02}")
    }

    /// A moment of this day in local time.
    pub(crate) fn at(self, minute: i32, offset_hours: i8) -> Moment {
        Moment { minutes: i64::from(self.0) * 1_440 + i64::from(minute), offset_hours }
    }
}

/// Local minutes since 1970 at a fixed offset from UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment {
    minutes: i64,
    offset_hours: i8,
}

impl Moment {
    /// The local day.
    pub(crate) fn day(self) -> Day {
        Day(i32::try_from(self.minutes.div_euclid(1_440))
            .expect("the simulation lasts less than a million years"))
    }

    /// `n` minutes later.
    pub(crate) fn plus(self, n: i32) -> Moment {
        Moment { minutes: self.minutes + i64::from(n), ..self }
    }

    /// `2026-07-01T09:30:00-06:00`.
    pub(crate) fn text(self) -> CompactString {
        let (year, month, day) = self.day().ymd();
        let minute = self.minutes.rem_euclid(1_440);
        let (hour, minute) = (minute / 60, minute % 60);
        let (sign, offset) =
            if self.offset_hours < 0 { ('-', -self.offset_hours) } else { ('+', self.offset_hours) };
        format_compact!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:00{sign}{offset:02}:00")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_dates() {
        for (day, text) in
            [(0, "1970-01-01"), (-1, "1969-12-31"), (11_016, "2000-02-29"), (20_635, "2026-07-01")]
        {
            assert_eq!(Day(day).text(), text);
            let (year, month, of_month) = Day(day).ymd();
            assert_eq!(Day::of(year, month, of_month), Day(day));
        }
        for day in -60_000..60_000 {
            let (year, month, of_month) = Day(day).ymd();
            assert_eq!(Day::of(year, month, of_month), Day(day));
        }
        assert_eq!(Day::of(2000, 2, 29).age_on(Day::of(2001, 2, 28)), 0);
        assert_eq!(Day::of(2000, 2, 29).age_on(Day::of(2001, 3, 1)), 1);
    }

    #[test]
    fn moments_carry_their_offset() {
        let moment = Day::of(2026, 7, 1).at(9 * 60 + 30, -6);
        assert_eq!(moment.text(), "2026-07-01T09:30:00-06:00");
        assert_eq!(moment.plus(15 * 60).text(), "2026-07-02T00:30:00-06:00");
        assert_eq!(moment.plus(-10 * 60).day(), Day::of(2026, 6, 30));
    }
}
