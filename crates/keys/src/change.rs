//! Changes of a key folder: making it, new versions of keys, a new root key, destruction.

use std::fs::{self, DirBuilder};
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aes_gcm::aead::rand_core::{OsRng, RngCore};
use fhir::Clock;

use crate::file::rename;
use crate::folder::{self, RING_FILE, Record, Ring};
use crate::ring::not_destroyed;
use crate::secret::Secret;
use crate::{KeyError, KeyId, KeyRing, Scope};

impl KeyRing {
    /// Makes a key folder (mode 0700) with a fresh root key and no data keys. Never touches keys that exist.
    pub fn init(folder: impl Into<PathBuf>, clock: Arc<dyn Clock>) -> Result<KeyRing, KeyError> {
        let path: PathBuf = folder.into();
        let mut private = DirBuilder::new();
        private.mode(0o700);
        if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            private.recursive(true).create(parent).map_err(KeyError::at(parent))?;
        }
        // Made beside its place and renamed, so that a crash leaves no folder or a whole one.
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{}.tmp", KeyId(random_id())));
        let unfinished = PathBuf::from(name);
        private.recursive(false).create(&unfinished).map_err(KeyError::at(&unfinished))?;
        let placed = fill_new(&unfinished).and_then(|()| {
            rename(&unfinished, &path).map_err(|error| match error.kind() {
                ErrorKind::DirectoryNotEmpty | ErrorKind::AlreadyExists => KeyError::Exists(path.clone()),
                _ => KeyError::Io { path: path.clone(), source: error },
            })
        });
        if let Err(error) = placed {
            // What was made is of no use to anybody; when it cannot be removed either, the first error says more.
            let _ = fs::remove_dir_all(&unfinished);
            return Err(error);
        }
        KeyRing::load(path, clock)
    }

    /// The first key of a scope, unless another process was faster.
    pub(crate) fn create(&self, scope: &Scope) -> Result<KeyId, KeyError> {
        self.change(|root, ring, now| {
            if let Some(record) = newest(ring, scope) {
                return not_destroyed(record).map(|()| record.id);
            }
            push(root, ring, scope, 1, now)
        })
    }

    /// A new version of a scope's key: it seals from now on, and older versions still open what they sealed. Keyed hashes change.
    pub fn rotate(&self, scope: &Scope) -> Result<KeyId, KeyError> {
        self.change(|root, ring, now| {
            let record = newest(ring, scope).ok_or_else(|| KeyError::UnknownScope(scope.clone()))?;
            not_destroyed(record)?;
            let version = record.version + 1;
            push(root, ring, scope, version, now)
        })
    }

    /// A new root key: every data key is wrapped anew, no sealed data changes. Gives the new root key's id.
    pub fn rotate_root(&self) -> Result<KeyId, KeyError> {
        let lock = folder::lock(&self.folder)?;
        folder::settle(&self.folder)?;
        let (root, mut ring) = folder::load(&self.folder)?;
        let next = self.rewrap(&root, &mut ring)?;
        drop(lock);
        Ok(next)
    }

    /// Destroys all versions of a scope's key for good, and changes the root key so that remnants of the old file on the disk do not
    /// help. Tombstones stay. Copies of the key folder still hold the key: destroy them too. Gives the number of versions.
    pub fn shred(&self, scope: &Scope) -> Result<usize, KeyError> {
        self.destroy(scope, |_, _| true)
    }

    /// Destroys all versions but the newest, after what they sealed was sealed anew. Gives the number of versions.
    pub fn retire(&self, scope: &Scope) -> Result<usize, KeyError> {
        self.destroy(scope, |record, newest| record.version < newest)
    }

    fn destroy(&self, scope: &Scope, which: impl Fn(&Record, u32) -> bool) -> Result<usize, KeyError> {
        let now = self.clock.now().0;
        let lock = folder::lock(&self.folder)?;
        folder::settle(&self.folder)?;
        let (root, mut ring) = folder::load(&self.folder)?;
        let latest = newest(&ring, scope).ok_or_else(|| KeyError::UnknownScope(scope.clone()))?;
        not_destroyed(latest)?;
        let version = latest.version;
        let mut n_destroyed = 0;
        for record in ring.keys.iter_mut().filter(|record| record.scope == *scope) {
            if record.wrapped.is_some() && which(record, version) {
                record.wrapped = None;
                record.destroyed = Some(now);
                n_destroyed += 1;
            }
        }
        if n_destroyed > 0 {
            self.rewrap(&root, &mut ring)?;
        }
        drop(lock);
        Ok(n_destroyed)
    }

    /// Wraps every key by a fresh root key and saves both.
    fn rewrap(&self, root: &Secret, ring: &mut Ring) -> Result<KeyId, KeyError> {
        let next = Secret::fresh();
        let path = self.folder.join(RING_FILE);
        for record in &mut ring.keys {
            if let Some(key) = record.unwrap(root, &path)? {
                let scope = record.scope.clone();
                *record = Record::wrap(&next, record.id, scope, record.version, record.created, &key)?;
            }
        }
        folder::replace_root(&self.folder, ring, &next)?;
        self.reload()?;
        Ok(next.id())
    }

    /// One change, on what is on disk, while nobody else changes anything.
    fn change<T>(
        &self,
        work: impl FnOnce(&Secret, &mut Ring, i64) -> Result<T, KeyError>,
    ) -> Result<T, KeyError> {
        let now = self.clock.now().0;
        let lock = folder::lock(&self.folder)?;
        folder::settle(&self.folder)?;
        let (root, mut ring) = folder::load(&self.folder)?;
        let n_before = ring.keys.len();
        let done = work(&root, &mut ring, now)?;
        if ring.keys.len() != n_before {
            ring.save(&self.folder, &root)?;
        }
        drop(lock);
        self.reload()?;
        Ok(done)
    }
}

fn newest<'a>(ring: &'a Ring, scope: &Scope) -> Option<&'a Record> {
    ring.keys.iter().filter(|record| record.scope == *scope).max_by_key(|record| record.version)
}

fn fill_new(folder: &Path) -> Result<(), KeyError> {
    let root = Secret::fresh();
    folder::write_root(folder, &root)?;
    Ring::new(&root).save(folder, &root)
}

fn random_id() -> [u8; 8] {
    let mut id = [0; 8];
    OsRng.fill_bytes(&mut id);
    id
}

fn push(root: &Secret, ring: &mut Ring, scope: &Scope, version: u32, now: i64) -> Result<KeyId, KeyError> {
    let id = KeyId(random_id());
    let record = Record::wrap(root, id, scope.clone(), version, now, &Secret::fresh())?;
    ring.keys.push(record);
    Ok(id)
}
