//! Dead letters: original bytes (sealed when there are keys), cause and position; listed, opened, run again, waived. Each needs a permit.

use fhir::Instant;
use gate::{Matter, Permit};
use keys::{KeyRing, Scope};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::probe::File;
use crate::StreamError;
use crate::log::Position;
use crate::platform::{Platform, must_be};

/// The keys that dead letters are sealed with.
const SCOPE: &str = "quarantine/stream";
/// Letters of one page, and of one change.
pub const DEAD_LETTERS_MAX: u32 = 10_000;

/// A letter to be set aside.
pub(crate) struct NewDead {
    pub(crate) tenant: String,
    pub(crate) at: Instant,
    /// The door or group that refused it.
    pub(crate) door: &'static str,
    pub(crate) source: Option<String>,
    pub(crate) event: Option<String>,
    pub(crate) patient: Option<String>,
    pub(crate) position: Option<Position>,
    /// One word.
    pub(crate) cause: String,
    /// Where in it.
    pub(crate) place: String,
    /// A sentence without values.
    pub(crate) message: String,
    pub(crate) body: Sealed,
}

/// Bytes that may be sealed.
pub(crate) struct Sealed {
    is_sealed: bool,
    bytes: Vec<u8>,
}

/// Seals with the keys, when there are any.
pub(crate) fn seal(keys: Option<&KeyRing>, tenant: &str, body: &[u8]) -> Result<Sealed, StreamError> {
    Ok(match keys {
        None => Sealed { is_sealed: false, bytes: body.to_vec() },
        Some(keys) => Sealed { is_sealed: true, bytes: keys.seal(&scope(), tenant.as_bytes(), body)? },
    })
}

fn open(keys: Option<&KeyRing>, tenant: &str, sealed: &Sealed) -> Result<Vec<u8>, StreamError> {
    match (sealed.is_sealed, keys) {
        (false, _) => Ok(sealed.bytes.clone()),
        (true, Some(keys)) => Ok(keys.open(&scope(), tenant.as_bytes(), &sealed.bytes)?.to_vec()),
        (true, None) => {
            Err(StreamError::Conflict("it is sealed, and the keys of this folder are not there".into()))
        }
    }
}

fn scope() -> Scope {
    Scope::new(SCOPE).expect("the scope's name is valid")
}

/// Writes a letter, and gives its number.
pub(crate) fn insert(conn: &Connection, dead: &NewDead) -> rusqlite::Result<i64> {
    let position = dead.position.as_ref();
    conn.prepare_cached(
        "INSERT INTO dead_letter (tenant, at, door, source, event, patient, kind, partition, \"offset\", cause, place, message, sealed, body)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
    )?
    .execute(params![
        dead.tenant,
        dead.at.0,
        dead.door,
        dead.source,
        dead.event,
        dead.patient,
        position.map(|position| position.kind.name()),
        position.map(|position| position.partition),
        position.map(|position| position.offset.cast_signed()),
        dead.cause,
        dead.place,
        dead.message,
        dead.body.is_sealed,
        dead.body.bytes,
    ])?;
    Ok(conn.last_insert_rowid())
}

/// What became of a letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DeadState {
    /// It waits.
    Open,
    /// It will be processed again.
    Queued,
    /// It was processed again.
    Replayed,
    /// Somebody decided that it is not needed.
    Waived,
}

impl DeadState {
    /// All.
    pub const ALL: [DeadState; 4] =
        [DeadState::Open, DeadState::Queued, DeadState::Replayed, DeadState::Waived];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            DeadState::Open => "open",
            DeadState::Queued => "queued",
            DeadState::Replayed => "replayed",
            DeadState::Waived => "waived",
        }
    }

    /// The state of a name.
    pub fn named(name: &str) -> Option<DeadState> {
        DeadState::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// A dead letter without its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// Its number.
    pub id: i64,
    /// When it was set aside.
    pub at: Instant,
    /// The door or group that refused it: `http`, `mllp`, `store`, `alerts`, `observations`.
    pub door: String,
    /// Who sent it.
    pub source: Option<String>,
    /// The event's identifier.
    pub event: Option<String>,
    /// The patient; only for those who may see what stands in dead letters.
    pub patient: Option<String>,
    /// Where it is in the log, when it came so far.
    pub position: Option<Position>,
    /// One word.
    pub cause: String,
    /// Where in it.
    pub place: String,
    /// A sentence without values.
    pub message: String,
    /// What became of it.
    pub state: DeadState,
    /// When that was decided.
    pub state_at: Option<Instant>,
    /// Who decided.
    pub state_by: Option<String>,
}

