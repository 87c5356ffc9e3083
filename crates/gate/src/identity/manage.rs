//! Creating, listing and revoking tokens: for those whose role manages them, each with a record.

use fhir::Instant;

use crate::error::GateError;
use crate::gate::Gate;
use crate::identity::token::{self, Token, TokenError, TokenRequest};
use crate::ledger::record::{Action, Outcome};
use crate::principal::Access;
use crate::role::{Role, Roles};
use crate::secret::{Secret, hash_of};

const NOT_OPEN: &str = "tokens are managed by role `admin` or `security-officer`";

impl Gate {
    /// A new token and its secret, which is shown this once.
    pub async fn create_token(
        &self,
        access: &Access,
        request: &TokenRequest,
    ) -> Result<(Token, Secret), GateError> {
        self.require_manager(access, Action::TokenCreate).await?;
        let (token, secret) = token::mint(request, &access.principal, self.now())?;
        let hash = hash_of(secret.reveal());
        let row = token.clone();
        self.inner.govern.write(move |conn| token::insert(conn, &row, &hash)).await?;
        let record = self.record_of(access, Action::TokenCreate, Outcome::Done);
        self.record(record.because(format!("token:{} {}", token.id, token.roles))).await?;
        Ok((token, secret))
    }

    /// A link that signs one person in, once, with one role: how people get in who are not at the machine.
    pub async fn create_link(&self, access: &Access, name: &str, role: Role) -> Result<Secret, GateError> {
        self.require_manager(access, Action::TokenCreate).await?;
        if name.trim().is_empty() || name.chars().count() > 100 {
            return Err(TokenError::Name.into());
        }
        let secret = self.create_setup_link(name.trim(), Roles::one(role), &access.tenant).await?;
        let record = self.record_of(access, Action::TokenCreate, Outcome::Done);
        self.record(record.because(format!("link {role}"))).await?;
        Ok(secret)
    }

    /// All tokens, also those that have ended.
    pub async fn list_tokens(&self, access: &Access) -> Result<Vec<Token>, GateError> {
        self.require_manager(access, Action::TokenList).await?;
        let tenant = access.tenant.to_string();
        let tokens = self.inner.govern.read(move |conn| token::list(conn, &tenant)).await?;
        let mut record = self.record_of(access, Action::TokenList, Outcome::Done);
        record.count = tokens.len() as u64;
        self.record(record).await?;
        Ok(tokens)
    }

    /// Ends a token now.
    pub async fn revoke_token(&self, access: &Access, id: &str) -> Result<Instant, GateError> {
        self.require_manager(access, Action::TokenRevoke).await?;
        let (tenant, row, at) = (access.tenant.to_string(), id.to_string(), self.now());
        let found = self.inner.govern.write(move |conn| token::revoke(conn, &tenant, &row, at)).await?;
        self.inner.cache.clear();
        let outcome = if found { Outcome::Done } else { Outcome::NotFound };
        let record = self.record_of(access, Action::TokenRevoke, outcome);
        self.record(record.because(format!("token:{id}"))).await?;
        if found { Ok(at) } else { Err(GateError::UnknownToken(id.to_string())) }
    }

    async fn require_manager(&self, access: &Access, action: Action) -> Result<(), GateError> {
        if access.principal.roles.iter().any(crate::Role::manages_tokens) {
            return Ok(());
        }
        Err(self.deny(access, action, None, NOT_OPEN).await)
    }
}
