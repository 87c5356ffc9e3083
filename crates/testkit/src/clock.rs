//! A clock that tests set.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use fhir::{Clock, Instant};

/// Tells the time it was given; clones tell the same time.
#[derive(Clone, Debug)]
pub struct FixedClock {
    micros: Arc<AtomicI64>,
    step_micros: i64,
}

impl FixedClock {
    /// Stands still at `at`, an RFC 3339 instant such as `2024-03-01T12:00:00Z`.
    pub fn at(at: &str) -> FixedClock {
        FixedClock::ticking(at, 0)
    }

    /// Moves on by `step_micros` after each look.
    pub fn ticking(at: &str, step_micros: i64) -> FixedClock {
        let start = Instant::parse(at).unwrap_or_else(|| panic!("`{at}` is not an instant"));
        FixedClock { micros: Arc::new(AtomicI64::new(start.0)), step_micros }
    }

    /// Jumps, also back.
    pub fn set(&self, at: Instant) {
        self.micros.store(at.0, Ordering::Relaxed);
    }

    /// Moves on (or back).
    pub fn advance_micros(&self, micros: i64) {
        self.micros.fetch_add(micros, Ordering::Relaxed);
    }
}

impl Clock for FixedClock {
    fn now(&self) -> Instant {
        Instant(self.micros.fetch_add(self.step_micros, Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stands_still_until_it_is_moved() {
        let clock = FixedClock::at("2024-03-01T12:00:00Z");
        let shared = clock.clone();
        assert_eq!(clock.now(), clock.now());
        shared.advance_micros(1_500_000);
        assert_eq!(clock.now().to_rfc3339_millis(), "2024-03-01T12:00:01.500Z");
        shared.set(Instant(0));
        assert_eq!(clock.now(), Instant(0));
    }

    #[test]
    fn a_ticking_clock_moves_with_each_look() {
        let clock = FixedClock::ticking("1970-01-01T00:00:00Z", 5);
        assert_eq!([clock.now().0, clock.now().0, clock.now().0], [0, 5, 10]);
    }
}
