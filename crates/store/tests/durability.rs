//! Loss of power and failing disks: what was acknowledged stays, nothing is half there, and the store goes on when the disk does.

#![allow(clippy::unwrap_used, reason = "helpers of a test")]

mod workload;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use store::{Store, StoreConfig, StoreError, Synchronous};
use testkit::{DataFolder, Fault, LossyDisk};
use workload::{Note, Notes};

fn open(folder: &DataFolder, disk: &LossyDisk, synchronous: Synchronous) -> Result<Store, StoreError> {
    let config = StoreConfig::new(folder.path(), "http://localhost/fhir");
    let config = StoreConfig { readers: 1, synchronous, vfs: Some(disk.vfs().to_owned()), ..config };
    Store::open(config, workload::clock())
}

fn collect() -> (Arc<Mutex<Vec<Note>>>, Notes) {
    let noted = Arc::new(Mutex::new(Vec::new()));
    let notes = {
        let noted = Arc::clone(&noted);
        move |note| noted.lock().unwrap().push(note)
    };
    (noted, Arc::new(notes))
}

/// Crashes under load; returns how many versions were acknowledged and how many of them were lost.
async fn crash(synchronous: Synchronous, seed: u64) -> (usize, usize) {
    let (folder, disk) = (DataFolder::new(), LossyDisk::new());
    let store = open(&folder, &disk, synchronous).unwrap();
    let plug = tokio::spawn({
        let (disk, start) = (disk.clone(), disk.n_changes());
        async move {
            while disk.n_changes() < start + 100 + seed * 61 {
                tokio::time::sleep(Duration::from_micros(200)).await;
            }
            match seed % 2 {
                0 => disk.crash(),
                _ => disk.crash_torn(seed),
            }
        }
    });
    let (noted, notes) = collect();
    workload::write(&store, 1, 6, u64::MAX, notes).await;
    plug.await.unwrap();
    drop(store);

    let noted = noted.lock().unwrap().clone();
    let context = format!("seed {seed}");
    let store = open(&folder, &disk, Synchronous::Full).unwrap();
    let n_lost = workload::count_lost(&store, &noted, &context).await;
    if n_lost == 0 {
        workload::check_usable(&store, 2, &noted, &context).await;
    }
    (noted.len(), n_lost)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_writes_survive_loss_of_power() {
    for seed in 0..20 {
        let (n_acked, n_lost) = crash(Synchronous::Full, seed).await;
        assert_eq!(n_lost, 0, "seed {seed}: of {n_acked}");
        assert!(n_acked > 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_syncs_the_same_test_sees_the_loss() {
    let (n_acked, n_lost) = crash(Synchronous::Off, 4).await;
    assert!(n_lost > 0, "nothing was lost of {n_acked}: the test proves nothing");
}

/// The disk fails at its n-th change, for every n; then it heals, and then the power goes.
async fn fail_everywhere(fault: Fault) {
    let is_expected = |error: &StoreError| match fault {
        Fault::Full => matches!(error, StoreError::Full),
        Fault::Broken => matches!(error, StoreError::Io { .. }),
    };
    let mut n_failed = 0;
    for n in 0.. {
        let context = format!("change {n}, {fault:?}");
        let (folder, disk) = (DataFolder::new(), LossyDisk::new());
        let store = open(&folder, &disk, Synchronous::Full).unwrap();
        let (noted, notes) = collect();
        workload::write(&store, 1, 2, workload::STEPS, Arc::clone(&notes)).await;
        disk.fail_after(n, fault);
        workload::write(&store, 2, 3, workload::STEPS, Arc::clone(&notes)).await;
        let error = workload::write_once(&store).await.err();
        if !disk.heal() {
            break;
        }
        n_failed += 1;
        assert!(error.as_ref().is_some_and(is_expected), "{context}: {error:?}");
        // What failed is tried again: nothing of the first time is remembered.
        workload::write(&store, 2, 3, workload::STEPS, notes).await;
        let noted = noted.lock().unwrap().clone();
        assert_eq!(workload::count_lost(&store, &noted, &context).await, 0, "{context}, before the crash");
        workload::check_usable(&store, 3, &noted, &context).await;
        disk.crash();
        drop(store);
        let store = open(&folder, &disk, Synchronous::Full).unwrap();
        assert_eq!(workload::count_lost(&store, &noted, &context).await, 0, "{context}, after the crash");
        workload::check_usable(&store, 4, &noted, &context).await;
    }
    assert!(n_failed > 20, "{n_failed}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_leaves_nothing_half_written() {
    fail_everywhere(Fault::Full).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_disk_leaves_nothing_half_written() {
    fail_everywhere(Fault::Broken).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_index_that_is_built_anew_serves_or_is_not_there() {
    let mut n_failed = 0;
    for n in 0.. {
        let fault = if n % 2 == 0 { Fault::Full } else { Fault::Broken };
        let context = format!("change {n}, {fault:?}");
        let (folder, disk) = (DataFolder::new(), LossyDisk::new());
        let store = open(&folder, &disk, Synchronous::Full).unwrap();
        let (noted, notes) = collect();
        workload::write(&store, 1, 3, workload::STEPS, Arc::clone(&notes)).await;
        disk.fail_after(n, fault);
        // Writers go on while the index is built, and fail as it does.
        let (rebuilt, ()) =
            tokio::join!(store.rebuild_index(), workload::write(&store, 2, 2, 2, Arc::clone(&notes)));
        if !disk.heal() {
            rebuilt.unwrap();
            break;
        }
        n_failed += 1;
        let noted = noted.lock().unwrap().clone();
        let before = format!("{context}, before the crash");
        assert_eq!(workload::count_lost(&store, &noted, &before).await, 0, "{before}");
        if n % 3 > 0 {
            store.rebuild_index().await.unwrap();
        }
        workload::check_usable(&store, 3, &noted, &before).await;
        disk.crash_torn(n);
        drop(store);
        let store = open(&folder, &disk, Synchronous::Full).unwrap();
        let after = format!("{context}, after the crash");
        assert_eq!(workload::count_lost(&store, &noted, &after).await, 0, "{after}");
        store.rebuild_index().await.unwrap();
        workload::check_usable(&store, 4, &noted, &after).await;
        store.close().await.unwrap();
    }
    assert!(n_failed > 20, "{n_failed}");
}
