//! One request out and its whole answer back: checked, limited, repeated when that is safe.

use std::path::Path;
use std::sync::{Arc, Once};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Method, StatusCode};
use reqwest::Url;

use crate::address::Reach;
use crate::backoff::{Backoff, parse_retry_after};
use crate::error::EgressError;
use crate::resolver::{CheckedResolver, Unreachable, unreachable_in};

/// Limits and reach of a client.
#[derive(Clone, Debug)]
pub struct Options {
    /// Which addresses may be reached.
    pub reach: Reach,
    /// Longest wait for a connection.
    pub connect_timeout_secs: u64,
    /// Longest wait for a whole answer.
    pub request_timeout_secs: u64,
    /// Largest answer that is read.
    pub response_bytes_max: usize,
    /// Redirects followed for a read; a request that changes something is never redirected.
    pub redirects_max: usize,
    /// When and how often to ask again.
    pub backoff: Backoff,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            reach: Reach::Public,
            connect_timeout_secs: 10,
            request_timeout_secs: 120,
            response_bytes_max: 64 * 1024 * 1024,
            redirects_max: 3,
            backoff: Backoff::default(),
        }
    }
}

/// A request, complete with its body.
#[derive(Clone)]
pub struct Request {
    /// HTTP method.
    pub method: Method,
    /// Absolute URL.
    pub url: Url,
    /// Headers beyond `host` and `content-length`.
    pub headers: HeaderMap,
    /// Body, if any.
    pub body: Option<Bytes>,
    /// Whether sending it twice has the effect of sending it once. Such a request is repeated after a broken connection; any
    /// other only when the server cannot have acted on it.
    pub idempotent: bool,
}

impl Request {
    /// Another origin must not see this origin's credentials.
    pub(crate) fn redirect_to(&mut self, target: Url) {
        if target.origin() != self.url.origin() {
            self.headers.remove(http::header::AUTHORIZATION);
            self.headers.remove(http::header::COOKIE);
        }
        self.url = target;
    }
}

/// A whole answer.
#[derive(Clone)]
pub struct Response {
    /// HTTP status.
    pub status: StatusCode,
    /// Headers.
    pub headers: HeaderMap,
    /// Body, at most `response_bytes_max`.
    pub body: Bytes,
}

/// An HTTP client with a fixed reach. Cheap to clone; connections are kept and shared.
#[derive(Clone)]
pub struct Client {
    pub(crate) http: reqwest::Client,
    pub(crate) options: Arc<Options>,
    // A Unix socket has no address to check: its path was chosen by this process.
    socket: bool,
}

impl Client {
    /// A client over TCP.
    pub fn new(options: Options) -> Result<Client, EgressError> {
        let resolver = CheckedResolver { reach: options.reach.clone() };
        let builder = builder_of(&options).dns_resolver(Arc::new(resolver));
        Client::build(builder, options, false)
    }

    /// A client that reaches one server through its Unix socket, whatever the host in the URL.
    pub fn over_socket(path: &Path, options: Options) -> Result<Client, EgressError> {
        let builder = builder_of(&options).unix_socket(path.to_path_buf());
        Client::build(builder, options, true)
    }

    fn build(builder: reqwest::ClientBuilder, options: Options, socket: bool) -> Result<Client, EgressError> {
        let http = builder.build().map_err(|error| EgressError::Setup(error.to_string()))?;
        Ok(Client { http, options: Arc::new(options), socket })
    }

    /// Sends the request and reads the whole answer, whatever its status. Repeats it by the client's [`Backoff`] when the server
    /// is busy (429, 503) or, for idempotent requests, unreachable; follows redirects of reads.
    pub async fn send(&self, request: Request) -> Result<Response, EgressError> {
        let mut request = request;
        let mut redirects = 0;
        loop {
            let response = self.send_repeating(&request).await?;
            let Some(target) = redirect_of(&request, &response)? else {
                return Ok(response);
            };
            redirects += 1;
            if redirects > self.options.redirects_max {
                return Err(EgressError::Redirect { host: host_of(&request.url), why: "too many redirects" });
            }
            request.redirect_to(target);
        }
    }

