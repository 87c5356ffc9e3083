//! Kafka alone: a broker that is away, topics of others, messages of others, lag.

use std::time::{Duration, Instant};

use event::Kind;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::producer::{FutureProducer, FutureRecord};
use stream::log::{EventLog, KafkaSettings, LogError, Offsets, topic_of};
use testkit::Kafka;

use crate::common::{append, bodies_of, event, read, read_all, remove_topics};

fn client(broker: &Kafka) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", broker.bootstrap_servers());
    config
}

fn vitals() -> String {
    topic_of(&Kind::VitalSigns).unwrap()
}

/// All in one broker, one after the other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_of_ones_own() {
    let Some(broker) = Kafka::own() else { return };
    what_others_created_is_looked_at(&broker).await;
    remove_topics(&broker).await;
    what_others_wrote_is_read(&broker).await;
    progress_is_told_to_tools(&broker).await;
    an_append_waits_for_a_broker_that_comes_back(&broker).await;
    a_broker_that_stays_away_is_told(&broker).await;
}

async fn what_others_created_is_looked_at(broker: &Kafka) {
    let admin: AdminClient<DefaultClientContext> = client(broker).create().unwrap();
    let name = vitals();
    let topic = NewTopic::new(&name, 3, TopicReplication::Fixed(1));
    admin.create_topics(&[topic], &AdminOptions::new()).await.unwrap()[0].as_ref().unwrap();
    let open = async |n| EventLog::open_kafka(KafkaSettings::new(broker.bootstrap_servers(), n)).await;
    let error = open(4).await.err().unwrap();
    assert!(matches!(error, LogError::Partitions { stored: 3, asked: 4 }), "{error:?}");
    remove_topics(broker).await;
    let topic = NewTopic::new(&name, 3, TopicReplication::Fixed(1)).set("flush.messages", "1000");
    admin.create_topics(&[topic], &AdminOptions::new()).await.unwrap()[0].as_ref().unwrap();
    let log = open(3).await.unwrap();
    assert_eq!(log.warnings().len(), 1, "{:?}", log.warnings());
    assert!(log.warnings()[0].contains("flush.messages=1"), "{:?}", log.warnings());
}

async fn what_others_wrote_is_read(broker: &Kafka) {
    let log = EventLog::open_kafka(KafkaSettings::new(broker.bootstrap_servers(), 2)).await.unwrap();
    let producer: FutureProducer = client(broker).create().unwrap();
    let name = vitals();
    let record = FutureRecord::<str, str>::to(&name).partition(1).payload("{\"from\":\"elsewhere\"}");
    let delivered = producer.send(record, Duration::from_secs(120)).await.unwrap();
    let entry = &read(&log, 1, &[Kind::VitalSigns], 1).await[0];
    assert_eq!(entry.append.id, format!("kafka|vital_signs/1@{}", delivered.offset));
    assert_eq!(
        (entry.append.key.as_str(), entry.append.body.as_slice()),
        ("", &b"{\"from\":\"elsewhere\"}"[..])
    );
}

async fn progress_is_told_to_tools(broker: &Kafka) {
    let log = EventLog::open_kafka(KafkaSettings::new(broker.bootstrap_servers(), 2)).await.unwrap();
    log.tell_progress("salus-main", &Offsets::from([((Kind::VitalSigns, 1), 1)])).await.unwrap();
    let tool: BaseConsumer = client(broker).set("group.id", "salus-main").create().unwrap();
    let mut list = rdkafka::TopicPartitionList::new();
    list.add_partition(&vitals(), 1);
    let committed = tool.committed_offsets(list, Duration::from_secs(120)).unwrap();
    assert_eq!(committed.elements()[0].offset(), rdkafka::Offset::Offset(1));
}

async fn an_append_waits_for_a_broker_that_comes_back(broker: &Kafka) {
    let log = EventLog::open_kafka(KafkaSettings::new(broker.bootstrap_servers(), 2)).await.unwrap();
    append(&log, (0..20).map(|n| event("Patient/1", n)).collect()).await;
    let before = read_all(&log, &[Kind::VitalSigns]).await.len();
    broker.stop();
    let waiting = tokio::spawn({
        let log = log.clone();
        async move {
            for n in 20..40 {
                append(&log, vec![event("Patient/1", n)]).await;
            }
        }
    });
    let partition = event::partition_of(&event("Patient/1", 0).key, 2);
    // A reader waits in vain, and does not fail.
    let nothing = log.wait(partition, &[(Kind::VitalSigns, 0)], Duration::from_millis(500)).await;
    assert!(nothing.is_ok(), "{nothing:?}");
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(!waiting.is_finished(), "nothing is acknowledged while the broker is away");
    tokio::task::block_in_place(|| broker.start_again());
    waiting.await.unwrap();
    let entries = read_all(&log, &[Kind::VitalSigns]).await;
    assert_eq!(entries.len(), before + 20);
    let expected: Vec<_> = (0..40).map(|n| event("Patient/1", n).body).collect();
    assert!(bodies_of(&entries, "Patient/1") == expected, "all of them, once, in order");
}

async fn a_broker_that_stays_away_is_told(broker: &Kafka) {
    let settings = KafkaSettings::new(broker.bootstrap_servers(), 2);
    let log = EventLog::open_kafka(KafkaSettings { delivery_secs_max: 3, ..settings }).await.unwrap();
    assert!(log.failure().is_none());
    broker.stop();
    let begun = Instant::now();
    let error = log.append(vec![event("Patient/2", 0)]).await.unwrap_err();
    assert!(matches!(error, LogError::Unavailable(_)), "{error:?}");
    assert!((2..120).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
    assert!(matches!(log.failure(), Some(LogError::Unavailable(_))));
    tokio::task::block_in_place(|| broker.start_again());
    append(&log, vec![event("Patient/2", 0)]).await;
    assert!(log.failure().is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_does_not_answer_is_told() {
    let settings = KafkaSettings::new(format!("127.0.0.1:{}", testkit::free_port()), 2);
    let error = EventLog::open_kafka(settings).await.err().unwrap();
    assert!(matches!(error, LogError::Unavailable(_)), "{error:?}");
}
