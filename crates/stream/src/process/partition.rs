//! One partition: fetches a batch, plans it, writes it; runs letters again; lets time pass. Ends only when told, or when something it needs fails.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant as Moment};

use db::DbError;
use event::Kind;
use fhir::Instant;
use rusqlite::{Connection, params};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::GROUP;
use super::board::Board;
use super::cache::Cache;
use super::commit::{self, Committed};
use super::encode;
use super::metrics::Metrics;
use super::plan::{self, Batch, Broke, Cause, Decoded, Held, Key, Known, Work};
use crate::StreamError;
use crate::log::{Append, Ends, Entry, FetchLimits, LogError, Position};
use crate::platform::Platform;
use crate::settings::Poison;

/// How long the log is waited for before time is looked at.
const WAIT: Duration = Duration::from_millis(1_000);
/// Under load, what comes within this time shares a batch: partitions begin theirs together, and their effects one commit. The first event after a
/// pause never waits.
const BEAT: Duration = Duration::from_millis(10);
/// A batch of so many waits for nobody.
const BATCH_FULL: usize = 250;
/// Kinds that are new in the log are looked for this often.
const KINDS_AGE: Duration = Duration::from_secs(5);
/// Patients for whom time passes in one transaction.
const TIMERS_MAX: u32 = 500;
/// Dead letters run again in one transaction.
const LETTERS_MAX: u32 = 200;
/// A batch that others have changed is planned again so often before it is an error.
const STALE_MAX: u32 = 50;
/// Questions to the store at the same time.
const FACTS_AT_ONCE: usize = 16;

/// What one partition keeps between batches.
pub(crate) struct Partition {
    platform: Platform,
    index: u32,
    next: BTreeMap<Kind, u64>,
    kinds_at: Option<Moment>,
    cache: Cache,
    /// Entries that broke something, until they are dead letters.
    poison: HashMap<Position, Cause>,
    /// Something was held back when it was last looked for.
    has_parked: bool,
    /// Time as the events tell it; never goes back.
    time: Instant,
    timers_at: Option<Moment>,
}

/// Why a batch was not written.
enum Refused {
    /// Something that goes away by itself: the disk, the store.
    Failed(StreamError),
    /// Others changed a patient meanwhile.
    Stale,
    /// The database refuses what the batch says.
    Broke(String),
}

impl Partition {
    /// Reads how far the group is.
    pub(crate) async fn open(platform: Platform, index: u32) -> Result<Partition, StreamError> {
        let next = platform.database().read(move |conn| {
            let mut rows =
                conn.prepare_cached("SELECT kind, next FROM position WHERE grp = ?1 AND partition = ?2")?;
            rows.query_map(params![GROUP, index], |row| {
                let (kind, next): (String, i64) = (row.get(0)?, row.get(1)?);
                Ok((Kind::named(&kind), next.cast_unsigned()))
            })?
            .collect::<rusqlite::Result<BTreeMap<Kind, u64>>>()
        });
        let next = next.await?;
        let cache = Cache::new(platform.settings().states_max);
        Ok(Partition {
            platform,
            index,
            next,
            kinds_at: None,
            cache,
            poison: HashMap::new(),
            has_parked: true,
            time: Instant(i64::MIN),
            timers_at: None,
        })
    }

    /// Works until told to stop.
    pub(crate) async fn run(mut self, mut stop: watch::Receiver<bool>) -> Result<(), StreamError> {
        // Letters that somebody wants to be run again are looked for when told, and with the timers.
        let mut is_told = true;
        while !*stop.borrow() {
            self.find_kinds().await?;
            let is_due = self.timers_at.is_none_or(|at| at.elapsed() >= WAIT);
            if std::mem::take(&mut is_told) || is_due {
                self.run_letters().await?;
            }
            let n = self.step().await?;
            if is_due {
                self.timers_at = Some(Moment::now());
                self.pass_time(n == 0).await?;
            }
            self.platform.inner.status.healthy(self.index, &self.next);
            if n > 0 {
                if n < BATCH_FULL {
                    self.next_beat().await;
                }
                continue;
            }
            let from = self.from();
            let (log, wake) = (&self.platform.inner.log, &self.platform.inner.wake);
            tokio::select! {
                waited = log.wait(self.index, &from, WAIT) => {
                    waited.map_err(|error| self.platform.failed(error))?;
                }
                () = wake.notified() => is_told = true,
                changed = stop.changed() => if changed.is_err() { return Ok(()) },
            }
        }
        Ok(())
    }

