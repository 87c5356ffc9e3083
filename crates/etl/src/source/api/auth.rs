//! How a source over HTTP proves who it is: a bearer token, or OAuth 2.0 client credentials whose token is renewed.

use std::time::{Duration, Instant};

use base64::Engine as _;
use bytes::Bytes;
use egress::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use egress::{Client, HeaderMap, HeaderValue, Method, Options, Reach, Request, Url};

use crate::secret::SecretFields as _;
use crate::yaml::{Fields, Node};
use crate::{Problems, Secret, Secrets};

/// A token is renewed so long before it expires.
const EARLY: Duration = Duration::from_secs(30);
const TOKEN_BYTES_MAX: usize = 1 << 20;

/// What a pipeline file says under `auth`.
#[derive(Clone, Debug)]
pub(crate) enum Auth {
    /// Nothing is sent.
    None,
    /// A token that stays the same.
    Bearer(Secret),
    /// Client credentials.
    OAuth2(OAuth2),
}

/// OAuth 2.0 client credentials (RFC 6749, 4.4).
#[derive(Clone, Debug)]
pub(crate) struct OAuth2 {
    /// Where tokens are asked for.
    token_url: Secret,
    /// The id of the client.
    client_id: Secret,
    /// Its secret, by reference.
    client_secret: Secret,
    /// What the token is to open, words with blanks between them.
    scope: Option<String>,
    /// The secret goes into the form, not into a basic `Authorization` header.
    in_form: bool,
}

impl Auth {
    /// Reads `auth`: `{bearer: ${env:TOKEN}}` or `{oauth2: {…}}`.
    pub(crate) fn decode(fields: &mut Fields<'_>, problems: &mut Problems) -> Auth {
        let Some(node) = fields.node("auth") else { return Auth::None };
        let mut inner = node.fields("`auth`", problems);
        let bearer = reference("bearer", &mut inner, problems);
        let oauth2 = inner.node("oauth2").map(|node| OAuth2::decode(node, problems));
        inner.end(problems);
        match (bearer, oauth2) {
            (Some(token), None) => Auth::Bearer(token),
            (None, Some(oauth2)) => oauth2.map_or(Auth::None, Auth::OAuth2),
            _ => {
                problems.add(node.at, "`auth` needs either `bearer` or `oauth2`");
                Auth::None
            }
        }
    }
}

impl OAuth2 {
    fn decode(node: &Node, problems: &mut Problems) -> Option<OAuth2> {
        let mut fields = node.fields("`oauth2`", problems);
        let token_url = fields.required_secret("token_url", problems);
        let client_id = fields.required_secret("client_id", problems);
        fields.required("client_secret", problems);
        let client_secret = reference("client_secret", &mut fields, problems);
        let scope = fields.text("scope", problems).map(|word| word.text);
        let ways = [("basic", false), ("form", true)];
        let in_form = fields.choice("client_auth", &ways, problems).unwrap_or(false);
        fields.end(problems);
        Some(OAuth2 {
            token_url: token_url?,
            client_id: client_id?,
            client_secret: client_secret?,
            scope,
            in_form,
        })
    }
}

/// A secret that must not stand in the file itself.
fn reference(key: &'static str, fields: &mut Fields<'_>, problems: &mut Problems) -> Option<Secret> {
    let secret = fields.secret(key, problems)?;
    if !secret.written().contains("${") {
        problems.add(secret.at, format!("`{key}` is a secret: write a reference such as `${{env:NAME}}`"));
    }
    Some(secret)
}

/// A credential in use.
pub(crate) enum Credential {
    /// A header that stays the same.
    Fixed(Option<HeaderValue>),
    /// A token that is asked for when it is needed.
    Renewed(Box<Renewed>),
}

/// Client credentials with their secrets, and the token of now.
pub(crate) struct Renewed {
    client: Client,
    url: Url,
    headers: HeaderMap,
    form: Bytes,
    token: Option<(HeaderValue, Option<Instant>)>,
}

/// Why there is no credential, and whether trying again may help.
pub(crate) struct NoCredential {
    pub(crate) why: String,
    pub(crate) is_transient: bool,
}

impl Credential {
    /// Reveals the secrets.
    pub(crate) fn new(auth: &Auth, secrets: &dyn Secrets, options: Options) -> Result<Credential, String> {
        match auth {
            Auth::None => Ok(Credential::Fixed(None)),
            Auth::Bearer(token) => {
                bearer(&token.reveal(secrets)?).map(|value| Credential::Fixed(Some(value)))
            }
            Auth::OAuth2(oauth2) => {
                Renewed::new(oauth2, secrets, options).map(|renewed| Credential::Renewed(Box::new(renewed)))
            }
        }
    }

