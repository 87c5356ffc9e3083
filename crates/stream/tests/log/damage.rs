//! Files that were damaged while nobody looked: every flipped bit is found or harmless, and its place is told.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use event::Kind;
use stream::log::{Append, Entry, EventLog, FetchLimits, LogError};
use testkit::DataFolder;

use crate::common::{append, event, read_all, read_from};

const KINDS: [Kind; 2] = [Kind::VitalSigns, Kind::LabResults];

/// A closed file with some events, and what is in it.
async fn written(folder: &DataFolder) -> (PathBuf, Vec<Entry>) {
    let path = folder.join("log.db");
    let database = stream::open_log(&path).unwrap();
    let log = EventLog::open_embedded(database.clone(), 2).await.unwrap();
    for n in 0..60 {
        let kind = KINDS[n % 2].clone();
        append(
            &log,
            vec![Append { kind, ..event(&format!("Patient/{}", n % 5), n) }, event("Patient/9", 1000 + n)],
        )
        .await;
    }
    let entries = read_all(&log, &KINDS).await;
    database.close().await.unwrap();
    (path, entries)
}

/// What is read of a file, or why it cannot be read.
async fn read(path: &Path, expected: &[Entry]) -> Result<Vec<Entry>, String> {
    let database = stream::open_log(path).map_err(|e| e.to_string())?;
    let result = async {
        let log = EventLog::open_embedded(database.clone(), 2).await.map_err(|e| e.to_string())?;
        if log.partitions() != 2 {
            return Err("another number of partitions".to_owned());
        }
        let mut entries = Vec::new();
        for partition in 0..2 {
            let here = |kind: &Kind| {
                expected
                    .iter()
                    .filter(|e| e.position.partition == partition && e.position.kind == *kind)
                    .count()
            };
            // A group knows how far it was, and is refused by a log that ends before.
            let ends: Vec<(Kind, u64)> = KINDS.iter().map(|kind| (kind.clone(), here(kind) as u64)).collect();
            log.wait(partition, &ends, Duration::ZERO).await.map_err(|e| e.to_string())?;
            let mut from: Vec<(Kind, u64)> = KINDS.iter().map(|kind| (kind.clone(), 0)).collect();
            loop {
                let some =
                    log.fetch(partition, &from, FetchLimits::default()).await.map_err(|e| e.to_string())?;
                if some.is_empty() {
                    break;
                }
                for entry in some {
                    let next = from.iter_mut().find(|(kind, _)| *kind == entry.position.kind).unwrap();
                    next.1 = entry.position.offset + 1;
                    entries.push(entry);
                }
            }
        }
        Ok(entries)
    };
    let result = result.await;
    // A damaged file may refuse to be closed in order.
    drop(database.close().await);
    result
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flipped_bit_anywhere_is_found_or_harmless() {
    let folder = DataFolder::new();
    let (path, expected) = written(&folder).await;
    let intact = fs::read(&path).unwrap();
    assert!(read(&path, &expected).await.unwrap() == expected);
    let (mut n_found, mut random) = (0, 42_u64);
    for _ in 0..600 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let bit = usize::try_from(random >> 33).unwrap() % (intact.len() * 8);
        let mut damaged = intact.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        let copy = folder.join("damaged.db");
        for rest in ["damaged.db", "damaged.db-wal", "damaged.db-shm"] {
            drop(fs::remove_file(folder.join(rest)));
        }
        fs::write(&copy, damaged).unwrap();
        match read(&copy, &expected).await {
            Ok(entries) => assert!(
                entries == expected,
                "bit {} of byte {}: read as if nothing were wrong",
                bit % 8,
                bit / 8
            ),
            Err(_) => n_found += 1,
        }
    }
    assert!(n_found > 50, "{n_found}: most of the file has no events in it");
}

#[tokio::test]
async fn a_damaged_entry_is_named_and_the_others_are_read() {
    let folder = DataFolder::new();
    let (path, expected) = written(&folder).await;
    let damaged = expected.iter().find(|e| e.append.key == event::key_of("main", "Patient/9")).unwrap();
    let mut bytes = fs::read(&path).unwrap();
    let body = &damaged.append.body;
    // Pages that were split have left copies in free space.
    let copies: Vec<usize> =
        (0..bytes.len() - body.len()).filter(|at| bytes[*at..].starts_with(body)).collect();
    assert!(!copies.is_empty());
    for at in copies {
        bytes[at + 3] ^= 0x10;
    }
    fs::write(&path, bytes).unwrap();

    let database = stream::open_log(&path).unwrap();
    let log = EventLog::open_embedded(database.clone(), 2).await.unwrap();
    let position = &damaged.position;
    let kind = position.kind.clone();
    let before = read_from(
        &log,
        position.partition,
        vec![(kind.clone(), 0)],
        usize::try_from(position.offset).unwrap(),
    )
    .await;
    assert_eq!(before.len() as u64, position.offset);
    let next = [(kind.clone(), position.offset)];
    let error = log.fetch(position.partition, &next, FetchLimits::default()).await.unwrap_err();
    assert!(matches!(&error, LogError::Corrupt { position: told, .. } if told == position), "{error:?}");
    assert!(error.to_string().contains(&position.to_string()), "{error}");
    // Who skips it knowingly reads on.
    let after = read_from(&log, position.partition, vec![(kind, position.offset + 1)], 1).await;
    assert_eq!(after[0].position.offset, position.offset + 1);
    database.close().await.unwrap();
}

#[tokio::test]
async fn a_damaged_page_is_told() {
    let folder = DataFolder::new();
    let (path, expected) = written(&folder).await;
    let intact = fs::read(&path).unwrap();
    let mut n_told = 0;
    for page in 1..intact.len() / 4096 {
        let mut bytes = intact.clone();
        bytes[page * 4096..(page + 1) * 4096].fill(0xa5);
        fs::write(&path, bytes).unwrap();
        match read(&path, &expected).await {
            Ok(entries) => assert!(entries == expected, "page {page} was not missed"),
            Err(_) => n_told += 1,
        }
    }
    assert!(n_told >= 5, "{n_told}");
}
