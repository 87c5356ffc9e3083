//! A key folder opened for use: seal, open, keyed hashes, and the status that may be shown.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use fhir::{Clock, Instant};
use zeroize::Zeroizing;

use crate::file::Stamp;
use crate::folder::{self, RING_FILE, Record, Ring};
use crate::secret::Secret;
use crate::{HmacKey, KeyError, KeyId, Scope, seal};

const READ_ATTEMPTS_MAX: u32 = 10;
const READ_PAUSE_MILLIS: u64 = 10;

/// The keys of a folder. Changes by other processes are seen at the next call: a shredded key opens nothing any more.
pub struct KeyRing {
    pub(crate) folder: PathBuf,
    pub(crate) clock: Arc<dyn Clock>,
    state: RwLock<State>,
}

/// What was read from the folder.
struct State {
    stamp: Stamp,
    root: KeyId,
    records: Vec<Record>,
    by_id: HashMap<KeyId, usize>,
    secrets: HashMap<KeyId, Secret>,
    /// Newest version of each scope.
    newest: BTreeMap<Scope, usize>,
}

/// What may be known about a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyInfo {
    /// Its id, which sealed data carries.
    pub id: KeyId,
    /// What it is for.
    pub scope: Scope,
    /// 1 for the first key of a scope.
    pub version: u32,
    /// `AES-256-GCM`.
    pub algorithm: String,
    /// When it was made.
    pub created: Instant,
    /// When it was destroyed.
    pub destroyed: Option<Instant>,
}

/// What may be known about a key folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// Id of the root key.
    pub root: KeyId,
    /// All keys, tombstones too, by scope and version.
    pub keys: Vec<KeyInfo>,
}

