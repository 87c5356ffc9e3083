//! Windows of time: what changed from the watermark (and a little before) up to the server's time when the source was opened.

use std::time::Duration;

use fhir::Instant;

use crate::source::{Backfill, Unit};

/// From `since` on, up to but without `until`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) since: Option<Instant>,
    pub(crate) until: Instant,
}

impl Window {
    /// The window after a watermark, less the look-back; what is wrong with the watermark comes back in words.
    pub(crate) fn after(
        watermark: Option<&str>,
        lookback: Duration,
        until: Instant,
    ) -> Result<Window, &'static str> {
        let Some(text) = watermark else { return Ok(Window { since: None, until }) };
        let at = Instant::parse(text).ok_or(
            "the watermark that the target keeps is no instant: another column was the cursor before",
        )?;
        let back = i64::try_from(lookback.as_micros()).unwrap_or(i64::MAX);
        Ok(Window { since: Some(Instant(at.0.saturating_sub(back))), until })
    }

    /// A window that somebody chose; it ends at `now` at the latest.
    pub(crate) fn chosen(chosen: &Backfill, now: Instant) -> Result<Window, String> {
        let since = chosen.from.as_deref().map(moment).transpose()?;
        let until = chosen.to.as_deref().map(moment).transpose()?.map_or(now, |until| until.min(now));
        Ok(Window { since, until })
    }

    /// Whether an instant lies in it.
    pub(crate) fn has(self, at: Instant) -> bool {
        self.since.is_none_or(|since| at >= since) && at < self.until
    }

    /// The unit, unless no time has passed.
    pub(crate) fn units(self) -> Vec<Unit> {
        if self.since.is_some_and(|since| since >= self.until) {
            return Vec::new();
        }
        let since = self.since.map_or_else(|| "-".to_owned(), Instant::to_rfc3339_millis);
        let until = self.until.to_rfc3339_millis();
        let (id, name) = (format!("[{since}, {until})"), format!("{since} to {until}"));
        vec![Unit { id, name, watermark: Some(until), n_bytes: None, n_rows: None }]
    }
}

/// A moment, or the beginning of a day in UTC.
pub(crate) fn moment(text: &str) -> Result<Instant, String> {
    let day = || Instant::parse(&format!("{text}T00:00:00Z"));
    Instant::parse(text).or_else(day).ok_or_else(|| {
        format!("the bound `{text}` is no moment: write `2026-01-31` or `2026-01-31T10:00:00Z`")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Instant {
        Instant::parse(text).unwrap()
    }

    #[test]
    fn windows_meet_and_do_not_overlap() {
        let first = Window::after(None, Duration::ZERO, at("2026-01-15T12:00:00Z")).unwrap();
        let unit = &first.units()[0];
        assert_eq!(unit.id, "[-, 2026-01-15T12:00:00.000Z)");
        let second =
            Window::after(unit.watermark.as_deref(), Duration::ZERO, at("2026-01-15T12:00:01Z")).unwrap();
        for text in ["2026-01-15T11:59:59.999999Z", "2026-01-15T12:00:00Z", "2026-01-15T12:00:00.5Z"] {
            assert_ne!(first.has(at(text)), second.has(at(text)), "{text}");
        }
        assert_eq!(second.units()[0].id, "[2026-01-15T12:00:00.000Z, 2026-01-15T12:00:01.000Z)");
    }

    #[test]
    fn a_window_is_chosen_and_does_not_reach_into_the_future() {
        let now = at("2026-01-15T12:00:00Z");
        let of = |from: Option<&str>, to: Option<&str>| {
            let chosen = Backfill { from: from.map(str::to_owned), to: to.map(str::to_owned) };
            Window::chosen(&chosen, now)
        };
        let day = of(Some("2026-01-01"), Some("2026-01-02")).unwrap();
        assert_eq!(day.units()[0].id, "[2026-01-01T00:00:00.000Z, 2026-01-02T00:00:00.000Z)");
        assert_eq!(of(None, Some("2030-01-01")).unwrap(), Window { since: None, until: now });
        assert!(of(Some("yesterday"), None).is_err());
    }

    #[test]
    fn a_lookback_reads_again_and_no_time_is_no_unit() {
        let until = at("2026-01-15T12:00:00Z");
        let of = |secs| Window::after(Some("2026-01-15T12:00:00.000Z"), Duration::from_secs(secs), until);
        assert!(of(0).unwrap().units().is_empty());
        assert_eq!(of(60).unwrap().units()[0].name, "2026-01-15T11:59:00.000Z to 2026-01-15T12:00:00.000Z");
        assert!(Window::after(Some("17"), Duration::ZERO, until).is_err());
    }
}
