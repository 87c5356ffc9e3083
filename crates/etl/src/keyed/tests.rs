//! Keys that do not fit into memory are known as well as those that do.

use std::collections::HashMap;

use proptest::prelude::*;
use twox_hash::XxHash3_128;

use super::*;

fn hash(n: u64) -> u128 {
    XxHash3_128::oneshot(&n.to_le_bytes())
}

/// As little memory as can be, and as much as is wanted: the answers are the same, and right.
fn check<V: Known + PartialEq + std::fmt::Debug>(
    bytes_max: u64,
    keys: &[(u64, V)],
    wants_disk: Option<bool>,
) {
    let folder = tempfile::tempdir().unwrap();
    let pool = Pool::new(folder.path(), bytes_max);
    let mut known: HashMap<u64, V> = HashMap::new();
    let (mut put, mut added) = (Keyed::new(&pool), Keyed::new(&pool));
    for (key, value) in keys {
        let is_new = !known.contains_key(key);
        known.entry(*key).and_modify(|known| known.merge(*value)).or_insert(*value);
        assert_eq!(put.put(hash(*key), *value).unwrap(), is_new);
        added.add(hash(*key), *value).unwrap();
        assert!(added.n_keys_min() <= known.len() as u64);
    }
    assert_eq!(put.n_keys_min(), known.len() as u64);
    for keyed in [put, added] {
        let found = keyed.finish().unwrap();
        if let Some(wants_disk) = wants_disk {
            assert_eq!(found.is_on_disk(), wants_disk);
        }
        assert_eq!(found.n_keys(), known.len() as u64);
        for (key, value) in &known {
            assert_eq!(found.get(hash(*key)).unwrap(), Some(*value));
        }
        for absent in (1 << 40)..(1 << 40) + 1_000 {
            assert_eq!(found.get(hash(absent)).unwrap(), None);
        }
        drop(found);
    }
    // What was taken is given back, and no file is left.
    assert!(pool.share().resize(bytes_max));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn many_files_are_merged_and_found_on_disk_and_in_memory() {
    let keys: Vec<(u64, u32)> = (0..60_000_u64).map(|n| (n * 7_919 % 20_011, 1 << (n % 31))).collect();
    check(64 << 10, &keys, Some(true));
    check(4 << 20, &keys, Some(false));
    let ranks: Vec<(u64, (i64, u64))> =
        keys.iter().zip(0..).map(|((key, bits), n)| (*key, (i64::from(*bits), n))).collect();
    check(64 << 10, &ranks, Some(true));
    let alone: Vec<(u64, ())> = keys.iter().map(|(key, _)| (*key, ())).collect();
    check(64 << 10, &alone, None);
}

#[test]
fn none_is_known_where_none_came() {
    check::<()>(1 << 20, &[], Some(false));
}

#[test]
fn a_folder_that_cannot_be_written_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let pool = Pool::new(&folder.path().join("gone"), 1 << 10);
    let mut keyed = Keyed::new(&pool);
    let failed = (0..10_000).find_map(|n| keyed.put(hash(n), ()).err()).unwrap().to_string();
    assert!(failed.starts_with("cannot make a file of keys in the scratch folder"), "{failed}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn little_memory_changes_nothing(
        keys in prop::collection::vec((0_u64..4_000, any::<u32>()), 0..12_000),
        bytes_max in 1_u64 << 10..1 << 18,
    ) {
        check(bytes_max, &keys, None);
    }
}
