//! The key folder on disk: reads and writes the root key and the wrapped data keys, and finishes what a crash left half done.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::file::{check_private, rename, write_private};
use crate::secret::Secret;
use crate::{KeyError, KeyId, Scope, seal};

/// Name of the file with the root key.
pub const ROOT_FILE: &str = "root.key";
/// Name of the file with the wrapped data keys.
pub const RING_FILE: &str = "keys.json";
/// Name of the file that is locked while keys change.
pub const LOCK_FILE: &str = "LOCK";
/// The new root key while everything is wrapped anew.
const NEXT_ROOT_FILE: &str = "root.key.next";

const FORMAT: u32 = 1;
const ALGORITHM: &str = "AES-256-GCM";
const KEYS_MAX: usize = 100_000;
const RING_BYTES_MAX: u64 = 64 << 20;

/// `keys.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ring {
    pub(crate) format: u32,
    /// Root key that wrapped the keys.
    pub(crate) root: KeyId,
    pub(crate) keys: Vec<Record>,
    /// HMAC of the records under the root key: a removed tombstone shows.
    check: String,
}

/// One version of a data key, or its tombstone.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Record {
    pub(crate) id: KeyId,
    pub(crate) scope: Scope,
    pub(crate) version: u32,
    pub(crate) algorithm: String,
    /// Microseconds of UTC.
    pub(crate) created: i64,
    /// Sealed by the root key; absent when it was destroyed.
    pub(crate) wrapped: Option<String>,
    pub(crate) destroyed: Option<i64>,
}

impl Record {
    /// A data key, wrapped.
    pub(crate) fn wrap(
        root: &Secret,
        id: KeyId,
        scope: Scope,
        version: u32,
        created: i64,
        key: &Secret,
    ) -> Result<Record, KeyError> {
        let place = place(id, version);
        let wrapped = seal::seal(root, root.id(), scope.as_str(), &place, key.bytes())?;
        let wrapped = Some(STANDARD.encode(wrapped));
        Ok(Record { id, scope, version, algorithm: ALGORITHM.to_owned(), created, wrapped, destroyed: None })
    }

    /// The data key, unless it was destroyed.
    pub(crate) fn unwrap(&self, root: &Secret, path: &Path) -> Result<Option<Secret>, KeyError> {
        let Some(wrapped) = &self.wrapped else { return Ok(None) };
        let damaged = |why| KeyError::damaged(path, why);
        if self.algorithm != ALGORITHM {
            return Err(damaged("a key of an unknown algorithm"));
        }
        let wrapped = STANDARD.decode(wrapped).map_err(|_| damaged("a wrapped key is no base64"))?;
        let bytes = seal::open(root, self.scope.as_str(), &place(self.id, self.version), &wrapped)
            .map_err(|_| damaged("a wrapped key does not open"))?;
        Secret::from_slice(&bytes).map(Some).ok_or_else(|| damaged("a wrapped key has a wrong length"))
    }
}

fn place(id: KeyId, version: u32) -> Vec<u8> {
    [b"salus/wrap/1\0".as_slice(), &id.0, &version.to_be_bytes()].concat()
}

impl Ring {
    pub(crate) fn new(root: &Secret) -> Ring {
        Ring { format: FORMAT, root: root.id(), keys: Vec::new(), check: String::new() }
    }

    fn check_of(&self, root: &Secret) -> String {
        let records = serde_json::to_vec(&self.keys).expect("records are plain data");
        STANDARD.encode(root.mac(&[b"salus/ring/1\0", &records]))
    }

    /// Writes `keys.json`.
    pub(crate) fn save(&mut self, folder: &Path, root: &Secret) -> Result<(), KeyError> {
        if self.keys.len() > KEYS_MAX {
            return Err(KeyError::TooManyKeys { max: KEYS_MAX });
        }
        self.root = root.id();
        self.check = self.check_of(root);
        let path = folder.join(RING_FILE);
        let mut text = serde_json::to_vec_pretty(self).expect("records are plain data");
        text.push(b'\n');
        write_private(&path, &text).map_err(KeyError::at(&path))
    }
}

/// Reads root key and ring, and checks that they belong together.
pub(crate) fn load(folder: &Path) -> Result<(Secret, Ring), KeyError> {
    check_folder(folder)?;
    let ring = read_ring(folder)?;
    let path = folder.join(ROOT_FILE);
    let mut root = read_root(&path)?;
    if root.id() != ring.root {
        // A change of the root key ended after `keys.json` was written: the new root key is here under its first name.
        let next = folder.join(NEXT_ROOT_FILE);
        root = match read_root(&next) {
            Ok(next) if next.id() == ring.root => next,
            _ => return Err(KeyError::WrongRoot { expected: ring.root, found: root.id() }),
        };
    }
    if ring.check != ring.check_of(&root) {
        return Err(KeyError::damaged(&folder.join(RING_FILE), "it was changed by other hands"));
    }
    Ok((root, ring))
}

