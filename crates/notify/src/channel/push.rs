//! Push: to Firebase Cloud Messaging (HTTP v1), or web push without content: the device wakes and asks the server.

use bytes::Bytes;
use egress::{Client, HeaderValue, Url};
use fhir::Instant;
use rules::Severity;
use serde_json::json;

use super::{http, vapid};
use crate::outbox::{Claimed, Outcome};
use crate::render::Rendered;
use crate::settings::{PushFormat, PushSettings};

/// How long a push service keeps a message for a device that is off.
const KEPT_SECS: &str = "3600";

#[derive(Clone)]
pub(super) enum Push {
    Fcm { client: Client, url: Box<Url>, authorization: HeaderValue },
    Web { key: vapid::Key, contact: String, timeout_secs: u64 },
}

impl Push {
    pub(super) fn new(settings: &PushSettings) -> Result<Push, String> {
        match settings.format {
            PushFormat::Fcm => {
                let url = settings.url.as_deref().ok_or("`url` is missing: FCM has one per project")?;
                let url = http::parse_url(url)?;
                Ok(Push::Fcm {
                    client: http::client(&url, settings.timeout_secs)?,
                    authorization: http::secret_header(&format!("Bearer {}", settings.token.reveal()))?,
                    url: Box::new(url),
                })
            }
            PushFormat::Webpush => {
                let contact = settings.contact.clone();
                let contact = contact.ok_or("`contact` is missing: `mailto:` and an address")?;
                let key = vapid::Key::of_pem(settings.token.reveal())?;
                Ok(Push::Web { key, contact, timeout_secs: settings.timeout_secs })
            }
        }
    }

    pub(super) async fn send(&self, message: &Claimed, rendered: &Rendered, now: Instant) -> Outcome {
        let Ok(id) = HeaderValue::from_str(&message.idempotency) else {
            return Outcome::Refused("the idempotency key cannot be sent".to_owned());
        };
        match self {
            Push::Fcm { client, url, authorization } => {
                let headers = [
                    ("authorization", authorization.clone()),
                    ("content-type", HeaderValue::from_static("application/json")),
                    ("idempotency-key", id),
                ];
                let body = Bytes::from(fcm_body(message, rendered).to_string());
                http::send(client, url.as_ref().clone(), &headers, body, now, |response| {
                    let answer: serde_json::Value = serde_json::from_slice(&response.body).ok()?;
                    Some(answer["name"].as_str()?.chars().take(200).collect())
                })
                .await
            }
            Push::Web { key, contact, timeout_secs } => {
                web(key, contact, *timeout_secs, message, id, now).await
            }
        }
    }
}

fn is_urgent(message: &Claimed) -> bool {
    message.severity >= Severity::High
}

fn fcm_body(message: &Claimed, rendered: &Rendered) -> serde_json::Value {
    let body = rendered.text.lines().skip(1).collect::<Vec<_>>().join("\n");
    json!({"message": {
        "token": message.address,
        "notification": {"title": rendered.subject, "body": body},
        "data": {"id": message.idempotency, "link": rendered.link},
        "android": {
            "priority": if is_urgent(message) { "HIGH" } else { "NORMAL" },
            "ttl": format!("{KEPT_SECS}s"),
        },
    }})
}

async fn web(
    key: &vapid::Key,
    contact: &str,
    timeout_secs: u64,
    message: &Claimed,
    id: HeaderValue,
    now: Instant,
) -> Outcome {
    let prepared = http::parse_url(&message.address).and_then(|url| {
        let authorization = http::secret_header(&key.authorization(&url, contact, now)?)?;
        Ok((http::client(&url, timeout_secs)?, url, authorization))
    });
    let (client, url, authorization) = match prepared {
        Ok(prepared) => prepared,
        Err(why) => return Outcome::Refused(why),
    };
    // A second message of the same topic replaces the first at the push service (RFC 8030, 5.4): a repeated attempt shows once.
    let topic: String = message.idempotency.chars().filter(|c| *c != '-').collect();
    let Ok(topic) = HeaderValue::from_str(&topic) else {
        return Outcome::Refused("the topic cannot be sent".to_owned());
    };
    let urgency = if is_urgent(message) { "high" } else { "normal" };
    let headers = [
        ("authorization", authorization),
        ("ttl", HeaderValue::from_static(KEPT_SECS)),
        ("urgency", HeaderValue::from_static(urgency)),
        ("topic", topic),
        ("idempotency-key", id),
    ];
    http::send(&client, url, &headers, Bytes::new(), now, |response| {
        Some(response.headers.get("location")?.to_str().ok()?.chars().take(200).collect())
    })
    .await
}
