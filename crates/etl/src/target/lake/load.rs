//! A load into a folder: rows into staged files, the files into place, the manifest as the commit.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use table::Columns;

use super::folder::{Folder, Lock, Tag};
use super::manifest::{self, FileEntry, Manifest, words};
use super::merge::{Live, Waiting};
use super::names::{is_ours, load_hash, stem};
use super::options::{FolderOptions, open_folder};
use super::partition;
use super::read::{self, Piece, Reader};
use super::room::{Room, Stale};
use super::staging::{Plan, Staged, Staging};
use super::work::{Attachments, Lake, LakeTarget, Parts, Ready, Work};
use super::{LakeError, Rows};
use crate::target::{Committed, Load, Loaded, Mode};
use crate::{EtlError, world::World};

/// Attempts at a commit while others commit too.
const ATTEMPTS_MAX: usize = 20;

/// A folder of files, open.
pub(crate) type FolderTarget = LakeTarget<State>;

/// What is known of the folder, and its load.
pub(crate) struct State {
    options: FolderOptions,
    load: Load,
    world: Arc<World>,
    folder: Folder,
    attachments: Attachments,
    work: Option<Work>,
}

/// What a commit does to the files.
struct Change {
    add: Vec<(Staged, FileEntry)>,
    remove: Vec<String>,
    loaded: Loaded,
}

/// Opens a folder.
pub(crate) async fn open(
    options: FolderOptions,
    load: Load,
    world: Arc<World>,
) -> Result<FolderTarget, EtlError> {
    let name = options.name.clone();
    let folder = open_folder(&options, &world).map_err(|error| error.of_target(&name))?;
    let state = State { options, load, world, folder, attachments: Attachments::new(), work: None };
    LakeTarget::open(name, state).await
}

impl Lake for State {
    fn parts(&mut self) -> Parts<'_> {
        let State { folder, world, attachments, work, .. } = self;
        Parts { folder, world, attachments, work }
    }

    fn committed(&self) -> Result<Committed, LakeError> {
        let manifest = self.manifest()?;
        Ok(manifest.map_or_else(Committed::default, |(manifest, _)| manifest.committed(&self.load)))
    }

    fn begin(&mut self, columns: Columns) -> Result<(), LakeError> {
        self.folder.make()?;
        let lock = self.lock()?;
        self.manifest_for(&columns)?;
        self.remove_garbage()?;
        let room = Room::enter(&self.folder, &stem(&load_hash(&self.load)), &self.world.scratch)?;
        drop(lock);
        self.work = Some(Work::begin(columns, room, &self.options, true, &self.attachments, &self.world)?);
        Ok(())
    }

    fn commit(&mut self, units: &[String], watermark: Option<&str>) -> Result<Loaded, LakeError> {
        let work = self.work.take().ok_or_else(|| LakeError::new("`commit` came before `begin`"))?;
        let mut ready = work.rows.finish()?;
        (self.world.checkpoint)("staged");
        let mut is_published = false;
        for attempt in 0..ATTEMPTS_MAX {
            let lock = self.lock()?;
            let (manifest, tag) = self.manifest_for(&work.columns)?;
            self.check_unknown(&manifest, units, work.room.stem())?;
            let change = match &mut ready {
                Ready::Files(staged) => self.change_of_files(&manifest, staged, &work.schema, work.n_rows)?,
                Ready::Merge(waiting) => {
                    let stems = work.plan.stems.iter().map(|stem| format!("{stem}-{attempt}")).collect();
                    let plan = Plan { stems, ..work.plan.clone() };
                    self.change_of_merge(&manifest, waiting, plan, &work.schema)?
                }
            };
            let mut next = self.next_manifest(&manifest, &change, units, watermark);
            if tag.is_some() && next == manifest {
                if is_published && let Ready::Files(staged) = &ready {
                    let names: Vec<String> = staged.iter().map(|staged| staged.name.clone()).collect();
                    self.folder.remove(&names)?;
                }
                drop(lock);
                work.room.leave(&self.folder)?;
                return Ok(change.loaded);
            }
            let files: Vec<(PathBuf, String)> =
                change.add.iter().map(|(staged, _)| (staged.path.clone(), staged.name.clone())).collect();
            let names: Vec<&str> = files.iter().map(|(_, name)| name.as_str()).collect();
            if !is_published {
                work.room.note(&self.folder, &names)?;
                self.folder.publish(&files)?;
                is_published = true;
            }
            (self.world.checkpoint)("renamed");
            (self.world.checkpoint)("before-manifest");
            if self.folder.replace(manifest::NAME, &next.bytes(), tag.as_ref())? {
                (self.world.checkpoint)("after-manifest");
                // The commit is done: what fails now is tidied up by the next `begin`.
                self.after_commit(&next, &change);
                drop(lock);
                work.room.leave(&self.folder)?;
                return Ok(change.loaded);
            }
            if matches!(ready, Ready::Merge(_)) {
                let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
                self.folder.remove(&names)?;
                is_published = false;
            }
        }
        Err(self.too_busy())
    }
}

