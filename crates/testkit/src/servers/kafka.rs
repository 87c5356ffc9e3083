//! An Apache Kafka broker in KRaft mode: one process that is broker and controller. Knows nothing of what is in its topics.

use std::ffi::OsString;
use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use super::installed::{cache, copy, not_installed, program, template};
use super::run::run;
use super::supervised::{Plan, Supervised};

/// Small and quick to start: the second compiler costs more than it gains in a broker that lives for seconds.
const JAVA: [&str; 5] =
    ["-Xms64m", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData"];

/// One broker that is its own controller and syncs every message before it acknowledges.
const PROPERTIES: &str = "process.roles=broker,controller
node.id=1
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
auto.create.topics.enable=false
offsets.topic.num.partitions=1
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
log.flush.interval.messages=1
num.network.threads=2
num.io.threads=2
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
        let java = program("java")?;
        let jars = cache().join("kafka");
        // Written last: an installation that was stopped does not count.
        if !jars.join("installed.lock").is_file() {
            return None;
        }
        let formatted = formatted(&java, &jars);
        let prepare = move |folder: &Path| {
            copy(&formatted, &folder.join("data"));
            fs::write(folder.join("server.properties"), PROPERTIES)
                .expect("the temporary folder can be written");
        };
        let command = move |folder: &Path, port| {
            let controller = crate::free_port();
            let mut command = java_with(&java, &jars);
            command.extend(["kafka.Kafka".into(), folder.join("server.properties").into()]);
            let overrides = [
                format!("listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}"),
                format!("controller.quorum.voters=1@127.0.0.1:{controller}"),
                format!("log.dirs={}", folder.join("data").display()),
            ];
            for setting in overrides {
                command.extend(["--override".into(), setting.into()]);
            }
            command
        };
        let plan =
            Plan { name: "kafka", signal: "KILL", prepare: Box::new(prepare), command: Box::new(command) };
        Some(Kafka { server: Supervised::start(&plan, is_ready) })
    }
}

/// The data folder of a broker that has never run: formatted once, and copied for each server.
fn formatted(java: &Path, jars: &Path) -> PathBuf {
    let lock = fs::read_to_string(jars.join("installed.lock")).unwrap_or_default();
    let version =
        lock.split_once("<version>4").map_or("", |(_, rest)| rest.split('<').next().unwrap_or_default());
    template(&format!("kafka-4{version}"), |folder| {
        let properties = tempfile::NamedTempFile::new().expect("the temporary folder can be written");
        let places = "listeners=PLAINTEXT://127.0.0.1:1,CONTROLLER://127.0.0.1:2\ncontroller.quorum.voters=1@127.0.0.1:2";
        let text = format!("{PROPERTIES}{places}\nlog.dirs={}\n", folder.display());
        fs::write(properties.path(), text).expect("the temporary folder can be written");
        let mut arguments = java_with(java, jars);
        arguments.remove(0);
        arguments.extend(
            ["kafka.tools.StorageTool", "format", "-t", "c2FsdXMtdGVzdC1rYWZrYQ", "-c"].map(Into::into),
        );
        arguments.push(properties.path().into());
        run(java, &arguments, "");
    })
}

fn java_with(java: &Path, jars: &Path) -> Vec<OsString> {
    let mut command = vec![java.as_os_str().to_owned()];
    command.extend(JAVA.map(Into::into));
    command.extend(["-cp".into(), jars.join("lib/*").into_os_string()]);
    command
}

/// Asks for the versions of its interface: who listens is Kafka, and it answers.
fn is_ready(_: &Path, port: u16) -> bool {
    let ask = || {
        let mut connection = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        connection.set_read_timeout(Some(Duration::from_secs(5)))?;
        // Length, key of ApiVersions, its version 0, correlation 7, no client.
        connection.write_all(&[0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 7, 0xff, 0xff])?;
        let mut answer = [0; 10];
        connection.read_exact(&mut answer)?;
        std::io::Result::Ok(answer[4..] == [0, 0, 0, 7, 0, 0])
    };
    ask().unwrap_or(false)
}

#[cfg(test)]
mod tests {
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
