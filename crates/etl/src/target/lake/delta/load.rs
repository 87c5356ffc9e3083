//! A load into a Delta table: rows into staged files, the files into place, a new entry of the log as the commit.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use table::Columns;

use super::action::{Add, schema_string, type_name};
use super::commit::{self, Content, app, committed, counter};
use super::snapshot::{Snapshot, commit_name};
use super::summary;
use crate::target::lake::folder::Folder;
use crate::target::lake::format::Format;
use crate::target::lake::merge::{Live, Waiting};
use crate::target::lake::names::{self, hash_of, load_hash};
use crate::target::lake::options::{FolderOptions, open_folder};
use crate::target::lake::partition::Values;
use crate::target::lake::read::{self, Piece, Reader};
use crate::target::lake::room::Room;
use crate::target::lake::staging::{Plan, Staged, Staging};
use crate::target::lake::work::{Attachments, Lake, LakeTarget, Parts, Ready, Work};
use crate::target::lake::{LakeError, Rows};
use crate::target::{Committed, Load, Loaded, Mode};
use crate::{EtlError, world::World};

/// Attempts at a commit while others commit too.
const ATTEMPTS_MAX: usize = 50;

/// A Delta table, open.
pub(crate) type DeltaTarget = LakeTarget<State>;

/// What is known of the table, and its load.
pub(crate) struct State {
    options: FolderOptions,
    load: Load,
    world: Arc<World>,
    folder: Folder,
    attachments: Attachments,
    work: Option<Work>,
    /// How many commits the load's application had made when it began.
    began_at: i64,
}

struct Change {
    add: Vec<Staged>,
    remove: Vec<String>,
    loaded: Loaded,
}

/// Opens a table.
pub(crate) async fn open(
    options: FolderOptions,
    load: Load,
    world: Arc<World>,
) -> Result<DeltaTarget, EtlError> {
    let name = options.name.clone();
    let folder = open_folder(&options, &world).map_err(|error| error.of_target(&name))?;
    let state =
        State { options, load, world, folder, attachments: Attachments::new(), work: None, began_at: 0 };
    LakeTarget::open(name, state).await
}

