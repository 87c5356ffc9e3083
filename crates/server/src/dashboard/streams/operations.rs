//! `GET /streams`: how far processing is, how fast it is, and how many alarms there are; `GET /streams/events/{}`, one raw event.

use axum::response::Response;
use fhir::Instant;
use gate::{Matter, Permit};
use http::StatusCode;
use stream::log::EventLog;
use stream::{Health, Lag, Platform, StreamError};
use ui::alerts::Burden;
use ui::frame::Place;
use ui::streams::{EventView, Status, Times, View, event_page, page};

use super::facts::person_id;
use super::{absent, refused};
use crate::dashboard::PageAsk;
use crate::dashboard::answer::html;
use crate::dashboard::frame::frame_of;
use crate::error::ServerError;

/// The alarm burden is of so many hours.
const BURDEN_HOURS: u32 = 24;

pub(crate) async fn show(ask: PageAsk) -> Result<Response, ServerError> {
    let Some((permit, platform)) = ask.streams(Matter::Streams, "").await? else {
        return Ok(absent(&ask, Place::Streams, "Streams"));
    };
    let health = platform.health(&permit).await?;
    let lags = platform.lags(&permit).await?;
    let burden = burden(&platform, &permit).await?;
    let status = status_of(platform.log(), &health, &lags, burden);
    let view = View { frame: frame_of(&ask), status, notice: None };
    Ok(html(StatusCode::OK, page(&view)))
}

async fn burden(platform: &Platform, permit: &Permit) -> Result<Burden, ServerError> {
    let now = platform.now();
    let from = Instant(now.0 - i64::from(BURDEN_HOURS) * 3_600_000_000);
    let found = platform.alerts().burden(permit, None, (from, now)).await.map_err(refused)?;
    Ok(Burden {
        hours: BURDEN_HOURS,
        raised: found.alerts,
        acknowledged: found.acknowledged,
        overridden: found.overridden,
        per_bed_day: found.per_bed_day(),
        median_ack_secs: found.median_secs,
    })
}

fn status_of(log: &EventLog, health: &Health, lags: &[Lag], burden: Burden) -> Status {
    let times = |stage: &str, n: u64, secs: Option<(f64, f64)>| Times {
        stage: stage.to_owned(),
        n,
        p50_ms: secs.map(|(p50, _)| p50 * 1_000.0),
        p99_ms: secs.map(|(_, p99)| p99 * 1_000.0),
    };
    let state = |lag: &Lag| if health.is_ready || lag.next >= lag.end { "running" } else { "waiting" };
    Status {
        log: match log {
            EventLog::Embedded(_) => "embedded",
            EventLog::Kafka(_) => "Kafka",
        }
        .to_owned(),
        appended: Some(health.published),
        times: vec![
            times("append, until durable", health.published, health.append_secs),
            times("event to alert", health.processed, health.effect_secs),
            times("transaction and fsync", health.processed, health.commit_secs),
        ],
        lags: lags
            .iter()
            .filter(|lag| lag.end > 0)
            .map(|lag| ui::streams::Lag {
                group: lag.group.clone(),
                topic: format!("healthcare.{}", lag.kind),
                partition: lag.partition,
                offset: lag.next,
                end: lag.end,
                moved_at: lag.moved_at,
                state: state(lag).to_owned(),
            })
            .collect(),
        dead_waiting: health.dead_letters_open,
        rejected: health.rejected,
        burden: Some(burden),
        troubles: health.troubles.iter().map(|(what, why)| format!("{what}: {why}")).collect(),
    }
}

pub(crate) async fn event(ask: PageAsk) -> Result<Response, ServerError> {
    let position = ask.parts[0].clone();
    let Some((permit, platform)) = ask.streams(Matter::OpenDeadLetter, &format!("event/{position}")).await?
    else {
        return Ok(absent(&ask, Place::Streams, "Event"));
    };
    let unknown =
        || StreamError::NotFound(format!("there is no event at `{position}`, or it is kept no longer"));
    let raw = platform.raw_event(&permit, &position).await?.ok_or_else(unknown)?;
    let view = EventView {
        frame: frame_of(&ask),
        position,
        appended_at: Some(raw.appended_at),
        headers: raw.headers,
        text: raw.text,
        patient: raw.patient.as_deref().and_then(person_id).map(String::from),
    };
    Ok(html(StatusCode::OK, event_page(&view)))
}
