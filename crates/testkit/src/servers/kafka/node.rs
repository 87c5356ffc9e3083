//! How one broker is formatted, started and asked whether it answers.

use std::ffi::OsString;
use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::super::installed::{cache, copy, program, template};
use super::super::run::run;
use super::super::supervised::Plan;

/// Small and quick to start: the second compiler costs more than it gains in a broker that lives for seconds.
const JAVA: [&str; 4] = ["-Xms64m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData"];

/// What all brokers have.
const PROPERTIES: &str = "process.roles=broker,controller
controller.listener.names=CONTROLLER
auto.create.topics.enable=false
offsets.topic.num.partitions=1
transaction.state.log.num.partitions=1
group.initial.rebalance.delay.ms=0
log.cleaner.dedupe.buffer.size=4194304
num.network.threads=2
num.io.threads=2
";

/// Java, and the jars of Kafka.
#[derive(Clone)]
pub(super) struct Installed {
    java: PathBuf,
    jars: PathBuf,
}

impl Installed {
    pub(super) fn find() -> Option<Installed> {
        let (java, jars) = (program("java")?, cache().join("kafka"));
        // Written last: an installation that was stopped does not count.
        jars.join("installed.lock").is_file().then_some(Installed { java, jars })
    }

    fn version(&self) -> String {
        let lock = fs::read_to_string(self.jars.join("installed.lock")).unwrap_or_default();
        let version = lock.split_once("<version>4").map_or("", |(_, rest)| rest);
        format!("4{}", version.split('<').next().unwrap_or_default())
    }

    fn command(&self, heap_mib_max: u32) -> Vec<OsString> {
        let mut command = vec![self.java.as_os_str().to_owned(), format!("-Xmx{heap_mib_max}m").into()];
        command.extend(JAVA.map(Into::into));
        command.extend(["-cp".into(), self.jars.join("lib/*").into_os_string()]);
        command
    }
}

/// A broker that is a controller too.
pub(super) struct Node {
    pub(super) id: u32,
    /// Tells its formatted folder from those of others.
    pub(super) template: String,
    /// What it has beside what all have.
    pub(super) properties: String,
    /// Further arguments of formatting.
    pub(super) format: Vec<String>,
    pub(super) heap_mib_max: u32,
}

impl Node {
    /// `overrides` are settings that depend on the port.
    pub(super) fn plan(
        self,
        installed: &Installed,
        overrides: impl Fn(u16) -> Vec<String> + 'static,
    ) -> Plan {
        let formatted = self.formatted(installed);
        let (properties, base) = (self.all_properties(), installed.command(self.heap_mib_max));
        let prepare = move |folder: &Path| {
            copy(&formatted, &folder.join("data"));
            fs::write(folder.join("server.properties"), &properties)
                .expect("the temporary folder can be written");
        };
        let command = move |folder: &Path, port| {
            let mut command = base.clone();
            command.extend(["kafka.Kafka".into(), folder.join("server.properties").into()]);
            let place = format!("log.dirs={}", folder.join("data").display());
            for setting in overrides(port).into_iter().chain([place]) {
                command.extend(["--override".into(), setting.into()]);
            }
            command
        };
        Plan { name: "kafka", signal: "KILL", prepare: Box::new(prepare), command: Box::new(command) }
    }

    fn all_properties(&self) -> String {
        format!("{PROPERTIES}node.id={}\n{}", self.id, self.properties)
    }

    /// The data folder of a broker that has never run: formatted once, and copied for each server.
    fn formatted(&self, installed: &Installed) -> PathBuf {
        template(&format!("kafka-{}{}", installed.version(), self.template), |folder| {
            let properties = tempfile::NamedTempFile::new().expect("the temporary folder can be written");
            // Only where it is formatted: nothing listens.
            let places = format!(
                "controller.listener.names=CONTROLLER\nlistener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT\n\
                 listeners=PLAINTEXT://127.0.0.1:1,CONTROLLER://127.0.0.1:2\ncontroller.quorum.voters={}@127.0.0.1:2\n",
                self.id
            );
            let text = format!(
                "process.roles=broker,controller\nnode.id={}\n{places}log.dirs={}\n",
                self.id,
                folder.display()
            );
            fs::write(properties.path(), text).expect("the temporary folder can be written");
            let mut arguments = installed.command(self.heap_mib_max);
            arguments.remove(0);
            arguments.extend(
                ["kafka.tools.StorageTool", "format", "-t", "c2FsdXMtdGVzdC1rYWZrYQ"].map(Into::into),
            );
            arguments.extend(self.format.iter().map(Into::into));
            arguments.extend(["-c".into(), properties.path().into()]);
            run(&installed.java, &arguments, "");
        })
    }
}

/// Asks for the versions of its interface: who listens is Kafka, and it answers.
pub(super) fn is_ready(_: &Path, port: u16) -> bool {
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
