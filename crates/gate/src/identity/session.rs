//! One-time set-up links and the dashboard sessions they open. Both live on the server; the browser holds a secret.

use fhir::Instant;
use rusqlite::{Connection, OptionalExtension, params};
use store::Tenant;

use crate::principal::Principal;
use crate::role::Roles;
use crate::secret::{Hash, Secret};

/// A session ends after this time, used or not.
pub const SESSION_HOURS_MAX: i64 = 12;
/// A set-up link that was not used by then is dead.
pub const LINK_HOURS_MAX: i64 = 24;
const HOUR_MICROS: i64 = 3_600_000_000;

/// An open session as the browser needs it. Its `Debug` shows no secret.
#[derive(Clone, Debug)]
pub struct Session {
    /// The value of the cookie.
    pub cookie: Secret,
    /// What a form or script must send along with anything that changes something.
    pub csrf: Secret,
    /// Who is signed in.
    pub principal: Principal,
}

pub(crate) fn insert_link(
    conn: &Connection,
    hash: &Hash,
    roles: &Roles,
    name: &str,
    tenant: &str,
    now: Instant,
) -> rusqlite::Result<()> {
    conn.execute(
        "INSERT INTO setup_link (hash, roles, name, tenant, expires) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![hash, roles.to_string(), name, tenant, now.0 + LINK_HOURS_MAX * HOUR_MICROS],
    )?;
    Ok(())
}

/// Uses up a link. `None`: unknown, used, or too old.
pub(crate) fn take_link(
    conn: &Connection,
    hash: &Hash,
    now: Instant,
) -> rusqlite::Result<Option<(Roles, String, Tenant)>> {
    let sql = "UPDATE setup_link SET used = ?2 WHERE hash = ?1 AND used IS NULL AND expires > ?2
               RETURNING roles, name, tenant";
    let row = conn.query_row(sql, params![hash, now.0], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?))
    });
    let Some((roles, name, tenant)) = row.optional()? else { return Ok(None) };
    Ok(Roles::parse(&roles).map(|roles| (roles, name, Tenant::new(&tenant))))
}

/// Opens a session, and forgets those that have ended.
pub(crate) fn insert(
    conn: &Connection,
    session: &Session,
    hash: &Hash,
    now: Instant,
) -> rusqlite::Result<()> {
    conn.execute("DELETE FROM session WHERE expires <= ?1", [now.0])?;
    let p = &session.principal;
    conn.execute(
        "INSERT INTO session (hash, id, csrf, roles, name, tenant, created, expires) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![
            hash,
            p.id,
            session.csrf.reveal(),
            p.roles.to_string(),
            p.name,
            p.tenant.to_string(),
            now.0,
            p.expires.map_or(now.0, |at| at.0),
        ],
    )?;
    Ok(())
}

/// The principal of a cookie and the token its forms must carry.
pub(crate) fn find(conn: &Connection, hash: &Hash) -> rusqlite::Result<Option<(Principal, String)>> {
    let sql = "SELECT id, csrf, roles, name, tenant, expires FROM session WHERE hash = ?1";
    let row = conn.prepare_cached(sql)?.query_row([hash], |row| {
        let roles = Roles::parse(&row.get::<_, String>(2)?);
        let Some(roles) = roles else { return Ok(None) };
        let scopes = roles.ceiling();
        let principal = Principal {
            id: row.get(0)?,
            name: row.get(3)?,
            roles,
            scopes,
            patient: None,
            tenant: Tenant::new(&row.get::<_, String>(4)?),
            expires: Some(Instant(row.get(5)?)),
        };
        Ok(Some((principal, row.get(1)?)))
    });
    Ok(row.optional()?.flatten())
}

pub(crate) fn delete(conn: &Connection, hash: &Hash) -> rusqlite::Result<()> {
    conn.execute("DELETE FROM session WHERE hash = ?1", [hash])?;
    Ok(())
}

/// A fresh session of a person.
pub(crate) fn fresh(roles: Roles, name: String, tenant: Tenant, now: Instant) -> Session {
    let mut rng = rand::rng();
    let scopes = roles.ceiling();
    let principal = Principal {
        id: format!("session:{}", uuid::Uuid::new_v4()),
        name,
        roles,
        scopes,
        patient: None,
        tenant,
        expires: Some(Instant(now.0 + SESSION_HOURS_MAX * HOUR_MICROS)),
    };
    Session { cookie: Secret::fresh("", &mut rng), csrf: Secret::fresh("", &mut rng), principal }
}
