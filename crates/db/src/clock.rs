//! The system's clock: the one place that asks the machine for the time.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use fhir::{Clock, Instant};

/// The machine's time, which never goes back while the process runs: when the clock is set back, the last time is repeated.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

static LATEST: AtomicI64 = AtomicI64::new(i64::MIN);

impl Clock for SystemClock {
    fn now(&self) -> Instant {
        #[allow(clippy::disallowed_methods, reason = "everybody else is handed this clock")]
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH);
        // A machine set before 1970 stays at the epoch.
        let micros = since_epoch.map_or(0, |d| i64::try_from(d.as_micros()).unwrap_or(i64::MAX));
        Instant(later(&LATEST, micros))
    }
}

/// The later of the stored time and `micros`; stores it.
fn later(latest: &AtomicI64, micros: i64) -> i64 {
    latest.fetch_max(micros, Ordering::Relaxed).max(micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_set_back_repeats_the_last_time() {
        let latest = AtomicI64::new(i64::MIN);
        let seen: Vec<i64> = [5, 9, 3, 10].into_iter().map(|micros| later(&latest, micros)).collect();
        assert_eq!(seen, [5, 9, 9, 10]);
    }

    #[test]
    fn the_time_is_after_2024() {
        assert!(SystemClock.now() > Instant::parse("2024-01-01T00:00:00Z").unwrap());
        assert!(SystemClock.now() <= SystemClock.now());
    }
}
