//! Surrogates over restarts, projects, crashes, rotations and destroyed keys.

#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it should be")]

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::PathBuf;
use std::sync::Arc;

use keys::KeyRing;
use privacy::{PrivacyError, Vault, scope_of_project};
use rand::SeedableRng;
use rand::rngs::StdRng;
use testkit::FixedClock;

struct Place {
    folder: tempfile::TempDir,
    ring: Arc<KeyRing>,
}

impl Place {
    fn new() -> Place {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(FixedClock::at("2026-01-15T00:00:00Z"));
        let ring = Arc::new(KeyRing::init(folder.path().join("keys"), clock).unwrap());
        Place { folder, ring }
    }

    fn path(&self, project: &str) -> PathBuf {
        self.folder.path().join(format!("{project}.vault"))
    }

    fn open(&self, project: &str, seed: u64) -> Result<Vault, PrivacyError> {
        Vault::open(self.path(project), project, Arc::clone(&self.ring), StdRng::seed_from_u64(seed))
    }
}

fn ids() -> Vec<String> {
    (0..200).map(|n| format!("MRN-{n:04}")).collect()
}

fn codes(vault: &Vault) -> Vec<String> {
    ids().iter().map(|id| vault.surrogate("patient", id)).collect()
}

#[test]
fn surrogates_are_stable_within_a_project_and_unlinkable_across() {
    let place = Place::new();
    let vault = place.open("a", 1).unwrap();
    let first = codes(&vault);
    assert_eq!(codes(&vault), first);
    vault.commit().unwrap();
    vault.surrogate("patient", "MRN-later");
    vault.commit().unwrap();
    drop(vault);
    let vault = place.open("a", 2).unwrap();
    assert_eq!(codes(&vault), first, "another generator changes nothing that exists");
    assert_eq!(vault.len(), 201);
    let other = codes(&place.open("b", 3).unwrap());
    let encounters: Vec<String> = ids().iter().map(|id| vault.surrogate("encounter", id)).collect();
    let all: std::collections::BTreeSet<&String> = first.iter().chain(&other).chain(&encounters).collect();
    assert_eq!(all.len(), 600, "no code is met twice");
    assert!(
        all.iter().all(|code| code.len() == 26
            && code.bytes().all(|b| b.is_ascii_lowercase() || (b'2'..=b'7').contains(&b)))
    );
    // The order in which identifiers are met decides codes, not the identifiers themselves.
    let reversed = place.open("c", 1).unwrap();
    let backwards: Vec<String> = ids().iter().rev().map(|id| reversed.surrogate("patient", id)).collect();
    assert_eq!(backwards, codes(&Place::new().open("a", 1).unwrap()));
}

#[test]
fn the_file_is_private_sealed_and_held_by_one() {
    let place = Place::new();
    let vault = place.open("a", 1).unwrap();
    let code = vault.surrogate("patient", "MRN-0001");
    vault.commit().unwrap();
    let path = place.path("a");
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
    let bytes = fs::read(&path).unwrap();
    for secret in ["MRN-0001", code.as_str()] {
        assert!(!bytes.windows(secret.len()).any(|part| part == secret.as_bytes()));
    }
    assert!(matches!(place.open("a", 1), Err(PrivacyError::VaultLocked(_))));
    drop(vault);
    // As another project's vault it does not open.
    fs::copy(&path, place.path("b")).unwrap();
    let error = place.open("b", 1).unwrap_err().to_string();
    assert!(error.contains("sealed for scope `vault/a`"), "{error}");
    assert!(matches!(place.open("../x", 1), Err(PrivacyError::BadName(_))));
}

#[test]
fn every_cut_of_the_last_segment_is_a_crash_and_every_change_is_refused() {
    let place = Place::new();
    let vault = place.open("a", 1).unwrap();
    let first = vault.surrogate("patient", "one");
    vault.commit().unwrap();
    let n_acknowledged = fs::metadata(place.path("a")).unwrap().len();
    vault.surrogate("patient", "two");
    vault.commit().unwrap();
    drop(vault);
    let whole = fs::read(place.path("a")).unwrap();
    for length in n_acknowledged..whole.len() as u64 {
        fs::write(place.path("a"), &whole[..length as usize]).unwrap();
        let vault = place.open("a", 9).unwrap();
        assert_eq!((vault.len(), vault.surrogate("patient", "one")), (1, first.clone()), "{length}");
        vault.surrogate("patient", "three");
        vault.commit().unwrap();
        drop(vault);
        assert_eq!(place.open("a", 9).unwrap().len(), 2, "{length}");
    }
    // A loss of power leaves zeros.
    fs::write(place.path("a"), [&whole[..n_acknowledged as usize], &[0; 500]].concat()).unwrap();
    assert_eq!(place.open("a", 9).unwrap().len(), 1);
    for at in 0..whole.len() {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        fs::write(place.path("a"), &changed).unwrap();
        assert!(place.open("a", 9).is_err(), "byte {at}");
    }
}

#[test]
fn a_lost_vault_is_not_made_anew() {
    let place = Place::new();
    drop(place.open("a", 1).unwrap());
    fs::remove_file(place.path("a")).unwrap();
    let error = place.open("a", 1).unwrap_err().to_string();
    assert!(error.contains("it is missing") && error.contains("restore it"), "{error}");
}

#[test]
fn a_vault_outlives_rotations_and_dies_with_its_key() {
    let place = Place::new();
    let scope = scope_of_project("a").unwrap();
    let vault = place.open("a", 1).unwrap();
    let first = codes(&vault);
    vault.commit().unwrap();
    place.ring.rotate(&scope).unwrap();
    place.ring.rotate_root().unwrap();
    vault.surrogate("patient", "after");
    vault.commit().unwrap();
    vault.reseal().unwrap();
    assert_eq!(place.ring.retire(&scope).unwrap(), 1);
    assert!(matches!(place.open("a", 1), Err(PrivacyError::VaultLocked(_))), "also after it was replaced");
    vault.surrogate("patient", "later");
    vault.commit().unwrap();
    drop(vault);
    let vault = place.open("a", 2).unwrap();
    assert_eq!((codes(&vault), vault.len()), (first, 202));
    drop(vault);
    place.ring.shred(&scope).unwrap();
    let error = place.open("a", 1).unwrap_err().to_string();
    assert!(error.contains("was destroyed"), "{error}");
}

#[test]
fn what_cannot_be_written_stays_pending() {
    let place = Place::new();
    let vault = place.open("a", 1).unwrap();
    let code = vault.surrogate("patient", "one");
    // Without its keys the vault seals nothing.
    let ring_file = place.ring.folder().join(keys::RING_FILE);
    let kept = fs::read(&ring_file).unwrap();
    fs::remove_file(&ring_file).unwrap();
    vault.commit().unwrap_err();
    fs::write(&ring_file, kept).unwrap();
    fs::set_permissions(&ring_file, fs::Permissions::from_mode(0o600)).unwrap();
    vault.commit().unwrap();
    drop(vault);
    assert_eq!(place.open("a", 2).unwrap().surrogate("patient", "one"), code);
}