    /// Waits for the moment at which all partitions that have work begin a batch.
    async fn next_beat(&self) {
        let since = self.platform.inner.opened_at.elapsed().as_micros();
        let passed = u64::try_from(since % BEAT.as_micros()).unwrap_or(0);
        tokio::time::sleep(BEAT - Duration::from_micros(passed)).await;
    }

    fn from(&self) -> Vec<(Kind, u64)> {
        self.next.iter().map(|(kind, next)| (kind.clone(), *next)).collect()
    }

    /// Kinds begin at the earliest entry that is left.
    async fn find_kinds(&mut self) -> Result<(), StreamError> {
        if self.kinds_at.is_some_and(|at| at.elapsed() < KINDS_AGE) {
            return Ok(());
        }
        let ends = self.platform.inner.log.ends().await.map_err(|error| self.platform.failed(error))?;
        for Ends { kind, start, .. } in ends.into_iter().filter(|ends| ends.partition == self.index) {
            self.next.entry(kind).or_insert(start);
        }
        for kind in super::supervise::KINDS {
            self.next.entry(kind).or_insert(0);
        }
        self.kinds_at = Some(Moment::now());
        Ok(())
    }

    /// Processes what is next; gives how many entries there were.
    async fn step(&mut self) -> Result<usize, StreamError> {
        let n_max = self.platform.settings().batch_events_max.max(1);
        let limits = FetchLimits { n_max, ..FetchLimits::default() };
        let fetched = self.platform.inner.log.fetch(self.index, &self.from(), limits).await;
        let entries = match fetched {
            Ok(entries) => entries,
            Err(LogError::OutOfRange { position, start, end }) if position.offset < start => {
                tracing::warn!(%position, start, end, "events were removed before they were processed: going on behind them");
                self.next.insert(position.kind, start);
                return Ok(1);
            }
            Err(error) => return Err(self.platform.failed(error)),
        };
        let n = entries.len();
        if n > 0 {
            let works = entries.into_iter().map(|entry| Arc::new(Work { entry, letter: None }));
            self.process(works.collect()).await?;
        }
        Ok(n)
    }

    /// Processes entries. What the database refuses is halved until the one entry is found, which becomes a dead letter.
    async fn process(&mut self, works: Vec<Arc<Work>>) -> Result<(), StreamError> {
        let (mut chunks, mut n_stale) = (VecDeque::from([works]), 0);
        while let Some(mut chunk) = chunks.pop_front() {
            match self.attempt(&chunk).await {
                Ok(()) => n_stale = 0,
                Err(Refused::Failed(error)) => return Err(error),
                Err(Refused::Stale) if n_stale < STALE_MAX => {
                    n_stale += 1;
                    Metrics::count(&self.platform.inner.metrics.planned_again, 1);
                    chunks.push_front(chunk);
                }
                Err(Refused::Stale) => {
                    return Err(StreamError::Conflict(
                        "a patient changed again and again while a batch was planned".into(),
                    ));
                }
                Err(Refused::Broke(_)) if chunk.len() > 1 => {
                    let rest = chunk.split_off(chunk.len() / 2);
                    chunks.push_front(rest);
                    chunks.push_front(chunk);
                }
                Err(Refused::Broke(message)) => {
                    let position = chunk[0].entry.position.clone();
                    tracing::error!(%position, "an event cannot be processed and is a dead letter: {message}");
                    let cause = Cause { word: "refused".to_owned(), place: String::new(), message };
                    if self.poison.insert(position, cause).is_some() {
                        return Err(StreamError::Unavailable("a dead letter cannot be written".into()));
                    }
                    chunks.push_front(chunk);
                }
            }
        }
        Ok(())
    }

