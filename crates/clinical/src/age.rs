//! Ages on a stated date: completed years and months, and what Safe Harbor lets out of them. Knows no clock.

use std::fmt;

use crate::AGE_YEARS_MAX;

/// A day of the (proleptic) Gregorian calendar that exists.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day {
    year: i16,
    month: u8,
    day: u8,
}

/// Birth dates are patient data and do not print.
impl fmt::Debug for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Day")
    }
}

/// Days from 1 January of year 1 to 1 January 1970.
const EPOCH: i64 = 719_162;
const FIRST: Day = Day { year: 1, month: 1, day: 1 };
/// Days of a common year before the first of each month.
const DAYS_BEFORE_MONTH: [i64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];

fn days_in_month(year: i16, month: u8) -> u8 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

impl Day {
    /// The day, when there is one; years 1 to 9999.
    pub const fn of(year: i16, month: u8, day: u8) -> Option<Day> {
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let days = match month {
            2 if leap => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => 0,
        };
        if year < 1 || year > 9999 || day < 1 || day > days { None } else { Some(Day { year, month, day }) }
    }

    /// Year, month, day.
    pub fn ymd(self) -> (i16, u8, u8) {
        (self.year, self.month, self.day)
    }

    /// Days since 1 January of year 1.
    pub fn number(self) -> i64 {
        let years = i64::from(self.year) - 1;
        let days = years * 365 + years / 4 - years / 100 + years / 400 + i64::from(self.day) - 1;
        let leap = self.month > 2 && days_in_month(self.year, 2) == 29;
        days + DAYS_BEFORE_MONTH[usize::from(self.month - 1)] + i64::from(leap)
    }

    /// Days since 1 January 1970, as columns of dates hold them.
    pub fn epoch_days(self) -> i32 {
        i32::try_from(self.number() - EPOCH).expect("years 1 to 9999 are within three million days of 1970")
    }

    /// The day so many days after (or before) 1 January 1970. `None`: outside years 1 to 9999.
    pub fn of_epoch_days(days: i32) -> Option<Day> {
        FIRST.plus_days(i64::from(days) + EPOCH)
    }

    /// The day so many days later, or earlier. `None`: outside years 1 to 9999.
    pub fn plus_days(self, days: i64) -> Option<Day> {
        let number = self.number().checked_add(days).filter(|number| (0..3_652_059).contains(number))?;
        // 400 years have 146,097 days. Leap days lie unevenly in them, so the guess is a year late and then taken back.
        let mut year = i16::try_from(number * 400 / 146_097 + 2).ok()?;
        let mut start = Day { year, month: 1, day: 1 };
        while start.number() > number {
            year -= 1;
            start = Day { year, month: 1, day: 1 };
        }
        let (mut month, mut left) = (1, number - start.number());
        while month < 12 && left >= i64::from(days_in_month(year, month)) {
            left -= i64::from(days_in_month(year, month));
            month += 1;
        }
        Day::of(year, month, u8::try_from(left + 1).ok()?)
    }

    /// The same day of an earlier year; 29 February becomes 1 March in a common year.
    pub fn years_before(self, years: i16) -> Option<Day> {
        let year = self.year.checked_sub(years)?;
        Day::of(year, self.month, self.day).or_else(|| Day::of(year, 3, 1).filter(|_| self.day == 29))
    }

    /// Day of the week by ISO 8601: Monday is 1, Sunday 7.
    pub fn iso_weekday(self) -> u8 {
        // 1 January of year 1 is a Monday.
        u8::try_from(self.number() % 7 + 1).expect("1 to 7")
    }

    /// Calendar quarter, 1 to 4.
    pub fn quarter(self) -> u8 {
        (self.month - 1) / 3 + 1
    }
}

/// A day written as `2024-02-29`, nothing else.
pub fn parse_day(text: &str) -> Option<Day> {
    let bytes = text.as_bytes();
    if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    let number = |bytes: &[u8]| {
        bytes
            .iter()
            .try_fold(0_i16, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + i16::from(byte - b'0')))
    };
    let (year, month, day) = (number(&bytes[..4])?, number(&bytes[5..7])?, number(&bytes[8..])?);
    Day::of(year, u8::try_from(month).ok()?, u8::try_from(day).ok()?)
}