impl Lake for State {
    fn parts(&mut self) -> Parts<'_> {
        let State { folder, world, attachments, work, .. } = self;
        Parts { folder, world, attachments, work }
    }

    fn committed(&self) -> Result<Committed, LakeError> {
        let known = self.snapshot()?.map(|snapshot| committed(&snapshot, &self.load, self.options.mode));
        Ok(known.unwrap_or_default())
    }

    fn begin(&mut self, columns: Columns) -> Result<(), LakeError> {
        self.folder.make()?;
        let snapshot = self.snapshot()?;
        if let Some(snapshot) = &snapshot {
            self.check_fits(snapshot, &columns)?;
        }
        let snapshot = self.remove_garbage(snapshot)?;
        self.began_at = snapshot.as_ref().map_or(0, |snapshot| counter(snapshot, &self.load));
        let stem = names::stem(&load_hash(&self.load));
        let room = Room::enter(&self.folder, &stem, &self.world.scratch)?;
        self.work = Some(Work::begin(columns, room, &self.options, false, &self.attachments, &self.world)?);
        Ok(())
    }

    fn commit(&mut self, units: &[String], watermark: Option<&str>) -> Result<Loaded, LakeError> {
        let work = self.work.take().ok_or_else(|| LakeError::new("`commit` came before `begin`"))?;
        let mut ready = work.rows.finish()?;
        (self.world.checkpoint)("staged");
        let partition_by = self.options.partition_names();
        let mut is_published = false;
        for attempt in 0..ATTEMPTS_MAX {
            let snapshot = self.snapshot()?;
            let change = match &mut ready {
                Ready::Files(staged) => {
                    self.change_of_files(snapshot.as_ref(), staged, is_published, &work.schema, work.n_rows)?
                }
                Ready::Merge(waiting) => {
                    self.change_of_merge(snapshot.as_ref(), waiting, &work.plan, attempt, &work.schema)?
                }
            };
            if let Some(snapshot) = &snapshot {
                self.check_fits(snapshot, &work.columns)?;
                if counter(snapshot, &self.load) != self.began_at {
                    return Err(LakeError::transient(format!(
                        "another run loaded `{}` into the table meanwhile: run again, what it loaded will be left out",
                        self.load.source
                    )));
                }
                if self.is_nothing(snapshot, &change, units, watermark)? {
                    self.take_back(is_published, &ready)?;
                    work.room.leave(&self.folder)?;
                    return Ok(change.loaded);
                }
            }
            if !is_published {
                let names: Vec<&str> = change.add.iter().map(|staged| staged.name.as_str()).collect();
                work.room.note(&self.folder, &names)?;
                let files: Vec<(PathBuf, String)> =
                    change.add.iter().map(|staged| (staged.path.clone(), staged.name.clone())).collect();
                self.folder.publish(&files)?;
                is_published = true;
            }
            (self.world.checkpoint)("before-commit");
            let content = Content {
                load: &self.load,
                mode: self.options.mode,
                columns: &work.columns,
                partition_by: &partition_by,
                before: snapshot.as_ref(),
                add: &change.add,
                remove: &change.remove,
                units,
                watermark,
                attachments: &self.attachments,
                at: self.world.now().0 / 1_000,
            };
            let version = snapshot.as_ref().map_or(0, |snapshot| snapshot.version + 1);
            if self.folder.create(&commit_name(version), &content.bytes())? {
                (self.world.checkpoint)("after-commit");
                self.after_commit(work.room.path(), summary::is_due(snapshot.as_ref(), version));
                work.room.leave(&self.folder)?;
                return Ok(change.loaded);
            }
            if matches!(ready, Ready::Merge(_)) {
                let names: Vec<String> = change.add.iter().map(|staged| staged.name.clone()).collect();
                self.folder.remove(&names)?;
                is_published = false;
            }
        }
        Err(self.too_busy())
    }
}

impl State {
    fn snapshot(&self) -> Result<Option<Snapshot>, LakeError> {
        Snapshot::read(&self.folder, &self.world.scratch)
    }

    fn check_cancelled(&self) -> Result<(), LakeError> {
        self.world.check_cancelled().map_err(|_| LakeError::cancelled())
    }

    /// Refuses a table that does not fit the load. `Replace` may change the columns of a table that holds nothing of others.
    fn check_fits(&self, snapshot: &Snapshot, columns: &Columns) -> Result<(), LakeError> {
        let shown = self.folder.shown();
        if self.options.mode != Mode::Append && snapshot.is_append_only() {
            return Err(LakeError::new(format!(
                "the table `{shown}` takes new rows only (`delta.appendOnly`): use `mode: append`"
            )));
        }
        let mut stored = snapshot.fields()?;
        let mut wanted: Vec<(String, String)> =
            columns.iter().map(|column| (column.name.to_string(), type_name(column.kind))).collect();
        let words = |fields: &[(String, String)]| {
            fields.iter().map(|(name, kind)| format!("{name} {kind}")).collect::<Vec<_>>().join(", ")
        };
        let texts = (words(&stored), words(&wanted));
        stored.sort();
        wanted.sort();
        let by = self.options.partition_names();
        if stored == wanted && snapshot.meta_data.partition_columns == by {
            return Ok(());
        }
        let is_all_replaced =
            self.options.mode == Mode::Replace && self.replaced(snapshot)?.len() == snapshot.files.len();
        if is_all_replaced {
            return Ok(());
        }
        if stored != wanted {
            return Err(LakeError::new(format!(
                "the table `{shown}` has the columns [{}], the load has [{}]: choose another path, or change the table first",
                texts.0, texts.1
            )));
        }
        Err(LakeError::new(format!(
            "the table `{shown}` is partitioned by [{}], not by [{}]: set `partition_by` as it is there",
            snapshot.meta_data.partition_columns.join(", "),
            by.join(", ")
        )))
    }