    /// Plans and writes one batch. What it touched is in the cache again only when it was written.
    async fn attempt(&mut self, works: &[Arc<Work>]) -> Result<(), Refused> {
        let rules = self.platform.rules();
        let batch = loop {
            let mut decoded = plan::decode(works);
            for one in &mut decoded {
                self.canonical(one).await.map_err(Refused::Failed)?;
            }
            let known = self.known(&decoded).await.map_err(Refused::Failed)?;
            let ground = plan::Ground {
                rules: &rules,
                sources: &self.platform.inner.sources,
                settings: self.platform.settings(),
                poison: &self.poison,
                dedups: self.platform.inner.dedups,
            };
            match plan::plan(&ground, decoded, known) {
                Ok(batch) => break batch,
                Err(Broke(position)) => {
                    tracing::error!(%position, "the rules broke at an event, which is a dead letter now");
                    let message =
                        "the rules broke at it, which is a bug: the log of the server has more".to_owned();
                    let cause = Cause { word: "panic".to_owned(), place: String::new(), message };
                    self.poison.insert(position, cause);
                }
            }
        };
        for work in works {
            self.time = self.time.max(work.entry.appended_at);
        }
        self.commit(batch).await
    }

    /// The names of merged patients are those of their records now; names that the store knows by now are those of its Patients.
    async fn canonical(&self, decoded: &mut Decoded) -> Result<(), StreamError> {
        if let Ok(event) = &mut decoded.event
            && let Some(patient) = &mut event.patient
        {
            *patient = self.platform.canonical_patient(&decoded.tenant, patient).await?;
        }
        Ok(())
    }

    /// Reads what a batch needs: states that are not in the cache, what is held back, facts.
    async fn known(&mut self, decoded: &[Decoded]) -> Result<Known, StreamError> {
        let mut keys: Vec<Key> = Vec::new();
        for one in decoded {
            let Ok(event) = &one.event else { continue };
            let Some(patient) = &event.patient else { continue };
            keys.push((one.tenant.clone(), patient.clone()));
            if let event::Data::Movement(movement) = &event.data {
                keys.extend(movement.merged.iter().map(|from| (one.tenant.clone(), from.clone())));
            }
        }
        keys.sort_unstable();
        keys.dedup();
        let mut known = Known { facts: self.facts(&keys).await?, ..Known::default() };
        let names = decoded.iter().map(|one| (one.tenant.clone(), one.work.entry.append.id.clone()));
        let names: Vec<(String, String)> =
            if self.platform.inner.dedups { names.collect() } else { Vec::new() };
        let mut absent = Vec::new();
        for key in keys {
            match self.cache.take(&key) {
                Some(held) => drop(known.held.insert(key, held)),
                None => absent.push(key),
            }
        }
        let may_park = self.platform.settings().poison == Poison::Park;
        if absent.is_empty() && names.is_empty() && !may_park && !self.has_parked {
            return Ok(known);
        }
        let read = self.platform.database().read(move |conn| read_known(conn, &absent, &names)).await?;
        self.has_parked = !read.parked.is_empty();
        known.parked = read.parked;
        known.seen = read.seen;
        known.held.extend(read.held);
        Ok(known)
    }

