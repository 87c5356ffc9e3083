//! A FHIR R4 client on top of the checked HTTP client: transactions, reads, updates and search pages.

use std::path::Path;

use bytes::Bytes;
use fhir::json::{self, Limits, Value};
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use reqwest::Url;

use crate::address::Reach;
use crate::client::{Client, Options, Request, Response};
use crate::error::EgressError;

const FHIR_JSON: HeaderValue = HeaderValue::from_static("application/fhir+json");

/// A FHIR server, reached with one credential. Cheap to clone.
#[derive(Clone)]
pub struct FhirClient {
    client: Client,
    base: Url,
    authorization: Option<HeaderValue>,
    /// Every URL leads to the one server behind the socket.
    by_socket: bool,
}

impl FhirClient {
    /// A server that the operator named, such as `https://fhir.example.org/r4`. The token is sent as a bearer token.
    pub fn new(base: &str, token: Option<&str>, mut options: Options) -> Result<FhirClient, EgressError> {
        let base = parse_base(base)?;
        options.reach = Reach::configured(&base);
        FhirClient::over(Client::new(options)?, base, token)
    }

    /// A server behind its Unix socket on this machine.
    pub fn over_socket(path: &Path, base: &str, options: Options) -> Result<FhirClient, EgressError> {
        let client = FhirClient::over(Client::over_socket(path, options)?, parse_base(base)?, None)?;
        Ok(FhirClient { by_socket: true, ..client })
    }

    fn over(client: Client, base: Url, token: Option<&str>) -> Result<FhirClient, EgressError> {
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
        Ok(FhirClient { client, base, authorization, by_socket: false })
    }

    /// The base URL, ending in a slash.
    pub fn base(&self) -> &Url {
        &self.base
    }

    /// Sends one request below the base URL (`path_and_query` such as `Patient/42`) and returns the answer whatever its status.
    pub async fn request(
        &self,
        method: Method,
        path_and_query: &str,
        body: Option<Bytes>,
    ) -> Result<Response, EgressError> {
        let url = if path_and_query.is_empty() {
            // The root takes bundles; servers expect it without the slash.
            let mut url = self.base.clone();
            url.set_path(self.base.path().trim_end_matches('/'));
            url
        } else {
            self.join(path_and_query)?
        };
        let idempotent = method != Method::POST && method != Method::PATCH;
        self.send(method, url, body, idempotent).await
    }

    /// Posts a transaction or batch bundle; answers the response bundle, or [`EgressError::Status`] when the server refused it.
    /// `idempotent` says that every entry may be applied twice with the effect of once (puts by id), so that a broken connection
    /// is worth another attempt.
    pub async fn bundle(&self, bundle: Bytes, idempotent: bool) -> Result<Value, EgressError> {
        let url = {
            let mut url = self.base.clone();
            url.set_path(self.base.path().trim_end_matches('/'));
            url
        };
        let response = self.send(Method::POST, url, Some(bundle), idempotent).await?;
        self.resource_of(response, "a response bundle")
    }

    /// Reads one resource; `None` when the server does not have it (404, 410).
    pub async fn read(&self, kind: &str, id: &str) -> Result<Option<Value>, EgressError> {
        let response = self.request(Method::GET, &format!("{kind}/{id}"), None).await?;
        if matches!(response.status, StatusCode::NOT_FOUND | StatusCode::GONE) {
            return Ok(None);
        }
        self.resource_of(response, "a resource").map(Some)
    }

    /// Starts a search such as `Observation?code=4548-4`; the pages are asked for one by one.
    pub fn search(&self, query: &str) -> Result<Pages<'_>, EgressError> {
        let next = self.join(query)?;
        Ok(Pages { client: self, next: Some(next) })
    }

    /// A path below the base, or from the root of the same server. Another server must not see the credential.
    fn join(&self, path: &str) -> Result<Url, EgressError> {
        let url =
            self.base.join(path).map_err(|_| EgressError::BadUrl("the path below the base is not valid"))?;
        if url.origin() != self.base.origin() {
            return Err(EgressError::BadUrl("the path leads to another server"));
        }
        Ok(url)
    }

    async fn send(
        &self,
        method: Method,
        url: Url,
        body: Option<Bytes>,
        idempotent: bool,
    ) -> Result<Response, EgressError> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, FHIR_JSON);
        if body.is_some() {
            headers.insert(CONTENT_TYPE, FHIR_JSON);
        }
        if let Some(authorization) = &self.authorization {
            headers.insert(AUTHORIZATION, authorization.clone());
        }
        let request = Request { method, url, headers, body, idempotent };
        self.client.send(request).await
    }

    fn resource_of(&self, response: Response, expected: &'static str) -> Result<Value, EgressError> {
        let host = self.base.host_str().unwrap_or_default().to_owned();
        let parsed = json::parse(&response.body, &Limits::default());
        if !response.status.is_success() {
            let slug = parsed.ok().and_then(|outcome| slug_of(&outcome));
            return Err(EgressError::Status {
                host,
                status: response.status.as_u16(),
                slug,
                body: response.body,
            });
        }
        parsed.map_err(|_| EgressError::NotFhir { host, expected })
    }
}

/// The pages of a search, in order.
pub struct Pages<'a> {
    client: &'a FhirClient,
    next: Option<Url>,
}

impl Pages<'_> {
    /// The next page as a searchset bundle; `None` after the last. A next link to another origin is an error: it would carry
    /// the credential away. Behind a socket there is one server, which links to itself by its public address: its next page is
    /// asked for where the first was.
    pub async fn next(&mut self) -> Result<Option<Value>, EgressError> {
        let Some(url) = self.next.take() else { return Ok(None) };
        let response = self.client.send(Method::GET, url.clone(), None, true).await?;
        let page = self.client.resource_of(response, "a searchset bundle")?;
        self.next = self.next_link_of(&page, url)?;
        Ok(Some(page))
    }

    fn next_link_of(&self, page: &Value, mut asked: Url) -> Result<Option<Url>, EgressError> {
        let links = page.get("link").map(Value::items).unwrap_or_default();
        let next = links.iter().find(|link| link.get("relation").and_then(Value::as_str) == Some("next"));
        let Some(text) = next.and_then(|link| link.get("url")).and_then(Value::as_str) else {
            return Ok(None);
        };
        let url =
            self.client.base.join(text).map_err(|_| EgressError::BadUrl("the next link is not a URL"))?;
        if url.origin() != self.client.base.origin() {
            if self.client.by_socket {
                asked.set_query(url.query());
                return Ok(Some(asked));
            }
            return Err(EgressError::BadUrl("the next link leads to another server"));
        }
        Ok(Some(url))
    }
}

fn parse_base(base: &str) -> Result<Url, EgressError> {
    let mut url =
        Url::parse(base).map_err(|_| EgressError::BadUrl("write an absolute `http://` or `https://` URL"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(EgressError::BadUrl("write an absolute `http://` or `https://` URL"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(EgressError::BadUrl("the base of a server has no query and no fragment"));
    }
    if !url.path().ends_with('/') {
        let path = format!("{}/", url.path());
        url.set_path(&path);
    }
    Ok(url)
}

fn slug_of(outcome: &Value) -> Option<String> {
    let issue = outcome.get("issue")?.items().first()?;
    let coded = issue
        .get("details")
        .and_then(|d| d.get("coding"))
        .and_then(|c| c.items().first())
        .and_then(|c| c.get("code"));
    coded.or_else(|| issue.get("code")).and_then(Value::as_str).map(str::to_owned)
}
