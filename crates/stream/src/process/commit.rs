//! The transaction of a batch: state, alerts, outbox, Observations' queue, dead letters and offsets, all or nothing.

use std::sync::Arc;

use event::{Data, Event, Lateness, Moved};
use fhir::Instant;
use rules::Finding;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::GROUP;
use super::dead::{self, NewDead, Sealed};
use super::encode::{Encoded, State};
use super::plan::{Batch, Cause, Decoded, Effect, Held, Key, Processed};
use super::queue;
use crate::alert::{self, About, Policy, Transition};
use crate::surveillance::{self, SurveillanceConfig};

/// The batch was planned on what is not there any more: plan it again.
#[derive(Debug, thiserror::Error)]
#[error("another batch has changed a patient of this one")]
pub(crate) struct Stale;

/// What the transaction needs beside the batch.
pub(crate) struct Ground {
    pub(crate) policy: Arc<Policy>,
    pub(crate) surveillance: Arc<SurveillanceConfig>,
    pub(crate) now: Instant,
}

/// What was committed.
pub(crate) struct Committed {
    pub(crate) transitions: Vec<Transition>,
    pub(crate) held: Vec<(Key, Held)>,
    pub(crate) merged: Vec<(String, String, String)>,
    pub(crate) n_dead: u64,
    /// Something waits to become a resource.
    pub(crate) has_queued: bool,
}

/// Writes a batch. Must run in a transaction that is rolled back when this fails.
pub(crate) fn write(
    conn: &Connection,
    ground: &Ground,
    batch: Batch,
    states: Vec<State>,
    encoded: Vec<Encoded>,
) -> rusqlite::Result<Committed> {
    let mut done = Committed {
        transitions: Vec::new(),
        held: Vec::new(),
        merged: Vec::new(),
        n_dead: 0,
        has_queued: false,
    };
    for (key, version) in &batch.gone {
        let n = conn
            .prepare_cached("DELETE FROM patient_state WHERE tenant = ?1 AND patient = ?2 AND version = ?3")?
            .execute(params![key.0, key.1, version])?;
        stale_unless(n == 1)?;
    }
    let Batch { effects, next, .. } = batch;
    for (changed, state) in (next_change(conn, states.len())?..).zip(states) {
        write_state(conn, &state, changed)?;
        let State { key, mut held, .. } = state;
        held.version += 1;
        done.held.push((key, held));
    }
    for (effect, encoded) in effects.into_iter().zip(encoded) {
        match effect {
            Effect::Event(one) => write_event(conn, ground, &one, encoded, &mut done)?,
            Effect::Dead { decoded, cause, parks } => {
                done.n_dead += 1;
                write_dead(conn, ground, &decoded, &cause, parks, encoded.sealed)?;
            }
            Effect::Time { key, findings } => {
                let board = done.held.iter().find(|(held, _)| *held == key).map(|(_, held)| &held.board);
                let about = About {
                    unit: board.and_then(|board| board.unit.clone()),
                    encounter: board.and_then(|board| board.encounter.clone()),
                    ..About::default()
                };
                for finding in &findings {
                    let moved = apply(conn, ground, &key.0, finding, &about)?;
                    support(conn, &key.0, finding, None, ground.now, !moved.is_empty())?;
                    done.transitions.extend(moved);
                }
            }
        }
    }
    for ((kind, partition), next) in next {
        conn.prepare_cached(
            "INSERT INTO position (grp, kind, partition, next) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (grp, kind, partition) DO UPDATE SET next = excluded.next",
        )?
        .execute(params![GROUP, kind.name(), partition, next.cast_signed()])?;
    }
    Ok(done)
}

fn stale_unless(holds: bool) -> rusqlite::Result<()> {
    if holds { Ok(()) } else { Err(rusqlite::Error::ToSqlConversionFailure(Box::new(Stale))) }
}

/// Was it the plan that was too old.
pub(crate) fn is_stale(error: &rusqlite::Error) -> bool {
    matches!(error, rusqlite::Error::ToSqlConversionFailure(cause) if cause.is::<Stale>())
}