    async fn facts(&self, keys: &[Key]) -> Result<HashMap<Key, Arc<super::facts::Facts>>, StreamError> {
        let (mut facts, mut asked) = (HashMap::with_capacity(keys.len()), JoinSet::new());
        let mut take =
            |joined: Option<Result<(Key, Result<_, StreamError>), tokio::task::JoinError>>| match joined {
                Some(Ok((key, found))) => {
                    facts.insert(key, found?);
                    Ok(true)
                }
                Some(Err(error)) => {
                    Err(StreamError::Unavailable(format!("facts of a patient were not read: {error}")))
                }
                None => Ok(false),
            };
        for key in keys.iter().cloned() {
            if let Some(found) = self.platform.known_facts(&key) {
                take(Some(Ok((key, Ok(found)))))?;
                continue;
            }
            if asked.len() >= FACTS_AT_ONCE {
                take(asked.join_next().await)?;
            }
            let platform = self.platform.clone();
            asked.spawn(async move {
                let found = platform.facts(&key.0, &key.1).await;
                (key, found)
            });
        }
        while take(asked.join_next().await)? {}
        Ok(facts)
    }

    async fn commit(&mut self, mut batch: Batch) -> Result<(), Refused> {
        let platform = self.platform.clone();
        let (n, late, too_late) = (batch.n_entries, batch.late, batch.too_late);
        let (duplicates, appended, next) = (batch.duplicates, batch.appended, batch.next.clone());
        let keys = platform.keys().map(|keys| &**keys);
        let encoded = encode::effects(&batch, keys).map_err(Refused::Failed)?;
        let states = encode::states(&mut batch, &platform.rules(), platform.inner.log.partitions());
        let ground = commit::Ground {
            policy: Arc::clone(platform.alerts().policy()),
            surveillance: Arc::clone(&platform.inner.surveillance),
            now: platform.now(),
        };
        let began = Moment::now();
        let written =
            platform.database().write(move |conn| commit::write(conn, &ground, batch, states, encoded)).await;
        let metrics = &platform.inner.metrics;
        metrics.commit.add(u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX), 1);
        let Committed { transitions, held, merged, n_dead, has_queued } = written.map_err(refused)?;
        let has_moved = !transitions.is_empty();
        for (tenant, from, into) in &merged {
            platform.inner.identity.merge(tenant, from, into);
        }
        self.keep(held);
        for ((kind, _), offset) in next {
            self.poison.retain(|position, _| position.kind != kind || position.offset >= offset);
            self.next.insert(kind, offset);
        }
        for (counter, n) in [
            (&metrics.processed, n),
            (&metrics.late, late),
            (&metrics.too_late, too_late),
            (&metrics.duplicates, duplicates),
            (&metrics.dead, n_dead),
            (&metrics.transitions, transitions.len() as u64),
        ] {
            Metrics::count(counter, n);
        }
        if let Some((first, last)) = appended {
            let age = |at: Instant| u64::try_from(platform.now().0 - at.0).unwrap_or(0);
            // Of a batch, the oldest and the newest are known.
            metrics.effect.add(age(first), n.div_ceil(2));
            metrics.effect.add(age(last), n / 2);
        }
        if has_queued || has_moved {
            platform.inner.write_observations.notify_one();
        }
        platform.tell();
        Ok(())
    }

    fn keep(&mut self, held: Vec<(Key, Held)>) {
        held.into_iter().for_each(|(key, held)| self.cache.put(key, held));
    }

    /// What the rules say because time passes. With a backlog it is the time of the events, else the clock's.
    async fn pass_time(&mut self, is_caught_up: bool) -> Result<(), StreamError> {
        if is_caught_up {
            self.time = self.time.max(self.platform.now());
        }
        let (index, time) = (self.index, self.time);
        for _ in 0..STALE_MAX {
            let due = self.platform.database().read(move |conn| {
                let mut rows = conn.prepare_cached(
                    "SELECT tenant, patient FROM patient_state WHERE partition = ?1 AND due <= ?2 ORDER BY due LIMIT ?3",
                )?;
                rows.query_map(params![index, time.0, TIMERS_MAX], |row| Ok((row.get(0)?, row.get(1)?)))?
                    .collect::<rusqlite::Result<Vec<Key>>>()
            });
            let due = due.await?;
            if due.is_empty() {
                return Ok(());
            }
            let mut known = Known { facts: self.facts(&due).await?, ..Known::default() };
            due.iter().for_each(|key| drop(self.cache.take(key)));
            let read = self.platform.database().read(move |conn| read_known(conn, &due, &[])).await?;
            known.held = read.held;
            let batch = plan::pass_time(&self.platform.rules(), known, time);
            if batch.effects.is_empty() {
                return Ok(());
            }
            match self.commit(batch).await {
                Ok(()) | Err(Refused::Stale) => {}
                Err(Refused::Failed(error)) => return Err(error),
                Err(Refused::Broke(why)) => return Err(StreamError::Unavailable(why)),
            }
        }
        Ok(())
    }

    /// Letters that somebody wants to be processed again, in their order.
    async fn run_letters(&mut self) -> Result<(), StreamError> {
        let index = self.index;
        let queued = self.platform.database().read(move |conn| {
            let mut rows = conn.prepare_cached(
                "SELECT tenant, id FROM dead_letter WHERE state = 'queued' AND partition = ?1 ORDER BY id LIMIT ?2",
            )?;
            rows.query_map(params![index, LETTERS_MAX], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect::<rusqlite::Result<Vec<(String, i64)>>>()
        });
        let mut works = Vec::new();
        for (tenant, id) in queued.await? {
            let opened = self.platform.opened(&tenant, id).await?;
            let Some(position) = opened.letter.position else { continue };
            // It is tried again, whatever broke before.
            self.poison.remove(&position);
            let source = opened.letter.source.unwrap_or_default();
            let append = Append {
                kind: position.kind.clone(),
                key: event::key_of(&tenant, opened.letter.patient.as_deref().unwrap_or_default()),
                id: format!("{source}\u{1f}{}", opened.letter.event.unwrap_or_default()),
                content: 0,
                headers: Vec::new(),
                body: opened.body,
            };
            let entry = Entry { position, append, appended_at: opened.letter.at };
            works.push(Arc::new(Work { entry, letter: Some(id) }));
        }
        if works.is_empty() { Ok(()) } else { self.process(works).await }
    }
}

