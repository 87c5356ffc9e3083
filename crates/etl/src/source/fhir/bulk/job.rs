//! An export as a job of the server: started with `Prefer: respond-async`, asked after until it is ready, given up.

use std::time::{Duration, Instant as Timer};

use ::fhir::json::{Limits as JsonLimits, parse};
use ::fhir::{Instant, Value};
use egress::header::{CONTENT_LOCATION, RETRY_AFTER};
use egress::{HeaderMap, Method, Url};

use super::{Export, Open};
use crate::EtlError;
use crate::source::api::caller::shown;
use crate::source::rest::same_server;

const FIRST_WAIT: Duration = Duration::from_secs(1);
/// Longest wait between two questions that the server did not ask for.
const OWN_WAIT_MAX: Duration = Duration::from_secs(60);
const FILES_MAX: usize = 100_000;

/// What the server says of an export that is ready.
#[derive(Debug)]
pub(super) struct Manifest {
    /// The server's time when it began: what changed later belongs to the next export.
    pub(super) at: Instant,
    /// Files are only given with the credential.
    pub(super) needs_token: bool,
    /// Resources.
    pub(super) output: Vec<File>,
    /// Resources that were deleted, as bundles.
    pub(super) deleted: Vec<File>,
    /// What could not be exported, as outcomes.
    pub(super) errors: Vec<File>,
}

/// A file of an export.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct File {
    pub(super) kind: String,
    pub(super) url: String,
    /// How many resources it has, when the server says so.
    pub(super) n_resources: Option<u64>,
}

impl Open {
    /// Starts an export and waits until it is ready.
    pub(super) async fn export(&mut self, since: Option<Instant>) -> Result<Export, EtlError> {
        let kick_off = self.kick_off_url(since)?;
        let status = self.start(&kick_off).await?;
        let ready = self.wait(&status).await;
        if ready.is_err() {
            // The server need not go on for nobody.
            let _ = self.give_up(&status).await;
        }
        Ok(Export { manifest: ready?, status })
    }

    fn kick_off_url(&self, since: Option<Instant>) -> Result<Url, EtlError> {
        let path = self.spec.of.as_ref().map_or_else(|| "$export".to_owned(), |of| format!("{of}/$export"));
        let url = self.base.join(&path);
        let mut url = url.map_err(|_| self.caller.fails("`url` is no base".to_owned(), false))?;
        let mut pairs = url.query_pairs_mut();
        pairs.append_pair("_type", &self.spec.types.join(","));
        pairs.append_pair("_outputFormat", "application/fhir+ndjson");
        for filter in &self.spec.type_filters {
            pairs.append_pair("_typeFilter", filter);
        }
        if let Some(since) = since {
            pairs.append_pair("_since", &since.to_rfc3339_millis());
        }
        drop(pairs);
        Ok(url)
    }

    async fn start(&mut self, kick_off: &Url) -> Result<Url, EtlError> {
        let headers = [("accept", "application/fhir+json"), ("prefer", "respond-async")];
        // Asked again when the connection breaks: a second export does no harm.
        let answer = self.caller.ask(Method::GET, kick_off, &headers).await?;
        match answer.status {
            202 => {}
            status @ 200..=299 => {
                let why = format!("answered {status}, not 202: it exports nothing in the background");
                return Err(self.caller.fails(format!("`{}` {why}", shown(kick_off)), false));
            }
            status => return Err(self.caller.refused(kick_off, status)),
        }
        let location = answer.headers.get(CONTENT_LOCATION).and_then(|value| value.to_str().ok());
        let Some(location) = location else {
            let why = "started an export and did not say where its state is (`Content-Location`)";
            return Err(self.caller.fails(format!("`{}` {why}", shown(kick_off)), false));
        };
        same_server(&self.base, kick_off, location).map_err(|_| {
            let why = "the state of the export is told by another server, which must not see the credential";
            self.caller.fails(format!("`{}`: {why}", shown(kick_off)), false)
        })
    }

    async fn wait(&mut self, status: &Url) -> Result<Manifest, EtlError> {
        let (begun, mut own) = (Timer::now(), FIRST_WAIT);
        loop {
            let headers = [("accept", "application/json")];
            let answer = self.caller.ask(Method::GET, status, &headers).await?;
            match answer.status {
                200 => return manifest_of(&answer.body).map_err(|why| self.fails_at(status, &why, false)),
                202 => {}
                404 | 410 => return Err(self.fails_at(status, "the server forgot the export", true)),
                code => return Err(self.caller.refused(status, code)),
            }
            let asked_for = wait_of(&answer.headers);
            let wait = asked_for.unwrap_or(own);
            own = (own * 2).min(OWN_WAIT_MAX);
            let max = self.spec.limits.wait_max.max(OWN_WAIT_MAX);
            if begun.elapsed() + wait > self.spec.export_wait {
                let why = format!(
                    "the export was not ready within `export_wait_max`, {} s",
                    self.spec.export_wait.as_secs()
                );
                return Err(self.fails_at(status, &why, true));
            }
            self.caller.sleep(wait.min(max)).await?;
        }
    }

