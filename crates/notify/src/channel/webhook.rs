//! Webhooks: JSON to another system, signed with a time, so that it can tell who sent it and that it is not an old one.

use std::collections::HashMap;

use bytes::Bytes;
use egress::{Client, HeaderValue, Url};
use fhir::Instant;
use serde_json::{Value, json};

use super::{http, sign};
use crate::outbox::{Claimed, Item, Outcome};
use crate::{Secret, Settings};

/// Longest wait for an answer.
const TIMEOUT_SECS: u64 = 20;

#[derive(Clone, Default)]
pub(super) struct Webhooks {
    /// By receiver and address.
    targets: HashMap<(String, String), Target>,
}

#[derive(Clone)]
struct Target {
    client: Client,
    url: Url,
    secret: Secret,
}

impl Webhooks {
    pub(super) fn new(settings: &Settings) -> Result<Webhooks, String> {
        let mut targets = HashMap::new();
        for (name, receiver) in &settings.receivers {
            for written in &receiver.webhook {
                let url = http::parse_url(&written.url)?;
                let client = http::client(&url, TIMEOUT_SECS)?;
                let target = Target { client, url, secret: written.secret.clone() };
                targets.insert((name.clone(), written.url.clone()), target);
            }
        }
        Ok(Webhooks { targets })
    }

    pub(super) async fn send(&self, message: &Claimed, link_base: &str, now: Instant) -> Outcome {
        let Some(target) = self.targets.get(&(message.receiver.clone(), message.address.clone())) else {
            return Outcome::Refused("this webhook is not configured any more".to_owned());
        };
        let body = body_of(message, link_base).to_string();
        let secs = now.0.div_euclid(1_000_000);
        let signature = sign::sign(target.secret.reveal(), &message.idempotency, secs, body.as_bytes());
        let (Ok(id), Ok(signature)) =
            (HeaderValue::from_str(&message.idempotency), HeaderValue::from_str(&signature))
        else {
            return Outcome::Refused("the signature cannot be sent".to_owned());
        };
        let headers = [
            ("content-type", HeaderValue::from_static("application/json")),
            ("webhook-id", id.clone()),
            ("webhook-timestamp", HeaderValue::from(secs)),
            ("webhook-signature", signature),
            ("idempotency-key", id),
        ];
        http::send(&target.client, target.url.clone(), &headers, Bytes::from(body), now, |_| None).await
    }
}

/// What another system reads. The same at every attempt.
fn body_of(message: &Claimed, link_base: &str) -> Value {
    let base = link_base.trim_end_matches('/');
    let describe = |item: &Item| {
        let mut described = json!({
            "alert": item.reference,
            "what": item.purpose.name(),
            "severity": item.severity.name(),
            "at": item.at.to_rfc3339_millis(),
            "unit": item.unit,
            "link": format!("{base}/alerts/{}", item.reference),
        });
        if let Some(text) = &item.text {
            described["message"] = json!(text);
        }
        described
    };
    json!({
        "type": "alerts",
        "id": message.idempotency,
        "timestamp": message.put_at.to_rfc3339_millis(),
        "tenant": message.tenant,
        "count": message.n_items,
        "alerts": message.items.iter().map(describe).collect::<Vec<_>>(),
    })
}
