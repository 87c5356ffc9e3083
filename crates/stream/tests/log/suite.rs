//! What both logs promise.

use std::collections::BTreeSet;
use std::time::Duration;

use event::Kind;
use stream::log::{Append, EventLog, FetchLimits, KafkaSettings, LogError, Novelty, Offsets, Retention};
use testkit::{DataFolder, Kafka};

use crate::common::{append, bodies_of, event, read, read_all, read_from, remove_topics};

const N_PARTITIONS: u32 = 4;

/// Runs a check on the embedded log.
async fn embedded<F: Future<Output = ()>>(check: impl Fn(EventLog) -> F) {
    let folder = DataFolder::new();
    let database = stream::open_log(&folder.join("log.db")).unwrap();
    check(EventLog::open_embedded(database.clone(), N_PARTITIONS).await.unwrap()).await;
    database.close().await.unwrap();
}

/// Runs a check on the broker, where no topic of ours is left from the check before.
async fn kafka<F: Future<Output = ()>>(broker: &Kafka, check: impl Fn(EventLog) -> F) {
    remove_topics(broker).await;
    let settings = KafkaSettings::new(broker.bootstrap_servers(), N_PARTITIONS);
    let log = EventLog::open_kafka(settings).await.unwrap();
    assert_eq!(log.warnings(), [""; 0]);
    check(log).await;
}

/// One test per promise for the embedded log, and one for all of them on Kafka: topics have the same names in each.
macro_rules! both {
    ($($name:ident)*) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn kafka_log() {
            let Some(broker) = Kafka::own() else { return };
            $(println!("{}", stringify!($name));
            kafka(&broker, $name).await;)*
        }

        mod embedded_log {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::embedded(super::$name).await;
            })*
        }
    };
}

both! {
    what_is_appended_is_read
    a_patient_keeps_the_order
    a_patient_has_one_partition
    kinds_are_read_together
    a_fetch_keeps_to_its_limits
    a_reader_is_woken
    offsets_that_are_not_there_are_refused
    what_cannot_be_kept_is_refused
    nothing_is_removed_before_it_was_read
    duplicates_are_found_or_left_to_the_processor
}

async fn what_is_appended_is_read(log: EventLog) {
    assert_eq!(log.partitions(), N_PARTITIONS);
    let sent: Vec<Append> = (0..500).map(|n| event(&format!("Patient/{}", n % 37), n)).collect();
    let appended = append(&log, sent.clone()).await;
    let positions: BTreeSet<_> = appended.iter().map(|a| a.position.clone()).collect();
    assert_eq!(positions.len(), 500, "positions are all different");
    let entries = read_all(&log, &[Kind::VitalSigns]).await;
    assert_eq!(entries.len(), 500);
    for (sent, appended) in sent.iter().zip(&appended) {
        let entry = entries.iter().find(|entry| entry.position == appended.position).unwrap();
        assert!(entry.append == *sent, "{:?}", appended.position);
        assert!(entry.appended_at.0 > 1_600_000_000_000_000);
    }
    let n: u64 = log.ends().await.unwrap().iter().map(|e| e.end - e.start).sum();
    assert_eq!(n, 500);
}

