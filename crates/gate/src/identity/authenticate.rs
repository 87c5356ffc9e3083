//! From a secret to a principal.

use std::sync::Arc;

use crate::error::{AuthProblem, GateError};
use crate::gate::Gate;
use crate::identity::token::{self, Token};
use crate::ledger::record::{Action, Outcome, Record};
use crate::principal::Principal;
use crate::secret::hash_of;

impl Gate {
    /// The principal of a bearer token. A token that was good but is no more is recorded; a random string is not,
    /// or anybody could fill the disk.
    pub async fn authenticate(&self, secret: &str, request: &str) -> Result<Arc<Principal>, GateError> {
        let hash = hash_of(secret);
        let now = self.now();
        if let Some(principal) = self.inner.cache.get(&hash, now) {
            return Ok(principal);
        }
        let found = self.inner.govern.read(move |conn| token::find(conn, &hash)).await?;
        let Some(token) = found else { return Err(AuthProblem::Unknown.into()) };
        let problem = match (token.revoked, token.expires) {
            (Some(_), _) => AuthProblem::Revoked,
            (None, Some(at)) if at <= now => AuthProblem::Expired,
            (None, _) => {
                let principal = Arc::new(token.principal());
                self.inner.cache.put(hash, Arc::clone(&principal), now);
                return Ok(principal);
            }
        };
        self.record(self.refused(&token, problem, request)).await?;
        Err(problem.into())
    }

    fn refused(&self, token: &Token, problem: AuthProblem, request: &str) -> Record {
        Record {
            at: self.now(),
            tenant: token.tenant.to_string(),
            principal: format!("token:{}", token.id),
            on_behalf_of: None,
            purpose: String::new(),
            action: Action::Login,
            kind: None,
            ids: String::new(),
            detail: Some(problem.to_string()),
            count: 0,
            outcome: Outcome::Denied,
            request: request.to_string(),
            patients: Vec::new(),
        }
    }
}
