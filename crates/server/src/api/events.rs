//! Events: publish them, look at the last ones.

use event::{Data, Event, Kind, Value as Said};
use gate::{GateError, Matter, Subject};
use serde_json::{Value, json};
use stream::{Receipt, StreamError, Tailed};

use super::{ApiAsk, ApiReply};
use crate::error::ServerError;

const EVENTS_DEFAULT: u64 = 20;

/// `POST /api/v1/events`: one event, an array, or one event a line.
pub(super) async fn publish(ask: ApiAsk) -> Result<ApiReply, ServerError> {
    let permit = ask.app.gate().permit_ongoing(&ask.access, Subject::new(Matter::PublishEvents, "")).await;
    let permit = permit.map_err(at_the_door)?;
    let platform = ask.app.stream()?;
    let events = stream::split(&ask.body, platform.settings().publish_events_max)
        .map_err(|error| ServerError::Stream(StreamError::Invalid(error.to_string())))?;
    Ok(ApiReply::ok(describe(&platform.publish(&permit, events).await?)))
}

/// A gate that cannot record now is no other answer to a sender than a log that cannot be written.
fn at_the_door(error: GateError) -> ServerError {
    let error = StreamError::Gate(error);
    if error.is_passing() { ServerError::Stream(error) } else { error.into() }
}

fn describe(receipt: &Receipt) -> Value {
    let rejected = receipt
        .rejected
        .iter()
        .map(|one| json!({"index": one.index, "reason": one.reason, "dead_letter": one.dead_letter}));
    json!({
        "accepted": receipt.accepted,
        "duplicates": receipt.duplicates,
        "rejected": rejected.collect::<Vec<_>>(),
    })
}

/// `GET /api/v1/events`: the last ones. Opened like dead letters, as they hold patient data.
pub(super) async fn tail(ask: ApiAsk) -> Result<ApiReply, ServerError> {
    let max = usize::try_from(ask.number("max", EVENTS_DEFAULT)?).unwrap_or(usize::MAX);
    let kinds: Vec<Kind> = ask.param("kind").map(Kind::named).into_iter().collect();
    let subject = Subject::new(Matter::OpenDeadLetter, "events");
    let permit = ask.app.gate().permit_ongoing(&ask.access, subject).await?;
    let events = ask.app.stream()?.tail(&permit, &kinds, max).await?;
    Ok(ApiReply::ok(json!({"events": events.iter().map(describe_tailed).collect::<Vec<_>>()})))
}

fn describe_tailed(tailed: &Tailed) -> Value {
    json!({
        "position": tailed.position.to_string(),
        "appended_at": tailed.appended_at.to_rfc3339_millis(),
        "principal": tailed.principal,
        "event": tailed.event.as_ref().map(describe_event),
    })
}

/// An event for people; the log's own form is the event crate's.
fn describe_event(event: &Event) -> Value {
    let text = |said: &Said| match said {
        Said::Number(number) => number.to_string(),
        Said::Text(text) | Said::Absent(text) => text.clone(),
    };
    let values = event.measurements().iter().map(|one| {
        json!({
            "name": one.name.as_str(),
            "loinc": one.loinc.as_deref(),
            "value": format!("{}{}", one.comparator.map_or("", event::Comparator::sign), text(&one.value)),
            "unit": one.unit.as_deref(),
            "status": one.status.name(),
            "flags": one.flags,
        })
    });
    let about = match &event.data {
        Data::Measurements(_) => "measurements",
        Data::Medication(_) => "medication",
        Data::Population(_) => "population",
        Data::Movement(_) => "movement",
        _ => "data",
    };
    json!({
        "id": event.id,
        "kind": event.kind.name(),
        "patient": event.patient,
        "encounter": event.encounter,
        "at": event.at.to_rfc3339_millis(),
        "received_at": event.received_at.to_rfc3339_millis(),
        "source": event.source,
        "unit": event.unit,
        "holds": about,
        "measurements": values.collect::<Vec<_>>(),
    })
}
