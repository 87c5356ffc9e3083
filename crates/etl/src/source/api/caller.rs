//! Asks a server for pages: repeats what failed in passing, renews tokens, stops when the run is cancelled. Knows nothing of paging.

use std::future::Future;
use std::io::Write as _;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use egress::header::{ACCEPT, AUTHORIZATION, DATE};
use egress::{Backoff, Client, EgressError, HeaderMap, HeaderValue, Method, Options, Reach, Request, Url};
use fhir::Instant;
use tempfile::TempPath;

use super::auth::{Auth, Credential};
use crate::EtlError;
use crate::secret::SecretFields as _;
use crate::world::World;
use crate::yaml::Fields;
use crate::{Point, Problems, Secret};

const LOOK_FOR_CANCEL: Duration = Duration::from_millis(200);

/// How much a server is asked, and how patiently.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    /// Most pages of one reading.
    pub(crate) pages_max: u64,
    /// Most records of one reading.
    pub(crate) records_max: u64,
    /// Largest answer.
    pub(crate) answer_bytes_max: u64,
    /// Requests for one page altogether.
    pub(crate) attempts_max: u32,
    /// Longest wait between two of them, also for a `Retry-After`.
    pub(crate) wait_max: Duration,
    /// Longest wait for an answer.
    pub(crate) timeout: Duration,
}

impl Limits {
    /// Reads `pages_max`, `records_max`, `answer_bytes_max`, `attempts_max`, `wait_max`, `timeout`.
    pub(crate) fn decode(fields: &mut Fields<'_>, problems: &mut Problems) -> Limits {
        let attempts = fields.whole("attempts_max", problems).unwrap_or(6);
        Limits {
            pages_max: fields.whole("pages_max", problems).unwrap_or(1_000_000),
            records_max: fields.whole("records_max", problems).unwrap_or(100_000_000),
            answer_bytes_max: fields.size("answer_bytes_max", problems).unwrap_or(64 << 20),
            attempts_max: u32::try_from(attempts).unwrap_or(u32::MAX).clamp(1, 100),
            wait_max: fields.span("wait_max", problems).unwrap_or(Duration::from_secs(300)),
            timeout: fields.span("timeout", problems).unwrap_or(Duration::from_secs(120)),
        }
    }
}

/// A server and the credential for it.
pub(crate) struct Caller {
    source: String,
    client: Client,
    credential: Credential,
    accept: HeaderValue,
    limits: Limits,
    cancelled: Arc<AtomicBool>,
}

/// A whole answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    /// What the server's clock said, to the second.
    pub(crate) fn at(&self) -> Option<Instant> {
        let zoned = jiff::fmt::rfc2822::parse(self.headers.get(DATE)?.to_str().ok()?).ok()?;
        Some(Instant(zoned.timestamp().as_microsecond()))
    }
}

/// The URL that a source names, with its references replaced.
pub(crate) fn url_of(url: &Secret, source: &str, world: &World) -> Result<Url, EtlError> {
    let revealed = url.reveal(world.secrets.as_ref()).map_err(EtlError::Secret)?;
    let why = "`url` must be an absolute `https://` or `http://` URL without a user name: credentials go into `auth`";
    match Url::parse(&revealed) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.username().is_empty() => Ok(url),
        _ => {
            Err(EtlError::Source { source_name: source.to_owned(), why: why.to_owned(), is_transient: false })
        }
    }
}

/// A required `url`, or what stands for it when it is missing.
pub(crate) fn decode_url(fields: &mut Fields<'_>, problems: &mut Problems) -> Secret {
    fields.required_secret("url", problems).unwrap_or_else(|| Secret::new("", Point::default()))
}

/// A URL for people: without query and credentials.
pub(crate) fn shown(url: &Url) -> String {
    format!("{}{}", url.origin().ascii_serialization(), url.path())
}

/// Whether trying again may help.
pub(crate) fn may_pass(error: &EgressError) -> bool {
    matches!(
        error,
        EgressError::Connect { .. }
            | EgressError::TimedOut { .. }
            | EgressError::Broken { .. }
            | EgressError::Unresolved { .. }
    )
}

