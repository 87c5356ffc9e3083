//! Alerts: list, look, act; silences; the burden of alarms. The gate decides who may, and the ledger names the patients that an answer shows.

use fhir::Instant;
use gate::{Matter, Permit, Subject};
use http::StatusCode;
use rules::Severity;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use stream::StreamError;
use stream::alert::{self, Act, Alert, Desk, Order, Query, SilenceRequest, State, Whole, document};

use super::{ApiAsk, ApiReply, Document};
use crate::error::ServerError;
use crate::fhir::controls::parameter;

const DAY_MICROS: i64 = 86_400_000_000;

impl ApiAsk {
    async fn may(&self, matter: Matter, names: &str) -> Result<Permit, ServerError> {
        Ok(self.app.gate().permit_ongoing(&self.access, Subject::new(matter, names)).await?)
    }

    fn desk(&self) -> Result<Desk, ServerError> {
        Ok(self.app.stream()?.alerts().clone())
    }

    /// The ledger names whom an answer shows, before it is given.
    async fn shown(&self, alerts: &[&Alert], names: &str) -> Result<(), ServerError> {
        let mut patients: Vec<String> = Vec::new();
        for alert in alerts.iter().filter(|alert| !alert.is_population()) {
            let id = alert.subject.strip_prefix("Patient/").unwrap_or(&alert.subject);
            if !patients.iter().any(|known| known == id) {
                patients.push(id.to_owned());
            }
        }
        if patients.is_empty() {
            return Ok(());
        }
        let subject = Subject::new(Matter::Alerts, names).of_rows(alerts.len() as u64).of_patients(patients);
        self.app.gate().permit(&self.access, subject).await?;
        Ok(())
    }

    fn text(&self, name: &str) -> Option<String> {
        self.param(name).filter(|text| !text.is_empty()).map(str::to_owned)
    }

    fn instant(&self, name: &str) -> Result<Option<Instant>, ServerError> {
        let why = "use an instant such as `2026-01-02T03:04:05Z`";
        self.param(name).map(|text| Instant::parse(text).ok_or_else(|| parameter(name, why))).transpose()
    }
}

fn refused(error: alert::AlertError) -> ServerError {
    StreamError::from(error).into()
}

/// `GET /api/v1/alerts`.
pub(super) async fn list(ask: ApiAsk) -> Result<ApiReply, ServerError> {
    let query = query_of(&ask)?;
    let permit = ask.may(Matter::Alerts, "alerts").await?;
    let page = ask.desk()?.list(&permit, query).await.map_err(refused)?;
    ask.shown(&page.alerts.iter().collect::<Vec<_>>(), "alerts").await?;
    Ok(ApiReply::ok(document::page(&page)))
}

fn query_of(ask: &ApiAsk) -> Result<Query, ServerError> {
    let mut query = Query {
        subject: ask.text("patient").or_else(|| ask.text("subject")),
        unit: ask.text("unit"),
        region: ask.text("region"),
        topic: ask.text("topic"),
        rule: ask.text("rule"),
        since: ask.instant("since")?,
        after: ask.text("after"),
        max: usize::try_from(ask.number("max", 100)?.clamp(1, 1_000)).unwrap_or(100),
        ..Query::default()
    };
    for name in ask.param("state").unwrap_or_default().split(',').filter(|name| !name.is_empty()) {
        match State::named(name) {
            Some(state) => query.states.push(state),
            None if name == "live" => query.live = true,
            None => {
                let known: Vec<&str> = State::ALL.into_iter().map(State::name).collect();
                return Err(parameter("state", format!("use live, or some of {}", known.join(", "))));
            }
        }
    }
    if let Some(name) = ask.param("severity") {
        let why = "the least severity: critical, high, medium, low or info";
        query.at_least = Some(Severity::named(name).ok_or_else(|| parameter("severity", why))?);
    }
    query.population = match ask.param("about") {
        None => None,
        Some("population") => Some(true),
        Some("patient") => Some(false),
        Some(_) => return Err(parameter("about", "use patient or population")),
    };
    query.order = match ask.param("order") {
        None | Some("newest") => Order::Newest,
        Some("worst") => Order::Worst,
        Some(_) => return Err(parameter("order", "use newest or worst")),
    };
    Ok(query)
}

async fn found(ask: &ApiAsk) -> Result<Whole, ServerError> {
    let permit = ask.may(Matter::Alerts, &format!("alert/{}", ask.id)).await?;
    let found = ask.desk()?.whole(&permit, &ask.id).await.map_err(refused)?;
    let whole = found.ok_or_else(|| StreamError::NotFound(format!("there is no alert `{}`", ask.id)))?;
    ask.shown(&[&whole.alert], &format!("alert/{}", ask.id)).await?;
    Ok(whole)
}

/// `GET /api/v1/alerts/{id}`.
pub(super) async fn show(ask: ApiAsk) -> Result<ApiReply, ServerError> {
    Ok(ApiReply::ok(document::whole(&found(&ask).await?)))
}