fn check_folder(folder: &Path) -> Result<(), KeyError> {
    if !folder.is_dir() {
        return Err(KeyError::MissingFolder(folder.to_owned()));
    }
    check_private(folder, 0o700)?;
    let (root, ring) = (folder.join(ROOT_FILE), folder.join(RING_FILE));
    match (root.exists(), ring.exists()) {
        (true, true) => Ok(()),
        (false, false) => Err(KeyError::MissingFolder(folder.to_owned())),
        (false, true) => Err(KeyError::MissingFile(root)),
        (true, false) => Err(KeyError::MissingFile(ring)),
    }
}

fn read_ring(folder: &Path) -> Result<Ring, KeyError> {
    let path = folder.join(RING_FILE);
    check_private(&path, 0o600)?;
    if fs::metadata(&path).map_err(KeyError::at(&path))?.len() > RING_BYTES_MAX {
        return Err(KeyError::damaged(&path, "it is too long"));
    }
    let text = fs::read(&path).map_err(KeyError::at(&path))?;
    let known = |value: &serde_json::Value| {
        value["format"].as_u64().and_then(|format| u32::try_from(format).ok()).filter(|f| *f > 0)
    };
    let tree: serde_json::Value =
        serde_json::from_slice(&text).map_err(|_| KeyError::damaged(&path, "it is no JSON"))?;
    match known(&tree) {
        Some(FORMAT) => {}
        Some(found) if found > FORMAT => return Err(KeyError::NewerFormat { path, found, known: FORMAT }),
        _ => return Err(KeyError::damaged(&path, "it names no format")),
    }
    serde_json::from_value(tree).map_err(|_| KeyError::damaged(&path, "a key is not described as expected"))
}

fn read_root(path: &Path) -> Result<Secret, KeyError> {
    check_private(path, 0o600)?;
    let bytes = zeroize::Zeroizing::new(fs::read(path).map_err(KeyError::at(path))?);
    Secret::from_slice(&bytes).ok_or_else(|| KeyError::damaged(path, "it is not 32 bytes long"))
}

/// Writes the first root key.
pub(crate) fn write_root(folder: &Path, root: &Secret) -> Result<(), KeyError> {
    let path = folder.join(ROOT_FILE);
    write_private(&path, root.bytes()).map_err(KeyError::at(&path))
}

/// Replaces the root key of a ring whose records `next` has wrapped. Each step can be the last one before a crash: until `keys.json` is
/// renamed the old root key counts, from then on the new one.
pub(crate) fn replace_root(folder: &Path, ring: &mut Ring, next: &Secret) -> Result<(), KeyError> {
    let staged = folder.join(NEXT_ROOT_FILE);
    write_private(&staged, next.bytes()).map_err(KeyError::at(&staged))?;
    ring.save(folder, next)?;
    finish_root(folder)
}

/// Puts a staged root key in its place and wipes the old one. Only while the folder is locked and `keys.json` names the staged key.
pub(crate) fn finish_root(folder: &Path) -> Result<(), KeyError> {
    let (staged, path) = (folder.join(NEXT_ROOT_FILE), folder.join(ROOT_FILE));
    let old = OpenOptions::new().write(true).open(&path).map_err(KeyError::at(&path))?;
    rename(&staged, &path).map_err(KeyError::at(&path))?;
    // Best effort: a journal, a snapshot or a flash disk may keep the old bytes somewhere else.
    wipe(&old).map_err(KeyError::at(&path))
}

fn wipe(file: &File) -> io::Result<()> {
    use std::os::unix::fs::FileExt;
    file.write_all_at(&[0; 32], 0)?;
    file.sync_all()
}

/// Settles what a crash during [`replace_root`] left. The folder is locked.
pub(crate) fn settle(folder: &Path) -> Result<(), KeyError> {
    let staged = folder.join(NEXT_ROOT_FILE);
    if !staged.exists() {
        return Ok(());
    }
    let ring = read_ring(folder)?;
    let staged_counts = read_root(&staged).is_ok_and(|next| next.id() == ring.root);
    let old_counts = read_root(&folder.join(ROOT_FILE)).is_ok_and(|old| old.id() == ring.root);
    match (old_counts, staged_counts) {
        (false, true) => finish_root(folder),
        (true, _) => fs::remove_file(&staged).map_err(KeyError::at(&staged)),
        (false, false) => Ok(()),
    }
}

/// Waits until nobody else changes keys; released when dropped.
pub(crate) fn lock(folder: &Path) -> Result<File, KeyError> {
    let path: PathBuf = folder.join(LOCK_FILE);
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(KeyError::at(&path))?;
    file.lock().map_err(KeyError::at(&path))?;
    Ok(file)
}