fn write_state(conn: &Connection, row: &State, changed: i64) -> rusqlite::Result<()> {
    let State { key: (tenant, patient), held, partition, due, state, board } = row;
    let unit = held.board.unit.as_deref().filter(|_| !held.board.is_discharged);
    let n = if held.version == 0 {
        conn.prepare_cached(
            "INSERT INTO patient_state (tenant, patient, partition, version, state, board, unit, due, at, changed)
             VALUES (?1, ?2, ?3, 1, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT DO NOTHING",
        )?
        .execute(params![tenant, patient, partition, state, board, unit, due, held.board.at, changed])?
    } else {
        conn.prepare_cached(
            "UPDATE patient_state SET version = version + 1, state = ?3, board = ?4, unit = ?5, due = ?6, at = ?7, changed = ?9
             WHERE tenant = ?1 AND patient = ?2 AND version = ?8",
        )?
        .execute(params![tenant, patient, state, board, unit, due, held.board.at, held.version, changed])?
    };
    stale_unless(n == 1)
}

/// The first of the next places in the sequence of changes of patients, which live pages follow. None is used twice, also when a row is gone.
fn next_change(conn: &Connection, n: usize) -> rusqlite::Result<i64> {
    let n = i64::try_from(n).unwrap_or(i64::MAX);
    let last: i64 = conn
        .prepare_cached(
            "INSERT INTO cursor (name, seq) VALUES ('board', ?1) ON CONFLICT (name) DO UPDATE SET seq = seq + ?1 RETURNING seq",
        )?
        .query_row([n], |row| row.get(0))?;
    Ok(last - n + 1)
}

fn write_event(
    conn: &Connection,
    ground: &Ground,
    one: &Processed,
    encoded: Encoded,
    done: &mut Committed,
) -> rusqlite::Result<()> {
    if let Some((id, content)) = &one.seen {
        // Another partition may have had the same identifier since the batch was planned.
        let n = conn
            .prepare_cached(
                "INSERT INTO seen (tenant, id, content, at) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
            )?
            .execute(params![one.tenant, id, content.to_le_bytes(), ground.now.0])?;
        stale_unless(n == 1 || one.letter.is_some())?;
    }
    write_measured(conn, one, encoded.measured)?;
    let about = About::of(&one.event);
    // Alerts of a name that is gone are retracted under it, before what is left of it moves.
    let (gone, own): (Vec<&Finding>, Vec<&Finding>) =
        one.findings.iter().partition(|finding| one.merged.contains(&finding.subject));
    for finding in gone {
        done.transitions.extend(apply(conn, ground, &one.tenant, finding, &about)?);
    }
    for from in &one.merged {
        rekey(conn, ground, one, from, done)?;
    }
    let mut has_moved = false;
    for finding in own {
        let moved = apply(conn, ground, &one.tenant, finding, &about)?;
        has_moved |= !moved.is_empty();
        support(conn, &one.tenant, finding, Some(&one.event), ground.now, !moved.is_empty())?;
        done.transitions.extend(moved);
    }
    // What is of too little quality counts nowhere.
    let watched = if one.is_poor {
        Vec::new()
    } else {
        surveillance::on_event(conn, &one.tenant, &ground.surveillance, &one.event, ground.now)?
    };
    for finding in watched {
        done.transitions.extend(apply(conn, ground, &one.tenant, &finding, &about)?);
    }
    done.has_queued |= has_moved || one.wanted.iter().any(|wanted| wanted.is_kept);
    let wanted = one.wanted.iter().filter(|wanted| wanted.is_kept || has_moved);
    queue::put_made(conn, &one.tenant, &one.event, wanted)?;
    if let Some(letter) = one.letter {
        conn.prepare_cached("UPDATE dead_letter SET state = 'replayed', state_at = ?2 WHERE id = ?1")?
            .execute(params![letter, ground.now.0])?;
    }
    Ok(())
}

fn apply(
    conn: &Connection,
    ground: &Ground,
    tenant: &str,
    finding: &Finding,
    about: &About,
) -> rusqlite::Result<Vec<Transition>> {
    alert::apply(conn, &ground.policy, tenant, finding, about, ground.now)
}

/// The values that an alert rests on are kept as Observations too, when their events came before the one that moved it.
fn support(
    conn: &Connection,
    tenant: &str,
    finding: &Finding,
    event: Option<&Event>,
    now: Instant,
    has_moved: bool,
) -> rusqlite::Result<()> {
    if !has_moved {
        return Ok(());
    }
    for seen in &finding.seen {
        if event.is_some_and(|event| event.id == seen.event && event.source == seen.source) {
            continue;
        }
        conn.prepare_cached(
            "INSERT INTO observation_of (tenant, patient, at, source, event, next_at) SELECT tenant, patient, at, source, event, ?6 FROM measured
             WHERE tenant = ?1 AND patient = ?2 AND at = ?3 AND source = ?4 AND event = ?5 ON CONFLICT DO NOTHING",
        )?
        .execute(params![tenant, finding.subject, seen.at.0, seen.source, seen.event, now.0])?;
    }
    Ok(())
}

fn write_measured(conn: &Connection, one: &Processed, measured: Option<String>) -> rusqlite::Result<()> {
    let event = &one.event;
    let (Some(patient), Some(measured)) = (&event.patient, measured) else { return Ok(()) };
    let lateness = match one.lateness {
        Lateness::OnTime => "on_time",
        Lateness::Late => "late",
        Lateness::TooLate => "too_late",
    };
    conn.prepare_cached(
        "INSERT OR REPLACE INTO measured (tenant, patient, at, source, event, kind, partition, \"offset\", lateness, body)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?
    .execute(params![
        one.tenant,
        patient,
        event.at.0,
        event.source,
        event.id,
        event.kind.name(),
        one.position.partition,
        one.position.offset.cast_signed(),
        lateness,
        measured,
    ])?;
    Ok(())
}

fn rekey(
    conn: &Connection,
    ground: &Ground,
    one: &Processed,
    from: &str,
    done: &mut Committed,
) -> rusqlite::Result<()> {
    let Some(into) = &one.event.patient else { return Ok(()) };
    // A name that was only found out stays one that the store is asked about: it may turn out to be another's.
    let is_retired = matches!(&one.event.data, Data::Movement(movement) if movement.moved == Moved::Merged);
    if is_retired {
        conn.prepare_cached(
            "INSERT OR REPLACE INTO merged (tenant, patient, into_patient, at) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![one.tenant, from, into, ground.now.0])?;
    }
    conn.prepare_cached("UPDATE OR REPLACE measured SET patient = ?3 WHERE tenant = ?1 AND patient = ?2")?
        .execute(params![one.tenant, from, into])?;
    let by = format!("event:{}", one.event.id);
    done.transitions.extend(alert::rekey(conn, &ground.policy, &one.tenant, (from, into), &by, ground.now)?);
    if is_retired {
        done.merged.push((one.tenant.clone(), from.to_owned(), into.clone()));
    }
    Ok(())
}

fn write_dead(
    conn: &Connection,
    ground: &Ground,
    decoded: &Decoded,
    cause: &Cause,
    parks: bool,
    body: Option<Sealed>,
) -> rusqlite::Result<()> {
    let entry = &decoded.work.entry;
    let id = match decoded.work.letter {
        // It failed again.
        Some(letter) => {
            conn.prepare_cached(
                "UPDATE dead_letter SET state = 'open', cause = ?2, place = ?3, message = ?4 WHERE id = ?1",
            )?
            .execute(params![letter, cause.word, cause.place, cause.message])?;
            letter
        }
        None => {
            let body = body.expect("a body was sealed for every dead letter of the batch");
            let event = decoded.event.as_ref().ok();
            let mut name = entry.append.id.split('\u{1f}').map(str::to_owned);
            let letter = NewDead {
                tenant: decoded.tenant.clone(),
                at: ground.now,
                door: GROUP,
                source: name.next(),
                event: name.next(),
                patient: event.and_then(|event| event.patient.clone()),
                position: Some(entry.position.clone()),
                cause: cause.word.clone(),
                place: cause.place.clone(),
                message: cause.message.clone(),
                body,
            };
            dead::insert(conn, &letter)?
        }
    };
    if parks {
        conn.prepare_cached("INSERT OR IGNORE INTO parked (tenant, key, dead_letter) VALUES (?1, ?2, ?3)")?
            .execute(params![decoded.tenant, entry.append.key, id])?;
    }
    Ok(())
}

/// The version, state and board of a patient.
pub(crate) fn read_held(conn: &Connection, key: &Key) -> rusqlite::Result<Option<(i64, Vec<u8>, String)>> {
    conn.prepare_cached("SELECT version, state, board FROM patient_state WHERE tenant = ?1 AND patient = ?2")?
        .query_row(params![key.0, key.1], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()
}
