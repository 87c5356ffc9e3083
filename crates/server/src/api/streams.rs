//! Streams: how they are, how far groups are, dead letters.

use gate::{Matter, Permit, Subject};
use serde_json::{Value, json};
use stream::{DeadLetter, DeadQuery, DeadState, Health, Lag, Platform, StreamError};

use super::{ApiAsk, ApiReply};
use crate::error::ServerError;
use crate::fhir::controls::parameter;

const LETTERS_DEFAULT: u64 = 100;

impl ApiAsk {
    /// Asks the gate first, so that nobody without the right learns whether there are streams.
    async fn streams(
        &self,
        matter: Matter,
        names: &str,
        rows: u64,
    ) -> Result<(Permit, &Platform), ServerError> {
        let subject = Subject::new(matter, names).of_rows(rows);
        let permit = self.app.gate().permit(&self.access, subject).await?;
        Ok((permit, self.app.stream()?))
    }

    fn letter(&self) -> Result<i64, ServerError> {
        let unknown = || StreamError::NotFound(format!("there is no dead letter `{}`", self.id));
        Ok(self.id.parse::<i64>().map_err(|_| unknown())?)
    }
}

/// `GET /api/v1/streams`.
pub(super) async fn health(ask: ApiAsk) -> Result<ApiReply, ServerError> {
    let (permit, platform) = ask.streams(Matter::Streams, "", 0).await?;
    let health = platform.health(&permit).await?;
    Ok(ApiReply::ok(describe_health(&health)))
}

fn describe_health(health: &Health) -> Value {
    let secs = |pair: Option<(f64, f64)>| pair.map(|(p50, p99)| json!({"p50": p50, "p99": p99}));
    json!({
        "ready": health.is_ready,
        "troubles": health.troubles,
        "lag": health.lag,
        "published": health.published,
        "processed": health.processed,
        "rejected": health.rejected,
        "effect_secs": secs(health.effect_secs),
        "append_secs": secs(health.append_secs),
        "commit_secs": secs(health.commit_secs),
        "observations_waiting": health.observations_waiting,
        "dead_letters_open": health.dead_letters_open,
    })
}

/// `GET /api/v1/streams/groups`.
pub(super) async fn groups(ask: ApiAsk) -> Result<ApiReply, ServerError> {
    let (permit, platform) = ask.streams(Matter::Streams, "groups", 0).await?;
    let lags = platform.lags(&permit).await?;
    let total: u64 = lags.iter().map(|lag| lag.end.saturating_sub(lag.next)).sum();
    Ok(ApiReply::ok(json!({"groups": lags.iter().map(describe_lag).collect::<Vec<_>>(), "lag": total})))
}

fn describe_lag(lag: &Lag) -> Value {
    json!({
        "group": lag.group,
        "kind": lag.kind.name(),
        "partition": lag.partition,
        "next": lag.next,
        "end": lag.end,
        "lag": lag.end.saturating_sub(lag.next),
        "moved_at": lag.moved_at.map(fhir::Instant::to_rfc3339_millis),
    })
}

/// `GET /api/v1/dead-letters`.
pub(super) async fn letters(ask: ApiAsk) -> Result<ApiReply, ServerError> {
    let state = match ask.param("state") {
        None => None,
        Some(name) => {
            let why = "use `open`, `queued`, `replayed` or `waived`";
            Some(DeadState::named(name).ok_or_else(|| parameter("state", why))?)
        }
    };
    let query = DeadQuery {
        state,
        cause: ask.param("cause").map(str::to_owned),
        after: i64::try_from(ask.number("after", 0)?).unwrap_or(i64::MAX),
        max: Some(u32::try_from(ask.number("max", LETTERS_DEFAULT)?).unwrap_or(u32::MAX)),
    };
    let (permit, platform) = ask.streams(Matter::Streams, "dead-letters", 0).await?;
    let letters = platform.dead_letters(&permit, query).await?;
    let counts = platform.dead_letter_counts(&permit).await?;
    let counts =
        counts.iter().map(|(cause, state, n)| json!({"cause": cause, "state": state.name(), "letters": n}));
    Ok(ApiReply::ok(json!({
        "letters": letters.iter().map(describe).collect::<Vec<_>>(),
        "counts": counts.collect::<Vec<_>>(),
        "next": letters.last().map(|letter| letter.id),
    })))
}

/// `GET /api/v1/dead-letters/{id}`: what stands in it; recorded.
pub(super) async fn letter(ask: ApiAsk) -> Result<ApiReply, ServerError> {
    let names = format!("dead-letter/{}", ask.id);
    let (permit, platform) = ask.streams(Matter::OpenDeadLetter, &names, 1).await?;
    let (letter, body) = platform.open_dead_letter(&permit, ask.letter()?).await?;
    let mut document = describe(&letter);
    document["patient"] = json!(letter.patient);
    document["content"] = json!(String::from_utf8_lossy(&body));
    Ok(ApiReply::ok(document))
}

/// `POST /api/v1/dead-letters/{id}/replay`.
pub(super) async fn replay(ask: ApiAsk) -> Result<ApiReply, ServerError> {
    let names = format!("dead-letter/{}", ask.id);
    let (permit, platform) = ask.streams(Matter::ReplayDeadLetter, &names, 1).await?;
    let taken = platform.replay_dead_letters(&permit, vec![ask.letter()?]).await?;
    Ok(ApiReply::ok(json!({"replayed": taken})))
}

/// `POST /api/v1/dead-letters/{id}/waive`.
pub(super) async fn waive(ask: ApiAsk) -> Result<ApiReply, ServerError> {
    let names = format!("dead-letter/{}", ask.id);
    let (permit, platform) = ask.streams(Matter::ReplayDeadLetter, &names, 1).await?;
    let waived = platform.waive_dead_letters(&permit, vec![ask.letter()?]).await?;
    Ok(ApiReply::ok(json!({"waived": waived})))
}

fn describe(letter: &DeadLetter) -> Value {
    json!({
        "id": letter.id,
        "at": letter.at.to_rfc3339_millis(),
        "door": letter.door,
        "source": letter.source,
        "event": letter.event,
        "position": letter.position.as_ref().map(ToString::to_string),
        "cause": letter.cause,
        "place": letter.place,
        "message": letter.message,
        "state": letter.state.name(),
        "state_at": letter.state_at.map(fhir::Instant::to_rfc3339_millis),
        "state_by": letter.state_by,
    })
}