/// `GET /api/v1/alerts/{id}/fhir`.
pub(super) async fn resource(ask: ApiAsk) -> Result<ApiReply, ServerError> {
    let kind = ask.text("type").unwrap_or_else(|| "Flag".to_owned());
    let make: fn(&Alert) -> Value = match kind.as_str() {
        "Flag" => alert::resource::flag_of,
        "DetectedIssue" => alert::resource::detected_issue_of,
        _ => return Err(parameter("type", "use Flag or DetectedIssue")),
    };
    Ok(ApiReply::ok(make(&found(&ask).await?.alert)))
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Wanted {
    reason: Option<String>,
    mins: Option<u32>,
    /// The last change that the person saw.
    seen: Option<i64>,
}

fn body<T: DeserializeOwned>(ask: &ApiAsk) -> Result<T, ServerError> {
    let text: &[u8] = if ask.body.is_empty() { b"{}" } else { &ask.body };
    serde_json::from_slice(text).map_err(|error| parameter("body", error.to_string()))
}

async fn act(
    ask: ApiAsk,
    make: fn(&mut Wanted) -> Result<Act, ServerError>,
) -> Result<ApiReply, ServerError> {
    let mut wanted: Wanted = body(&ask)?;
    let wish = make(&mut wanted)?;
    let subject = Subject::new(Matter::ChangeAlert, format!("alert/{}", ask.id)).of_rows(1);
    let permit = ask.app.gate().permit(&ask.access, subject).await?;
    let done = ask.desk()?.act(&permit, &ask.id, wish, wanted.seen).await.map_err(refused)?;
    let changes: Vec<Value> = done.iter().map(document::transition).collect();
    let state = done.iter().rfind(|change| change.alert == ask.id).map(|change| change.after.name());
    Ok(ApiReply::ok(json!({"id": ask.id, "state": state, "changes": changes})))
}

fn needed(reason: Option<String>) -> Result<String, ServerError> {
    reason.ok_or_else(|| parameter("reason", "say why"))
}

/// `POST /api/v1/alerts/{id}/acknowledge`.
pub(super) async fn acknowledge(ask: ApiAsk) -> Result<ApiReply, ServerError> {
    act(ask, |wanted| Ok(Act::Acknowledge { note: wanted.reason.take() })).await
}

/// `POST /api/v1/alerts/{id}/resolve`.
pub(super) async fn resolve(ask: ApiAsk) -> Result<ApiReply, ServerError> {
    act(ask, |wanted| Ok(Act::Resolve { reason: wanted.reason.take() })).await
}

/// `POST /api/v1/alerts/{id}/override`.
pub(super) async fn override_it(ask: ApiAsk) -> Result<ApiReply, ServerError> {
    act(ask, |wanted| Ok(Act::Override { reason: needed(wanted.reason.take())? })).await
}

/// `POST /api/v1/alerts/{id}/escalate`.
pub(super) async fn escalate(ask: ApiAsk) -> Result<ApiReply, ServerError> {
    act(ask, |wanted| Ok(Act::Escalate { reason: wanted.reason.take() })).await
}

/// `POST /api/v1/alerts/{id}/snooze`.
pub(super) async fn snooze(ask: ApiAsk) -> Result<ApiReply, ServerError> {
    act(ask, |wanted| {
        let mins = wanted.mins.ok_or_else(|| parameter("mins", "say for how many minutes"))?;
        Ok(Act::Snooze { mins, reason: needed(wanted.reason.take())? })
    })
    .await
}

/// `GET /api/v1/silences`.
pub(super) async fn silences(ask: ApiAsk) -> Result<ApiReply, ServerError> {
    let permit = ask.may(Matter::Alerts, "silences").await?;
    let silences = ask.desk()?.silences(&permit).await.map_err(refused)?;
    Ok(ApiReply::ok(json!({"silences": silences.iter().map(document::silence).collect::<Vec<_>>()})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SilenceWanted {
    subject: Option<String>,
    topic: Option<String>,
    rule: Option<String>,
    unit: Option<String>,
    mins: u32,
    reason: String,
}

/// `POST /api/v1/silences`.
pub(super) async fn silence(ask: ApiAsk) -> Result<ApiReply, ServerError> {
    let SilenceWanted { subject, topic, rule, unit, mins, reason } = body(&ask)?;
    let request = SilenceRequest { subject, topic, rule, unit, mins, reason };
    let permit = ask.app.gate().permit(&ask.access, Subject::new(Matter::ChangeAlert, "silence")).await?;
    let made = ask.desk()?.silence(&permit, request).await.map_err(refused)?;
    Ok(ApiReply { status: StatusCode::CREATED, document: Document::Json(document::silence(&made)) })
}

/// `DELETE /api/v1/silences/{id}`.
pub(super) async fn lift(ask: ApiAsk) -> Result<ApiReply, ServerError> {
    let subject = Subject::new(Matter::ChangeAlert, format!("silence/{}", ask.id));
    let permit = ask.app.gate().permit(&ask.access, subject).await?;
    let done = ask.desk()?.lift(&permit, &ask.id).await.map_err(refused)?;
    Ok(ApiReply::ok(json!({"id": ask.id, "alerts": done.len()})))
}

/// `GET /api/v1/alert-burden`.
pub(super) async fn burden(ask: ApiAsk) -> Result<ApiReply, ServerError> {
    let to = ask.instant("to")?.unwrap_or_else(|| ask.app.gate().now());
    let from = ask.instant("from")?.unwrap_or(Instant(to.0 - DAY_MICROS));
    if from >= to {
        return Err(parameter("from", "it must lie before `to`"));
    }
    let permit = ask.may(Matter::Streams, "alert-burden").await?;
    let unit = ask.text("unit");
    let found = ask.desk()?.burden(&permit, unit.clone(), (from, to)).await.map_err(refused)?;
    let mut answer = document::burden(&found);
    answer["unit"] = json!(unit);
    answer["period"] = json!({"start": from.to_rfc3339_millis(), "end": to.to_rfc3339_millis()});
    Ok(ApiReply::ok(answer))
}