async fn a_patient_keeps_the_order(log: EventLog) {
    let tasks = (0..16).map(|patient| {
        let log = log.clone();
        tokio::spawn(async move {
            for n in 0..50 {
                append(
                    &log,
                    vec![
                        event(&format!("Patient/{patient}"), n * 2),
                        event(&format!("Patient/{patient}"), n * 2 + 1),
                    ],
                )
                .await;
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    let entries = read_all(&log, &[Kind::VitalSigns]).await;
    for patient in 0..16 {
        let patient = format!("Patient/{patient}");
        let expected: Vec<_> = (0..100).map(|n| event(&patient, n).body).collect();
        assert!(bodies_of(&entries, &patient) == expected, "{patient}");
    }
}

async fn a_patient_has_one_partition(log: EventLog) {
    for n in 0..40 {
        let patient = format!("Patient/{n}");
        let vital = event(&patient, n);
        let lab = Append { kind: Kind::LabResults, id: format!("lab|{n}"), ..event(&patient, n) };
        let appended = append(&log, vec![vital.clone(), lab]).await;
        let expected = event::partition_of(&vital.key, N_PARTITIONS);
        assert!(appended.iter().all(|a| a.position.partition == expected), "{appended:?}");
    }
}

async fn kinds_are_read_together(log: EventLog) {
    let kinds = [Kind::VitalSigns, Kind::LabResults, Kind::Other("x-ray".into())];
    let patient = "Patient/1";
    for n in 0..60 {
        append(&log, vec![Append { kind: kinds[n % 3].clone(), ..event(patient, n) }]).await;
        // Kafka tells the order over kinds by the millisecond.
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let partition = event::partition_of(&event(patient, 0).key, N_PARTITIONS);
    let entries = read(&log, partition, &kinds, 60).await;
    for (index, kind) in kinds.iter().enumerate() {
        let found = entries.iter().filter(|e| e.position.kind == *kind).map(|e| e.append.body.clone());
        let expected = (0..60).filter(|n| n % 3 == index).map(|n| event(patient, n).body);
        assert!(found.eq(expected), "{kind}");
    }
    if matches!(log, EventLog::Embedded(_)) {
        assert!(bodies_of(&entries, patient) == (0..60).map(|n| event(patient, n).body).collect::<Vec<_>>());
    }
    let found: BTreeSet<Kind> =
        log.ends().await.unwrap().into_iter().filter(|e| e.end > 0).map(|e| e.kind).collect();
    assert_eq!(found, BTreeSet::from(kinds));
}

async fn a_fetch_keeps_to_its_limits(log: EventLog) {
    let appended = append(&log, (0..100).map(|n| event("Patient/1", n)).collect()).await;
    let partition = appended[0].position.partition;
    let first = read_from(&log, partition, vec![(Kind::VitalSigns, 0)], 7).await;
    assert_eq!(first.len(), 7);
    let from = vec![(Kind::VitalSigns, first[6].position.offset + 1)];
    assert!(log.wait(partition, &from, Duration::from_secs(120)).await.unwrap());
    let few = log.fetch(partition, &from, FetchLimits { n_max: 1000, bytes_max: 1000 }).await.unwrap();
    assert!((1..20).contains(&few.len()), "{}", few.len());
    assert!(few[0].append.body == event("Patient/1", 7).body);
    assert!(log.wait(partition, &from, Duration::from_secs(120)).await.unwrap());
    let one = log.fetch(partition, &from, FetchLimits { n_max: 10, bytes_max: 1 }).await.unwrap();
    assert_eq!(one.len(), 1, "an entry is given though it is longer than the limit");
}

async fn a_reader_is_woken(log: EventLog) {
    let partition = append(&log, vec![event("Patient/1", 0)]).await[0].position.partition;
    let from =
        [(Kind::VitalSigns, read(&log, partition, &[Kind::VitalSigns], 1).await[0].position.offset + 1)];
    assert!(!log.wait(partition, &from, Duration::from_millis(300)).await.unwrap());
    assert!(log.fetch(partition, &from, FetchLimits::default()).await.unwrap().is_empty());
    let reader = tokio::spawn({
        let (log, from) = (log.clone(), from.clone());
        async move { log.wait(partition, &from, Duration::from_secs(120)).await.unwrap() }
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    append(&log, vec![event("Patient/1", 1)]).await;
    assert!(reader.await.unwrap());
    assert!(read_from(&log, partition, from.to_vec(), 1).await[0].append.body == event("Patient/1", 1).body);
}

async fn offsets_that_are_not_there_are_refused(log: EventLog) {
    append(&log, vec![event("Patient/1", 0)]).await;
    let partition = event::partition_of(&event("Patient/1", 0).key, N_PARTITIONS);
    let beyond = [(Kind::VitalSigns, 1_000_000)];
    // Kafka finds it when it is asked, not before.
    let waited = log.wait(partition, &beyond, Duration::from_secs(120)).await;
    let found = match waited {
        Err(error) => error,
        Ok(_) => log.fetch(partition, &beyond, FetchLimits::default()).await.unwrap_err(),
    };
    assert!(
        matches!(&found, LogError::OutOfRange { position, end: 1, .. } if position.offset == 1_000_000),
        "{found:?}"
    );
    let none = log.fetch(N_PARTITIONS, &[(Kind::VitalSigns, 0)], FetchLimits::default()).await.unwrap_err();
    assert!(matches!(none, LogError::NoPartition { .. }), "{none:?}");
}

async fn what_cannot_be_kept_is_refused(log: EventLog) {
    let long = Append { body: vec![b'x'; 1_000_001], ..event("Patient/1", 0) };
    assert!(matches!(log.append(vec![long]).await, Err(LogError::TooLarge { .. })));
    let nameless = Append { kind: Kind::Other("a b".into()), ..event("Patient/1", 0) };
    assert!(matches!(log.append(vec![nameless]).await, Err(LogError::KindName)));
    assert!(log.append(Vec::new()).await.unwrap().is_empty());
    let nearly = Append { body: vec![b'x'; 990_000], ..event("Patient/1", 1) };
    append(&log, vec![nearly.clone()]).await;
    let entries = read_all(&log, &[Kind::VitalSigns]).await;
    assert!(entries.len() == 1 && entries[0].append == nearly);
}

async fn nothing_is_removed_before_it_was_read(log: EventLog) {
    for n in 0..20 {
        append(&log, vec![event("Patient/1", n)]).await;
    }
    let partition = event::partition_of(&event("Patient/1", 0).key, N_PARTITIONS);
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let slot = (Kind::VitalSigns, partition);
    let old = Retention { age_secs_max: Some(1), partition_bytes_max: None };
    assert_eq!(log.retain(old, &Offsets::new()).await.unwrap().n_entries, 0, "no group is known");
    let young = Retention { age_secs_max: Some(3600), partition_bytes_max: None };
    assert_eq!(log.retain(young, &Offsets::from([(slot.clone(), 20)])).await.unwrap().n_entries, 0);
    assert_eq!(log.retain(old, &Offsets::from([(slot.clone(), 13)])).await.unwrap().n_entries, 13);
    let ends =
        log.ends().await.unwrap().into_iter().find(|e| e.partition == partition && e.kind == slot.0).unwrap();
    assert_eq!((ends.start, ends.end), (13, 20));
    let rest = read_from(&log, partition, vec![(slot.0.clone(), 13)], 7).await;
    assert!(rest.len() == 7 && rest[0].append.body == event("Patient/1", 13).body);
    let early = [(slot.0, 5)];
    let waited = log.wait(partition, &early, Duration::from_secs(120)).await;
    let error = match waited {
        Err(error) => error,
        Ok(_) => log.fetch(partition, &early, FetchLimits::default()).await.unwrap_err(),
    };
    assert!(matches!(error, LogError::OutOfRange { start: 13, .. }), "{error:?}");
}

async fn duplicates_are_found_or_left_to_the_processor(log: EventLog) {
    let first = append(&log, vec![event("Patient/1", 0)]).await;
    let again = log.append(vec![event("Patient/1", 0)]).await.unwrap();
    let changed = Append { content: 7, ..event("Patient/1", 0) };
    let conflict = log.append(vec![changed]).await.unwrap();
    let other_tenant = Append { key: event::key_of("other", "Patient/1"), ..event("Patient/1", 0) };
    let other = log.append(vec![other_tenant]).await.unwrap();
    match &log {
        EventLog::Embedded(_) => {
            assert_eq!((again[0].novelty, &again[0].position), (Novelty::Duplicate, &first[0].position));
            assert_eq!((conflict[0].novelty, &conflict[0].position), (Novelty::Conflict, &first[0].position));
            assert_eq!(other[0].novelty, Novelty::New);
            let both = log.append(vec![event("Patient/2", 1), event("Patient/2", 1)]).await.unwrap();
            assert_eq!((both[0].novelty, both[1].novelty), (Novelty::New, Novelty::Duplicate));
            assert_eq!(read_all(&log, &[Kind::VitalSigns]).await.len(), 3);
        }
        EventLog::Kafka(_) => {
            for appended in [again, conflict, other] {
                assert_eq!(appended[0].novelty, Novelty::Unknown);
            }
            let entries = read_all(&log, &[Kind::VitalSigns]).await;
            assert_eq!(entries.len(), 4, "the processor sees all of them");
            assert!(entries.iter().all(|e| e.append.id == event("Patient/1", 0).id));
        }
    }
}
