//! Sends one request to a gateway and turns its answer into an outcome. Names neither path nor body in what it says.

use bytes::Bytes;
use egress::{
    Backoff, Client, EgressError, HeaderMap, HeaderName, HeaderValue, Method, Options, Reach, Request,
    Response, Url,
};
use fhir::Instant;

use crate::outbox::Outcome;

/// Longest wait that a gateway may ask for.
const RETRY_AFTER_SECS_MAX: u32 = 900;
/// A gateway's answer is short.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// A client that reaches one configured host and sends each request once: the outbox repeats.
pub(super) fn client(url: &Url, timeout_secs: u64) -> Result<Client, String> {
    let options = Options {
        reach: Reach::configured(url),
        connect_timeout_secs: timeout_secs.min(10),
        request_timeout_secs: timeout_secs,
        response_bytes_max: ANSWER_BYTES_MAX,
        redirects_max: 0,
        backoff: Backoff::never(),
    };
    Client::new(options).map_err(|error| error.to_string())
}

pub(super) fn parse_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|_| "`url` is no absolute URL".to_owned())?;
    match (url.scheme(), url.host_str()) {
        ("http" | "https", Some(_)) => Ok(url),
        _ => Err("`url` is no absolute `https://` URL".to_owned()),
    }
}

/// A header whose value is secret.
pub(super) fn secret_header(value: &str) -> Result<HeaderValue, String> {
    let wrong = |_| "a secret has characters that a header cannot carry".to_owned();
    let mut value = HeaderValue::from_str(value).map_err(wrong)?;
    value.set_sensitive(true);
    Ok(value)
}

/// Sends it. A success is what `taken` makes of the answer.
pub(super) async fn send(
    client: &Client,
    url: Url,
    headers: &[(&'static str, HeaderValue)],
    body: Bytes,
    now: Instant,
    taken: impl Fn(&Response) -> Option<String>,
) -> Outcome {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.insert(HeaderName::from_static(name), value.clone());
    }
    let request = Request { method: Method::POST, url, headers: map, body: Some(body), idempotent: false };
    match client.send(request).await {
        Ok(response) if response.status.is_success() => Outcome::Delivered(taken(&response)),
        Ok(response) => outcome_of(&response, now),
        Err(
            error @ (EgressError::BadUrl(_)
            | EgressError::RefusedAddress { .. }
            | EgressError::Redirect { .. }),
        ) => Outcome::Refused(error.to_string()),
        Err(error) => Outcome::Failed(error.to_string(), None),
    }
}

/// Too early, too many and the server's own trouble may pass; anything else will be the same next time.
fn outcome_of(response: &Response, now: Instant) -> Outcome {
    let status = response.status.as_u16();
    let why = format!("the gateway answered {status}");
    if !matches!(status, 408 | 425 | 429 | 500..=599) {
        return Outcome::Refused(why);
    }
    let asked = response.headers.get("retry-after").and_then(|value| value.to_str().ok());
    let secs = asked.and_then(|text| text.trim().parse::<u32>().ok());
    let at = secs.map(|secs| Instant(now.0 + i64::from(secs.min(RETRY_AFTER_SECS_MAX)) * 1_000_000));
    Outcome::Failed(why, at)
}
