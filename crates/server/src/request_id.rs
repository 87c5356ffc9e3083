//! Every request has an identifier: the caller's, if it sent a decent one, or a new one. It is in the answer, the log and the ledger.

use std::fmt::Write;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use http::{HeaderMap, HeaderName};

/// The header, read and written.
pub(crate) const HEADER: HeaderName = HeaderName::from_static("x-request-id");
const LENGTH_MAX: usize = 64;

/// The identifier of a request.
pub(crate) fn of(headers: &HeaderMap) -> String {
    let given = headers.get(HEADER).and_then(|value| value.to_str().ok()).filter(|text| decent(text));
    given.map_or_else(fresh, str::to_string)
}

/// This process by chance, the request by number: asking the system for chance each time would cost more.
fn fresh() -> String {
    static PROCESS: OnceLock<String> = OnceLock::new();
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let process = PROCESS.get_or_init(|| uuid::Uuid::new_v4().simple().to_string()[..16].to_string());
    let mut id = String::with_capacity(28);
    id.push_str(process);
    // Writing to a string does not fail.
    let _ = write!(id, "-{:x}", COUNT.fetch_add(1, Ordering::Relaxed));
    id
}

fn decent(text: &str) -> bool {
    (1..=LENGTH_MAX).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_decent_identifiers_are_kept() {
        assert!(decent("a-1_b.C"));
        assert!(!decent("") && !decent("a b") && !decent("é") && !decent(&"a".repeat(65)));
    }

    #[test]
    fn fresh_identifiers_differ_and_are_decent() {
        let (a, b) = (fresh(), fresh());
        assert_ne!(a, b);
        assert!(decent(&a) && decent(&b));
    }
}
