//! SMS through a gateway with the API of Twilio.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use egress::{Client, HeaderValue, Url};
use fhir::Instant;

use super::http;
use crate::outbox::{Claimed, Outcome};
use crate::render::{Rendered, short};
use crate::settings::SmsSettings;

#[derive(Clone)]
pub(super) struct Sms {
    client: Client,
    url: Url,
    authorization: HeaderValue,
    from: String,
}

impl Sms {
    pub(super) fn new(settings: &SmsSettings) -> Result<Sms, String> {
        let mut url = http::parse_url(&settings.url)?;
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
        if settings.account.is_empty() || !settings.account.chars().all(is_plain) {
            return Err("`account` has characters that an address cannot carry".to_owned());
        }
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{path}/2010-04-01/Accounts/{}/Messages.json", settings.account));
        let pair = STANDARD.encode(format!("{}:{}", settings.account, settings.token.reveal()));
        Ok(Sms {
            client: http::client(&url, settings.timeout_secs)?,
            url,
            authorization: http::secret_header(&format!("Basic {pair}"))?,
            from: settings.from.clone(),
        })
    }

    pub(super) async fn send(&self, message: &Claimed, rendered: &Rendered, now: Instant) -> Outcome {
        let form = form(&[("To", &message.address), ("From", &self.from), ("Body", &short(rendered))]);
        let Ok(key) = HeaderValue::from_str(&message.idempotency) else {
            return Outcome::Refused("the idempotency key cannot be sent".to_owned());
        };
        let headers = [
            ("authorization", self.authorization.clone()),
            ("content-type", HeaderValue::from_static("application/x-www-form-urlencoded")),
            ("idempotency-key", key),
        ];
        http::send(&self.client, self.url.clone(), &headers, Bytes::from(form), now, |response| {
            let answer: serde_json::Value = serde_json::from_slice(&response.body).ok()?;
            Some(answer["sid"].as_str()?.chars().take(64).collect())
        })
        .await
    }
}

fn form(fields: &[(&str, &str)]) -> String {
    let mut text = String::new();
    for (name, value) in fields {
        if !text.is_empty() {
            text.push('&');
        }
        text.push_str(name);
        text.push('=');
        for byte in value.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                    text.push(char::from(byte));
                }
                b' ' => text.push('+'),
                _ => {
                    let _ = write!(text, "%{byte:02X}");
                }
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_encoded() {
        assert_eq!(form(&[("To", "+49"), ("Body", "a b&c\nå")]), "To=%2B49&Body=a+b%26c%0A%C3%A5");
    }
}
