//! Tokens: list, create, revoke. The gate decides who may, and records it.

use fhir::{Issue, IssueType};
use gate::{Role, Token, TokenRequest};
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;

use super::{ApiAsk, ApiReply, Document};
use crate::error::ServerError;

/// Used when a request does not say.
const EXPIRES_DEFAULT: &str = "30d";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    role: String,
    name: Option<String>,
    scopes: Option<String>,
    patient: Option<String>,
    expires: Option<String>,
}

/// `GET /api/v1/tokens`.
pub(super) async fn list(ask: ApiAsk) -> Result<ApiReply, ServerError> {
    let tokens = ask.app.gate().list_tokens(&ask.access).await?;
    Ok(ApiReply::ok(json!({"tokens": tokens.iter().map(Token::to_json).collect::<Vec<_>>()})))
}

/// `POST /api/v1/tokens`.
pub(super) async fn create(ask: ApiAsk) -> Result<ApiReply, ServerError> {
    let request = parse(&ask.body)?;
    let (token, secret) = ask.app.gate().create_token(&ask.access, &request).await?;
    let mut document = token.to_json();
    document["token"] = json!(secret.reveal());
    Ok(ApiReply { status: StatusCode::CREATED, document: Document::Json(document) })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LinkWanted {
    role: String,
    name: String,
}

/// `POST /api/v1/links`.
pub(super) async fn link(ask: ApiAsk) -> Result<ApiReply, ServerError> {
    if ask.body.is_empty() {
        return Err(ServerError::BodyMissing);
    }
    let wanted: LinkWanted =
        serde_json::from_slice(&ask.body).map_err(|error| wrong("body", error.to_string()))?;
    let role = role_of(&wanted.role)?;
    let secret = ask.app.gate().create_link(&ask.access, &wanted.name, role).await?;
    let link = format!("{}{}?token={}", ask.app.config().public_url, ui::url::SIGN_IN, secret.reveal());
    let document = json!({"role": role.name(), "name": wanted.name, "link": link});
    Ok(ApiReply { status: StatusCode::CREATED, document: Document::Json(document) })
}

/// `DELETE /api/v1/tokens/{id}`.
pub(super) async fn revoke(ask: ApiAsk) -> Result<ApiReply, ServerError> {
    let at = ask.app.gate().revoke_token(&ask.access, &ask.id).await?;
    Ok(ApiReply::ok(json!({"id": ask.id, "revoked": at.to_rfc3339_millis()})))
}

fn parse(body: &[u8]) -> Result<TokenRequest, ServerError> {
    if body.is_empty() {
        return Err(ServerError::BodyMissing);
    }
    let wanted: Wanted = serde_json::from_slice(body).map_err(|error| wrong("body", error.to_string()))?;
    let role = role_of(&wanted.role)?;
    Ok(TokenRequest {
        role,
        name: wanted.name.unwrap_or_else(|| role.name().to_string()),
        scopes: wanted.scopes,
        patient: wanted.patient,
        expires: wanted.expires.unwrap_or_else(|| EXPIRES_DEFAULT.to_string()),
    })
}

fn role_of(name: &str) -> Result<Role, ServerError> {
    Role::parse(name).ok_or_else(|| {
        let known: Vec<&str> = Role::all().map(Role::name).collect();
        wrong("role", format!("the role is unknown: use one of {}", known.join(", ")))
    })
}

fn wrong(at: &str, text: String) -> ServerError {
    ServerError::Body(vec![Issue::error(IssueType::Value, "token-request", text).at(at)])
}
