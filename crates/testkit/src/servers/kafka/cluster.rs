//! Three Apache Kafka brokers that are one cluster; each of them is a controller too, as in a small hospital.

use std::thread;

use super::super::installed::not_installed;
use super::super::supervised::Supervised;
use super::node::{Installed, Node, is_ready};

/// How many there are: the loss of one is survived.
const N_BROKERS: usize = 3;

/// A broker that is gone is noticed within seconds.
const PROPERTIES: &str = "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
offsets.topic.replication.factor=3
transaction.state.log.replication.factor=3
transaction.state.log.min.isr=2
broker.session.timeout.ms=4000
broker.heartbeat.interval.ms=500
replica.lag.time.max.ms=5000
controller.quorum.fetch.timeout.ms=2000
";

/// A cluster. Dropping it stops its brokers.
#[derive(Debug)]
pub struct KafkaCluster {
    brokers: Vec<Supervised>,
}

impl KafkaCluster {
    /// Three brokers that the caller may stop and start again. Prints `not checked: …` and returns `None` when Kafka is not installed.
    pub fn own() -> Option<KafkaCluster> {
        let Some(installed) = Installed::find() else { return not_installed("Apache Kafka") };
        let controllers: Vec<u16> = (0..N_BROKERS).map(|_| crate::free_port()).collect();
        let voters = controllers.iter().zip(1..).map(|(port, id)| format!("{id}@127.0.0.1:{port}"));
        let voters = voters.collect::<Vec<_>>().join(",");
        // Together: one alone is no majority, and does not answer.
        let brokers = thread::scope(|scope| {
            let starting: Vec<_> = controllers
                .iter()
                .zip(1..)
                .map(|(controller, id)| {
                    let (installed, voters) = (&installed, &voters);
                    scope.spawn(move || start(installed, id, *controller, voters.clone()))
                })
                .collect();
            starting.into_iter().map(|one| one.join().expect("the broker starts")).collect()
        });
        Some(KafkaCluster { brokers })
    }

    /// All of them, as clients want them in `bootstrap.servers`.
    pub fn bootstrap_servers(&self) -> String {
        let each = self.brokers.iter().map(|broker| format!("127.0.0.1:{}", broker.port));
        each.collect::<Vec<_>>().join(",")
    }

    /// How many brokers it has.
    pub fn n_brokers(&self) -> usize {
        self.brokers.len()
    }

    /// `kill -9` of one, counted from 0.
    pub fn stop(&self, index: usize) {
        self.brokers[index].stop();
    }

    /// Starts it again on the same port with what it has on its disk. A majority must be there, or must start at the same time.
    pub fn start_again(&self, index: usize) {
        self.brokers[index].start_again(is_ready);
    }
}

fn start(installed: &Installed, id: u32, controller: u16, voters: String) -> Supervised {
    let node = Node {
        id,
        template: format!("-of-three-{id}"),
        properties: PROPERTIES.to_owned(),
        format: Vec::new(),
        heap_mib_max: 192,
    };
    let overrides = move |port| {
        vec![
            format!("listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}"),
            format!("controller.quorum.voters={voters}"),
        ]
    };
    Supervised::start(&node.plan(installed, overrides), is_ready)
}
