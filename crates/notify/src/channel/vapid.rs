//! VAPID (RFC 8292): says to a push service who sends, by a token signed with ECDSA on P-256.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use egress::Url;
use fhir::Instant;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::json;

/// A token is good for so long; a push service refuses more than a day.
const VALID_SECS: i64 = 12 * 3600;

/// The sender's key.
#[derive(Clone)]
pub(super) struct Key(Arc<EcdsaKeyPair>);

impl Key {
    /// A PKCS 8 key in PEM, as `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256` writes it.
    pub(super) fn of_pem(pem: &str) -> Result<Key, String> {
        let wrong = || "`token` is no private key on P-256 (PKCS 8, PEM)".to_owned();
        let body: String = pem.lines().filter(|line| !line.starts_with("-----")).map(str::trim).collect();
        let der = STANDARD.decode(body).map_err(|_| wrong())?;
        let random = SystemRandom::new();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der, &random);
        pair.map(|pair| Key(Arc::new(pair))).map_err(|_| wrong())
    }

    /// The value of `authorization` for a subscription's address.
    pub(super) fn authorization(&self, url: &Url, contact: &str, now: Instant) -> Result<String, String> {
        let expires = now.0.div_euclid(1_000_000) + VALID_SECS;
        let claims = json!({"aud": url.origin().ascii_serialization(), "exp": expires, "sub": contact});
        let header = URL_SAFE_NO_PAD.encode(r#"{"typ":"JWT","alg":"ES256"}"#);
        let signed = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()));
        let signature = self.0.sign(&SystemRandom::new(), signed.as_bytes());
        let signature = signature.map_err(|_| "the token could not be signed".to_owned())?;
        let public = URL_SAFE_NO_PAD.encode(self.0.public_key().as_ref());
        Ok(format!("vapid t={signed}.{}, k={public}", URL_SAFE_NO_PAD.encode(signature.as_ref())))
    }
}

#[cfg(test)]
mod tests {
    use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};

    use super::*;

    #[test]
    fn a_token_is_verified_with_the_key_that_it_names() {
        let random = SystemRandom::new();
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let body = STANDARD.encode(document.as_ref());
        let key = Key::of_pem(&format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n"))
            .unwrap();
        let url = Url::parse("https://push.example:8443/send/abc?x=1").unwrap();
        let value = key.authorization(&url, "mailto:a@b.example", Instant(0)).unwrap();
        let (token, public) = value.strip_prefix("vapid t=").unwrap().split_once(", k=").unwrap();
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap();
        let verifier = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, decode(public));
        verifier.verify(signed.as_bytes(), &decode(signature)).unwrap();
        let claims = decode(signed.split_once('.').unwrap().1);
        let claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
        let expected =
            json!({"aud": "https://push.example:8443", "exp": VALID_SECS, "sub": "mailto:a@b.example"});
        assert_eq!(claims, expected);
        assert!(Key::of_pem("hunter2").is_err());
    }
}
