//! batch and transaction: `POST` of a Bundle to the base.

use bytes::Bytes;
use fhir::{Issue, IssueType, Kind, Value, json};
use futures_util::stream::{self, StreamExt};
use gate::{WriteOp, Written};
use http::StatusCode;

use crate::error::ServerError;
use crate::fhir::ask::Ask;
use crate::fhir::body::off_reactor;
use crate::fhir::bundle_bytes::{close, head, open_entry, text};
use crate::fhir::entry::{Look, Step, check_members, step_of, wrong};
use crate::fhir::reply::Reply;
use crate::fhir::transaction::placed;
use crate::fhir::{full_urls, outcome, written};

/// Reads of one batch that run side by side: their audit records share commits.
const LOOKS_AT_ONCE: usize = 32;

type EntryResult = Result<Reply, ServerError>;
type Steps = Vec<Result<Step, ServerError>>;

/// Does what the entries ask: all or nothing for a transaction, each by itself for a batch.
pub(crate) async fn bundle(mut ask: Ask) -> Result<Reply, ServerError> {
    ask.controls.nothing_else()?;
    // Moved, so that the text is let go as soon as it is parsed.
    let bytes = std::mem::take(&mut ask.body);
    if bytes.is_empty() {
        return Err(ServerError::BodyMissing);
    }
    let (ask, parsed) = off_reactor(bytes, move |bytes| {
        let parsed = parse(&ask, bytes);
        (ask, parsed)
    })
    .await;
    let (atomic, steps) = parsed?;
    let replies = if atomic { transaction(&ask, steps).await? } else { batch(&ask, steps).await? };
    Ok(Reply::json(StatusCode::OK, write(atomic, &replies)))
}

/// The kind of bundle and what its entries ask for.
fn parse(ask: &Ask, bytes: &[u8]) -> Result<(bool, Steps), ServerError> {
    let mut value = json::parse(bytes, &json::Limits::default()).map_err(|error| {
        ServerError::Body(vec![Issue::error(IssueType::Structure, "json", error.to_string())])
    })?;
    if value.text("resourceType") != Some(Kind::BUNDLE.name()) {
        return Err(wrong("resourceType", "the base takes a `Bundle` of type `batch` or `transaction`"));
    }
    check_members(&value, "Bundle", "Bundle")?;
    let atomic = match value.text("type") {
        Some("transaction") => true,
        Some("batch") => false,
        _ => return Err(wrong("Bundle.type", "use `batch` or `transaction`")),
    };
    let entries = match value.get_mut("entry").map(Value::take) {
        None => Vec::new(),
        Some(Value::Array(entries)) => entries,
        Some(other) => {
            return Err(wrong("Bundle.entry", format!("this must be an array, it is {}", other.type_name())));
        }
    };
    let entries_max = ask.app.config().limits.bundle_entries_max;
    if entries.len() > entries_max {
        return Err(ServerError::TooManyEntries { entries_max });
    }
    let steps = entries.into_iter().enumerate();
    Ok((atomic, steps.map(|(n, entry)| step_of(ask, entry, &format!("Bundle.entry[{n}]"))).collect()))
}

/// Writes first (the store does them in the order of R4), then everything else on what is stored then.
async fn transaction(ask: &Ask, steps: Steps) -> Result<Vec<EntryResult>, ServerError> {
    let (mut ops, mut looks) = (Vec::new(), Vec::new());
    let n_steps = steps.len();
    for (entry, step) in steps.into_iter().enumerate() {
        match step.map_err(|error| in_entry(entry, error))? {
            Step::Write(op) => ops.push((entry, *op)),
            Step::Look(look) => {
                look.check().map_err(|error| in_entry(entry, error))?;
                looks.push((entry, look));
            }
        }
    }
    full_urls::check_distinct(&ops)?;
    let (places, ops): (Vec<usize>, Vec<WriteOp>) = ops.into_iter().unzip();
    let written = write_ops(ask, true, ops).await.map_err(|error| match error {
        ServerError::Gate(error) => ServerError::Gate(placed(error, &places)),
        error => error,
    })?;
    Ok(joined(n_steps, places.into_iter().zip(written).chain(look_at(looks).await)))
}