    async fn send_repeating(&self, request: &Request) -> Result<Response, EgressError> {
        let mut attempt = 1;
        loop {
            let answer = self.send_once(request).await;
            let wait = match &answer {
                Ok(response) if is_busy(response.status) => {
                    self.options.backoff.wait(attempt, parse_retry_after(&response.headers))
                }
                Err(error) if may_repeat(error, request.idempotent) => {
                    self.options.backoff.wait(attempt, None)
                }
                _ => None,
            };
            let Some(wait) = wait else { return answer };
            tracing::debug!(attempt, wait_millis = wait.as_millis() as u64, host = %host_of(&request.url), "asking again");
            tokio::time::sleep(wait).await;
            attempt += 1;
        }
    }

    async fn send_once(&self, request: &Request) -> Result<Response, EgressError> {
        self.check_url(&request.url)?;
        let mut builder =
            self.http.request(request.method.clone(), request.url.clone()).headers(request.headers.clone());
        if let Some(body) = &request.body {
            builder = builder.body(body.clone());
        }
        let host = host_of(&request.url);
        let mut answer = builder.send().await.map_err(|error| self.error_of(&error, &host))?;
        let limit_bytes = self.options.response_bytes_max;
        let too_large = || EgressError::TooLarge { host: host.clone(), limit_bytes };
        if answer.content_length().is_some_and(|n| n > limit_bytes as u64) {
            return Err(too_large());
        }
        let mut body = BytesMut::new();
        while let Some(chunk) = answer.chunk().await.map_err(|error| self.error_of(&error, &host))? {
            if body.len() + chunk.len() > limit_bytes {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Response {
            status: answer.status(),
            headers: std::mem::take(answer.headers_mut()),
            body: body.freeze(),
        })
    }

    // Host names are checked by the resolver; a host that is an address never gets there.
    pub(crate) fn check_url(&self, url: &Url) -> Result<(), EgressError> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(EgressError::BadUrl("write an absolute `http://` or `https://` URL"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(EgressError::BadUrl("a user name or password in a URL is not allowed, use a token"));
        }
        let host = url.host_str().ok_or(EgressError::BadUrl("the host is missing"))?;
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let Ok(address) = bare.parse() else { return Ok(()) };
        match self.options.reach.refuses(host, address) {
            Some(class) if !self.socket => {
                Err(EgressError::RefusedAddress { host: host.to_owned(), address, class })
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn error_of(&self, error: &reqwest::Error, host: &str) -> EgressError {
        let host = host.to_owned();
        match unreachable_in(error) {
            Some(Unreachable::Unresolved) => EgressError::Unresolved { host },
            Some(Unreachable::Refused { address, class }) => {
                EgressError::RefusedAddress { host, address: *address, class }
            }
            None if error.is_timeout() && !error.is_connect() => {
                EgressError::TimedOut { host, secs: self.options.request_timeout_secs }
            }
            None if error.is_connect() => EgressError::Connect { host },
            None => EgressError::Broken { host },
        }
    }
}

fn builder_of(options: &Options) -> reqwest::ClientBuilder {
    static PROVIDER: Once = Once::new();
    // The process may have chosen one already; either way there is one afterwards.
    PROVIDER.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
    reqwest::Client::builder()
        .user_agent(concat!("salus/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        // A proxy would resolve names itself, behind the guard.
        .no_proxy()
        .referer(false)
        .connect_timeout(Duration::from_secs(options.connect_timeout_secs))
        .timeout(Duration::from_secs(options.request_timeout_secs))
}

pub(crate) fn host_of(url: &Url) -> String {
    url.host_str().unwrap_or_default().to_owned()
}

fn is_busy(status: StatusCode) -> bool {
    matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE)
}

fn may_repeat(error: &EgressError, idempotent: bool) -> bool {
    match error {
        // The server never saw the request.
        EgressError::Connect { .. } => true,
        EgressError::TimedOut { .. } | EgressError::Broken { .. } => idempotent,
        _ => false,
    }
}

pub(crate) fn redirect_of(request: &Request, response: &Response) -> Result<Option<Url>, EgressError> {
    if !matches!(response.status.as_u16(), 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let refused = |why| EgressError::Redirect { host: host_of(&request.url), why };
    if !matches!(request.method, Method::GET | Method::HEAD) {
        return Err(refused("only reads are redirected, use the final URL"));
    }
    let location = response.headers.get(http::header::LOCATION).and_then(|value| value.to_str().ok());
    let target =
        location.and_then(|text| request.url.join(text).ok()).ok_or_else(|| refused("it names no target"))?;
    if request.url.scheme() == "https" && target.scheme() != "https" {
        return Err(refused("it leaves https"));
    }
    Ok(Some(target))
}
