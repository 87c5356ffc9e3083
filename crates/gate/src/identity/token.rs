//! API tokens: create, list, revoke. The secret is shown once; its hash is kept.

use fhir::{Instant, is_id};
use rusqlite::{Connection, OptionalExtension, Row, params};
use store::Tenant;

use crate::principal::Principal;
use crate::role::{Role, Roles};
use crate::scope::{ScopeError, Scopes};
use crate::secret::{Hash, Secret};

/// The longest a token may live.
pub const TOKEN_DAYS_MAX: i64 = 366;
const DAY_MICROS: i64 = 86_400_000_000;

/// What somebody wants of a new token.
#[derive(Clone, Debug)]
pub struct TokenRequest {
    /// The role.
    pub role: Role,
    /// What people call it.
    pub name: String,
    /// SMART scopes; `None` takes what the role may have.
    pub scopes: Option<String>,
    /// The patient of `patient/` scopes.
    pub patient: Option<String>,
    /// How long it lives, `30d`, `12h`, `15m`.
    pub expires: String,
}

/// A token as listed: everything but the secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Identifier, used to revoke it.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Roles.
    pub roles: Roles,
    /// Scopes.
    pub scopes: Scopes,
    /// The patient of `patient/` scopes.
    pub patient: Option<String>,
    /// Whose data it sees.
    pub tenant: Tenant,
    /// When it was created.
    pub created: Instant,
    /// By whom.
    pub created_by: String,
    /// When it ends.
    pub expires: Option<Instant>,
    /// When it was revoked.
    pub revoked: Option<Instant>,
}

impl Token {
    /// For people and programs that list tokens.
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!({
            "id": self.id,
            "name": self.name,
            "role": self.roles.to_string(),
            "scopes": self.scopes.to_string(),
            "patient": self.patient,
            "created": self.created.to_rfc3339_millis(),
            "created_by": self.created_by,
            "expires": self.expires.map(Instant::to_rfc3339_millis),
            "revoked": self.revoked.map(Instant::to_rfc3339_millis),
        })
    }
}

/// Why a token was not created.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// A scope is wrong.
    #[error(transparent)]
    Scope(#[from] ScopeError),
    /// A scope goes beyond the role.
    #[error("scope `{scope}` is beyond role `{role}`, which may hold `{ceiling}`")]
    BeyondRole {
        /// The scope.
        scope: String,
        /// The role.
        role: Role,
        /// What the role may hold.
        ceiling: String,
    },
    /// `patient/` scopes need a patient, and only they.
    #[error("`patient/` scopes and a patient id go together: give both or neither")]
    Patient,
    /// Not an id.
    #[error("`{0}` is not a resource id")]
    PatientId(String),
    /// Not a duration, or too long.
    #[error("expiry `{0}` is not understood: write `30d`, `12h` or `15m`, at most {TOKEN_DAYS_MAX} days")]
    Expiry(String),
    /// No name, or too long.
    #[error("a token needs a name of 1 to 100 characters")]
    Name,
}

/// `30d`, `12h`, `15m` in microseconds.
pub fn parse_duration(text: &str) -> Option<i64> {
    let unit = match text.as_bytes().last()? {
        b'd' => DAY_MICROS,
        b'h' => DAY_MICROS / 24,
        b'm' => DAY_MICROS / 1440,
        _ => return None,
    };
    let digits = &text[..text.len() - 1];
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let micros = digits.parse::<i64>().ok()?.checked_mul(unit)?;
    (micros > 0 && micros <= TOKEN_DAYS_MAX * DAY_MICROS).then_some(micros)
}

/// Checks a request and makes the token and its secret; nothing is stored yet.
pub(crate) fn mint(
    request: &TokenRequest,
    by: &Principal,
    now: Instant,
) -> Result<(Token, Secret), TokenError> {
    let ceiling = request.role.ceiling();
    let scopes = match &request.scopes {
        None if request.patient.is_some() => Scopes::parse("patient/*.rs")?,
        None => ceiling.clone(),
        Some(text) => Scopes::parse(text)?,
    };
    if let Some(scope) = scopes.beyond(&ceiling) {
        let (scope, ceiling) = (scope.to_string(), ceiling.to_string());
        return Err(TokenError::BeyondRole { scope, role: request.role, ceiling });
    }
    if scopes.needs_patient() != request.patient.is_some() {
        return Err(TokenError::Patient);
    }
    if let Some(id) = request.patient.as_deref().filter(|id| !is_id(id)) {
        return Err(TokenError::PatientId(id.to_string()));
    }
    if request.name.trim().is_empty() || request.name.chars().count() > 100 {
        return Err(TokenError::Name);
    }
    let micros =
        parse_duration(&request.expires).ok_or_else(|| TokenError::Expiry(request.expires.clone()))?;
    let token = Token {
        id: uuid::Uuid::new_v4().to_string(),
        name: request.name.clone(),
        roles: Roles::one(request.role),
        scopes,
        patient: request.patient.clone(),
        tenant: by.tenant.clone(),
        created: now,
        created_by: by.id.clone(),
        expires: Some(Instant(now.0 + micros)),
        revoked: None,
    };
    Ok((token, Secret::fresh("salus_", &mut rand::rng())))
}

