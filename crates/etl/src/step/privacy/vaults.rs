//! Vaults and keys of projects. All steps of a process that work for a project share its vault, which one process at a time may hold.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};

use keys::{HmacKey, KeyId, KeyRing, Scope};
use privacy::{PrivacyError, Vault};
use rand::SeedableRng as _;
use rand::rngs::StdRng;

/// Open vaults, by file.
static OPEN: LazyLock<Mutex<HashMap<PathBuf, Weak<Vault>>>> = LazyLock::new(Mutex::default);

/// The vault of a project: `vaults/<project>.vault` beside the folder of the keys. Made when it is not there.
pub(super) fn open(project: &str, ring: &Arc<KeyRing>) -> Result<Arc<Vault>, PrivacyError> {
    // The name is a part of the path: it is checked before.
    privacy::scope_of_project(project)?;
    let folder = ring.folder().parent().unwrap_or(ring.folder()).join("vaults");
    std::fs::create_dir_all(&folder).map_err(|source| PrivacyError::Io { path: folder.clone(), source })?;
    let path = folder.join(format!("{project}.vault"));
    let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
    open.retain(|_, vault| vault.strong_count() > 0);
    if let Some(vault) = open.get(&path).and_then(Weak::upgrade) {
        return Ok(vault);
    }
    let vault = Arc::new(Vault::open(&path, project, Arc::clone(ring), StdRng::from_os_rng())?);
    open.insert(path, Arc::downgrade(&vault));
    Ok(vault)
}

/// The key of pseudonyms and date shifts of a project. Made when it is not there.
pub(super) fn pseudonym_key(project: &str, ring: &KeyRing) -> Result<(KeyId, HmacKey), PrivacyError> {
    privacy::scope_of_project(project)?;
    let scope = Scope::new(format!("pseudonym/{project}"))?;
    ring.ensure(&scope)?;
    Ok(ring.hmac_key(&scope)?)
}