    /// The files that a replacement removes: those of this load, and those that nobody's load can be told from.
    fn replaced(&self, snapshot: &Snapshot) -> Result<Vec<String>, LakeError> {
        let own = load_hash(&self.load);
        let has_others = commit::has_other_loads(snapshot, &self.load);
        let mut removed = Vec::new();
        for path in snapshot.files.keys() {
            match hash_of(path) {
                Some(hash) if hash == own => removed.push(path.clone()),
                Some(hash) if hash != names::NOBODY => {}
                _ if has_others => {
                    return Err(LakeError::new(format!(
                        "files of the table `{}` were rewritten by another program, so the rows of this source cannot be told from those of others: use `mode: merge`",
                        self.folder.shown()
                    )));
                }
                _ => removed.push(path.clone()),
            }
        }
        Ok(removed)
    }

    /// Removes the files of loads that ended before their commit; gives the state of the table after that.
    fn remove_garbage(&self, mut snapshot: Option<Snapshot>) -> Result<Option<Snapshot>, LakeError> {
        let stale = Room::stale(&self.folder, &load_hash(&self.load))?;
        if stale.is_empty() {
            return Ok(snapshot);
        }
        if matches!(self.folder, Folder::Local(_)) {
            // Whoever was in such a room may have committed since the table was read, and died then: its files are no garbage.
            snapshot = self.snapshot()?;
        } else {
            // In a bucket nobody can tell whether a run is alive: its commit is made impossible first. Without a table there is nothing
            // to put the fence on: left for the first run after a commit.
            snapshot = match snapshot {
                None => return Ok(None),
                Some(snapshot) => Some(self.fence(snapshot)?),
            };
        }
        for room in stale {
            let is_known = |name: &String| {
                let is_in =
                    |table: &Snapshot| table.files.contains_key(name) || table.removed.contains_key(name);
                snapshot.as_ref().is_some_and(is_in)
            };
            let is_garbage = |name: &&String| names::is_ours(name) && !is_known(name);
            let garbage: Vec<String> = room.names.iter().filter(is_garbage).cloned().collect();
            self.folder.remove(&garbage)?;
            room.remove(&self.folder)?;
        }
        Ok(snapshot)
    }

    /// Counts up the commits of this load without changing the table, so that no run that began before can commit.
    fn fence(&self, mut snapshot: Snapshot) -> Result<Snapshot, LakeError> {
        for _ in 0..ATTEMPTS_MAX {
            let bytes = commit::fence(&self.load, &snapshot, self.world.now().0 / 1_000);
            self.folder.create(&commit_name(snapshot.version + 1), &bytes)?;
            let before = counter(&snapshot, &self.load);
            snapshot = self.snapshot()?.ok_or_else(|| LakeError::new("the log of the table disappeared"))?;
            if counter(&snapshot, &self.load) > before {
                return Ok(snapshot);
            }
        }
        Err(self.too_busy())
    }

    fn too_busy(&self) -> LakeError {
        LakeError::transient(format!(
            "the table `{}` was changed by others {ATTEMPTS_MAX} times while this run committed: run again",
            self.folder.shown()
        ))
    }

    /// Removes files that got their names for a commit that is not needed any more.
    fn take_back(&self, is_published: bool, ready: &Ready) -> Result<(), LakeError> {
        match ready {
            Ready::Files(staged) if is_published => {
                let names: Vec<String> = staged.iter().map(|staged| staged.name.clone()).collect();
                Ok(self.folder.remove(&names)?)
            }
            _ => Ok(()),
        }
    }

    /// Whether the table is already as the commit would make it.
    fn is_nothing(
        &self,
        snapshot: &Snapshot,
        change: &Change,
        units: &[String],
        watermark: Option<&str>,
    ) -> Result<bool, LakeError> {
        let known = commit::committed(snapshot, &self.load, self.options.mode);
        let has_units = units.iter().all(|unit| known.units.contains(unit))
            && (self.options.mode != Mode::Replace || units.len() == known.units.len());
        let has_watermark = watermark.is_none() || watermark == known.watermark.as_deref();
        Ok(change.add.is_empty() && change.remove.is_empty() && has_units && has_watermark)
    }

