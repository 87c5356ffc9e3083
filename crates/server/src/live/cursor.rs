//! Where a stream is: how far in the changes of alerts, and how far in the readings of patients. It goes on exactly there.

use std::fmt;

/// Both positions, written `a12-b340`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cursor {
    /// The last change of an alert that was told.
    pub(crate) alerts: i64,
    /// The last change of a patient's readings that was told.
    pub(crate) beds: i64,
}

impl Cursor {
    /// Of its text.
    pub(crate) fn parse(text: &str) -> Option<Cursor> {
        let (alerts, beds) = text.trim().strip_prefix('a')?.split_once("-b")?;
        let number = |text: &str| text.parse().ok().filter(|n: &i64| *n >= 0);
        Some(Cursor { alerts: number(alerts)?, beds: number(beds)? })
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a{}-b{}", self.alerts, self.beds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read_back() {
        let cursor = Cursor { alerts: 12, beds: 340 };
        assert_eq!(cursor.to_string(), "a12-b340");
        assert_eq!(Cursor::parse("a12-b340"), Some(cursor));
        for text in ["", "12", "a-b", "a-1-b2", "a1-b", "b1-a2", "a1-b2x"] {
            assert_eq!(Cursor::parse(text), None, "{text}");
        }
    }
}