fn refused(error: DbError) -> Refused {
    match error {
        DbError::Sqlite(error) if commit::is_stale(&error) => Refused::Stale,
        DbError::Sqlite(_) => {
            Refused::Broke("the database refused what follows of it, which is a bug".to_owned())
        }
        DbError::Panicked => Refused::Broke("writing what follows of it broke, which is a bug".to_owned()),
        other => Refused::Failed(StreamError::Database(other)),
    }
}

fn read_known(conn: &Connection, keys: &[Key], names: &[(String, String)]) -> rusqlite::Result<Known> {
    let mut known = Known::default();
    for key in keys {
        let Some((version, state, board)) = commit::read_held(conn, key)? else { continue };
        let state = rules::PatientState::of_bytes(&state).unwrap_or_else(|| {
            tracing::error!("what was remembered of a patient is not understood: it begins anew");
            rules::PatientState::default()
        });
        known.held.insert(key.clone(), Held { state, board: Board::of_text(&board), version });
    }
    let mut parked = conn.prepare_cached("SELECT key FROM parked")?;
    known.parked = parked.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    for name in names {
        let mut rows = conn.prepare_cached("SELECT content FROM seen WHERE tenant = ?1 AND id = ?2")?;
        let content: Option<Vec<u8>> =
            rusqlite::OptionalExtension::optional(rows.query_row(params![name.0, name.1], |row| row.get(0)))?;
        let half = content.and_then(|content| <[u8; 16]>::try_from(content).ok());
        if let Some(half) = half {
            known.seen.insert(name.clone(), u128::from_le_bytes(half));
        }
    }
    Ok(known)
}
