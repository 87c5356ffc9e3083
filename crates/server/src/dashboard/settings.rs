//! `GET /settings` and the forms on it: one's own session; links for people and tokens, for those who manage them.

use axum::response::Response;
use gate::{GateError, Role, TokenRequest};
use http::StatusCode;
use ui::parts::chip::Tone;
use ui::parts::empty::Notice;
use ui::settings::{Fresh, Token, Tokens, View, page};

use super::PageAsk;
use super::answer::html;
use super::frame::frame_of;
use super::refusal::sentence;
use super::rights::Rights;
use crate::auth::see_other;
use crate::error::ServerError;
use crate::fhir::controls::parameter;

pub(crate) async fn show(ask: PageAsk) -> Result<Response, ServerError> {
    Ok(html(StatusCode::OK, page(&view_of(&ask, None, None).await?)))
}

/// The secret is in the answer and nowhere else, so this does not lead to another page.
pub(crate) async fn create(ask: PageAsk) -> Result<Response, ServerError> {
    let role =
        ask.field("role").and_then(Role::parse).ok_or_else(|| parameter("role", "choose one of the list"))?;
    let request = TokenRequest {
        role,
        name: ask.field("name").unwrap_or_default().to_string(),
        scopes: ask.field("scopes").map(String::from),
        patient: ask.field("patient").map(String::from),
        expires: ask.field("expires").unwrap_or_default().to_string(),
    };
    let (status, fresh, notice) = match ask.app.gate().create_token(&ask.access, &request).await {
        Ok((token, secret)) => (
            StatusCode::OK,
            Some(Fresh::Token { name: token.name, secret: secret.reveal().to_string() }),
            None,
        ),
        Err(GateError::Token(error)) => {
            (StatusCode::BAD_REQUEST, None, Some(not_created("No token was created", &error.to_string())))
        }
        Err(error) => return Err(error.into()),
    };
    Ok(html(status, page(&view_of(&ask, fresh, notice).await?)))
}

pub(crate) async fn invite(ask: PageAsk) -> Result<Response, ServerError> {
    let name = ask.field("name").unwrap_or_default();
    let (status, fresh, notice) = match ask.app.gate().create_link(&ask.access, name, role_of(&ask)?).await {
        Ok(secret) => {
            let address =
                format!("{}{}?token={}", ask.app.config().public_url, ui::url::SIGN_IN, secret.reveal());
            (StatusCode::OK, Some(Fresh::Link { name: name.to_string(), address }), None)
        }
        Err(GateError::Token(error)) => {
            (StatusCode::BAD_REQUEST, None, Some(not_created("No link was created", &error.to_string())))
        }
        Err(error) => return Err(error.into()),
    };
    Ok(html(status, page(&view_of(&ask, fresh, notice).await?)))
}

fn role_of(ask: &PageAsk) -> Result<Role, ServerError> {
    ask.field("role").and_then(Role::parse).ok_or_else(|| parameter("role", "choose one of the list"))
}

fn not_created(title: &str, why: &str) -> Notice {
    Notice { tone: Tone::Critical, title: title.into(), text: sentence(why) }
}

pub(crate) async fn revoke(ask: PageAsk) -> Result<Response, ServerError> {
    ask.app.gate().revoke_token(&ask.access, &ask.parts[0]).await?;
    Ok(see_other(ui::url::SETTINGS))
}

async fn view_of(ask: &PageAsk, fresh: Option<Fresh>, notice: Option<Notice>) -> Result<View, GateError> {
    let principal = &ask.access.principal;
    let tokens = if ask.access.principal.manages_tokens() {
        let tokens = ask.app.gate().list_tokens(&ask.access).await?;
        let mut list: Vec<Token> = tokens.into_iter().map(token_of).collect();
        list.sort_by_key(|token| std::cmp::Reverse(token.created));
        Some(Tokens { list, roles: Role::all().map(|role| role.name().to_string()).collect(), fresh })
    } else {
        None
    };
    Ok(View {
        frame: frame_of(ask),
        principal: principal.id.clone(),
        scopes: principal.scopes.to_string(),
        expires: principal.expires,
        tokens,
        notice,
    })
}

fn token_of(token: gate::Token) -> Token {
    Token {
        id: token.id,
        name: token.name,
        roles: token.roles.to_string(),
        scopes: token.scopes.to_string(),
        patient: token.patient,
        created: token.created,
        expires: token.expires,
        revoked: token.revoked,
    }
}
