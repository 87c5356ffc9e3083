//! Three brokers, one of which is killed under load, then two: what was acknowledged is processed once, in order, and what cannot be kept twice is refused.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use event::Kind;
use gate::Matter;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, ResourceSpecifier};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use stream::StreamError;
use stream::log::{KafkaSettings, topic_of};
use testkit::KafkaCluster;

use crate::house::{Ground, House, vitals};

const LANES: usize = 6;
const PARTITIONS: u32 = 2;

/// One sender for each patient, which sends an event until it is acknowledged, and then the next.
struct Senders {
    acknowledged: Arc<Vec<AtomicUsize>>,
    /// By sender.
    refused: Arc<Mutex<Vec<(usize, StreamError)>>>,
    stop: Arc<AtomicBool>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

impl Senders {
    async fn start(house: &House) -> Senders {
        let mut senders = Senders {
            acknowledged: Arc::new((0..LANES).map(|_| AtomicUsize::new(0)).collect()),
            refused: Arc::default(),
            stop: Arc::default(),
            tasks: Vec::new(),
        };
        for lane in 0..LANES {
            let (platform, permit) = (house.platform.clone(), house.permit(Matter::PublishEvents).await);
            let (acknowledged, refused) = (Arc::clone(&senders.acknowledged), Arc::clone(&senders.refused));
            let stop = Arc::clone(&senders.stop);
            senders.tasks.push(tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    let event = event(lane, acknowledged[lane].load(Ordering::Relaxed));
                    match platform.publish(&permit, vec![event.into()]).await {
                        Ok(receipt) => {
                            assert_eq!((receipt.accepted, receipt.rejected.len()), (1, 0));
                            acknowledged[lane].fetch_add(1, Ordering::Relaxed);
                        }
                        Err(error) => refused.lock().unwrap().push((lane, error)),
                    }
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }));
        }
        senders
    }

    fn n(&self) -> usize {
        self.acknowledged.iter().map(|n| n.load(Ordering::Relaxed)).sum()
    }

    /// Waits until each of them is refused: then what it had sent before is answered.
    async fn all_are_refused(&self, what: &str) {
        let before = self.refused.lock().unwrap().len();
        let lanes = || self.refused.lock().unwrap()[before..].iter().map(|(lane, _)| *lane).collect();
        until(what, || BTreeSet::<usize>::len(&lanes()) == LANES).await;
    }

    /// Waits until each of them goes on.
    async fn all_go_on(&self, what: &str) {
        let before: Vec<usize> = self.acknowledged.iter().map(|n| n.load(Ordering::Relaxed)).collect();
        let goes = |(now, before): (&AtomicUsize, &usize)| now.load(Ordering::Relaxed) >= before + 10;
        until(what, || self.acknowledged.iter().zip(&before).all(goes)).await;
    }

    async fn end(self) -> (Vec<usize>, Vec<StreamError>) {
        self.stop.store(true, Ordering::Relaxed);
        for task in self.tasks {
            task.await.unwrap();
        }
        let n = self.acknowledged.iter().map(|n| n.load(Ordering::Relaxed)).collect();
        let refused = Arc::into_inner(self.refused).unwrap().into_inner().unwrap();
        (n, refused.into_iter().map(|(_, error)| error).collect())
    }
}

