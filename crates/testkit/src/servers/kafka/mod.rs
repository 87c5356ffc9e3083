//! An Apache Kafka broker in KRaft mode: one process that is broker and controller. Knows nothing of what is in its topics.

mod cluster;
mod node;
mod secure;

use std::sync::OnceLock;

use super::installed::not_installed;
use super::supervised::Supervised;
pub use cluster::KafkaCluster;
use node::{Installed, Node, is_ready};
pub use secure::SecureKafka;

/// One broker that is its own controller and syncs every message before it acknowledges.
const PROPERTIES: &str = "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
log.flush.interval.messages=1
";

/// Kafka server. Dropping one that is not shared stops it.
#[derive(Debug)]
pub struct Kafka {
    server: Supervised,
}

impl Kafka {
    /// The one of this test process. Prints `not checked: …` and returns `None` when it is not installed.
    pub fn shared() -> Option<&'static Kafka> {
        static SHARED: OnceLock<Option<Kafka>> = OnceLock::new();
        SHARED.get_or_init(Kafka::find_and_start).as_ref().or_else(|| not_installed("Apache Kafka"))
    }

    /// One that the caller may stop and start again.
    pub fn own() -> Option<Kafka> {
        Kafka::find_and_start().or_else(|| not_installed("Apache Kafka"))
    }

    /// `127.0.0.1:PORT`, as clients want it in `bootstrap.servers`.
    pub fn bootstrap_servers(&self) -> String {
        format!("127.0.0.1:{}", self.server.port)
    }

    /// Kills it, as a failing machine would.
    pub fn stop(&self) {
        self.server.stop();
    }

    /// Starts it again on the same port with what it had acknowledged.
    pub fn start_again(&self) {
        self.server.start_again(is_ready);
    }

    fn find_and_start() -> Option<Kafka> {
        let installed = Installed::find()?;
        let node = Node {
            id: 1,
            template: String::new(),
            properties: PROPERTIES.to_owned(),
            format: Vec::new(),
            heap_mib_max: 256,
        };
        let overrides = |port| {
            let controller = crate::free_port();
            vec![
                format!("listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}"),
                format!("controller.quorum.voters=1@127.0.0.1:{controller}"),
            ]
        };
        Some(Kafka { server: Supervised::start(&node.plan(&installed, overrides), is_ready) })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::ends::check_ends_with_its_process;
    use super::super::supervised::is_listening;
    use super::*;

    #[test]
    fn it_stops_and_starts_again() {
        let Some(kafka) = Kafka::own() else { return };
        assert!(is_ready(Path::new("/"), kafka.server.port));
        kafka.stop();
        assert!(!is_listening(kafka.server.port));
        kafka.start_again();
        assert!(is_ready(Path::new("/"), kafka.server.port));
    }

    #[test]
    fn it_ends_with_its_process() {
        check_ends_with_its_process(concat!(module_path!(), "::it_ends_with_its_process"), || {
            let kafka = Kafka::shared()?;
            Some((kafka.server.port, kafka.server.folder.clone()))
        });
    }
}