/// Which letters.
#[derive(Clone, Debug, Default)]
pub struct DeadQuery {
    /// Only in this state.
    pub state: Option<DeadState>,
    /// Only with this cause.
    pub cause: Option<String>,
    /// Behind this number.
    pub after: i64,
    /// At most so many; 100 unless told.
    pub max: Option<u32>,
}

const COLUMNS: &str = "id, at, door, source, event, patient, kind, partition, \"offset\", cause, place, message, state, state_at, state_by";

fn row_of(row: &Row<'_>) -> rusqlite::Result<DeadLetter> {
    let kind: Option<String> = row.get(6)?;
    let (partition, offset): (Option<u32>, Option<i64>) = (row.get(7)?, row.get(8)?);
    let position = kind.zip(partition).zip(offset).map(|((kind, partition), offset)| Position {
        kind: event::Kind::named(&kind),
        partition,
        offset: offset.cast_unsigned(),
    });
    let state: String = row.get(12)?;
    Ok(DeadLetter {
        id: row.get(0)?,
        at: Instant(row.get(1)?),
        door: row.get(2)?,
        source: row.get(3)?,
        event: row.get(4)?,
        patient: row.get(5)?,
        position,
        cause: row.get(9)?,
        place: row.get(10)?,
        message: row.get(11)?,
        state: DeadState::named(&state).unwrap_or(DeadState::Open),
        state_at: row.get::<_, Option<i64>>(13)?.map(Instant),
        state_by: row.get(14)?,
    })
}

/// The bytes of a letter with what it is about.
pub(crate) struct Opened {
    pub(crate) letter: DeadLetter,
    pub(crate) body: Vec<u8>,
}

impl Platform {
    /// Sets letters aside; they are on disk when this returns. Gives their numbers.
    pub(crate) async fn bury(&self, letters: Vec<NewDead>) -> Result<Vec<i64>, StreamError> {
        let n = letters.len() as u64;
        let ids = self
            .database()
            .write(move |conn| {
                letters.iter().map(|letter| insert(conn, letter)).collect::<rusqlite::Result<Vec<i64>>>()
            })
            .await
            .inspect_err(|error| self.cannot_write(File::Stream, error))?;
        super::metrics::Metrics::count(&self.inner.metrics.dead, n);
        self.tell();
        Ok(ids)
    }

    /// Dead letters in their order, without content.
    ///
    /// # Errors
    /// The permit is for something else, or the file cannot be read.
    pub async fn dead_letters(
        &self,
        permit: &Permit,
        query: DeadQuery,
    ) -> Result<Vec<DeadLetter>, StreamError> {
        must_be(permit, &[Matter::Streams, Matter::OpenDeadLetter, Matter::ReplayDeadLetter])?;
        let (tenant, shows_patient) =
            (permit.tenant().to_string(), permit.matter() == Matter::OpenDeadLetter);
        let max = query.max.unwrap_or(100).clamp(1, DEAD_LETTERS_MAX);
        let letters = self.database().read(move |conn| {
            let sql = format!(
                "SELECT {COLUMNS} FROM dead_letter WHERE tenant = ?1 AND id > ?2 AND (?3 IS NULL OR state = ?3) AND (?4 IS NULL OR cause = ?4)
                 ORDER BY id LIMIT ?5"
            );
            let state = query.state.map(DeadState::name);
            let mut rows = conn.prepare_cached(&sql)?;
            rows.query_map(params![tenant, query.after, state, query.cause, max], row_of)?
                .collect::<rusqlite::Result<Vec<DeadLetter>>>()
        });
        let mut letters = letters.await?;
        if !shows_patient {
            letters.iter_mut().for_each(|letter| letter.patient = None);
        }
        Ok(letters)
    }

    /// How many letters there are in each state and of each cause: cause, state, letters.
    ///
    /// # Errors
    /// The permit is for something else, or the file cannot be read.
    pub async fn dead_letter_counts(
        &self,
        permit: &Permit,
    ) -> Result<Vec<(String, DeadState, u64)>, StreamError> {
        must_be(permit, &[Matter::Streams, Matter::OpenDeadLetter, Matter::ReplayDeadLetter])?;
        let tenant = permit.tenant().to_string();
        let counts = self.database().read(move |conn| {
            let mut rows = conn.prepare_cached(
                "SELECT cause, state, count(*) FROM dead_letter WHERE tenant = ?1 GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2",
            )?;
            rows.query_map([tenant], |row| {
                let state: String = row.get(1)?;
                let n: i64 = row.get(2)?;
                Ok((row.get(0)?, DeadState::named(&state).unwrap_or(DeadState::Open), n.cast_unsigned()))
            })?
            .collect()
        });
        Ok(counts.await?)
    }