fn event(lane: usize, n: usize) -> String {
    let secs = i64::try_from(n).unwrap() - 3_000;
    vitals(&format!("e{lane}-{n}"), &format!("Patient/{lane}"), secs, r#"{"heart_rate":151}"#)
}

async fn until(what: &str, holds: impl Fn() -> bool) {
    let began = Instant::now();
    while !holds() {
        // It takes seconds; other tests and three brokers share the machine.
        assert!(began.elapsed() < Duration::from_secs(180), "not within three minutes: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Eyes on the cluster that are not ours.
struct Eyes {
    observer: BaseConsumer,
    admin: AdminClient<DefaultClientContext>,
    topic: String,
}

impl Eyes {
    fn new(cluster: &KafkaCluster) -> Eyes {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", cluster.bootstrap_servers());
        let topic = topic_of(&Kind::VitalSigns).unwrap();
        Eyes { observer: config.create().unwrap(), admin: config.create().unwrap(), topic }
    }

    /// Of each partition: the index of the broker that leads, how many copies there are, how many are in step.
    fn partitions(&self) -> Vec<(usize, usize, usize)> {
        let metadata = self.observer.fetch_metadata(Some(&self.topic), Duration::from_secs(120)).unwrap();
        let partitions = metadata.topics()[0].partitions().iter();
        let leader = |id: i32| usize::try_from(id).map_or(usize::MAX, |id| id - 1);
        partitions.map(|p| (leader(p.leader()), p.replicas().len(), p.isr().len())).collect()
    }

    async fn in_step(&self) {
        until("all copies are in step", || self.partitions().iter().all(|(_, _, n)| *n == 3)).await;
    }

    async fn config(&self, name: &str) -> Option<String> {
        let topic = [ResourceSpecifier::Topic(&self.topic)];
        let described = self.admin.describe_configs(&topic, &AdminOptions::new()).await.unwrap();
        described[0].as_ref().unwrap().get(name).and_then(|entry| entry.value.clone())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_loss_of_one_broker_is_survived_and_that_of_two_is_told() {
    let Some(cluster) = tokio::task::block_in_place(KafkaCluster::own) else { return };
    let settings = KafkaSettings::new(cluster.bootstrap_servers(), PARTITIONS);
    let kafka = Some(KafkaSettings { delivery_secs_max: 6, ..settings });
    let house = House::on(Ground { kafka, ..Ground::default() }, |s| s.partitions = PARTITIONS).await;
    house.platform.start().unwrap();
    let eyes = Eyes::new(&cluster);
    assert_eq!(eyes.partitions().len(), PARTITIONS as usize);
    assert!(eyes.partitions().iter().all(|(_, n_copies, _)| *n_copies == cluster.n_brokers()));
    assert_eq!(eyes.config("min.insync.replicas").await.as_deref(), Some("2"));
    assert!(house.platform.log().warnings().is_empty(), "{:?}", house.platform.log().warnings());

    let senders = Senders::start(&house).await;
    senders.all_go_on("all brokers are there").await;
    one_is_away(&cluster, &eyes, &senders).await;
    two_are_away(&cluster, &eyes, &senders, &house).await;

    let (acknowledged, refused) = senders.end().await;
    assert!(refused.iter().all(StreamError::is_passing), "{refused:?}");
    check(&house, &acknowledged).await;
    house.platform.stop().await;
}

/// Each leader of a partition in turn.
async fn one_is_away(cluster: &KafkaCluster, eyes: &Eyes, senders: &Senders) {
    for partition in 0..PARTITIONS as usize {
        let (leader, _, _) = eyes.partitions()[partition];
        tokio::task::block_in_place(|| cluster.stop(leader));
        senders.all_go_on("two of three are enough").await;
        until("another one leads", || eyes.partitions()[partition].0 != leader).await;
        tokio::task::block_in_place(|| cluster.start_again(leader));
        eyes.in_step().await;
    }
}

async fn two_are_away(cluster: &KafkaCluster, eyes: &Eyes, senders: &Senders, house: &House) {
    let (stays, _, _) = eyes.partitions()[0];
    let away: Vec<usize> = (0..cluster.n_brokers()).filter(|index| *index != stays).collect();
    tokio::task::block_in_place(|| away.iter().for_each(|index| cluster.stop(*index)));
    // What was on its way may still have been acknowledged.
    senders.all_are_refused("every sender is refused").await;
    let n = senders.n();
    senders.all_are_refused("every sender is refused again").await;
    assert_eq!(senders.n(), n, "nothing is acknowledged that is in one place only");
    assert!(!house.platform.is_ready());
    let told = senders.refused.lock().unwrap().last().unwrap().1.to_string();
    assert!(told.contains("nothing was acknowledged"), "{told}");
    assert!(told.contains("Connection refused") || told.contains("in step"), "it says who is away: {told}");
    tokio::task::block_in_place(|| away.iter().for_each(|index| cluster.start_again(*index)));
    senders.all_go_on("everything goes on by itself").await;
    until("readiness says yes", || house.platform.is_ready()).await;
}

/// Each acknowledged event has its effects once, in the order in which its patient's were sent.
async fn check(house: &House, acknowledged: &[usize]) {
    house.settle().await;
    let rows = house.platform.database().read(|conn| {
        let mut rows = conn.prepare(r#"SELECT patient, event FROM measured ORDER BY partition, "offset""#)?;
        let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        rows.collect::<rusqlite::Result<Vec<(String, String)>>>()
    });
    let rows = rows.await.unwrap();
    for (lane, n) in acknowledged.iter().enumerate() {
        let patient = format!("Patient/{lane}");
        let kept: Vec<&str> =
            rows.iter().filter(|(of, _)| *of == patient).map(|(_, event)| event.as_str()).collect();
        let sent: Vec<String> = (0..*n).map(|n| format!("e{lane}-{n}")).collect();
        // The last may have been refused, and be there all the same.
        assert!(kept.len() <= n + 1, "{patient}: {} of {n}", kept.len());
        assert!(kept.iter().zip(&sent).all(|(kept, sent)| kept == sent) && kept.len() >= *n, "{patient}");
    }
    assert_eq!(house.count("SELECT count(*) FROM alert WHERE topic = 'heart-rate'").await, 6);
    assert_eq!(house.count("SELECT count(*) FROM dead_letter").await, 0);
}