impl KeyRing {
    /// Opens a folder that [`KeyRing::init`] made.
    pub fn load(folder: impl Into<PathBuf>, clock: Arc<dyn Clock>) -> Result<KeyRing, KeyError> {
        let folder = folder.into();
        let state = RwLock::new(State::read(&folder)?);
        Ok(KeyRing { folder, clock, state })
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Seals a text for a scope, whose first key is made when there is none. `aad` names the place of the text: it must be the same when
    /// the text is opened, so that sealed texts cannot be exchanged.
    pub fn seal(&self, scope: &Scope, aad: &[u8], plaintext: &[u8]) -> Result<Vec<u8>, KeyError> {
        let id = self.ensure(scope)?;
        let state = self.fresh()?;
        let secret = state.secret(id, scope)?;
        seal::seal(secret, id, scope.as_str(), aad, plaintext)
    }

    /// Opens what [`KeyRing::seal`] gave, also with an older version of the key.
    pub fn open(&self, scope: &Scope, aad: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let id = seal::key_id_of(sealed)?;
        let state = self.fresh()?;
        let secret = state.secret(id, scope)?;
        seal::open(secret, scope.as_str(), aad, sealed)
    }

    /// `HMAC-SHA-256(key of the scope, domain ‖ 0 ‖ input)`; in a loop, take [`KeyRing::hmac_key`] once.
    pub fn hmac(&self, scope: &Scope, domain: &str, input: &[u8]) -> Result<[u8; 32], KeyError> {
        Ok(self.hmac_key(scope)?.1.mac(domain, input))
    }

    /// The key for keyed hashes of a scope, and its id. A rotated key gives other hashes: keep the id with the results.
    pub fn hmac_key(&self, scope: &Scope) -> Result<(KeyId, HmacKey), KeyError> {
        let id = self.ensure(scope)?;
        Ok((id, self.hmac_key_of(scope, id)?))
    }

    /// The key for keyed hashes of an older version.
    pub fn hmac_key_of(&self, scope: &Scope, id: KeyId) -> Result<HmacKey, KeyError> {
        Ok(HmacKey::derived(self.fresh()?.secret(id, scope)?))
    }

    /// The key that seals for a scope now; made when there is none.
    pub fn ensure(&self, scope: &Scope) -> Result<KeyId, KeyError> {
        if let Some(record) = self.fresh()?.newest(scope) {
            return not_destroyed(record).map(|()| record.id);
        }
        self.create(scope)
    }

    /// Ids, versions and times of all keys, no secrets.
    pub fn status(&self) -> Result<Status, KeyError> {
        let state = self.fresh()?;
        let mut keys: Vec<KeyInfo> = state.records.iter().map(KeyInfo::of).collect();
        keys.sort_by(|a, b| (&a.scope, a.version).cmp(&(&b.scope, b.version)));
        Ok(Status { root: state.root, keys })
    }

    /// The state, read anew when the folder has changed.
    fn fresh(&self) -> Result<RwLockReadGuard<'_, State>, KeyError> {
        let path = self.folder.join(RING_FILE);
        // A missing file is reported by the reader, which knows what to do.
        let stamp = Stamp::of(&path).ok();
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        if Some(state.stamp) == stamp {
            return Ok(state);
        }
        drop(state);
        self.reload()?;
        Ok(self.state.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn reload(&self) -> Result<(), KeyError> {
        let state = State::read(&self.folder)?;
        *self.state.write().unwrap_or_else(PoisonError::into_inner) = state;
        Ok(())
    }
}

impl State {
    fn read(folder: &Path) -> Result<State, KeyError> {
        let path = folder.join(RING_FILE);
        let mut attempts = 0;
        let (stamp, root, ring) = loop {
            // Taken before reading: a change in between is seen at the next call.
            let stamp = Stamp::of(&path);
            match folder::load(folder) {
                Ok((root, ring)) => break (stamp.map_err(KeyError::at(&path))?, root, ring),
                // Two files are read one after the other, and another process may be changing the root key right now.
                Err(KeyError::WrongRoot { .. }) if attempts < READ_ATTEMPTS_MAX => attempts += 1,
                Err(error) => return Err(error),
            }
            std::thread::sleep(Duration::from_millis(READ_PAUSE_MILLIS));
        };
        let Ring { keys: records, .. } = ring;
        let (mut by_id, mut secrets, mut newest) = (HashMap::new(), HashMap::new(), BTreeMap::new());
        for (index, record) in records.iter().enumerate() {
            if by_id.insert(record.id, index).is_some() {
                return Err(KeyError::damaged(&path, "a key is listed twice"));
            }
            if let Some(secret) = record.unwrap(&root, &path)? {
                secrets.insert(record.id, secret);
            }
            let latest = newest.entry(record.scope.clone()).or_insert(index);
            if records[*latest].version < record.version {
                *latest = index;
            }
        }
        Ok(State { stamp, root: root.id(), records, by_id, secrets, newest })
    }

    fn newest(&self, scope: &Scope) -> Option<&Record> {
        self.newest.get(scope).map(|index| &self.records[*index])
    }

    fn secret(&self, id: KeyId, scope: &Scope) -> Result<&Secret, KeyError> {
        let record =
            self.by_id.get(&id).map(|index| &self.records[*index]).ok_or(KeyError::UnknownKey(id))?;
        if record.scope != *scope {
            return Err(KeyError::WrongScope { sealed_for: record.scope.clone(), asked_for: scope.clone() });
        }
        not_destroyed(record)?;
        self.secrets.get(&id).ok_or(KeyError::UnknownKey(id))
    }
}

pub(crate) fn not_destroyed(record: &Record) -> Result<(), KeyError> {
    match record.destroyed {
        Some(at) => Err(KeyError::Shredded { scope: record.scope.clone(), at: Instant(at) }),
        None => Ok(()),
    }
}

impl KeyInfo {
    fn of(record: &Record) -> KeyInfo {
        KeyInfo {
            id: record.id,
            scope: record.scope.clone(),
            version: record.version,
            algorithm: record.algorithm.clone(),
            created: Instant(record.created),
            destroyed: record.destroyed.map(Instant),
        }
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyRing({})", self.folder.display())
    }
}