    /// What stands in a letter, as it was sent.
    ///
    /// # Errors
    /// There is none with this number, or its key is gone.
    pub async fn open_dead_letter(
        &self,
        permit: &Permit,
        id: i64,
    ) -> Result<(DeadLetter, Vec<u8>), StreamError> {
        must_be(permit, &[Matter::OpenDeadLetter])?;
        let opened = self.opened(permit.tenant().as_str(), id).await?;
        Ok((opened.letter, opened.body))
    }

    pub(crate) async fn opened(&self, tenant: &str, id: i64) -> Result<Opened, StreamError> {
        let of = tenant.to_owned();
        let found = self.database().read(move |conn| {
            let sql =
                format!("SELECT {COLUMNS}, sealed, body FROM dead_letter WHERE tenant = ?1 AND id = ?2");
            let mut rows = conn.prepare_cached(&sql)?;
            rows.query_row(params![of, id], |row| {
                Ok((row_of(row)?, Sealed { is_sealed: row.get(15)?, bytes: row.get(16)? }))
            })
            .optional()
        });
        let unknown = || StreamError::NotFound(format!("there is no dead letter `{id}`"));
        let (letter, sealed) = found.await?.ok_or_else(unknown)?;
        let body = open(self.keys().map(|keys| &**keys), tenant, &sealed)?;
        Ok(Opened { letter, body })
    }

    /// Says that open letters are not needed; those that were held behind one go on. Gives how many changed.
    ///
    /// # Errors
    /// The permit is for something else, or the file cannot be written.
    pub async fn waive_dead_letters(&self, permit: &Permit, ids: Vec<i64>) -> Result<u64, StreamError> {
        must_be(permit, &[Matter::ReplayDeadLetter])?;
        let n = self.set_dead_state(permit, ids.clone(), DeadState::Waived).await?;
        self.unpark(permit.tenant().as_str(), &ids).await?;
        Ok(n)
    }

    /// Runs open letters again: what was refused at a door comes through it again, what failed in processing is processed again, in order,
    /// with the events that were held behind it. Gives how many were taken.
    ///
    /// # Errors
    /// The permit is for something else, or a letter cannot be opened.
    pub async fn replay_dead_letters(&self, permit: &Permit, ids: Vec<i64>) -> Result<u64, StreamError> {
        must_be(permit, &[Matter::ReplayDeadLetter])?;
        let (mut taken, mut queued) = (0, Vec::new());
        for id in ids {
            let Opened { letter, body } = self.opened(permit.tenant().as_str(), id).await?;
            if letter.state != DeadState::Open {
                continue;
            }
            if letter.position.is_some() {
                queued.push(id);
            } else if self.publish_again(permit, &letter, body).await? {
                taken += self.set_dead_state(permit, vec![id], DeadState::Replayed).await?;
            }
        }
        taken += self.set_dead_state(permit, queued.clone(), DeadState::Queued).await?;
        self.unpark(permit.tenant().as_str(), &queued).await?;
        Ok(taken)
    }

    async fn set_dead_state(
        &self,
        permit: &Permit,
        ids: Vec<i64>,
        state: DeadState,
    ) -> Result<u64, StreamError> {
        let (tenant, by, now) = (permit.tenant().to_string(), permit.principal().to_owned(), self.now());
        let changed = self.database().write(move |conn| {
            let mut update = conn.prepare_cached(
                "UPDATE dead_letter SET state = ?3, state_at = ?4, state_by = ?5 WHERE tenant = ?1 AND id = ?2 AND state = 'open'",
            )?;
            let mut n = 0;
            for id in ids {
                n += update.execute(params![tenant, id, state.name(), now.0, by])? as u64;
            }
            Ok(n)
        });
        let changed = changed.await?;
        self.inner.wake.notify_waiters();
        self.tell();
        Ok(changed)
    }

    /// Lets go of the keys that wait behind letters: what was held is queued in order.
    async fn unpark(&self, tenant: &str, ids: &[i64]) -> Result<(), StreamError> {
        let (tenant, ids) = (tenant.to_owned(), ids.to_vec());
        let freed = self.database().write(move |conn| {
            for id in ids {
                let mut freed =
                    conn.prepare_cached("DELETE FROM parked WHERE tenant = ?1 AND dead_letter = ?2 RETURNING key")?;
                let keys: Vec<String> = freed
                    .query_map(params![tenant, id], |row| row.get(0))?
                    .collect::<rusqlite::Result<_>>()?;
                for key in keys {
                    conn.prepare_cached(
                        "UPDATE dead_letter SET state = 'queued' WHERE tenant = ?1 AND state = 'open' AND cause = 'parked' AND place = ?2",
                    )?
                    .execute(params![tenant, key])?;
                }
            }
            Ok(())
        });
        freed.await?;
        self.inner.wake.notify_waiters();
        Ok(())
    }
}
