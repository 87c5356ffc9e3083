//! An OAuth 2.0 and OpenID Connect provider: `oidc-provider` of npm. Knows nothing of who asks for tokens.

use std::path::Path;
use std::sync::OnceLock;

use serde_json::Value;

use super::http::{Answer, request};
use super::installed::{cache, not_installed, program};
use super::supervised::{Plan, Supervised};

/// The scope of the API that tokens of the client for programs open.
const SCOPE: &str = "api";
/// Known only to fixtures on the loopback address.
const CLIENT: (&str, &str) = ("salus-test-service", "secret-of-the-test-service");
const INTERACTIVE_CLIENT: &str = "salus-test-web";

/// OAuth 2.0 and OpenID Connect provider, one per test process, started on first use. It has a confidential client for programs
/// (`client_credentials`, scope `api`) and a public client for people (`authorization_code` with PKCE, redirects to
/// `http://127.0.0.1:ANY/sign-in/callback`); its built-in page signs in anybody.
#[derive(Debug)]
pub struct IdentityProvider {
    server: Supervised,
}

impl IdentityProvider {
    /// The one of this test process. Prints `not checked: …` and returns `None` when it is not installed.
    pub fn shared() -> Option<&'static IdentityProvider> {
        static SHARED: OnceLock<Option<IdentityProvider>> = OnceLock::new();
        SHARED
            .get_or_init(IdentityProvider::find_and_start)
            .as_ref()
            .or_else(|| not_installed("the identity provider"))
    }

    fn find_and_start() -> Option<IdentityProvider> {
        let node = program("node")?;
        let folder = cache().join("identity");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/servers/identity/provider.mjs");
        // Written last: an installation that was stopped does not count.
        folder.join("installed.lock").is_file().then_some(())?;
        let packages = folder.join("node_modules");
        let plan = Plan {
            name: "identity",
            signal: "KILL",
            prepare: Box::new(|_| {}),
            command: Box::new(move |_, port| {
                let port = port.to_string();
                let arguments =
                    [node.as_os_str(), script.as_ref(), port.as_ref(), packages.as_ref()].map(Into::into);
                arguments
                    .into_iter()
                    .chain([CLIENT.0, CLIENT.1, INTERACTIVE_CLIENT].map(Into::into))
                    .collect()
            }),
        };
        let document = "/.well-known/openid-configuration";
        let is_ready =
            |_: &_, port| request(port, "GET", document, &[], "").is_ok_and(|answer| answer.status == 200);
        Some(IdentityProvider { server: Supervised::start(&plan, is_ready) })
    }

    /// The issuer, `http://127.0.0.1:PORT`; its configuration is at `/.well-known/openid-configuration`.
    pub fn issuer(&self) -> String {
        format!("http://127.0.0.1:{}", self.server.port)
    }

    /// Where tokens are asked for.
    pub fn token_url(&self) -> String {
        format!("{}/token", self.issuer())
    }

    /// Where a service asks what a token is worth (RFC 7662).
    pub fn introspection_url(&self) -> String {
        format!("{}/token/introspection", self.issuer())
    }

    /// The id of the client for programs.
    pub fn client_id(&self) -> &'static str {
        CLIENT.0
    }

    /// The secret of the client for programs, accepted in a basic `Authorization` header and in the form.
    pub fn client_secret(&self) -> &'static str {
        CLIENT.1
    }

    /// The id of the client for people, which has no secret.
    pub fn interactive_client_id(&self) -> &'static str {
        INTERACTIVE_CLIENT
    }

    /// A token of the client for programs.
    pub fn token(&self) -> String {
        let answer = self.post("/token", &format!("grant_type=client_credentials&scope={SCOPE}"));
        let token = serde_json::from_str::<Value>(&answer.body)
            .ok()
            .and_then(|body| Some(body["access_token"].as_str()?.to_owned()));
        token.unwrap_or_else(|| panic!("the identity provider gave no token ({})", answer.status))
    }

    /// Whether a token is valid now and opens the API.
    pub(super) fn opens_api(&self, token: &str) -> bool {
        // Other characters are in no token (RFC 6750): they would need encoding.
        let is_token = token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte));
        let answer = is_token.then(|| self.post("/token/introspection", &format!("token={token}")));
        let said =
            answer.and_then(|answer| serde_json::from_str::<Value>(&answer.body).ok()).unwrap_or_default();
        said["active"] == true
            && said["scope"].as_str().is_some_and(|scopes| scopes.split(' ').any(|scope| scope == SCOPE))
    }

    fn post(&self, path: &str, form: &str) -> Answer {
        let form = format!("{form}&client_id={}&client_secret={}", CLIENT.0, CLIENT.1);
        let headers = [("Content-Type", "application/x-www-form-urlencoded")];
        request(self.server.port, "POST", path, &headers, &form).expect("the identity provider answers")
    }
}

#[cfg(test)]
mod tests {
    use super::super::ends::check_ends_with_its_process;
    use super::*;

    #[test]
    fn only_its_own_tokens_open_the_api() {
        let Some(provider) = IdentityProvider::shared() else { return };
        let token = provider.token();
        assert!(provider.opens_api(&token));
        assert!(!provider.opens_api(&token[1..]));
        assert!(!provider.opens_api("a&b"));
        assert_ne!(token, provider.token());
    }

    #[test]
    fn its_document_names_its_addresses() {
        let Some(provider) = IdentityProvider::shared() else { return };
        let answer =
            request(provider.server.port, "GET", "/.well-known/openid-configuration", &[], "").unwrap();
        let document: Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(document["issuer"], provider.issuer());
        assert_eq!(document["token_endpoint"], provider.token_url());
        assert_eq!(document["introspection_endpoint"], provider.introspection_url());
    }

    #[test]
    fn people_are_asked_who_they_are() {
        let Some(provider) = IdentityProvider::shared() else { return };
        let back = "http%3A%2F%2F127.0.0.1%3A4444%2Fsign-in%2Fcallback";
        let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        let client = provider.interactive_client_id();
        let query = format!(
            "client_id={client}&response_type=code&scope=openid&redirect_uri={back}&code_challenge_method=S256"
        );
        let ask =
            |query: &str| request(provider.server.port, "GET", &format!("/auth?{query}"), &[], "").unwrap();
        assert_eq!(ask(&format!("{query}&code_challenge={challenge}")).status, 303);
        assert_eq!(ask(&query.replace("4444%2Fsign-in", "4444%2Felsewhere")).status, 400);
    }

    #[test]
    fn it_ends_with_its_process() {
        check_ends_with_its_process(concat!(module_path!(), "::it_ends_with_its_process"), || {
            let provider = IdentityProvider::shared()?;
            Some((provider.server.port, provider.server.folder.clone()))
        });
    }
}
