//! How long to wait before asking again. Pure: an attempt and a `Retry-After` in, a duration out.

use std::time::Duration;

/// Waits that double from `first` up to `max`; at most `attempts_max` requests altogether.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    /// Requests altogether, the first included.
    pub attempts_max: u32,
    /// Wait before the second request.
    pub first: Duration,
    /// Longest wait, also for a `Retry-After`.
    pub max: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Backoff { attempts_max: 4, first: Duration::from_millis(200), max: Duration::from_secs(30) }
    }
}

impl Backoff {
    /// A single request, never repeated.
    pub const fn never() -> Backoff {
        Backoff { attempts_max: 1, first: Duration::ZERO, max: Duration::ZERO }
    }

    /// The wait after the failed attempt number `attempt` (from 1); `None` when it was the last. A `Retry-After` of the server is
    /// obeyed when it is longer than ours; one longer than `max` ends the attempts, because asking earlier would be of no use.
    pub(crate) fn wait(&self, attempt: u32, retry_after: Option<Duration>) -> Option<Duration> {
        if attempt >= self.attempts_max {
            return None;
        }
        let doubled = self.first.saturating_mul(1 << attempt.saturating_sub(1).min(16)).min(self.max);
        match retry_after {
            Some(asked) if asked > self.max => None,
            Some(asked) => Some(asked.max(doubled)),
            None => Some(doubled),
        }
    }
}

/// The `Retry-After` header in its form of seconds. The date form needs a clock and is ignored: the doubling wait applies.
pub(crate) fn parse_retry_after(headers: &http::HeaderMap) -> Option<Duration> {
    let text = headers.get(http::header::RETRY_AFTER)?.to_str().ok()?;
    text.trim().parse::<u32>().ok().map(|secs| Duration::from_secs(u64::from(secs)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(attempt: u32, retry_after_secs: Option<u64>, expected_millis: Option<u64>) {
        let backoff =
            Backoff { attempts_max: 5, first: Duration::from_millis(100), max: Duration::from_secs(2) };
        let wait = backoff.wait(attempt, retry_after_secs.map(Duration::from_secs));
        assert_eq!(wait, expected_millis.map(Duration::from_millis));
    }

    #[test]
    fn waits_double_and_end() {
        check(1, None, Some(100));
        check(2, None, Some(200));
        check(4, None, Some(800));
        check(5, None, None);
    }

    #[test]
    fn retry_after_is_obeyed_up_to_the_limit() {
        check(1, Some(1), Some(1000));
        check(1, Some(0), Some(100));
        check(1, Some(3), None);
    }
}