impl State {
    fn lock(&self) -> Result<Option<Lock>, LakeError> {
        let is_cancelled = || self.world.check_cancelled().is_err();
        self.folder.lock(&is_cancelled).map_err(|error| match self.world.check_cancelled() {
            Err(_) => LakeError::cancelled(),
            Ok(()) => error.into(),
        })
    }

    /// The manifest, when there is one, after a look at whether it fits the options.
    fn manifest(&self) -> Result<Option<(Manifest, Tag)>, LakeError> {
        let Some((bytes, tag)) = self.folder.read(manifest::NAME)? else { return Ok(None) };
        let manifest = Manifest::parse(&bytes).map_err(LakeError::new)?;
        let shown = self.folder.shown();
        if manifest.format != self.options.form.format {
            return Err(LakeError::new(format!(
                "`{shown}` holds {:?} files: choose another path",
                manifest.format
            )));
        }
        if manifest.partition_by != self.options.partition_names() {
            return Err(LakeError::new(format!(
                "`{shown}` is partitioned by [{}], not by [{}]: choose another path, or remove the folder to load it anew",
                manifest.partition_by.join(", "),
                self.options.partition_names().join(", ")
            )));
        }
        Ok(Some((manifest, tag)))
    }

    /// The manifest to go on from, after a look at whether the columns of the load fit.
    fn manifest_for(&self, columns: &Columns) -> Result<(Manifest, Option<Tag>), LakeError> {
        let Some((mut manifest, tag)) = self.manifest()? else {
            return Ok((
                Manifest::empty(self.options.form.format, columns, &self.options.partition_names()),
                None,
            ));
        };
        if !manifest.has_columns(columns) {
            let is_only_ours = manifest.files.iter().all(|file| file.is_of(&self.load));
            if self.options.mode != Mode::Replace || !is_only_ours {
                let stored = manifest.columns().map_err(LakeError::new)?;
                return Err(LakeError::new(format!(
                    "`{}` has the columns [{}], the load has [{}]: choose another path, or remove the folder to load it anew",
                    self.folder.shown(),
                    words(&stored),
                    words(columns)
                )));
            }
            manifest.set_columns(columns);
        }
        Ok((manifest, Some(tag)))
    }

    /// Removes what runs left behind that ended before their commit, and nothing that others made.
    fn remove_garbage(&self) -> Result<(), LakeError> {
        let stale = Room::stale(&self.folder, &load_hash(&self.load))?;
        let manifest = self.manifest()?.map(|(manifest, _)| manifest);
        let is_local = matches!(self.folder, Folder::Local(_));
        let names = if is_local || manifest.is_none() { self.folder.list("", "")? } else { Vec::new() };
        let is_foreign = |name: &&String| {
            !is_ours(name) && !name.starts_with(['_', '.']) && name.ends_with(self.options.form.suffix())
        };
        if manifest.is_none()
            && let Some(other) = names.iter().find(is_foreign)
        {
            return Err(LakeError::new(format!(
                "`{}` holds `{other}`, which salus did not write: choose an empty folder",
                self.folder.shown()
            )));
        }
        if !is_local {
            return self.remove_stale_objects(stale);
        }
        // The folder is locked and nobody is in a stale room, so a file that is not in the manifest is nobody's.
        let live: BTreeSet<&str> =
            manifest.iter().flat_map(|manifest| &manifest.files).map(|file| file.path.as_str()).collect();
        let garbage: Vec<String> =
            names.into_iter().filter(|name| is_ours(name) && !live.contains(name.as_str())).collect();
        self.folder.remove(&garbage)?;
        for room in stale {
            room.remove(&self.folder)?;
        }
        manifest.map_or(Ok(()), |manifest| self.write_attachments(&manifest))
    }

    /// In a bucket nobody can tell whether a run is alive: its commit is made impossible first, then its objects are removed.
    fn remove_stale_objects(&self, stale: Vec<Stale>) -> Result<(), LakeError> {
        if stale.is_empty() {
            return Ok(());
        }
        for _ in 0..ATTEMPTS_MAX {
            // Without a manifest there is nothing to put the fence on: left for the first run after a commit.
            let Some((mut manifest, tag)) = self.manifest()? else { return Ok(()) };
            for room in &stale {
                manifest.fence(room.stem());
            }
            if !self.folder.replace(manifest::NAME, &manifest.bytes(), Some(&tag))? {
                continue;
            }
            let live: BTreeSet<&str> = manifest.files.iter().map(|file| file.path.as_str()).collect();
            for room in stale {
                let is_garbage = |name: &&String| is_ours(name) && !live.contains(name.as_str());
                let garbage: Vec<String> = room.names.iter().filter(is_garbage).cloned().collect();
                self.folder.remove(&garbage)?;
                room.remove(&self.folder)?;
            }
            return self.write_attachments(&manifest);
        }
        Err(self.too_busy())
    }

