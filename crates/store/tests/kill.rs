//! `kill -9` at random moments: what the killed process had acknowledged is there, and index, versions and change log agree.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of a test; the child speaks to its parent"
)]

mod workload;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rand::{Rng, SeedableRng, rngs::StdRng};
use store::{Store, StoreConfig};
use testkit::DataFolder;
use workload::Note;

const FOLDER: &str = "STORE_TEST_KILL_FOLDER";
const RUN: &str = "STORE_TEST_KILL_RUN";
/// Kills of one store, before the next begins with an empty one: the whole store is checked after each.
const KILLS_PER_FOLDER: u64 = 10;
const CHILD_SECS_MAX: u64 = 300;

fn open(folder: &Path) -> Store {
    let config = StoreConfig { readers: 1, ..StoreConfig::new(folder, "http://localhost/fhir") };
    Store::open(config, workload::clock()).unwrap()
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

/// The test in its other role: writes until it is killed, saying on standard output what was acknowledged.
fn be_killed(folder: &Path) {
    let run: u64 = std::env::var(RUN).unwrap().parse().unwrap();
    // Ends the line that the test runner began.
    println!();
    block_on(async {
        let store = open(folder);
        println!("opened");
        if run % 4 == 3 {
            let store = store.clone();
            tokio::spawn(async move { while store.rebuild_index().await.is_ok() {} });
        }
        workload::write(&store, run, 6, u64::MAX, Arc::new(|note| println!("{note}"))).await;
    });
    panic!("a write failed");
}

/// What a child has said so far.
struct Heard {
    notes: Arc<Mutex<Vec<Note>>>,
    n_lines: Arc<AtomicUsize>,
    ear: thread::JoinHandle<()>,
}

fn spawn(folder: &Path, run: u64) -> (Child, Heard) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "nothing_acknowledged_is_lost", "--nocapture", "--test-threads=1"])
        .env(FOLDER, folder)
        .env(RUN, run.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (notes, n_lines) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicUsize::new(0)));
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let ear = thread::spawn({
        let (notes, n_lines) = (Arc::clone(&notes), Arc::clone(&n_lines));
        move || {
            let mut line = String::new();
            // A line without its end was cut off by the kill: what it says was not said.
            while output.read_line(&mut line).unwrap() > 0 && line.pop() == Some('\n') {
                n_lines.fetch_add(usize::from(line == "opened"), Ordering::Relaxed);
                if let Some(note) = Note::parse(&line) {
                    notes.lock().unwrap().push(note);
                    n_lines.fetch_add(1, Ordering::Relaxed);
                }
                line.clear();
            }
        }
    });
    (child, Heard { notes, n_lines, ear })
}

/// Kills a child while it opens the store, or when it has written for a while; returns what it said.
fn kill_once(folder: &Path, run: u64, random: &mut StdRng) -> Vec<Note> {
    let (mut child, heard) = spawn(folder, run);
    let n_lines = if random.random_bool(0.2) { 0 } else { random.random_range(1..200) };
    let until = Instant::now() + Duration::from_secs(CHILD_SECS_MAX);
    while heard.n_lines.load(Ordering::Relaxed) < n_lines {
        assert!(child.try_wait().unwrap().is_none(), "run {run}: the child ended by itself");
        assert!(Instant::now() < until, "run {run}: the child said too little in {CHILD_SECS_MAX} s");
        thread::sleep(Duration::from_micros(100));
    }
    let jitter_micros = if n_lines == 0 { 60_000 } else { 5_000 };
    thread::sleep(Duration::from_micros(random.random_range(0..jitter_micros)));
    child.kill().unwrap();
    child.wait().unwrap();
    heard.ear.join().unwrap();
    Arc::into_inner(heard.notes).unwrap().into_inner().unwrap()
}

#[test]
fn nothing_acknowledged_is_lost() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        return be_killed(Path::new(&folder));
    }
    let n_kills: u64 = std::env::var("SALUS_KILLS").map_or(200, |n| n.parse().unwrap());
    let mut random = StdRng::seed_from_u64(42);
    let (mut n_acked, mut run) = (0, 0);
    while run < n_kills {
        let folder = DataFolder::new();
        let mut notes = Vec::new();
        for _ in 0..KILLS_PER_FOLDER.min(n_kills - run) {
            run += 1;
            let heard = kill_once(folder.path(), run, &mut random);
            n_acked += heard.iter().filter(|note| matches!(note, Note::Acked { .. })).count();
            notes.extend(heard);
            let context = format!("kill {run}");
            block_on(async {
                let store = open(folder.path());
                assert_eq!(
                    workload::count_lost(&store, &notes, &context).await,
                    0,
                    "{context}: lost versions"
                );
                workload::check_usable(&store, 1_000_000 + run, &notes, &context).await;
            });
        }
    }
    println!("{n_kills} kills, {n_acked} acknowledged versions, none lost");
    assert!(n_acked as u64 > n_kills * 10, "only {n_acked} versions were written");
}
