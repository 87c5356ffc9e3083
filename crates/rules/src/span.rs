//! Time spans and ages as rule files write them: `90s`, `15m`, `48h`, `7d`; `28d`, `3mo`, `16y`.

use std::fmt;
use std::str::FromStr;

/// A span of time that keeps how it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) count: u32,
    pub(crate) unit: char,
}

impl Span {
    pub(crate) fn micros(self) -> i64 {
        let secs = match self.unit {
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            _ => 86_400,
        };
        i64::from(self.count) * secs * 1_000_000
    }

    /// Whole minutes, rounded up.
    pub(crate) fn minutes(self) -> u32 {
        u32::try_from((self.micros() + 59_999_999) / 60_000_000).unwrap_or(u32::MAX)
    }
}

impl FromStr for Span {
    type Err = ();

    fn from_str(text: &str) -> Result<Span, ()> {
        let unit = text.chars().last().filter(|unit| "smhd".contains(*unit)).ok_or(())?;
        let count: u32 = text[..text.len() - 1].parse().map_err(|_| ())?;
        // Ten years in seconds: nothing that a rule waits for is longer.
        (count <= 315_360_000).then_some(Span { count, unit }).ok_or(())
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.unit {
            's' => "s",
            'm' => "min",
            'h' => "h",
            _ => "d",
        };
        write!(f, "{} {unit}", self.count)
    }
}

/// An age in completed days, months or years.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Age {
    pub(crate) count: u16,
    pub(crate) unit: AgeUnit,
}

/// What an age is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AgeUnit {
    Days,
    Months,
    Years,
}

impl FromStr for Age {
    type Err = ();

    fn from_str(text: &str) -> Result<Age, ()> {
        let units = [("mo", AgeUnit::Months), ("d", AgeUnit::Days), ("y", AgeUnit::Years)];
        let (count, unit) = units
            .iter()
            .find_map(|(end, unit)| text.strip_suffix(end).map(|count| (count, *unit)))
            .ok_or(())?;
        Ok(Age { count: count.parse().map_err(|_| ())?, unit })
    }
}

impl fmt::Display for Age {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.unit {
            AgeUnit::Days => "days",
            AgeUnit::Months => "months",
            AgeUnit::Years => "years",
        };
        write!(f, "{} {unit}", self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_and_ages_are_read_and_shown() {
        let check = |text: &str, micros: i64, shown: &str| {
            let span: Span = text.parse().unwrap();
            assert_eq!((span.micros(), span.to_string().as_str()), (micros, shown));
        };
        check("90s", 90_000_000, "90 s");
        check("15m", 900_000_000, "15 min");
        check("48h", 172_800_000_000, "48 h");
        check("7d", 604_800_000_000, "7 d");
        assert_eq!("61s".parse::<Span>().unwrap().minutes(), 2);
        for text in ["", "5", "m", "5w", "-5m", "1.5h", "999999999s"] {
            assert!(text.parse::<Span>().is_err(), "{text}");
        }
        assert_eq!("28d".parse::<Age>().unwrap().to_string(), "28 days");
        assert_eq!("3mo".parse::<Age>().unwrap().to_string(), "3 months");
        assert_eq!("16y".parse::<Age>().unwrap().to_string(), "16 years");
        assert!("16".parse::<Age>().is_err());
    }
}
