//! A key folder over its life: first use, rotation, destruction, crashes, other hands, two processes at once.

#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it should be")]

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;

use keys::{HmacKey, KeyError, KeyRing, RING_FILE, ROOT_FILE, Scope};
use tempfile::TempDir;
use testkit::FixedClock;

fn clock() -> Arc<FixedClock> {
    Arc::new(FixedClock::at("2026-03-01T12:00:00Z"))
}

fn new() -> (TempDir, KeyRing) {
    let parent = tempfile::tempdir().unwrap();
    let ring = KeyRing::init(parent.path().join("keys"), clock()).unwrap();
    (parent, ring)
}

fn load(ring: &KeyRing) -> Result<KeyRing, KeyError> {
    KeyRing::load(ring.folder(), clock())
}

fn scope(name: &str) -> Scope {
    Scope::new(name).unwrap()
}

fn copy(from: &Path, to: &Path) {
    fs::copy(from, to).unwrap();
    fs::set_permissions(to, Permissions::from_mode(0o600)).unwrap();
}

#[test]
fn the_folder_is_private_and_made_once() {
    let (_parent, ring) = new();
    let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
    assert_eq!(mode(ring.folder()), 0o700);
    for entry in fs::read_dir(ring.folder()).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
    assert_eq!(fs::read(ring.folder().join(ROOT_FILE)).unwrap().len(), 32);
    let before = fs::read(ring.folder().join(ROOT_FILE)).unwrap();
    assert!(matches!(KeyRing::init(ring.folder(), clock()), Err(KeyError::Exists(_))));
    assert_eq!(fs::read(ring.folder().join(ROOT_FILE)).unwrap(), before);
}

#[test]
fn errors_say_what_to_do() {
    let (parent, ring) = new();
    ring.ensure(&scope("a")).unwrap();
    let check = |error: KeyError, words: &str| {
        let text = error.to_string();
        assert!(text.contains(words) && !text.ends_with('.'), "{text}");
    };
    check(KeyRing::load(parent.path().join("none"), clock()).unwrap_err(), "run `salus keys init`");
    let (root, records) = (ring.folder().join(ROOT_FILE), ring.folder().join(RING_FILE));
    fs::set_permissions(&root, Permissions::from_mode(0o644)).unwrap();
    check(load(&ring).unwrap_err(), "has mode 0644: run `chmod 600");
    fs::set_permissions(&root, Permissions::from_mode(0o600)).unwrap();
    fs::set_permissions(ring.folder(), Permissions::from_mode(0o750)).unwrap();
    check(load(&ring).unwrap_err(), "has mode 0750: run `chmod 700");
    fs::set_permissions(ring.folder(), Permissions::from_mode(0o700)).unwrap();

    let (good_root, good_records) = (fs::read(&root).unwrap(), fs::read_to_string(&records).unwrap());
    fs::write(&root, [1; 32]).unwrap();
    check(load(&ring).unwrap_err(), "does not open these keys");
    fs::write(&root, [1; 31]).unwrap();
    check(load(&ring).unwrap_err(), "it is not 32 bytes long");
    fs::remove_file(&root).unwrap();
    check(load(&ring).unwrap_err(), "salus makes no new root key over keys that exist");
    check(KeyRing::init(ring.folder(), clock()).unwrap_err(), "holds keys already");
    copy_bytes(&good_root, &root);

    for (from, to, words) in [
        ("\"version\": 1", "\"version\": 2", "changed by other hands"),
        ("\"format\": 1", "\"format\": 2", "use a newer salus"),
        ("\"format\": 1", "\"format\": 0", "names no format"),
        ("\"scope\": \"a\"", "\"scope\": \"b\"", "changed by other hands"),
        ("\"scope\": \"a\"", "\"scope\": \"A\"", "not described as expected"),
        ("\"version\": 1", "\"version\": 1, \"more\": 1", "not described as expected"),
        ("{", "", "it is no JSON"),
    ] {
        assert!(good_records.contains(from), "{good_records}");
        fs::write(&records, good_records.replacen(from, to, 1)).unwrap();
        check(load(&ring).unwrap_err(), words);
    }
    fs::remove_file(&records).unwrap();
    check(load(&ring).unwrap_err(), "keys.json` is missing");
}

fn copy_bytes(bytes: &[u8], to: &Path) {
    fs::write(to, bytes).unwrap();
    fs::set_permissions(to, Permissions::from_mode(0o600)).unwrap();
}

