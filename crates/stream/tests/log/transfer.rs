//! A group moves from the embedded log to Kafka and back, and every patient keeps the order.

use event::Kind;
use stream::log::{Append, Entry, EventLog, KafkaSettings, Offsets, move_log};
use testkit::{DataFolder, Kafka};

use crate::common::{append, bodies_of, event, read_from};

const KINDS: [Kind; 2] = [Kind::VitalSigns, Kind::LabResults];
const PATIENTS: usize = 12;

/// Events `from..to` of all patients, in turns of kinds.
async fn publish(log: &EventLog, from: usize, to: usize) {
    for n in from..to {
        let kind = KINDS[n % 2].clone();
        let all = (0..PATIENTS)
            .map(|patient| Append { kind: kind.clone(), ..event(&format!("Patient/{patient}"), n) });
        append(log, all.collect()).await;
    }
}

/// Reads what the group has still to read, up to `n_max` of each partition, and advances its offsets.
async fn process(log: &EventLog, offsets: &mut Offsets, n_max: usize) -> Vec<Entry> {
    let ends = log.ends().await.unwrap();
    let mut entries = Vec::new();
    for partition in 0..log.partitions() {
        let at = |kind: &Kind| offsets.get(&(kind.clone(), partition)).copied().unwrap_or(0);
        let from: Vec<(Kind, u64)> = KINDS.iter().map(|kind| (kind.clone(), at(kind))).collect();
        let here = ends.iter().filter(|e| e.partition == partition);
        let left: u64 = here.map(|e| e.end - at(&e.kind)).sum();
        let n = usize::try_from(left).unwrap().min(n_max);
        let some = read_from(log, partition, from, n).await;
        for entry in &some {
            offsets.insert((entry.position.kind.clone(), partition), entry.position.offset + 1);
        }
        entries.extend(some);
    }
    entries
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn there_and_back_in_order() {
    let Some(broker) = Kafka::own() else { return };
    let folder = DataFolder::new();
    let database = stream::open_log(&folder.join("log.db")).unwrap();
    let embedded = EventLog::open_embedded(database.clone(), 4).await.unwrap();
    // Another number of partitions: a patient's entries go from one to one.
    let kafka = EventLog::open_kafka(KafkaSettings::new(broker.bootstrap_servers(), 3)).await.unwrap();

    let (mut processed, mut offsets) = (Vec::new(), Offsets::new());
    publish(&embedded, 0, 10).await;
    processed.extend(process(&embedded, &mut offsets, 13).await);
    let n_left = PATIENTS * 10 - processed.len();
    assert!(n_left > 0);

    let moved = move_log(&embedded, &kafka, &offsets).await.unwrap();
    assert_eq!(moved.n_entries, n_left as u64);
    offsets = moved.offsets;
    publish(&kafka, 10, 20).await;
    processed.extend(process(&kafka, &mut offsets, 11).await);

    // What was in the embedded log before comes back to it, and is not taken for a duplicate.
    let moved = move_log(&kafka, &embedded, &offsets).await.unwrap();
    assert!(moved.n_entries > 0);
    offsets = moved.offsets;
    publish(&embedded, 20, 25).await;
    processed.extend(process(&embedded, &mut offsets, usize::MAX).await);

    assert_eq!(processed.len(), PATIENTS * 25);
    for patient in 0..PATIENTS {
        let patient = format!("Patient/{patient}");
        for (index, kind) in KINDS.iter().enumerate() {
            let of_kind: Vec<Entry> =
                processed.iter().filter(|e| e.position.kind == *kind).cloned().collect();
            let expected: Vec<_> =
                (0..25).filter(|n| n % 2 == index).map(|n| event(&patient, n).body).collect();
            assert!(bodies_of(&of_kind, &patient) == expected, "{patient} {kind}");
        }
    }
    database.close().await.unwrap();
}
