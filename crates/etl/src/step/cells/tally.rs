//! Counts by reason, for facts: words of the program, never values of rows.

use serde_json::{Map, Value as Json};

/// Counts by reason, in the order in which reasons came up.
#[derive(Clone, Default)]
pub(crate) struct Tally(Vec<(String, u64)>);

impl Tally {
    /// One more.
    pub(crate) fn add(&mut self, reason: &str) {
        self.add_many(reason, 1);
    }

    /// Some more; none is no entry.
    pub(crate) fn add_many(&mut self, reason: &str, n: u64) {
        if n == 0 {
            return;
        }
        match self.0.iter_mut().find(|(known, _)| known == reason) {
            Some((_, count)) => *count += n,
            None => self.0.push((reason.to_owned(), n)),
        }
    }

    /// As JSON.
    pub(crate) fn to_json(&self) -> Json {
        Json::Object(self.0.iter().map(|(reason, n)| (reason.clone(), Json::from(*n))).collect::<Map<_, _>>())
    }
}
