//! A REST API for tests that gives rows in pages, wants tokens, and fails when told to. Knows nothing of what the rows mean.

mod exchange;
mod page;

use std::collections::HashSet;
use std::io;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use serde_json::Value;

use super::identity::IdentityProvider;
use exchange::{Request, Response};

/// More connections at a time are closed unanswered.
const CONNECTIONS_MAX: usize = 64;

/// What a [`PagedApi`] asks of its callers, and where it fails.
#[derive(Clone, Debug)]
pub struct PagedApiOptions {
    /// The size of a page when none is asked for, and the most that is given.
    pub page_rows_max: usize,
    /// Whose tokens open the API; nobody needs one when it is `None`.
    pub identity: Option<&'static IdentityProvider>,
    /// What happens at the n-th request, counted from 1 over all requests.
    pub faults: Vec<(usize, ApiFault)>,
}

impl Default for PagedApiOptions {
    fn default() -> PagedApiOptions {
        PagedApiOptions { page_rows_max: 100, identity: None, faults: Vec::new() }
    }
}

/// How a [`PagedApi`] fails once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApiFault {
    /// Answers 429 with this `Retry-After`.
    TooManyRequests {
        /// Seconds.
        retry_after_secs: u64,
    },
    /// Answers 503 with this `Retry-After`.
    Unavailable {
        /// Seconds.
        retry_after_secs: u64,
    },
    /// Closes the connection in the middle of the body.
    CutBody,
    /// Answers 401 and takes the token of this request no more, though the identity provider still would.
    ExpireToken,
}

/// A request that a [`PagedApi`] saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiRequest {
    /// Such as `GET`.
    pub method: String,
    /// Path and query, as they were sent.
    pub target: String,
    /// The bearer token.
    pub token: Option<String>,
    /// The status of the answer, also when its body was cut.
    pub status: u16,
    /// When it was answered.
    pub at: Instant,
}

/// A REST API that offers the same rows with each way of paging that real ones have. The order of rows never changes; `size` and `limit` may be left out.
///
/// | request | answer |
/// |---|---|
/// | `/by-page?page=1&size=100` | `{"rows": […], "page": 1, "pages": 12, "total": 1150}` |
/// | `/by-offset?offset=0&limit=100` | `{"rows": […], "offset": 0, "total": 1150}` |
/// | `/by-cursor?limit=100`, then with `&cursor=` and what `next` said, percent-encoded | `{"rows": […], "next": "k+100="}`; at the end `null` |
/// | `/by-link?limit=100`, then what the header said | `[…]` and `Link: <http://…>; rel="first", <http://…>; rel="next"` (RFC 8288) |
///
/// It stops when it is dropped.
#[derive(Debug)]
pub struct PagedApi {
    port: u16,
    shared: Arc<Shared>,
    listening: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    rows: Vec<Value>,
    options: PagedApiOptions,
    state: Mutex<State>,
    is_stopping: AtomicBool,
    n_connections: AtomicUsize,
}

#[derive(Debug, Default)]
struct State {
    n_requests: usize,
    requests: Vec<ApiRequest>,
    expired_tokens: HashSet<String>,
}

impl PagedApi {
    /// Serves the rows on a free loopback port.
    pub fn start(rows: Vec<Value>, options: PagedApiOptions) -> PagedApi {
        assert!(options.page_rows_max > 0, "a page holds at least one row");
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("the machine has a free loopback port");
        let port = listener.local_addr().expect("a bound listener has an address").port();
        let (state, is_stopping, n_connections) =
            (Mutex::default(), AtomicBool::new(false), AtomicUsize::new(0));
        let shared = Arc::new(Shared { rows, options, state, is_stopping, n_connections });
        let for_thread = Arc::clone(&shared);
        let listening = thread::spawn(move || listen(&listener, &for_thread));
        PagedApi { port, shared, listening: Some(listening) }
    }

    /// `http://127.0.0.1:PORT`, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What was asked so far, in the order of the answers.
    pub fn requests(&self) -> Vec<ApiRequest> {
        self.shared.state().requests.clone()
    }
}

impl Drop for PagedApi {
    fn drop(&mut self) {
        self.shared.is_stopping.store(true, Ordering::SeqCst);
        // Wakes the thread that waits for connections.
        TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).ok();
        if let Some(listening) = self.listening.take() {
            listening.join().ok();
        }
    }
}

fn listen(listener: &TcpListener, shared: &Arc<Shared>) {
    for connection in listener.incoming() {
        if shared.is_stopping.load(Ordering::SeqCst) {
            return;
        }
        let Ok(connection) = connection else { continue };
        if shared.n_connections.fetch_add(1, Ordering::SeqCst) >= CONNECTIONS_MAX {
            shared.n_connections.fetch_sub(1, Ordering::SeqCst);
            continue;
        }
        let shared = Arc::clone(shared);
        thread::spawn(move || {
            // A caller that goes away or sends nonsense is its own concern.
            shared.serve(connection).ok();
            shared.n_connections.fetch_sub(1, Ordering::SeqCst);
        });
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One request per connection.
    fn serve(&self, mut connection: TcpStream) -> io::Result<()> {
        let request = Request::read(&mut connection)?;
        let fault = {
            let mut state = self.state();
            state.n_requests += 1;
            let number = state.n_requests;
            self.options.faults.iter().find(|(n, _)| *n == number).map(|(_, fault)| *fault)
        };
        let response = self.answer(&request, fault);
        let status = response.status;
        let Request { method, target, token, .. } = request;
        self.state().requests.push(ApiRequest { method, target, token, status, at: Instant::now() });
        response.write(&mut connection, fault == Some(ApiFault::CutBody))
    }

    fn answer(&self, request: &Request, fault: Option<ApiFault>) -> Response {
        match fault {
            Some(ApiFault::TooManyRequests { retry_after_secs }) => {
                return Response::busy(429, retry_after_secs);
            }
            Some(ApiFault::Unavailable { retry_after_secs }) => return Response::busy(503, retry_after_secs),
            Some(ApiFault::ExpireToken) => self.state().expired_tokens.extend(request.token.clone()),
            Some(ApiFault::CutBody) | None => {}
        }
        if request.method != "GET" {
            return Response::error(405, "only `GET` is answered").with("Allow", "GET");
        }
        if let Err(why) = self.check_token(request.token.as_deref()) {
            return Response::error(401, why).with("WWW-Authenticate", "Bearer error=\"invalid_token\"");
        }
        page::page(&self.rows, self.options.page_rows_max, request)
    }

    fn check_token(&self, token: Option<&str>) -> Result<(), &'static str> {
        let Some(identity) = self.options.identity else { return Ok(()) };
        let token = token.ok_or("a bearer token is needed")?;
        if self.state().expired_tokens.contains(token) {
            return Err("the token has expired");
        }
        if identity.opens_api(token) { Ok(()) } else { Err("the token is not valid for scope `api`") }
    }
}

#[cfg(test)]
mod tests;