/// Completed years at `on`. Who was born on 29 February completes a year on 1 March of a common year.
///
/// `None`: born after `on`, or more than 130 years before it.
pub fn years_on(birth: Day, on: Day) -> Option<u16> {
    let before_birthday = (on.month, on.day) < (birth.month, birth.day);
    let years = i32::from(on.year) - i32::from(birth.year) - i32::from(before_birthday);
    u16::try_from(years).ok().filter(|years| *years <= AGE_YEARS_MAX)
}

/// Completed months at `on`, for infants. Who was born on a day that a month lacks completes that month on the first of the next.
///
/// `None`: born after `on`, or more than 130 years before it.
pub fn months_on(birth: Day, on: Day) -> Option<u16> {
    years_on(birth, on)?;
    let months =
        (i32::from(on.year) - i32::from(birth.year)) * 12 + i32::from(on.month) - i32::from(birth.month);
    u16::try_from(months - i32::from(on.day < birth.day)).ok()
}

/// What Safe Harbor (45 CFR 164.514(b)(2)(i)(C)) lets out: years only, and all ages over 89 as one class.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum SafeHarbor {
    /// Up to 89 years.
    Years {
        /// Completed years.
        age_years: u16,
        /// Year of birth.
        birth_year: i16,
    },
    /// Over 89: printed `90+`, and of the year of birth only that it is at most this one.
    NinetyOrOlder {
        /// Ninety years before the year of the stated date.
        birth_year_max: i16,
    },
}

impl fmt::Debug for SafeHarbor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SafeHarbor")
    }
}

impl SafeHarbor {
    /// The age as it is written: `47`, `90+`.
    pub fn age(self) -> String {
        match self {
            SafeHarbor::Years { age_years, .. } => age_years.to_string(),
            SafeHarbor::NinetyOrOlder { .. } => "90+".to_owned(),
        }
    }

    /// The year of birth as it is written: `1978`, `<=1936`.
    pub fn birth_year(self) -> String {
        match self {
            SafeHarbor::Years { birth_year, .. } => birth_year.to_string(),
            SafeHarbor::NinetyOrOlder { birth_year_max } => format!("<={birth_year_max}"),
        }
    }
}

