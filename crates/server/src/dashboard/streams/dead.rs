//! `GET /streams/dead-letters` and its forms: open one, send some again.

use std::collections::BTreeMap;

use axum::response::Response;
use gate::{Matter, Permit, Subject};
use http::StatusCode;
use stream::{DeadLetter, DeadQuery, DeadState, Platform};
use ui::frame::Place;
use ui::parts::chip::Tone;
use ui::parts::empty::Notice;
use ui::parts::number::counted;
use ui::parts::pager::Paging;
use ui::streams::{Cause, DeadView, Letter, Opened, dead_page};

use super::absent;
use crate::dashboard::PageAsk;
use crate::dashboard::answer::html;
use crate::dashboard::frame::frame_of;
use crate::error::ServerError;
use crate::fhir::controls::{encode, parameter};

const ROWS: u32 = 50;
/// Letters that one form sends again.
const REPLAY_MAX: u32 = 1_000;
/// So much of a letter is shown.
const CHARS_MAX: usize = 20_000;

pub(crate) async fn list(ask: PageAsk) -> Result<Response, ServerError> {
    let Some((permit, platform)) = ask.streams(Matter::Streams, "dead-letters").await? else {
        return Ok(absent(&ask, Place::Streams, "Dead letters"));
    };
    let view = view_of(&ask, &permit, &platform, None, None).await?;
    Ok(html(StatusCode::OK, dead_page(&view)))
}

async fn view_of(
    ask: &PageAsk,
    permit: &Permit,
    platform: &Platform,
    opened: Option<Opened>,
    notice: Option<Notice>,
) -> Result<DeadView, ServerError> {
    let state = ask.asked("state").unwrap_or("open").to_owned();
    let after = ask.asked("after").and_then(|after| after.parse().ok()).unwrap_or(0);
    let query = DeadQuery { state: DeadState::named(&state), cause: None, after, max: Some(ROWS + 1) };
    let mut letters = platform.dead_letters(permit, query).await?;
    let has_more = letters.len() > ROWS as usize;
    letters.truncate(ROWS as usize);
    let address = format!("{}?state={}", ui::url::DEAD_LETTERS, encode(&state));
    let counts = platform.dead_letter_counts(permit).await?;
    let principal = &ask.access.principal;
    Ok(DeadView {
        frame: frame_of(ask),
        paging: Paging {
            shown: letters.len() as u64,
            total: None,
            first: (after > 0).then(|| address.clone()),
            next: letters.last().filter(|_| has_more).map(|last| format!("{address}&after={}", last.id)),
        },
        state: if state == "all" { String::new() } else { state },
        causes: causes_of(counts),
        letters: letters.into_iter().map(letter_of).collect(),
        opened,
        may_open: principal.may(Matter::OpenDeadLetter),
        may_replay: principal.may(Matter::ReplayDeadLetter),
        notice,
    })
}

fn causes_of(counts: Vec<(String, DeadState, u64)>) -> Vec<Cause> {
    let mut causes: BTreeMap<String, Cause> = BTreeMap::new();
    for (reason, state, n) in counts {
        let cause = causes.entry(reason.clone()).or_insert(Cause { reason, open: 0, all: 0 });
        cause.all += n;
        if state == DeadState::Open {
            cause.open += n;
        }
    }
    causes.into_values().collect()
}

fn letter_of(letter: DeadLetter) -> Letter {
    Letter {
        id: letter.id.unsigned_abs(),
        at: letter.at,
        kind: letter.position.as_ref().map(|position| position.kind.name().to_owned()),
        source: letter.source.unwrap_or(letter.door),
        reason: letter.cause,
        message: letter.message,
        position: letter.position.map(|at| format!("{}:{}:{}", at.kind, at.partition, at.offset)),
        state: letter.state.name().to_owned(),
    }
}

fn id_of(text: &str) -> Result<i64, ServerError> {
    text.parse().map_err(|_| parameter("id", "use the number of a letter"))
}

/// The content is in the answer to the form and nowhere else: no address leads to it.
pub(crate) async fn open(ask: PageAsk) -> Result<Response, ServerError> {
    let id = id_of(&ask.parts[0])?;
    let subject = Subject::new(Matter::OpenDeadLetter, format!("dead-letter/{id}")).of_rows(1);
    let permit = ask.app.gate().permit(&ask.access, subject).await?;
    let Ok(platform) = ask.app.stream().cloned() else {
        return Ok(absent(&ask, Place::Streams, "Dead letters"));
    };
    let (letter, body) = platform.open_dead_letter(&permit, id).await?;
    let text: String = String::from_utf8_lossy(&body).chars().take(CHARS_MAX).collect();
    let opened = Opened { id: letter.id.unsigned_abs(), text };
    let view = view_of(&ask, &permit, &platform, Some(opened), None).await?;
    Ok(html(StatusCode::OK, dead_page(&view)))
}

pub(crate) async fn replay(ask: PageAsk) -> Result<Response, ServerError> {
    let reason = ask.field("reason").map(String::from);
    let one = ask.field("id").map(id_of).transpose()?;
    let names = one.map_or_else(|| reason.clone().unwrap_or_default(), |id| format!("dead-letter/{id}"));
    let Some((permit, platform)) = ask.streams(Matter::ReplayDeadLetter, &names).await? else {
        return Ok(absent(&ask, Place::Streams, "Dead letters"));
    };
    let ids = match (one, reason) {
        (Some(id), _) => vec![id],
        (None, Some(_)) => {
            let query = DeadQuery {
                state: Some(DeadState::Open),
                cause: reason_of(&ask),
                after: 0,
                max: Some(REPLAY_MAX),
            };
            platform.dead_letters(&permit, query).await?.into_iter().map(|letter| letter.id).collect()
        }
        (None, None) => return Err(parameter("id", "name a letter or a cause")),
    };
    let (asked, taken) = (ids.len() as u64, platform.replay_dead_letters(&permit, ids).await?);
    let notice = Notice {
        tone: if taken == asked { Tone::Good } else { Tone::Medium },
        title: format!("{} of {} taken again", taken, counted(asked, "letter", "letters")),
        text: "What cannot be processed again comes back as a letter of its own.".into(),
    };
    let view = view_of(&ask, &permit, &platform, None, Some(notice)).await?;
    Ok(html(StatusCode::OK, dead_page(&view)))
}

fn reason_of(ask: &PageAsk) -> Option<String> {
    ask.field("reason").map(String::from)
}