impl Caller {
    /// For one server, named by the pipeline file.
    pub(crate) fn new(
        source: &str,
        base: &Url,
        auth: &Auth,
        limits: &Limits,
        accept: &'static str,
        world: &World,
    ) -> Result<Caller, EtlError> {
        let options = Options {
            reach: Reach::configured(base),
            request_timeout_secs: limits.timeout.as_secs().max(1),
            response_bytes_max: usize::try_from(limits.answer_bytes_max).unwrap_or(usize::MAX),
            backoff: Backoff {
                attempts_max: limits.attempts_max,
                first: Duration::from_millis(250),
                max: limits.wait_max,
            },
            ..Options::default()
        };
        let fails =
            |why: String| EtlError::Source { source_name: source.to_owned(), why, is_transient: false };
        let credential = Credential::new(auth, world.secrets.as_ref(), options.clone()).map_err(fails)?;
        let client = Client::new(options).map_err(|error| fails(error.to_string()))?;
        Ok(Caller {
            source: source.to_owned(),
            client,
            credential,
            accept: HeaderValue::from_static(accept),
            limits: limits.clone(),
            cancelled: world.cancelled.clone(),
        })
    }

    /// An error of this source.
    pub(crate) fn fails(&self, why: String, is_transient: bool) -> EtlError {
        EtlError::Source { source_name: self.source.clone(), why, is_transient }
    }

    /// Reads one URL. Busy servers (429, 503) and broken connections are asked again by the client, and here those that failed in
    /// passing (500, 502, 504); a token that is not taken any more is renewed once.
    pub(crate) async fn get(&mut self, url: &Url) -> Result<Answer, EtlError> {
        let cancelled = self.cancelled.clone();
        or_cancelled(&cancelled, self.get_repeating(url)).await?
    }

    async fn get_repeating(&mut self, url: &Url) -> Result<Answer, EtlError> {
        let answer = self.ask_repeating(&Method::GET, url, &[]).await?;
        if (200..=299).contains(&answer.status) { Ok(answer) } else { Err(self.refused(url, answer.status)) }
    }

    /// Sends a request whose repetition does no harm, with headers instead of the usual ones; gives the answer whatever its status.
    pub(crate) async fn ask(
        &mut self,
        method: Method,
        url: &Url,
        headers: &[(&'static str, &'static str)],
    ) -> Result<Answer, EtlError> {
        let cancelled = self.cancelled.clone();
        or_cancelled(&cancelled, self.ask_repeating(&method, url, headers)).await?
    }

    async fn ask_repeating(
        &mut self,
        method: &Method,
        url: &Url,
        own: &[(&'static str, &'static str)],
    ) -> Result<Answer, EtlError> {
        let (mut attempt, mut is_renewed) = (1, false);
        loop {
            let mut headers = self.headers().await?;
            for (name, value) in own {
                headers.insert(*name, HeaderValue::from_static(value));
            }
            let request =
                Request { method: method.clone(), url: url.clone(), headers, body: None, idempotent: true };
            let response = self.client.send(request).await.map_err(|error| self.error_of(url, &error))?;
            let status = response.status.as_u16();
            match self.next_attempt(status, attempt, is_renewed) {
                Next::Done => return Ok(Answer { status, headers: response.headers, body: response.body }),
                Next::Renewed => is_renewed = true,
                Next::Wait(wait) => {
                    tokio::time::sleep(wait).await;
                    attempt += 1;
                }
            }
        }
    }

    /// What an answer with this status means for the request.
    fn next_attempt(&mut self, status: u16, attempt: u32, is_renewed: bool) -> Next {
        match status {
            401 if !is_renewed && self.credential.forget() => Next::Renewed,
            500 | 502 | 504 if attempt < self.limits.attempts_max => {
                let wait = Duration::from_millis(250).saturating_mul(1 << attempt.min(12));
                Next::Wait(wait.min(self.limits.wait_max))
            }
            _ => Next::Done,
        }
    }

    /// Fetches a file, however large, into a folder; from its beginning again when the connection breaks or the server is busy. Gives the
    /// file and its length.
    pub(crate) async fn download(
        &mut self,
        url: &Url,
        with_credential: bool,
        folder: &Path,
        bytes_max: u64,
    ) -> Result<(TempPath, u64), EtlError> {
        let cancelled = self.cancelled.clone();
        or_cancelled(&cancelled, self.download_repeating(url, with_credential, folder, bytes_max)).await?
    }