pub(crate) fn insert(conn: &Connection, token: &Token, hash: &Hash) -> rusqlite::Result<()> {
    conn.execute(
        "INSERT INTO token (id, hash, name, roles, scopes, patient, tenant, created, created_by, expires)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        params![
            token.id,
            hash,
            token.name,
            token.roles.to_string(),
            token.scopes.to_string(),
            token.patient,
            token.tenant.to_string(),
            token.created.0,
            token.created_by,
            token.expires.map(|at| at.0),
        ],
    )?;
    Ok(())
}

const COLUMNS: &str = "id, name, roles, scopes, patient, tenant, created, created_by, expires, revoked";

pub(crate) fn list(conn: &Connection, tenant: &str) -> rusqlite::Result<Vec<Token>> {
    let sql = format!("SELECT {COLUMNS} FROM token WHERE tenant = ?1 ORDER BY created, id");
    conn.prepare_cached(&sql)?.query_map([tenant], token_of)?.collect()
}

pub(crate) fn find(conn: &Connection, hash: &Hash) -> rusqlite::Result<Option<Token>> {
    let sql = format!("SELECT {COLUMNS} FROM token WHERE hash = ?1");
    conn.prepare_cached(&sql)?.query_row([hash], token_of).optional()
}

/// True when there was such a token; revoking twice keeps the first time.
pub(crate) fn revoke(conn: &Connection, tenant: &str, id: &str, at: Instant) -> rusqlite::Result<bool> {
    let sql = "UPDATE token SET revoked = coalesce(revoked, ?3) WHERE id = ?1 AND tenant = ?2";
    Ok(conn.execute(sql, params![id, tenant, at.0])? == 1)
}

fn token_of(row: &Row<'_>) -> rusqlite::Result<Token> {
    let unreadable =
        |column| rusqlite::Error::InvalidColumnType(column, "token".into(), rusqlite::types::Type::Text);
    Ok(Token {
        id: row.get(0)?,
        name: row.get(1)?,
        roles: Roles::parse(&row.get::<_, String>(2)?).ok_or_else(|| unreadable(2))?,
        scopes: Scopes::parse(&row.get::<_, String>(3)?).map_err(|_| unreadable(3))?,
        patient: row.get(4)?,
        tenant: Tenant::new(&row.get::<_, String>(5)?),
        created: Instant(row.get(6)?),
        created_by: row.get(7)?,
        expires: row.get::<_, Option<i64>>(8)?.map(Instant),
        revoked: row.get::<_, Option<i64>>(9)?.map(Instant),
    })
}

impl Token {
    /// The principal that a request with this token has.
    pub(crate) fn principal(&self) -> Principal {
        Principal {
            id: format!("token:{}", self.id),
            name: self.name.clone(),
            roles: self.roles.clone(),
            scopes: self.scopes.clone(),
            patient: self.patient.clone(),
            tenant: self.tenant.clone(),
            expires: self.expires,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(change: impl FnOnce(&mut TokenRequest), expected: &str) {
        let mut request = TokenRequest {
            role: Role::Analyst,
            name: "night report".into(),
            scopes: None,
            patient: None,
            expires: "30d".into(),
        };
        change(&mut request);
        let by = Principal::local("ada", Tenant::new("main"));
        let answer = match mint(&request, &by, Instant(0)) {
            Ok((token, _)) => format!("{} {} until {}", token.roles, token.scopes, token.expires.unwrap().0),
            Err(e) => e.to_string(),
        };
        assert_eq!(answer, expected);
    }

    #[test]
    fn a_role_gives_scopes_and_limits_them() {
        check(|_| (), "analyst user/*.rs until 2592000000000");
        check(|r| r.scopes = Some("user/Patient.r".into()), "analyst user/Patient.r until 2592000000000");
        check(|r| r.patient = Some("42".into()), "analyst patient/*.rs until 2592000000000");
        check(
            |r| r.scopes = Some("user/*.cruds".into()),
            "scope `user/*.cruds` is beyond role `analyst`, which may hold `user/*.rs`",
        );
    }

    #[test]
    fn bad_requests_are_refused() {
        check(
            |r| r.scopes = Some("patient/*.rs".into()),
            "`patient/` scopes and a patient id go together: give both or neither",
        );
        check(|r| r.patient = Some("a b".into()), "`a b` is not a resource id");
        check(|r| r.name = " ".into(), "a token needs a name of 1 to 100 characters");
        for wrong in ["30", "d", "-1d", "0d", "400d", "9999999999999999999d", "1w"] {
            check(
                |r| r.expires = wrong.into(),
                &format!("expiry `{wrong}` is not understood: write `30d`, `12h` or `15m`, at most 366 days"),
            );
        }
    }
}