    fn change_of_files(
        &self,
        snapshot: Option<&Snapshot>,
        staged: &[Staged],
        is_published: bool,
        schema: &SchemaRef,
        n_rows: u64,
    ) -> Result<Change, LakeError> {
        let n_bytes = Some(staged.iter().map(|staged| staged.finished.n_bytes).sum());
        let loaded = Loaded { inserted: n_rows, n_bytes, ..Loaded::default() };
        let (Mode::Replace, Some(snapshot)) = (self.options.mode, snapshot) else {
            return Ok(Change { add: staged.to_vec(), remove: Vec::new(), loaded });
        };
        let remove = self.replaced(snapshot)?;
        let before: Vec<&Add> = remove.iter().filter_map(|path| snapshot.files.get(path)).collect();
        let is_known = counter(snapshot, &self.load) > 0;
        let live = LiveFiles { state: self, files: before, schema };
        if is_known && self.is_same_content(snapshot, &live, staged, is_published)? {
            let loaded = Loaded { unchanged: n_rows, n_bytes: Some(0), ..Loaded::default() };
            return Ok(Change { add: Vec::new(), remove: Vec::new(), loaded });
        }
        Ok(Change { add: staged.to_vec(), remove, loaded })
    }

    fn is_same_content(
        &self,
        snapshot: &Snapshot,
        live: &LiveFiles<'_>,
        staged: &[Staged],
        is_published: bool,
    ) -> Result<bool, LakeError> {
        let mut before = Vec::new();
        for file in &live.files {
            // Without a number of rows from another writer the content counts as another one.
            let Some(rows) = n_records(file) else { return Ok(false) };
            let partition = self.values(file);
            before.push(Piece { name: file.path.clone(), staged: None, partition, rows, sha256: None });
        }
        let columns =
            table::Columns::of_schema(live.schema).map_err(|error| LakeError::new(error.to_string()))?;
        let mut stored = snapshot.fields()?;
        let mut wanted = super::action::fields_of(&schema_string(&columns)).map_err(LakeError::new)?;
        stored.sort();
        wanted.sort();
        if stored != wanted {
            return Ok(false);
        }
        let now = staged.iter().map(|staged| {
            let piece = staged.piece();
            Piece { staged: piece.staged.filter(|_| !is_published), ..piece }
        });
        read::is_same_content(before, now.collect(), live.schema, &|piece| {
            self.rows_of(&piece.name, piece.staged.as_ref(), &piece.partition, live.schema, None)
        })
    }

    fn change_of_merge(
        &self,
        snapshot: Option<&Snapshot>,
        waiting: &mut Waiting,
        plan: &Plan,
        attempt: usize,
        schema: &SchemaRef,
    ) -> Result<Change, LakeError> {
        let files: Vec<&Add> = snapshot.iter().flat_map(|snapshot| snapshot.files.values()).collect();
        let live = LiveFiles { state: self, files, schema };
        let resolved = waiting.resolve(&live)?;
        // Files keep the mark of the load whose rows they hold.
        let mut owners = vec![load_hash(&self.load)];
        let mut numbers = Vec::new();
        for file in &resolved.rewrite {
            let hash = hash_of(&live.files[*file].path).unwrap_or(names::NOBODY);
            let number = owners.iter().position(|known| known == hash).unwrap_or_else(|| {
                owners.push(hash.to_owned());
                owners.len() - 1
            });
            numbers.push(number);
        }
        let stems = owners.iter().map(|hash| format!("{}-{attempt}", names::stem(hash))).collect();
        let mut staging = Staging::new(Plan { stems, ..plan.clone() });
        for (file, number) in resolved.rewrite.iter().zip(numbers) {
            for rows in waiting.kept(&live, *file)? {
                self.check_cancelled()?;
                staging.write(&rows?, number)?;
            }
        }
        for rows in waiting.fresh()? {
            self.check_cancelled()?;
            staging.write(&rows?, 0)?;
        }
        let add = staging.finish()?;
        let n_bytes = Some(add.iter().map(|staged| staged.finished.n_bytes).sum());
        let remove = resolved.rewrite.iter().map(|file| live.files[*file].path.clone()).collect();
        Ok(Change { add, remove, loaded: Loaded { n_bytes, ..resolved.loaded } })
    }