    async fn download_repeating(
        &mut self,
        url: &Url,
        with_credential: bool,
        folder: &Path,
        bytes_max: u64,
    ) -> Result<(TempPath, u64), EtlError> {
        let io = |source| EtlError::Io { what: "cannot write a scratch file".to_owned(), source };
        let (mut attempt, mut is_renewed) = (1, false);
        loop {
            let mut headers = self.headers().await?;
            headers.insert(ACCEPT, HeaderValue::from_static("application/fhir+ndjson"));
            headers.remove("prefer");
            if !with_credential {
                headers.remove(AUTHORIZATION);
            }
            let request =
                Request { method: Method::GET, url: url.clone(), headers, body: None, idempotent: true };
            let (mut file, path) = tempfile::NamedTempFile::new_in(folder).map_err(io)?.into_parts();
            let mut failed = None;
            let mut keep = |piece: &Bytes| {
                // In the run's own folder, piece by piece: short enough for a worker of the runtime.
                failed = file.write_all(piece).err();
                failed.is_none()
            };
            let streamed = self.client.stream(request, bytes_max, &mut keep).await;
            if let Some(source) = failed {
                return Err(io(source));
            }
            let last = attempt >= self.limits.attempts_max;
            let wait = match streamed {
                Ok(streamed) if streamed.status.is_success() => return Ok((path, streamed.n_bytes)),
                Ok(streamed) => {
                    let status = streamed.status.as_u16();
                    if status == 401 && !is_renewed && self.credential.forget() {
                        is_renewed = true;
                        continue;
                    }
                    let asked = seconds_of(&streamed.headers).unwrap_or_default();
                    if !(status == 429 || status >= 500) || last || asked > self.limits.wait_max {
                        return Err(self.refused(url, status));
                    }
                    asked
                }
                Err(error) if may_pass(&error) && !last => Duration::ZERO,
                Err(EgressError::TooLarge { limit_bytes, .. }) => {
                    let (source, shown) = (&self.source, shown(url));
                    return Err(EtlError::Limit(format!(
                        "source `{source}`: the file `{shown}` has more than `file_bytes_max`, {limit_bytes} bytes"
                    )));
                }
                Err(error) => return Err(self.error_of(url, &error)),
            };
            let doubled = Duration::from_millis(250).saturating_mul(1 << attempt.min(12));
            tokio::time::sleep(wait.max(doubled).min(self.limits.wait_max)).await;
            attempt += 1;
        }
    }

    /// Waits, unless somebody wants the run to stop.
    pub(crate) async fn sleep(&self, wait: Duration) -> Result<(), EtlError> {
        or_cancelled(&self.cancelled, tokio::time::sleep(wait)).await
    }

    async fn headers(&mut self) -> Result<HeaderMap, EtlError> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, self.accept.clone());
        // A FHIR server must not leave out a parameter that it does not know; others do not know this one.
        headers.insert("prefer", HeaderValue::from_static("handling=strict"));
        match self.credential.header().await {
            Ok(Some(value)) => drop(headers.insert(AUTHORIZATION, value)),
            Ok(None) => {}
            Err(error) => return Err(self.fails(error.why, error.is_transient)),
        }
        Ok(headers)
    }

    fn error_of(&self, url: &Url, error: &EgressError) -> EtlError {
        let (source, shown) = (&self.source, shown(url));
        match error {
            EgressError::TooLarge { limit_bytes, .. } => EtlError::Limit(format!(
                "source `{source}`: an answer of `{shown}` has more than `answer_bytes_max`, {limit_bytes} bytes: ask for smaller pages, or raise it"
            )),
            other => self.fails(format!("cannot read `{shown}`: {other}"), may_pass(other)),
        }
    }

    /// The error of a status that is no success.
    pub(crate) fn refused(&self, url: &Url, status: u16) -> EtlError {
        let hint = match status {
            401 | 403 => ": check `auth`",
            404 => ": check `url`",
            429 | 503 => ": it stays busy, or wants a longer wait than `wait_max`",
            _ => "",
        };
        self.fails(format!("`{}` answered {status}{hint}", shown(url)), status == 429 || status >= 500)
    }
}

/// What becomes of a request after its answer.
enum Next {
    Done,
    Renewed,
    Wait(Duration),
}

/// `Retry-After` in its form of seconds.
fn seconds_of(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(egress::header::RETRY_AFTER)?.to_str().ok()?;
    text.trim().parse::<u32>().ok().map(|secs| Duration::from_secs(u64::from(secs)))
}

/// The outcome of work, unless somebody wants the run to stop first.
async fn or_cancelled<T>(cancelled: &AtomicBool, work: impl Future<Output = T>) -> Result<T, EtlError> {
    let mut work = pin!(work);
    loop {
        if cancelled.load(Ordering::Relaxed) {
            return Err(EtlError::Cancelled);
        }
        if let Ok(done) = tokio::time::timeout(LOOK_FOR_CANCEL, &mut work).await {
            return Ok(done);
        }
    }
}