    fn too_busy(&self) -> LakeError {
        LakeError::transient(format!(
            "`{}` was changed by others {ATTEMPTS_MAX} times while this run committed: run again",
            self.folder.shown()
        ))
    }

    /// A unit that was loaded by another run meanwhile must not be loaded twice.
    fn check_unknown(&self, manifest: &Manifest, units: &[String], stem: &str) -> Result<(), LakeError> {
        if manifest.is_fenced(stem) {
            return Err(LakeError::transient(format!(
                "another run of the same pipeline took `{}` over: run again",
                self.folder.shown()
            )));
        }
        if self.options.mode != Mode::Append {
            return Ok(());
        }
        let known = manifest.committed(&self.load).units;
        match units.iter().find(|unit| known.contains(unit)) {
            None => Ok(()),
            Some(_) => Err(LakeError::transient(format!(
                "another run loaded the same unit of `{}` meanwhile: run again, it will be left out",
                self.load.source
            ))),
        }
    }

    fn entry(&self, staged: &Staged, pipeline: &str, source: &str) -> FileEntry {
        FileEntry {
            path: staged.name.clone(),
            rows: staged.rows,
            bytes: staged.finished.n_bytes,
            sha256: staged.finished.sha256.clone(),
            partition: staged.partition.clone(),
            pipeline: pipeline.to_owned(),
            source: source.to_owned(),
            run: self.load.run.clone(),
        }
    }

    fn change_of_files(
        &self,
        manifest: &Manifest,
        staged: &[Staged],
        schema: &SchemaRef,
        n_rows: u64,
    ) -> Result<Change, LakeError> {
        let entry =
            |staged: &Staged| (staged.clone(), self.entry(staged, &self.load.pipeline, &self.load.source));
        let add: Vec<_> = staged.iter().map(entry).collect();
        let n_bytes = Some(add.iter().map(|(_, entry)| entry.bytes).sum());
        let inserted = Loaded { inserted: n_rows, n_bytes, ..Loaded::default() };
        if self.options.mode != Mode::Replace {
            return Ok(Change { add, remove: Vec::new(), loaded: inserted });
        }
        let before: Vec<&FileEntry> = manifest.files.iter().filter(|file| file.is_of(&self.load)).collect();
        let is_known = manifest.load(&self.load).is_some();
        if is_known && self.is_same_content(&before, staged, schema, manifest)? {
            let loaded = Loaded { unchanged: n_rows, n_bytes: Some(0), ..Loaded::default() };
            return Ok(Change { add: Vec::new(), remove: Vec::new(), loaded });
        }
        let remove = before.iter().map(|file| file.path.clone()).collect();
        Ok(Change { add, remove, loaded: inserted })
    }

    /// Whether the staged files hold the rows that are there already.
    fn is_same_content(
        &self,
        before: &[&FileEntry],
        staged: &[Staged],
        schema: &SchemaRef,
        manifest: &Manifest,
    ) -> Result<bool, LakeError> {
        if self.manifest()?.is_none_or(|(stored, _)| stored.columns != manifest.columns) {
            return Ok(false);
        }
        let before = before.iter().map(|file| Piece {
            name: file.path.clone(),
            staged: None,
            partition: file.partition.clone(),
            rows: file.rows,
            sha256: Some(file.sha256.clone()),
        });
        let now = staged.iter().map(Staged::piece);
        read::is_same_content(before.collect(), now.collect(), schema, &|piece| {
            self.rows_of(&piece.name, piece.staged.as_ref(), &piece.partition, schema, None)
        })
    }

    /// The rows of a file with the partition columns put back: all columns, or those with the given numbers.
    fn rows_of(
        &self,
        name: &str,
        local: Option<&PathBuf>,
        values: &partition::Values,
        schema: &SchemaRef,
        columns: Option<&[usize]>,
    ) -> Result<Rows, LakeError> {
        let path = match local {
            Some(path) => path.clone(),
            None => self.folder.fetch(name, &self.world.scratch)?,
        };
        let reader = Reader {
            name: name.to_owned(),
            path,
            format: self.options.form.format,
            by: self.options.partition_names(),
            schema: schema.clone(),
            missing_is_null: false,
        };
        reader.rows(values.clone(), columns)
    }