/// Age and year of birth as Safe Harbor lets them out. `None` as for [`years_on`], except that more than 130 years are `90+` too.
pub fn safe_harbor_on(birth: Day, on: Day) -> Option<SafeHarbor> {
    if birth > on {
        return None;
    }
    Some(match years_on(birth, on) {
        Some(age_years) if age_years <= 89 => SafeHarbor::Years { age_years, birth_year: birth.year },
        _ => SafeHarbor::NinetyOrOlder { birth_year_max: on.year - 90 },
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn day(text: &str) -> Day {
        parse_day(text).unwrap_or_else(|| panic!("{text} is a day"))
    }

    #[test]
    fn only_days_that_exist() {
        for text in ["2000-02-29", "2024-02-29", "0001-01-01", "9999-12-31"] {
            parse_day(text).unwrap_or_else(|| panic!("{text}"));
        }
        for text in
            ["1900-02-29", "2023-02-29", "2024-04-31", "2024-13-01", "2024-00-01", "2024-01-00", "0000-01-01"]
        {
            assert!(parse_day(text).is_none(), "{text}");
        }
        for text in ["2024-2-9", "07/04/1976", "2024-02-29T00:00", "20240229", "2024-02- 9", "２024-02-9"] {
            assert!(parse_day(text).is_none(), "{text}");
        }
    }

    #[test]
    fn years_are_completed() {
        let check = |birth: &str, on: &str, expected| {
            assert_eq!(years_on(day(birth), day(on)), expected, "{birth} {on}");
        };
        check("2000-02-29", "2001-02-28", Some(0));
        check("2000-02-29", "2001-03-01", Some(1));
        check("2000-02-29", "2004-02-28", Some(3));
        check("2000-02-29", "2004-02-29", Some(4));
        // Integer division of days by 365 gives 70.
        check("1956-01-20", "2026-01-15", Some(69));
        check("1956-01-20", "2026-01-20", Some(70));
        check("2026-01-15", "2026-01-15", Some(0));
        check("2026-01-16", "2026-01-15", None);
        check("1896-01-15", "2026-01-15", Some(130));
        check("1895-01-15", "2026-01-15", None);
    }

    #[test]
    fn months_are_completed() {
        let check = |birth: &str, on: &str, expected| {
            assert_eq!(months_on(day(birth), day(on)), expected, "{birth} {on}");
        };
        check("2024-01-31", "2024-02-29", Some(0));
        check("2024-01-31", "2024-03-01", Some(1));
        check("2024-01-15", "2025-01-14", Some(11));
        check("2024-01-15", "2025-01-15", Some(12));
        check("2024-12-31", "2025-01-01", Some(0));
        check("2025-01-02", "2025-01-01", None);
    }

    #[test]
    fn safe_harbor_ends_at_eighty_nine() {
        let check = |birth: &str, expected: Option<(&str, &str)>| {
            let found =
                safe_harbor_on(day(birth), day("2026-01-15")).map(|found| (found.birth_year(), found.age()));
            let expected = expected.map(|(year, age)| (year.to_owned(), age.to_owned()));
            assert_eq!(found, expected, "{birth}");
        };
        check("1936-01-15", Some(("<=1936", "90+")));
        check("1936-01-16", Some(("1936", "89")));
        check("1935-12-31", Some(("<=1936", "90+")));
        check("2000-02-29", Some(("2000", "25")));
        check("1800-01-01", Some(("<=1936", "90+")));
        check("2026-01-16", None);
    }

    #[test]
    fn days_are_counted_from_1970_too() {
        for (text, days) in
            [("1970-01-01", 0), ("1969-12-31", -1), ("2000-02-29", 11_016), ("0001-01-01", -719_162)]
        {
            assert_eq!(day(text).epoch_days(), days, "{text}");
            assert!(Day::of_epoch_days(days) == Some(day(text)), "{text}");
        }
        assert!(Day::of_epoch_days(-719_163).is_none());
    }

    #[test]
    fn weekdays_and_quarters() {
        for (text, weekday, quarter) in [
            ("2026-01-15", 4, 1),
            ("2000-02-29", 2, 1),
            ("1970-01-01", 4, 1),
            ("2023-12-31", 7, 4),
            ("2024-04-01", 1, 2),
            ("2024-09-30", 1, 3),
        ] {
            assert_eq!((day(text).iso_weekday(), day(text).quarter()), (weekday, quarter), "{text}");
        }
    }

    #[test]
    fn every_turn_of_a_year_is_found() {
        for year in 1..=9999 {
            for (month, of_month) in [(1, 1), (1, 2), (2, 28), (3, 1), (12, 30), (12, 31)] {
                let start = Day::of(year, month, of_month).unwrap();
                assert!(
                    day("0001-01-01").plus_days(start.number()) == Some(start),
                    "{year}-{month}-{of_month}"
                );
            }
        }
    }

    #[test]
    fn a_year_before_29_february_is_1_march() {
        let check =
            |text: &str, years, expected: &str| assert!(day(text).years_before(years) == Some(day(expected)));
        check("2024-02-29", 1, "2023-03-01");
        check("2024-02-29", 4, "2020-02-29");
        check("2024-05-31", 1, "2023-05-31");
        assert!(day("0005-01-01").years_before(5).is_none());
        assert!(day("9999-12-31").plus_days(1).is_none());
        assert!(day("0001-01-01").plus_days(-1).is_none());
    }

    proptest! {
        #[test]
        fn days_are_numbered_without_a_gap(number in 0i64..3_652_058) {
            let first = day("0001-01-01");
            let (this, next) = (first.plus_days(number).unwrap(), first.plus_days(number + 1).unwrap());
            prop_assert_eq!(this.number(), number);
            prop_assert!(this < next && next.number() == number + 1);
            let (year, month, day) = next.ymd();
            prop_assert!(Day::of(year, month, day) == Some(next));
        }

        #[test]
        fn months_and_years_agree(y in 1900i16..2026, m in 1u8..=12, d in 1u8..=28, later in 0i16..100, om in 1u8..=12, od in 1u8..=28) {
            let birth = Day::of(y, m, d).unwrap();
            let on = Day::of(y + later, om, od).unwrap();
            prop_assert_eq!(months_on(birth, on).map(|months| months / 12), years_on(birth, on));
        }
    }
}