#[test]
fn scopes_do_not_open_each_other() {
    let (_parent, ring) = new();
    let sealed = ring.seal(&scope("a"), b"", b"text").unwrap();
    ring.ensure(&scope("b")).unwrap();
    assert!(matches!(ring.open(&scope("b"), b"", &sealed), Err(KeyError::WrongScope { .. })));
    let (_other_parent, other) = new();
    assert!(matches!(other.open(&scope("a"), b"", &sealed), Err(KeyError::UnknownKey(_))));
    assert!(matches!(ring.rotate(&scope("c")), Err(KeyError::UnknownScope(_))));
    assert!(matches!(ring.shred(&scope("c")), Err(KeyError::UnknownScope(_))));
}

#[test]
fn old_versions_open_after_rotations_and_restarts() {
    let (_parent, ring) = new();
    let a = scope("a");
    let mut sealed = Vec::new();
    for round in 0..5u8 {
        sealed.push(ring.seal(&a, &[round], &[round; 3]).unwrap());
        if round % 2 == 0 {
            ring.rotate(&a).unwrap();
        }
        ring.rotate_root().unwrap();
        let again = load(&ring).unwrap();
        for ring in [&ring, &again] {
            for (round, sealed) in (0u8..).zip(&sealed) {
                assert_eq!(*ring.open(&a, &[round], sealed).unwrap(), [round; 3]);
            }
        }
    }
    let versions: Vec<u32> = ring.status().unwrap().keys.iter().map(|key| key.version).collect();
    assert_eq!(versions, [1, 2, 3, 4]);
    assert!(!ring.folder().join("root.key.next").exists());
}

#[test]
fn a_shredded_key_opens_nothing_for_anybody_and_leaves_a_tombstone() {
    let (_parent, ring) = new();
    let (a, b) = (scope("a"), scope("b"));
    let sealed = [
        ring.seal(&a, b"", b"one").unwrap(),
        ring.rotate(&a).map(|_| ring.seal(&a, b"", b"two").unwrap()).unwrap(),
    ];
    let kept = ring.seal(&b, b"", b"kept").unwrap();
    let other = load(&ring).unwrap();
    assert!(other.open(&a, b"", &sealed[0]).is_ok());
    let wrapped_before = fs::read_to_string(ring.folder().join(RING_FILE)).unwrap();
    assert_eq!(ring.shred(&a).unwrap(), 2);
    for ring in [&ring, &other, &load(&ring).unwrap()] {
        for sealed in &sealed {
            assert!(matches!(ring.open(&a, b"", sealed), Err(KeyError::Shredded { .. })));
        }
        assert!(matches!(ring.seal(&a, b"", b"new"), Err(KeyError::Shredded { .. })));
        assert!(matches!(ring.hmac(&a, "d", b"x"), Err(KeyError::Shredded { .. })));
        assert!(matches!(ring.rotate(&a), Err(KeyError::Shredded { .. })));
        assert_eq!(*ring.open(&b, b"", &kept).unwrap(), *b"kept");
    }
    let status = ring.status().unwrap();
    let destroyed: Vec<_> =
        status.keys.iter().map(|key| (key.scope.as_str(), key.destroyed.is_some())).collect();
    assert_eq!(destroyed, [("a", true), ("a", true), ("b", false)]);
    // The old file from the disk's free blocks does not open with the root key that is left.
    fs::write(ring.folder().join(RING_FILE), wrapped_before).unwrap();
    assert!(matches!(load(&ring), Err(KeyError::WrongRoot { .. })));
}

#[test]
fn retiring_keeps_the_newest_version() {
    let (_parent, ring) = new();
    let a = scope("a");
    let old = ring.seal(&a, b"", b"old").unwrap();
    ring.rotate(&a).unwrap();
    let new = ring.seal(&a, b"", b"new").unwrap();
    assert_eq!(ring.retire(&a).unwrap(), 1);
    assert_eq!(ring.retire(&a).unwrap(), 0);
    assert!(matches!(ring.open(&a, b"", &old), Err(KeyError::Shredded { .. })));
    assert_eq!(*ring.open(&a, b"", &new).unwrap(), *b"new");
}