    fn change_of_merge(
        &self,
        manifest: &Manifest,
        waiting: &mut Waiting,
        plan: Plan,
        schema: &SchemaRef,
    ) -> Result<Change, LakeError> {
        let live = LiveFiles { state: self, files: &manifest.files, schema };
        let resolved = waiting.resolve(&live)?;
        let mut owners = vec![(self.load.pipeline.clone(), self.load.source.clone())];
        let mut staging = Staging::new(plan);
        for file in &resolved.rewrite {
            let entry = &manifest.files[*file];
            let owner = (entry.pipeline.clone(), entry.source.clone());
            let number = owners.iter().position(|known| *known == owner).unwrap_or_else(|| {
                owners.push(owner);
                owners.len() - 1
            });
            for rows in waiting.kept(&live, *file)? {
                self.world.check_cancelled().map_err(|_| LakeError::cancelled())?;
                staging.write(&rows?, number)?;
            }
        }
        for rows in waiting.fresh()? {
            self.world.check_cancelled().map_err(|_| LakeError::cancelled())?;
            staging.write(&rows?, 0)?;
        }
        let add: Vec<_> = staging
            .finish()?
            .into_iter()
            .map(|staged| {
                let (pipeline, source) = &owners[staged.owner];
                let entry = self.entry(&staged, pipeline, source);
                (staged, entry)
            })
            .collect();
        let n_bytes = Some(add.iter().map(|(_, entry)| entry.bytes).sum());
        let remove = resolved.rewrite.iter().map(|file| manifest.files[*file].path.clone()).collect();
        Ok(Change { add, remove, loaded: Loaded { n_bytes, ..resolved.loaded } })
    }

    /// The manifest after the commit; equal to the one before when nothing changes.
    fn next_manifest(
        &self,
        manifest: &Manifest,
        change: &Change,
        units: &[String],
        watermark: Option<&str>,
    ) -> Manifest {
        let mut next = manifest.clone();
        next.files.retain(|file| !change.remove.contains(&file.path));
        next.files.extend(change.add.iter().map(|(_, entry)| entry.clone()));
        let is_new = manifest.load(&self.load).is_none();
        let entry = next.load_mut(&self.load);
        if self.options.mode == Mode::Replace {
            entry.units = units.to_vec();
        } else {
            let known: BTreeSet<String> = entry.units.iter().cloned().collect();
            entry.units.extend(units.iter().filter(|unit| !known.contains(*unit)).cloned());
        }
        if let Some(watermark) = watermark {
            entry.watermark = Some(watermark.to_owned());
        }
        let has_other_attachments =
            entry.pipeline_hash != self.load.pipeline_hash && entry.attachments != self.attachments;
        if is_new || has_other_attachments || next != *manifest {
            let entry = next.load_mut(&self.load);
            entry.run.clone_from(&self.load.run);
            entry.pipeline_hash.clone_from(&self.load.pipeline_hash);
            entry.committed_at = self.world.now().to_string();
            entry.attachments.clone_from(&self.attachments);
        }
        next
    }

    /// Removes the files that are no longer part of the content, and shows what is attached to it.
    fn after_commit(&self, manifest: &Manifest, change: &Change) {
        let done = self.folder.remove(&change.remove).map_err(LakeError::from);
        if let Err(error) = done.and_then(|()| self.write_attachments(manifest)) {
            tracing::warn!(target = %self.options.name, "committed, but not tidied up: {error}");
        }
    }

    /// Writes `_NAME.json` for every name under which something is attached: a map from `pipeline/source` to what it attached.
    fn write_attachments(&self, manifest: &Manifest) -> Result<(), LakeError> {
        let mut files: BTreeMap<&str, serde_json::Map<String, serde_json::Value>> = BTreeMap::new();
        for entry in &manifest.loads {
            for (name, json) in &entry.attachments {
                let whose = format!("{}/{}", entry.pipeline, entry.source);
                files.entry(name).or_default().insert(whose, json.clone());
            }
        }
        for (name, map) in files {
            let (name, map) = (format!("_{name}.json"), serde_json::Value::Object(map));
            let mut bytes = serde_json::to_vec_pretty(&map).expect("JSON can always be written");
            bytes.push(b'\n');
            if self.folder.read(&name)?.is_none_or(|(stored, _)| stored != bytes) {
                self.folder.put(&name, &bytes)?;
            }
        }
        Ok(())
    }
}

struct LiveFiles<'a> {
    state: &'a State,
    files: &'a [FileEntry],
    schema: &'a SchemaRef,
}

impl Live for LiveFiles<'_> {
    fn n_files(&self) -> usize {
        self.files.len()
    }

    fn read(&self, file: usize, columns: Option<&[usize]>) -> Result<Rows, LakeError> {
        let entry = &self.files[file];
        self.state.rows_of(&entry.path, None, &entry.partition, self.schema, columns)
    }
}
