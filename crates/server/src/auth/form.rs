//! Forms that pages send: read whole, within the limit, as names and values.

use crate::error::ServerError;
use crate::fhir::interactions::Takes;
use crate::fhir::{body, controls, negotiate};
use crate::route::Asked;
use crate::state::AppState;

/// Names and values in the order of the form.
pub(crate) async fn receive(app: &AppState, asked: &mut Asked) -> Result<Vec<(String, String)>, ServerError> {
    negotiate::check_form(&asked.head.headers)?;
    let body = std::mem::take(&mut asked.body);
    let received = body::receive(app, Takes::Form, &asked.head.headers, body).await?;
    let text = std::str::from_utf8(&received.bytes).map_err(|_| ServerError::BodyBroken)?;
    Ok(controls::pairs(text).collect())
}

/// The first value of a name.
pub(crate) fn field<'f>(form: &'f [(String, String)], name: &str) -> Option<&'f str> {
    form.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
}