/// The writes share a commit, but each stands by itself.
async fn batch(ask: &Ask, steps: Steps) -> Result<Vec<EntryResult>, ServerError> {
    let (mut ops, mut looks, mut failed) = (Vec::new(), Vec::new(), Vec::new());
    let n_steps = steps.len();
    for (entry, step) in steps.into_iter().enumerate() {
        match step {
            Ok(Step::Write(op)) => ops.push((entry, *op)),
            Ok(Step::Look(look)) => looks.push((entry, look)),
            Err(error) => failed.push((entry, Err(error))),
        }
    }
    let (ops, astray) = full_urls::set_aside(ops);
    failed.extend(astray.into_iter().map(|(entry, error)| (entry, Err(error))));
    let (places, ops): (Vec<usize>, Vec<WriteOp>) = ops.into_iter().unzip();
    let written = write_ops(ask, false, ops).await?;
    let looked = look_at(looks).await;
    Ok(joined(n_steps, places.into_iter().zip(written).chain(looked).chain(failed)))
}

async fn write_ops(ask: &Ask, atomic: bool, ops: Vec<WriteOp>) -> Result<Vec<EntryResult>, ServerError> {
    if ops.is_empty() {
        return Ok(Vec::new());
    }
    let answer = ask.app.gate().write(&ask.access, atomic, ops).await?;
    let reply =
        |result: Result<Written, gate::GateError>| Ok(written::entry_reply_of(result?, ask.prefer.returns));
    Ok(answer.results.into_iter().map(reply).collect())
}

async fn look_at(looks: Vec<(usize, Box<Look>)>) -> Vec<(usize, EntryResult)> {
    let answers = looks.into_iter().map(|(entry, look)| async move { (entry, look.run().await) });
    stream::iter(answers).buffered(LOOKS_AT_ONCE).collect().await
}

/// Answers in the order of the entries.
fn joined(n_steps: usize, answers: impl Iterator<Item = (usize, EntryResult)>) -> Vec<EntryResult> {
    let mut slots: Vec<Option<EntryResult>> = Vec::new();
    slots.resize_with(n_steps, || None);
    for (entry, answer) in answers {
        slots[entry] = Some(answer);
    }
    slots.into_iter().map(|slot| slot.expect("every entry is a write, a look or a failure")).collect()
}

fn in_entry(entry: usize, error: ServerError) -> ServerError {
    match error {
        // It says the place itself.
        error @ ServerError::Bundle { .. } => error,
        error => ServerError::Entry { entry, error: Box::new(error) },
    }
}

fn write(atomic: bool, replies: &[EntryResult]) -> Bytes {
    let kind = if atomic { "transaction-response" } else { "batch-response" };
    let mut out = head(kind, None, &[], 0);
    out.reserve(replies.len() * 160);
    let mut first = true;
    for reply in replies {
        open_entry(&mut out, &mut first);
        match reply {
            Ok(reply) => write_entry(&mut out, reply),
            Err(error) => {
                write_status(&mut out, error.status());
                text(&mut out, &[",\"outcome\":"]);
                fhir::outcome(&error.issues()).write(&mut out);
                text(&mut out, &["}}"]);
            }
        }
    }
    close(out, first).into()
}

fn write_entry(out: &mut Vec<u8>, reply: &Reply) {
    let is_outcome = reply.body.starts_with(outcome::START);
    if !reply.body.is_empty() && !is_outcome {
        text(out, &["\"resource\":"]);
        out.extend_from_slice(&reply.body);
        text(out, &[","]);
    }
    write_status(out, reply.status);
    if let Some(location) = &reply.location {
        text(out, &[",\"location\":\"", location, "\""]);
    }
    if let Some(version) = reply.version {
        text(out, &[",\"etag\":\"W/\\\"", &version.to_string(), "\\\"\""]);
    }
    if let Some(updated) = reply.updated {
        text(out, &[",\"lastModified\":\"", &updated.to_rfc3339_millis(), "\""]);
    }
    if is_outcome {
        text(out, &[",\"outcome\":"]);
        out.extend_from_slice(&reply.body);
    }
    text(out, &["}}"]);
}

/// Left open: more members of the response follow.
fn write_status(out: &mut Vec<u8>, status: StatusCode) {
    let reason = status.canonical_reason().unwrap_or("");
    text(out, &["\"response\":{\"status\":\"", status.as_str(), " ", reason, "\""]);
}
