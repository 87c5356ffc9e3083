//! `POST /purpose`: the purpose of use that pages are looked at for, from now on in this browser.

use axum::response::Response;
use http::{HeaderValue, header};

use super::{PURPOSE_COOKIE, PageAsk};
use crate::auth::{field, see_other};
use crate::error::ServerError;
use crate::fhir::controls::parameter;

pub(crate) async fn choose(ask: PageAsk) -> Result<Response, ServerError> {
    let code = field(&ask.form, "purpose").ok_or_else(|| parameter("purpose", "choose one"))?;
    // Building the access is the check: a purpose that the roles do not have is refused.
    let access = gate::Access::new(ask.access.principal.clone(), Some(code), ask.access.request.clone())
        .map_err(gate::GateError::from)?;
    let secure = if ask.app.config().is_https() { "; Secure" } else { "" };
    let cookie =
        format!("{PURPOSE_COOKIE}={}; Path=/; HttpOnly; SameSite=Strict{secure}", access.purpose.code());
    let mut response = see_other("/");
    if let Ok(value) = HeaderValue::from_str(&cookie) {
        response.headers_mut().insert(header::SET_COOKIE, value);
    }
    Ok(response)
}
