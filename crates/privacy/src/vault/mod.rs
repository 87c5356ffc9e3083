//! Random surrogates: stable within a project, connected with their identifiers by a sealed file only.
//!
//! The vault holds no identifiers: it finds a surrogate by a keyed hash of the identifier, whose key is sealed in the vault itself.

mod file;

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use keys::{HmacKey, KeyRing, Scope};
use rand::RngCore;
use rand::rngs::StdRng;

use crate::PrivacyError;
use crate::encode::base32;
use crate::pseudonym::check_name;
use file::VaultFile;

const DOMAIN: &str = "salus/vault/v1";
const SURROGATES_MAX: usize = 50_000_000;

/// Scope of the key that seals a project's vault.
pub fn scope_of_project(project: &str) -> Result<Scope, PrivacyError> {
    check_name(project)?;
    Ok(Scope::new(format!("vault/{project}"))?)
}

/// Surrogates of a project. One process at a time holds a vault.
///
/// ```
/// # let dir = tempfile::tempdir().unwrap();
/// # let clock = std::sync::Arc::new(testkit::FixedClock::at("2026-01-01T00:00:00Z"));
/// # let ring = std::sync::Arc::new(keys::KeyRing::init(dir.path().join("keys"), clock).unwrap());
/// use rand::{SeedableRng, rngs::StdRng};
/// let path = dir.path().join("study.vault");
/// let vault = privacy::Vault::open(&path, "study", ring.clone(), StdRng::from_os_rng()).unwrap();
/// let code = vault.surrogate("patient", "MRN-1");
/// vault.commit().unwrap(); // before anything with the code is published
/// drop(vault);
/// let vault = privacy::Vault::open(&path, "study", ring, StdRng::from_os_rng()).unwrap();
/// assert_eq!(vault.surrogate("patient", "MRN-1"), code);
/// ```
pub struct Vault {
    path: PathBuf,
    lookup: HmacKey,
    inner: Mutex<Inner>,
}

/// One entry: hash of the identifier, surrogate.
type Entry = ([u8; 16], [u8; 16]);

struct Inner {
    file: VaultFile,
    surrogates: HashMap<[u8; 16], [u8; 16]>,
    /// Not on disk yet.
    pending: Vec<Entry>,
    rng: StdRng,
}

impl Vault {
    /// Opens a project's vault, or makes it with its key. The generator makes the surrogates: seed it from the operating system.
    pub fn open(
        path: impl Into<PathBuf>,
        project: &str,
        ring: Arc<KeyRing>,
        mut rng: StdRng,
    ) -> Result<Vault, PrivacyError> {
        let path = path.into();
        let scope = scope_of_project(project)?;
        let mut fresh = [0; 32];
        rng.fill_bytes(&mut fresh);
        let (file, lookup, entries) = VaultFile::open(&path, scope, ring, fresh)?;
        let surrogates = entries.into_iter().collect();
        let inner = Mutex::new(Inner { file, surrogates, pending: Vec::new(), rng });
        Ok(Vault { path, lookup: HmacKey::from_bytes(lookup), inner })
    }

    /// The surrogate of an identifier in a domain: 26 characters of a-z and 2-7. A new one is lost unless [`Vault::commit`] follows.
    pub fn surrogate(&self, domain: &str, id: &str) -> String {
        let input = [domain.as_bytes(), &[0], id.as_bytes()].concat();
        let mac = self.lookup.mac(DOMAIN, &input);
        let hash: [u8; 16] = std::array::from_fn(|index| mac[index]);
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(surrogate) = inner.surrogates.get(&hash) {
            return base32(surrogate);
        }
        let mut surrogate = [0; 16];
        inner.rng.fill_bytes(&mut surrogate);
        inner.surrogates.insert(hash, surrogate);
        inner.pending.push((hash, surrogate));
        base32(&surrogate)
    }

    /// Brings new surrogates to the disk. Publish what uses them only afterwards.
    pub fn commit(&self) -> Result<(), PrivacyError> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.surrogates.len() > SURROGATES_MAX {
            return Err(PrivacyError::VaultFull { path: self.path.clone(), max: SURROGATES_MAX });
        }
        let Inner { file, pending, .. } = &mut *inner;
        file.append(pending)?;
        pending.clear();
        Ok(())
    }

    /// Writes the whole vault anew with the newest version of its key, after which older versions can be retired.
    pub fn reseal(&self) -> Result<(), PrivacyError> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let mut entries: Vec<Entry> = inner.surrogates.iter().map(|(hash, code)| (*hash, *code)).collect();
        // In no order that tells when an identifier was met.
        entries.sort_unstable();
        inner.file.rewrite(&entries)?;
        inner.pending.clear();
        Ok(())
    }

    /// How many surrogates there are.
    pub fn len(&self) -> usize {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).surrogates.len()
    }

    /// Are there none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Vault({})", self.path.display())
    }
}
