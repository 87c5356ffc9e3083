//! Signing people in: a set-up link opens a session, a cookie finds it, signing out ends it.

use std::sync::Arc;

use store::Tenant;

use crate::error::{AuthProblem, GateError};
use crate::gate::Gate;
use crate::identity::session::{self, Session};
use crate::ledger::record::{Action, Outcome};
use crate::principal::{Access, Principal};
use crate::role::Roles;
use crate::secret::{Secret, hash_of, same};

impl Gate {
    /// A link that signs one person in, once. Only whoever starts the program can make one.
    pub async fn create_setup_link(
        &self,
        name: &str,
        roles: Roles,
        tenant: &Tenant,
    ) -> Result<Secret, GateError> {
        let secret = Secret::fresh("", &mut rand::rng());
        let (hash, now) = (hash_of(secret.reveal()), self.now());
        let (name, tenant) = (name.to_string(), tenant.to_string());
        self.inner
            .govern
            .write(move |conn| session::insert_link(conn, &hash, &roles, &name, &tenant, now))
            .await?;
        Ok(secret)
    }

    /// Has nobody ever signed in, and is there no token: the first `serve` prints a link then.
    pub async fn is_new(&self) -> Result<bool, GateError> {
        let sql = "SELECT NOT EXISTS (SELECT 1 FROM token) AND NOT EXISTS (SELECT 1 FROM setup_link WHERE used IS NOT NULL)";
        Ok(self.inner.govern.read(move |conn| conn.query_row(sql, [], |row| row.get(0))).await?)
    }

    /// Uses up a set-up link and opens a session.
    pub async fn sign_in(&self, link: &str, request: &str) -> Result<Session, GateError> {
        let (hash, now) = (hash_of(link), self.now());
        let opened = self
            .inner
            .govern
            .write(move |conn| {
                let Some((roles, name, tenant)) = session::take_link(conn, &hash, now)? else {
                    return Ok(None);
                };
                let session = session::fresh(roles, name, tenant, now);
                session::insert(conn, &session, &hash_of(session.cookie.reveal()), now)?;
                Ok(Some(session))
            })
            .await?;
        let Some(session) = opened else { return Err(AuthProblem::Link.into()) };
        let access = Access::new(Arc::new(session.principal.clone()), None, request)?;
        let record = self.record_of(&access, Action::Login, Outcome::Done);
        self.record(record.because(session.principal.roles.to_string())).await?;
        Ok(session)
    }

    /// The principal of a session cookie, and the CSRF token its forms carry.
    pub async fn session(&self, cookie: &str) -> Result<(Arc<Principal>, String), GateError> {
        let (hash, now) = (hash_of(cookie), self.now());
        let found = self.inner.govern.read(move |conn| session::find(conn, &hash)).await?;
        match found {
            Some((principal, csrf)) if principal.expires.is_none_or(|at| now < at) => {
                Ok((Arc::new(principal), csrf))
            }
            Some(_) | None => Err(AuthProblem::SessionEnded.into()),
        }
    }

    /// Is this the CSRF token of the session; needed for everything that changes something.
    pub fn check_csrf(expected: &str, shown: Option<&str>) -> Result<(), GateError> {
        match shown {
            Some(shown) if same(expected.as_bytes(), shown.as_bytes()) => Ok(()),
            Some(_) | None => Err(AuthProblem::Csrf.into()),
        }
    }

    /// Ends a session now.
    pub async fn sign_out(&self, access: &Access, cookie: &str) -> Result<(), GateError> {
        let hash = hash_of(cookie);
        self.inner.govern.write(move |conn| session::delete(conn, &hash)).await?;
        self.record(self.record_of(access, Action::Logout, Outcome::Done)).await
    }
}