#[test]
fn a_crash_at_each_step_of_a_root_rotation_loses_nothing() {
    let (parent, ring) = new();
    let a = scope("a");
    let sealed = ring.seal(&a, b"", b"text").unwrap();
    let old = parent.path().join("old");
    fs::create_dir(&old).unwrap();
    for name in [ROOT_FILE, RING_FILE] {
        copy(&ring.folder().join(name), &old.join(name));
    }
    ring.rotate_root().unwrap();
    // (root.key, keys.json, root.key.next): from the old folder or the new one.
    let steps = [
        ("old", "old", None),
        ("old", "old", Some("new")),
        ("old", "new", Some("new")),
        ("new", "new", None),
    ];
    for (step, (root, records, next)) in steps.into_iter().enumerate() {
        let folder = parent.path().join(format!("crash-{step}"));
        fs::create_dir(&folder).unwrap();
        fs::set_permissions(&folder, Permissions::from_mode(0o700)).unwrap();
        let from = |which: &str| if which == "old" { old.clone() } else { ring.folder().to_owned() };
        copy(&from(root).join(ROOT_FILE), &folder.join(ROOT_FILE));
        copy(&from(records).join(RING_FILE), &folder.join(RING_FILE));
        if let Some(next) = next {
            copy(&from(next).join(ROOT_FILE), &folder.join("root.key.next"));
        }
        // A writer that ended half-way leaves its temporary file too.
        fs::write(folder.join("keys.json.tmp"), "half").unwrap();
        let after = KeyRing::load(&folder, clock()).unwrap();
        assert_eq!(*after.open(&a, b"", &sealed).unwrap(), *b"text", "step {step}");
        after.rotate(&a).unwrap();
        assert!(!folder.join("root.key.next").exists(), "step {step}");
        let again = KeyRing::load(&folder, clock()).unwrap();
        assert_eq!(*again.open(&a, b"", &sealed).unwrap(), *b"text", "step {step}");
    }
}

#[test]
fn an_empty_folder_may_be_there_and_a_failed_making_leaves_nothing() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("keys");
    fs::create_dir(&folder).unwrap();
    KeyRing::init(&folder, clock()).unwrap();
    KeyRing::init(&folder, clock()).unwrap_err();
    fs::write(parent.path().join("file"), "x").unwrap();
    KeyRing::init(parent.path().join("file"), clock()).unwrap_err();
    let mut names: Vec<_> = fs::read_dir(parent.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["file", "keys"]);
}

#[test]
fn many_hands_at_once_lose_no_key() {
    let (_parent, ring) = new();
    let rings: Vec<KeyRing> = (0..4).map(|_| load(&ring).unwrap()).collect();
    std::thread::scope(|threads| {
        for (n, ring) in rings.iter().enumerate() {
            threads.spawn(move || {
                for round in 0..6 {
                    let own = scope(&format!("own/{n}"));
                    let sealed = ring.seal(&own, b"", b"x").unwrap();
                    ring.ensure(&scope("shared")).unwrap();
                    if n == round % 4 {
                        ring.rotate_root().unwrap();
                    }
                    ring.rotate(&own).unwrap();
                    assert_eq!(*ring.open(&own, b"", &sealed).unwrap(), *b"x");
                }
            });
        }
    });
    let keys = load(&ring).unwrap().status().unwrap().keys;
    assert_eq!(keys.iter().filter(|key| key.scope.as_str() == "shared").count(), 1);
    assert_eq!(keys.len(), 1 + 4 * 7);
}

#[test]
fn keyed_hashes_belong_to_scope_and_version() {
    let (_parent, ring) = new();
    let (a, b) = (scope("a"), scope("b"));
    let first = ring.hmac(&a, "d", b"x").unwrap();
    assert_eq!(first, load(&ring).unwrap().hmac(&a, "d", b"x").unwrap());
    assert_ne!(first, ring.hmac(&b, "d", b"x").unwrap());
    assert_ne!(first, ring.hmac(&a, "e", b"x").unwrap());
    let (id, _) = ring.hmac_key(&a).unwrap();
    ring.rotate(&a).unwrap();
    assert_ne!(first, ring.hmac(&a, "d", b"x").unwrap());
    assert_eq!(first, ring.hmac_key_of(&a, id).unwrap().mac("d", b"x"));
    // From the reference program: the shift of this patient is -59 days.
    let key = HmacKey::from_bytes(std::array::from_fn(|n| n as u8));
    let mac = key.mac("salus/date-shift/v1", b"P000000000");
    assert_eq!(u64::from_be_bytes(mac[..8].try_into().unwrap()) % 364, 123);
}

#[test]
fn nothing_secret_prints() {
    let (_parent, ring) = new();
    let sealed = ring.seal(&scope("a"), b"", b"Zabriskie").unwrap();
    let text = format!("{ring:?} {:?} {:?}", ring.status().unwrap(), ring.hmac_key(&scope("a")).unwrap());
    let root = fs::read(ring.folder().join(ROOT_FILE)).unwrap();
    let hex: String = root.iter().map(|byte| format!("{byte:02x}")).collect();
    assert!(!text.contains(&hex) && !text.contains(&format!("{root:?}")), "{text}");
    assert!(!sealed.windows(9).any(|part| part == b"Zabriskie"));
}
