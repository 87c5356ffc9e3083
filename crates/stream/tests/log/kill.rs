//! A process that appends is killed with -9 again and again: what it had acknowledged is there, once.

use std::collections::BTreeMap;
use std::env;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::Duration;

use event::Kind;
use stream::log::EventLog;
use testkit::DataFolder;

use crate::common::{event, read_all};

const CHILD: &str = "SALUS_TEST_OF_LOG_CHILD";
const N_CYCLES: usize = 25;
const PATIENTS: usize = 32;

/// Appends until it is killed, and prints what was acknowledged.
async fn child(path: &str, from: usize) {
    let database = stream::open_log(path.as_ref()).unwrap();
    let log = EventLog::open_embedded(database, 4).await.unwrap();
    for patient in 0..PATIENTS {
        let log = log.clone();
        tokio::spawn(async move {
            for n in from.. {
                let appended = log.append(vec![event(&format!("Patient/{patient}"), n)]).await.unwrap();
                let position = &appended[0].position;
                // One line is one write: a killed process leaves no half of it that could be taken for a whole one.
                let line = format!("acknowledged {patient} {n} {} {}\n", position.partition, position.offset);
                std::io::stdout().lock().write_all(line.as_bytes()).unwrap();
            }
        });
    }
    tokio::time::sleep(Duration::from_secs(600)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_events_survive_kill_9() {
    if let Ok(task) = env::var(CHILD) {
        let (from, path) = task.split_once(' ').unwrap();
        return child(path, from.parse().unwrap()).await;
    }
    let folder = DataFolder::new();
    let path = folder.join("log.db");
    let mut acknowledged: BTreeMap<(usize, usize), (u32, u64)> = BTreeMap::new();
    for cycle in 0..N_CYCLES {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "kill::acknowledged_events_survive_kill_9", "--nocapture", "--test-threads=1"])
            .env(CHILD, format!("{} {}", cycle * 1_000_000, path.display()))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let mut lines = lines.filter_map(|line| Some(line.split_once("acknowledged ")?.1.to_owned()));
        let first = lines.next().expect("the child appends");
        // At another moment each time.
        std::thread::sleep(Duration::from_millis(cycle as u64 * 7 % 60));
        child.kill().unwrap();
        child.wait().unwrap();
        for line in [first].into_iter().chain(lines) {
            let numbers: Vec<u64> = line.split(' ').map_while(|number| number.parse().ok()).collect();
            let [patient, n, partition, offset] = numbers[..] else { continue };
            let of = |n: u64| usize::try_from(n).unwrap();
            acknowledged.insert((of(patient), of(n)), (u32::try_from(partition).unwrap(), offset));
        }
    }
    println!("{} acknowledged in {N_CYCLES} cycles", acknowledged.len());
    assert!(acknowledged.len() > N_CYCLES * 5);
    let database = stream::open_log(&path).unwrap();
    let log = EventLog::open_embedded(database.clone(), 4).await.unwrap();
    let entries = read_all(&log, &[Kind::VitalSigns]).await;
    let by_place: BTreeMap<_, _> =
        entries.iter().map(|e| ((e.position.partition, e.position.offset), e)).collect();
    for ((patient, n), place) in &acknowledged {
        let expected = event(&format!("Patient/{patient}"), *n);
        assert!(
            by_place.get(place).is_some_and(|e| e.append == expected),
            "{patient} {n} is not at {place:?}"
        );
    }
    let ids: std::collections::BTreeSet<_> = entries.iter().map(|e| &e.append.id).collect();
    assert_eq!(ids.len(), entries.len(), "an event is there twice");
    database.close().await.unwrap();
}
