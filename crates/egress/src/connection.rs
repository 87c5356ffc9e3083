//! One bare keep-alive connection, for measuring servers: no pool, no retries, no redirects between the clock and the wire.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use reqwest::Url;
use tokio::net::TcpStream;

use crate::address::Reach;
use crate::error::EgressError;

/// Largest answer that is read.
const ANSWER_BYTES_MAX: usize = 64 << 20;

/// A connection to a server that the operator named, with one credential. Plain HTTP only.
pub struct Connection {
    base: Url,
    authority: HeaderValue,
    authorization: Option<HeaderValue>,
    sender: Option<SendRequest<Full<Bytes>>>,
}

/// A whole answer.
#[derive(Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: StatusCode,
    /// Headers.
    pub headers: HeaderMap,
    /// Body.
    pub body: Bytes,
}

impl Connection {
    /// Prepares a connection to the server at `base`; it is opened by the first request, and again after it broke.
    pub fn new(base: &str, token: Option<&str>) -> Result<Connection, EgressError> {
        let base = Url::parse(base).map_err(|_| EgressError::BadUrl("write an absolute `http://` URL"))?;
        if base.scheme() != "http" {
            return Err(EgressError::BadUrl(
                "only `http://` can be measured: encryption would be measured with it",
            ));
        }
        let port = base.port_or_known_default().unwrap_or(80);
        let host = base.host_str().ok_or(EgressError::BadUrl("the host is missing"))?;
        let authority = HeaderValue::from_str(&format!("{host}:{port}"))
            .map_err(|_| EgressError::BadUrl("the host has characters that a header cannot carry"))?;
        let authorization = match token {
            None => None,
            Some(token) => {
                let mut value = HeaderValue::from_str(&format!("Bearer {token}")).map_err(|_| {
                    EgressError::Setup("the token has characters that a header cannot carry".to_owned())
                })?;
                value.set_sensitive(true);
                Some(value)
            }
        };
        Ok(Connection { base, authority, authorization, sender: None })
    }

    /// Sends one request below the base (`Patient/42`, `Patient?name=x`, empty for the base itself) and reads the whole answer.
    pub async fn send(
        &mut self,
        method: Method,
        path: &str,
        body: Option<Bytes>,
    ) -> Result<Answer, EgressError> {
        let root = self.base.path().trim_end_matches('/');
        let uri = if path.is_empty() { root.to_owned() } else { format!("{root}/{path}") };
        let uri: Uri =
            uri.parse().map_err(|_| EgressError::BadUrl("the path below the base is not valid"))?;
        let mut request = http::Request::new(Full::new(body.clone().unwrap_or_default()));
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        let headers = request.headers_mut();
        headers.insert(header::HOST, self.authority.clone());
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/fhir+json"));
        if body.is_some() {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/fhir+json"));
        }
        if let Some(authorization) = &self.authorization {
            headers.insert(header::AUTHORIZATION, authorization.clone());
        }
        let broken = || EgressError::Broken { host: self.base.host_str().unwrap_or_default().to_owned() };
        let mut sender = match self.sender.take() {
            Some(sender) if sender.is_ready() => sender,
            _ => self.open().await?,
        };
        let answer = sender.send_request(request).await.map_err(|_| broken())?;
        let (head, body) = answer.into_parts();
        let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await.map_err(|_| broken())?.to_bytes();
        // The server closes after an answer when it says so; then the next request opens a new connection.
        if sender.ready().await.is_ok() {
            self.sender = Some(sender);
        }
        Ok(Answer { status: head.status, headers: head.headers, body })
    }

    async fn open(&self) -> Result<SendRequest<Full<Bytes>>, EgressError> {
        let host = self.base.host_str().unwrap_or_default().to_owned();
        let port = self.base.port_or_known_default().unwrap_or(80);
        let bare = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let unresolved = || EgressError::Unresolved { host: host.clone() };
        let connect = || EgressError::Connect { host: host.clone() };
        let address = tokio::net::lookup_host((bare, port)).await.map_err(|_| unresolved())?.next();
        let address = address.ok_or_else(unresolved)?;
        if let Some(class) = Reach::configured(&self.base).refuses(&host, address.ip()) {
            return Err(EgressError::RefusedAddress { host, address: address.ip(), class });
        }
        let stream = TcpStream::connect(address).await.map_err(|_| connect())?;
        stream.set_nodelay(true).map_err(|_| connect())?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|_| connect())?;
        tokio::spawn(connection);
        Ok(sender)
    }
}
