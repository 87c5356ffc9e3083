//! What the tests of the log share: entries, and reading until all are there.

use std::time::{Duration, Instant};

use event::Kind;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use stream::log::{Append, Appended, Entry, EventLog, FetchLimits, Novelty, TOPIC_PREFIX};
use testkit::Kafka;

/// How long a test waits for what must come.
pub(crate) const SECS_MAX: u64 = 180;

/// An event about a patient; its identifier and body name `n`.
pub(crate) fn event(patient: &str, n: usize) -> Append {
    let body = format!("{{\"n\":{n},\"patient\":\"{patient}\"}}").into_bytes();
    Append {
        kind: Kind::VitalSigns,
        key: event::key_of("main", patient),
        id: format!("monitor|{patient}|{n}"),
        content: Append::content_of(&body),
        headers: vec![("tenant".into(), "main".into())],
        body,
    }
}

/// Fails unless all were appended.
pub(crate) async fn append(log: &EventLog, entries: Vec<Append>) -> Vec<Appended> {
    let n = entries.len();
    let appended = log.append(entries).await.unwrap();
    assert_eq!(appended.len(), n);
    assert!(appended.iter().all(|a| matches!(a.novelty, Novelty::New | Novelty::Unknown)), "{appended:?}");
    appended
}

/// Reads one partition of the kinds from their starts until `n` entries are there.
pub(crate) async fn read(log: &EventLog, partition: u32, kinds: &[Kind], n: usize) -> Vec<Entry> {
    let from: Vec<(Kind, u64)> = kinds.iter().map(|kind| (kind.clone(), 0)).collect();
    read_from(log, partition, from, n).await
}

/// Reads one partition from the given offsets until `n` entries are there.
pub(crate) async fn read_from(
    log: &EventLog,
    partition: u32,
    mut from: Vec<(Kind, u64)>,
    n: usize,
) -> Vec<Entry> {
    let until = Instant::now() + Duration::from_secs(SECS_MAX);
    let mut entries: Vec<Entry> = Vec::new();
    while entries.len() < n {
        assert!(Instant::now() < until, "{} of {n} entries came", entries.len());
        if !log.wait(partition, &from, Duration::from_secs(5)).await.unwrap() {
            continue;
        }
        let limits = FetchLimits { n_max: n - entries.len(), ..FetchLimits::default() };
        for entry in log.fetch(partition, &from, limits).await.unwrap() {
            let next = from.iter_mut().find(|(kind, _)| *kind == entry.position.kind).unwrap();
            assert!(entry.position.offset >= next.1, "{:?} came again", entry.position);
            next.1 = entry.position.offset + 1;
            entries.push(entry);
        }
    }
    entries
}

/// All entries of all partitions, partition by partition, as many as `ends` says.
pub(crate) async fn read_all(log: &EventLog, kinds: &[Kind]) -> Vec<Entry> {
    let ends = log.ends().await.unwrap();
    let mut entries = Vec::new();
    for partition in 0..log.partitions() {
        let here = ends.iter().filter(|e| e.partition == partition && kinds.contains(&e.kind));
        let n: u64 = here.map(|e| e.end - e.start).sum();
        entries.extend(read(log, partition, kinds, usize::try_from(n).unwrap()).await);
    }
    entries
}

/// The bodies of one patient's entries, in the order in which they were read.
pub(crate) fn bodies_of(entries: &[Entry], patient: &str) -> Vec<Vec<u8>> {
    let key = event::key_of("main", patient);
    entries.iter().filter(|e| e.append.key == key).map(|e| e.append.body.clone()).collect()
}

/// Deletes our topics of a broker, and waits until they are gone.
pub(crate) async fn remove_topics(broker: &Kafka) {
    let mut config = ClientConfig::new();
    let admin: AdminClient<DefaultClientContext> =
        config.set("bootstrap.servers", broker.bootstrap_servers()).create().unwrap();
    let until = Instant::now() + Duration::from_secs(SECS_MAX);
    loop {
        let metadata = admin.inner().fetch_metadata(None, Duration::from_secs(120)).unwrap();
        let ours = metadata.topics().iter().map(rdkafka::metadata::MetadataTopic::name);
        let ours: Vec<&str> = ours.filter(|name| name.starts_with(TOPIC_PREFIX)).collect();
        if ours.is_empty() {
            return;
        }
        assert!(Instant::now() < until, "topics are not deleted");
        admin.delete_topics(&ours, &AdminOptions::new()).await.unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
