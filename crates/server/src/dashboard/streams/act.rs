//! `POST /alerts/act`: acknowledge, escalate, snooze, resolve or override alerts, one or several; `POST /alerts/silences`.

use axum::response::Response;
use gate::{Matter, Subject};
use stream::StreamError;
use stream::alert::{Act, SilenceRequest};
use ui::frame::Place;

use super::{absent, refused};
use crate::auth::see_other;
use crate::dashboard::PageAsk;
use crate::error::ServerError;
use crate::fhir::controls::parameter;

/// Alerts of one form.
const ALERTS_MAX: usize = 200;

pub(crate) async fn act(ask: PageAsk) -> Result<Response, ServerError> {
    let ids: Vec<String> = ask.fields("id").filter(|id| !id.is_empty()).map(String::from).collect();
    if ids.is_empty() || ids.len() > ALERTS_MAX {
        return Err(parameter("id", format!("tick 1 to {ALERTS_MAX} alerts")));
    }
    let act = act_of(&ask)?;
    // Of several, none was looked at so closely that a change since would matter.
    let seen = match ids.len() {
        1 => ask.field("seen").map(|seen| number("seen", seen)).transpose()?,
        _ => None,
    };
    let names: Vec<String> = ids.iter().map(|id| format!("alert/{id}")).collect();
    let subject = Subject::new(Matter::ChangeAlert, names.join(" ")).of_rows(ids.len() as u64);
    let permit = ask.app.gate().permit(&ask.access, subject).await?;
    let Ok(platform) = ask.app.stream() else { return Ok(absent(&ask, Place::Alerts, "Alerts")) };
    let mut first_refusal = None;
    for id in &ids {
        let done = platform.alerts().act(&permit, id, act.clone(), seen).await;
        if let Err(error) = done {
            first_refusal.get_or_insert(error);
        }
    }
    match first_refusal {
        // What is ticked and was done meanwhile by somebody else is no failure of the rest.
        Some(error) if ids.len() == 1 => Err(refused(error)),
        _ => Ok(see_other(back(&ask))),
    }
}

fn act_of(ask: &PageAsk) -> Result<Act, ServerError> {
    let reason = ask.field("reason").map(String::from);
    let needed = || reason.clone().ok_or_else(|| parameter("reason", "say why"));
    Ok(match ask.field("act") {
        Some("acknowledge") => Act::Acknowledge { note: reason },
        Some("escalate") => Act::Escalate { reason },
        Some("resolve") => Act::Resolve { reason },
        Some("override") => Act::Override { reason: needed()? },
        Some("snooze") => {
            let mins = ask.field("mins").ok_or_else(|| parameter("mins", "say for how long"))?;
            Act::Snooze { mins: number("mins", mins)?, reason: needed()? }
        }
        _ => return Err(parameter("act", "use acknowledge, escalate, snooze, resolve or override")),
    })
}

fn number<N: std::str::FromStr>(name: &str, text: &str) -> Result<N, ServerError> {
    text.parse().map_err(|_| parameter(name, "use a whole number"))
}

/// Back to where the form stood: a page about alerts, and nowhere else.
fn back(ask: &PageAsk) -> &str {
    let wanted = ask.field("back").unwrap_or(ui::url::ALERTS);
    let is_ours = wanted
        .strip_prefix(ui::url::ALERTS)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']));
    if is_ours && !wanted.contains(['\r', '\n', '\\']) { wanted } else { ui::url::ALERTS }
}

pub(crate) async fn silence(ask: PageAsk) -> Result<Response, ServerError> {
    let id = ask.field("id").ok_or_else(|| parameter("id", "name an alert"))?.to_owned();
    let hours: u32 = number("hours", ask.field("hours").unwrap_or_default())?;
    let reason = ask.field("reason").ok_or_else(|| parameter("reason", "say why"))?.to_owned();
    let Some((permit, platform)) = ask.streams(Matter::ChangeAlert, &format!("alert/{id}")).await? else {
        return Ok(absent(&ask, Place::Alerts, "Alerts"));
    };
    let found = platform.alerts().whole(&permit, &id).await.map_err(refused)?;
    let alert = found.ok_or_else(|| StreamError::NotFound(format!("there is no alert `{id}`")))?.alert;
    let request = SilenceRequest {
        subject: Some(alert.subject),
        rule: Some(alert.rule),
        mins: hours.saturating_mul(60),
        reason,
        ..SilenceRequest::default()
    };
    platform.alerts().silence(&permit, request).await.map_err(refused)?;
    Ok(see_other(&ui::url::alert(&id)))
}