    fn values(&self, file: &Add) -> Values {
        let of = |name: &String| {
            file.partition_values.get(name).cloned().flatten().filter(|text| !text.is_empty())
        };
        self.options.partition_names().iter().map(of).collect()
    }

    fn rows_of(
        &self,
        path: &str,
        staged: Option<&PathBuf>,
        values: &Values,
        schema: &SchemaRef,
        columns: Option<&[usize]>,
    ) -> Result<Rows, LakeError> {
        let name = decoded(path)?;
        let local = match staged {
            Some(local) => local.clone(),
            None => self.folder.fetch(&name, &self.world.scratch)?,
        };
        let reader = Reader {
            name,
            path: local,
            format: Format::Parquet,
            by: self.options.partition_names(),
            schema: schema.clone(),
            missing_is_null: true,
        };
        reader.rows(values.clone(), columns)
    }

    /// Writes a checkpoint when one is due, and shows what is attached to the data; the commit holds that too.
    fn after_commit(&self, room: &Path, is_checkpoint_due: bool) {
        let checkpoint = || -> Result<(), LakeError> {
            let Some(snapshot) = self.snapshot()? else { return Ok(()) };
            summary::write(&self.folder, &snapshot, room, self.world.now().0 / 1_000)
        };
        if is_checkpoint_due && let Err(error) = checkpoint() {
            tracing::warn!(target = %self.options.name, "committed, but no checkpoint was written: {error}");
        }
        for (name, json) in &self.attachments {
            let whose = serde_json::json!({app(&self.load): json});
            let bytes = serde_json::to_vec_pretty(&whose).expect("JSON can always be written");
            if let Err(error) = self.folder.put(&format!("_{name}.json"), &bytes) {
                tracing::warn!(target = %self.options.name, "committed, but `_{name}.json` was not written: {error}");
            }
        }
    }
}

struct LiveFiles<'a> {
    state: &'a State,
    files: Vec<&'a Add>,
    schema: &'a SchemaRef,
}

impl Live for LiveFiles<'_> {
    fn n_files(&self) -> usize {
        self.files.len()
    }

    fn read(&self, file: usize, columns: Option<&[usize]>) -> Result<Rows, LakeError> {
        let file = self.files[file];
        self.state.rows_of(&file.path, None, &self.state.values(file), self.schema, columns)
    }
}

/// The number of rows that a writer noted.
fn n_records(file: &Add) -> Option<u64> {
    let stats: serde_json::Value = serde_json::from_str(file.stats.as_deref()?).ok()?;
    stats["numRecords"].as_u64()
}

/// The name that a path of the log means: it is written as in a URL.
fn decoded(path: &str) -> Result<String, LakeError> {
    if path.contains("://") || path.starts_with('/') || path.split('/').any(|part| part == "..") {
        return Err(LakeError::new(
            "the table refers to files outside of its folder (a shallow clone), which is not supported",
        ));
    }
    let damaged = || LakeError::new("the log names a file in a way that cannot be read");
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let digits =
            after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok()).ok_or_else(damaged)?;
        bytes.push(u8::from_str_radix(digits, 16).map_err(|_| damaged())?);
        rest = &after[2..];
    }
    let name = String::from_utf8(bytes).map_err(|_| damaged())?;
    if name.split('/').any(|part| part == "..") { Err(damaged()) } else { Ok(name) }
}
