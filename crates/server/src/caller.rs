//! Who is asking: the one place where a request becomes a principal, and a principal and a purpose become an access.

use std::sync::Arc;

use gate::{Access, AuthProblem, Gate, GateError, Principal};
use http::{HeaderMap, HeaderName, Method, header};

use crate::auth::cookie;
use crate::peer::Peer;
use crate::state::AppState;

/// Why somebody asks: a v3 PurposeOfUse code.
const PURPOSE: HeaderName = HeaderName::from_static("x-salus-purpose");
/// The session's token, for scripts; forms send it as a field.
const CSRF: HeaderName = HeaderName::from_static("x-csrf-token");

/// An authenticated caller, before it says why it asks.
pub(crate) struct Caller {
    /// Who.
    pub(crate) principal: Arc<Principal>,
    /// The session, when there is one.
    pub(crate) session: Option<Session>,
}

/// What a page needs to know of its session.
#[derive(Clone)]
pub(crate) struct Session {
    /// The value of the cookie.
    pub(crate) cookie: String,
    /// What everything that changes something must carry.
    pub(crate) csrf: String,
}

impl Caller {
    /// By token, else by cookie, else by the socket.
    pub(crate) async fn of(
        app: &AppState,
        peer: &Peer,
        headers: &HeaderMap,
        request: &str,
    ) -> Result<Caller, GateError> {
        if let Some(value) = headers.get(header::AUTHORIZATION) {
            let secret = value.to_str().ok().and_then(bearer).ok_or(AuthProblem::Malformed)?;
            let principal = app.gate().authenticate(secret, request).await?;
            return Ok(Caller { principal, session: None });
        }
        if let Some(cookie) = cookie::session_of(headers, app.config().is_https()) {
            let (principal, csrf) = app.gate().session(cookie).await?;
            let session = Session { cookie: cookie.to_string(), csrf };
            return Ok(Caller { principal, session: Some(session) });
        }
        match peer {
            Peer::Local(principal) => Ok(Caller { principal: Arc::clone(principal), session: None }),
            Peer::Network | Peer::Stranger => Err(AuthProblem::Missing.into()),
        }
    }

    /// What a browser sends by itself proves nothing: a session that changes something shows its token. Forms show it as a field.
    pub(crate) fn check_csrf(
        &self,
        method: &Method,
        headers: &HeaderMap,
        field: Option<&str>,
    ) -> Result<(), GateError> {
        match &self.session {
            Some(session) if !matches!(*method, Method::GET | Method::HEAD) => {
                let shown = headers.get(CSRF).and_then(|value| value.to_str().ok()).or(field);
                Gate::check_csrf(&session.csrf, shown)
            }
            Some(_) | None => Ok(()),
        }
    }

    /// The access of this request: for the purpose of its header, or else the usual one of the role.
    pub(crate) fn access(&self, headers: &HeaderMap, request: &str) -> Result<Access, GateError> {
        let purpose = headers.get(PURPOSE).map(|value| value.to_str().unwrap_or("?"));
        self.access_for(purpose, request)
    }

    /// The access for a purpose.
    pub(crate) fn access_for(&self, purpose: Option<&str>, request: &str) -> Result<Access, GateError> {
        Ok(Access::new(Arc::clone(&self.principal), purpose, request)?)
    }
}

/// The token of `Bearer TOKEN`; the scheme may be written in any case.
fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_bearer_tokens_are_read() {
        assert_eq!(bearer("Bearer abc"), Some("abc"));
        assert_eq!(bearer("bearer  abc "), Some("abc"));
        for text in ["Bearer", "Bearer ", "Basic abc", "abc"] {
            assert_eq!(bearer(text), None, "{text}");
        }
    }
}