    /// The header of the next request.
    pub(crate) async fn header(&mut self) -> Result<Option<HeaderValue>, NoCredential> {
        match self {
            Credential::Fixed(value) => Ok(value.clone()),
            Credential::Renewed(renewed) => renewed.header().await.map(Some),
        }
    }

    /// The server does not take the token any more. Whether another one can be had.
    pub(crate) fn forget(&mut self) -> bool {
        match self {
            Credential::Fixed(_) => false,
            Credential::Renewed(renewed) => renewed.token.take().is_some(),
        }
    }
}

impl Renewed {
    #[allow(clippy::needless_pass_by_value, reason = "handed on by value where it is called")]
    fn new(oauth2: &OAuth2, secrets: &dyn Secrets, options: Options) -> Result<Renewed, String> {
        let url = Url::parse(&oauth2.token_url.reveal(secrets)?)
            .map_err(|_| "`token_url` must be an absolute `https://` or `http://` URL".to_owned())?;
        let (id, secret) = (oauth2.client_id.reveal(secrets)?, oauth2.client_secret.reveal(secrets)?);
        let mut pairs = vec![("grant_type", "client_credentials")];
        if let Some(scope) = &oauth2.scope {
            pairs.push(("scope", scope));
        }
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        if oauth2.in_form {
            pairs.extend([("client_id", id.as_str()), ("client_secret", secret.as_str())]);
        } else {
            // RFC 6749, 2.3.1: both are form-encoded before they are joined.
            let encoded = |text: &str| form_of(&[("", text)]).trim_start_matches('=').to_owned();
            let joined = format!("{}:{}", encoded(&id), encoded(&secret));
            let text = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(joined));
            headers.insert(AUTHORIZATION, sensitive(&text)?);
        }
        let form = Bytes::from(form_of(&pairs));
        let options =
            Options { reach: Reach::configured(&url), response_bytes_max: TOKEN_BYTES_MAX, ..options };
        let client = Client::new(options).map_err(|error| error.to_string())?;
        Ok(Renewed { client, url, headers, form, token: None })
    }

    async fn header(&mut self) -> Result<HeaderValue, NoCredential> {
        if let Some((value, until)) = &self.token
            && until.is_none_or(|until| Instant::now() < until)
        {
            return Ok(value.clone());
        }
        let fails = |why: String, is_transient| NoCredential { why, is_transient };
        let request = Request {
            method: Method::POST,
            url: self.url.clone(),
            headers: self.headers.clone(),
            body: Some(self.form.clone()),
            // A second token does no harm.
            idempotent: true,
        };
        let asked = Instant::now();
        let answer = self.client.send(request).await;
        let answer =
            answer.map_err(|error| fails(format!("no token: {error}"), super::caller::may_pass(&error)))?;
        let status = answer.status.as_u16();
        if !answer.status.is_success() {
            let why = format!("no token: the server behind `token_url` answered {status}: check `oauth2`");
            return Err(fails(why, status == 429 || status >= 500));
        }
        let bad =
            || fails("no token: the answer of `token_url` has no usable `access_token`".to_owned(), false);
        let body: serde_json::Value = serde_json::from_slice(&answer.body).map_err(|_| bad())?;
        let value = bearer(body["access_token"].as_str().ok_or_else(bad)?).map_err(|_| bad())?;
        let until = body["expires_in"].as_u64().map(|secs| {
            let span = Duration::from_secs(secs.min(86_400));
            // A token that lives shortly is not renewed before each request.
            asked + span.saturating_sub(EARLY.min(span / 2))
        });
        self.token = Some((value.clone(), until));
        Ok(value)
    }
}

fn bearer(token: &str) -> Result<HeaderValue, String> {
    sensitive(&format!("Bearer {}", token.trim_end()))
}

fn sensitive(text: &str) -> Result<HeaderValue, String> {
    let mut value = HeaderValue::from_str(text)
        .map_err(|_| "the credential has characters that a header cannot carry".to_owned())?;
    value.set_sensitive(true);
    Ok(value)
}

/// Names and values as a form is sent.
fn form_of(pairs: &[(&str, &str)]) -> String {
    let mut url = Url::parse("http://form/").expect("it is a URL");
    url.query_pairs_mut().extend_pairs(pairs);
    url.query().unwrap_or_default().to_owned()
}
