//! An answer piece by piece, for bodies that are larger than memory.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use crate::client::{Client, Request, Response, host_of, redirect_of};
use crate::error::EgressError;

/// Longest time of a whole body; between two pieces the client's own limit counts.
const BODY_TIMEOUT: Duration = Duration::from_secs(24 * 3_600);

/// How an answer ended whose body was given piece by piece.
#[derive(Clone, Debug)]
pub struct Streamed {
    /// HTTP status. Only the body of a success was given.
    pub status: StatusCode,
    /// Headers.
    pub headers: HeaderMap,
    /// Bytes of the body.
    pub n_bytes: u64,
}

impl Client {
    /// Sends the request once and gives each piece of the body as it comes; `on_piece` says whether it wants more. After an error what was
    /// given is to be thrown away: it is not repeated here. Redirects of reads are followed, without credentials to another origin.
    pub async fn stream(
        &self,
        request: Request,
        bytes_max: u64,
        on_piece: &mut (dyn FnMut(&Bytes) -> bool + Send),
    ) -> Result<Streamed, EgressError> {
        let mut request = request;
        let mut redirects = 0;
        loop {
            let streamed = self.stream_once(&request, bytes_max, on_piece).await?;
            let head =
                Response { status: streamed.status, headers: streamed.headers.clone(), body: Bytes::new() };
            let Some(target) = redirect_of(&request, &head)? else { return Ok(streamed) };
            redirects += 1;
            if redirects > self.options.redirects_max {
                return Err(EgressError::Redirect { host: host_of(&request.url), why: "too many redirects" });
            }
            request.redirect_to(target);
        }
    }

    async fn stream_once(
        &self,
        request: &Request,
        bytes_max: u64,
        on_piece: &mut (dyn FnMut(&Bytes) -> bool + Send),
    ) -> Result<Streamed, EgressError> {
        self.check_url(&request.url)?;
        let host = host_of(&request.url);
        let wait = Duration::from_secs(self.options.request_timeout_secs);
        let timed_out =
            || EgressError::TimedOut { host: host.clone(), secs: self.options.request_timeout_secs };
        let builder = self
            .http
            .request(request.method.clone(), request.url.clone())
            .headers(request.headers.clone())
            .timeout(BODY_TIMEOUT);
        let sent = tokio::time::timeout(wait, builder.send()).await.map_err(|_| timed_out())?;
        let mut answer = sent.map_err(|error| self.error_of(&error, &host))?;
        let mut streamed =
            Streamed { status: answer.status(), headers: std::mem::take(answer.headers_mut()), n_bytes: 0 };
        if !streamed.status.is_success() {
            return Ok(streamed);
        }
        loop {
            let piece = tokio::time::timeout(wait, answer.chunk()).await.map_err(|_| timed_out())?;
            let Some(piece) = piece.map_err(|error| self.error_of(&error, &host))? else {
                return Ok(streamed);
            };
            streamed.n_bytes += piece.len() as u64;
            if streamed.n_bytes > bytes_max {
                let limit_bytes = usize::try_from(bytes_max).unwrap_or(usize::MAX);
                return Err(EgressError::TooLarge { host, limit_bytes });
            }
            if !on_piece(&piece) {
                return Ok(streamed);
            }
        }
    }
}