    /// Tells the server that nobody waits for an export any more.
    pub(super) async fn give_up(&mut self, status: &Url) -> Result<(), EtlError> {
        self.caller.ask(Method::DELETE, status, &[]).await.map(drop)
    }

    pub(super) fn fails_at(&self, url: &Url, why: &str, is_transient: bool) -> EtlError {
        self.caller.fails(format!("`{}`: {why}", shown(url)), is_transient)
    }
}

/// The wait that a server asks for: seconds, or the time between its `Date` and the moment it names.
fn wait_of(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(secs) = text.parse::<u32>() {
        return Some(Duration::from_secs(u64::from(secs).max(1)));
    }
    let at = |text: &str| Some(jiff::fmt::rfc2822::parse(text).ok()?.timestamp().as_second());
    let now = at(headers.get(egress::header::DATE)?.to_str().ok()?)?;
    let secs = u64::try_from(at(text)? - now).unwrap_or(0);
    Some(Duration::from_secs(secs.max(1)))
}

fn manifest_of(body: &[u8]) -> Result<Manifest, String> {
    let value = parse(body, &JsonLimits::default())
        .map_err(|error| format!("the manifest is not JSON: {}:{}", error.line, error.column))?;
    let at = value.text("transactionTime").and_then(Instant::parse);
    let at = at.ok_or("the manifest has no `transactionTime`: what changes next would not be known")?;
    let needs_token = match value.get("requiresAccessToken") {
        Some(Value::Bool(needs)) => *needs,
        _ => return Err("the manifest has no `requiresAccessToken`".to_owned()),
    };
    if value.get("output").is_none() {
        return Err("the manifest has no `output`".to_owned());
    }
    let files = |name: &'static str| {
        let entries = value.get(name).map(Value::items).unwrap_or_default();
        entries.iter().map(|entry| file_of(entry, name)).collect::<Result<Vec<File>, String>>()
    };
    let (output, deleted, errors) = (files("output")?, files("deleted")?, files("error")?);
    if output.len() + deleted.len() + errors.len() > FILES_MAX {
        return Err(format!("the manifest names more than {FILES_MAX} files"));
    }
    Ok(Manifest { at, needs_token, output, deleted, errors })
}

fn file_of(entry: &Value, list: &str) -> Result<File, String> {
    let text = |name: &str| {
        let found = entry.text(name).map(str::to_owned);
        found.ok_or_else(|| format!("a file in `{list}` of the manifest has no `{name}`"))
    };
    let count = entry.get("count").and_then(Value::as_number).and_then(::fhir::json::Number::as_i64);
    Ok(File {
        kind: text("type")?,
        url: text("url")?,
        n_resources: count.and_then(|n| u64::try_from(n).ok()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_seconds_or_a_moment() {
        let check = |retry_after: &str, expected: Option<u64>| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, retry_after.parse().unwrap());
            headers.insert(egress::header::DATE, "Wed, 14 Jan 2026 10:00:00 GMT".parse().unwrap());
            assert_eq!(wait_of(&headers), expected.map(Duration::from_secs), "{retry_after}");
        };
        check("120", Some(120));
        check("0", Some(1));
        check("Wed, 14 Jan 2026 10:01:30 GMT", Some(90));
        check("Wed, 14 Jan 2026 09:00:00 GMT", Some(1));
        check("soon", None);
    }

    #[test]
    fn a_manifest_without_what_is_needed_is_refused() {
        let check = |text: &str, said: &str| {
            let error = manifest_of(text.as_bytes()).unwrap_err();
            assert!(error.contains(said), "{error}");
        };
        check("<html>", "not JSON");
        check("{}", "transactionTime");
        check(r#"{"transactionTime": "2026-01-14T10:00:00Z"}"#, "requiresAccessToken");
        check(r#"{"transactionTime": "2026-01-14T10:00:00Z", "requiresAccessToken": true}"#, "output");
        check(
            r#"{"transactionTime": "2026-01-14T10:00:00Z", "requiresAccessToken": true, "output": [{"type": "Patient"}]}"#,
            "`url`",
        );
        let good = r#"{"transactionTime": "2026-01-14T10:00:00Z", "requiresAccessToken": false, "output": [{"type": "Patient", "url": "http://x/1", "count": 3}]}"#;
        let file = File { kind: "Patient".to_owned(), url: "http://x/1".to_owned(), n_resources: Some(3) };
        assert_eq!(manifest_of(good.as_bytes()).unwrap().output, [file]);
    }
}
