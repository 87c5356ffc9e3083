//! Remembers authenticated tokens for a few seconds, so that a read does not look one up on disk.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};

use fhir::Instant;

use crate::principal::Principal;
use crate::secret::Hash;

/// A token that another process revoked is honoured at most this long. A revocation in this process is immediate.
const SECONDS_MAX: i64 = 3;
/// Entries kept; when full, all are forgotten.
const ENTRIES_MAX: usize = 10_000;

#[derive(Default)]
pub(crate) struct AuthCache {
    known: RwLock<HashMap<Hash, (Arc<Principal>, Instant)>>,
}

impl AuthCache {
    pub(crate) fn get(&self, hash: &Hash, now: Instant) -> Option<Arc<Principal>> {
        let known = self.known.read().ok()?;
        let (principal, since) = known.get(hash)?;
        let fresh = now.0 - since.0 < SECONDS_MAX * 1_000_000 && now.0 >= since.0;
        let alive = principal.expires.is_none_or(|at| now < at);
        (fresh && alive).then(|| Arc::clone(principal))
    }

    pub(crate) fn put(&self, hash: Hash, principal: Arc<Principal>, now: Instant) {
        if let Ok(mut known) = self.known.write() {
            if known.len() >= ENTRIES_MAX {
                known.clear();
            }
            known.insert(hash, (principal, now));
        }
    }

    /// After a revocation: everything is looked up again.
    pub(crate) fn clear(&self) {
        if let Ok(mut known) = self.known.write() {
            known.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use store::Tenant;

    #[test]
    fn an_entry_lives_for_seconds() {
        let cache = AuthCache::default();
        let principal = Arc::new(Principal::local("ada", Tenant::new("main")));
        cache.put([1; 32], Arc::clone(&principal), Instant(0));
        assert!(cache.get(&[1; 32], Instant(2_999_999)).is_some());
        assert!(cache.get(&[1; 32], Instant(3_000_000)).is_none());
        assert!(cache.get(&[1; 32], Instant(-1)).is_none(), "the clock went back");
        assert!(cache.get(&[2; 32], Instant(0)).is_none());
        cache.clear();
        assert!(cache.get(&[1; 32], Instant(0)).is_none());
    }

    #[test]
    fn an_expired_principal_is_not_remembered() {
        let cache = AuthCache::default();
        let mut principal = Principal::local("ada", Tenant::new("main"));
        principal.expires = Some(Instant(1_000_000));
        cache.put([1; 32], Arc::new(principal), Instant(0));
        assert!(cache.get(&[1; 32], Instant(999_999)).is_some());
        assert!(cache.get(&[1; 32], Instant(1_000_000)).is_none());
    }
}
