//! A broker with TLS and sign-in: an authority and a certificate of its own, users with passwords.

use std::fs;
use std::path::{Path, PathBuf};

use super::super::installed::{not_installed, program};
use super::super::run::run;
use super::super::supervised::Supervised;
use super::node::{Installed, Node, is_ready};

const USER: &str = "salus";
const PASSWORD: &str = "Bicycle-7-Lantern";
/// The broker's own sign-in at itself.
const ADMIN_PASSWORD: &str = "not-for-clients-3";

/// Kafka that is reached over TLS with SCRAM, on another port in the clear with SCRAM or PLAIN, and in no other way. Dropping it stops it.
#[derive(Debug)]
pub struct SecureKafka {
    server: Supervised,
    tls_port: u16,
    /// Certificates; goes with it.
    certificates: tempfile::TempDir,
}

impl SecureKafka {
    /// Prints `not checked: …` and returns `None` when Kafka or `openssl` is not installed.
    pub fn own() -> Option<SecureKafka> {
        let Some(installed) = Installed::find() else { return not_installed("Apache Kafka") };
        let Some(openssl) = program("openssl") else { return not_installed("openssl") };
        let certificates = tempfile::tempdir().expect("the temporary folder can be written");
        make_certificates(&openssl, certificates.path());
        let keys = certificates.path().join("broker.pem");
        let tls_port = crate::free_port();
        let node = Node {
            id: 1,
            template: "-with-users".to_owned(),
            properties: properties(&keys),
            format: [(USER, PASSWORD), ("broker", ADMIN_PASSWORD)]
                .into_iter()
                .flat_map(|(name, password)| {
                    let user = format!("SCRAM-SHA-512=[name={name},password={password}]");
                    ["--add-scram".to_owned(), user]
                })
                .collect(),
            heap_mib_max: 256,
        };
        let overrides = move |port| {
            let controller = crate::free_port();
            vec![
                format!(
                    "listeners=SASL_PLAINTEXT://127.0.0.1:{port},SASL_SSL://127.0.0.1:{tls_port},CONTROLLER://127.0.0.1:{controller}"
                ),
                format!(
                    "advertised.listeners=SASL_PLAINTEXT://127.0.0.1:{port},SASL_SSL://localhost:{tls_port}"
                ),
                format!("controller.quorum.voters=1@127.0.0.1:{controller}"),
            ]
        };
        let server = Supervised::start(&node.plan(&installed, overrides), is_ready);
        Some(SecureKafka { server, tls_port, certificates })
    }

    /// The port of TLS. Its certificate is for `localhost`, and for no address.
    pub fn tls_port(&self) -> u16 {
        self.tls_port
    }

    /// The port without TLS.
    pub fn clear_port(&self) -> u16 {
        self.server.port
    }

    /// The user that may do everything, and the password.
    pub fn user(&self) -> (&'static str, &'static str) {
        (USER, PASSWORD)
    }

    /// The certificate of the authority that signed the broker's, PEM.
    pub fn authority(&self) -> PathBuf {
        self.certificates.path().join("ca.pem")
    }

    /// The certificate of an authority that signed nothing here, PEM.
    pub fn other_authority(&self) -> PathBuf {
        self.certificates.path().join("other-ca.pem")
    }
}

fn properties(keys: &Path) -> String {
    let keys = keys.display();
    let module = "org.apache.kafka.common.security";
    format!(
        "listener.security.protocol.map=SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL,CONTROLLER:PLAINTEXT
inter.broker.listener.name=SASL_PLAINTEXT
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
sasl.mechanism.inter.broker.protocol=SCRAM-SHA-512
listener.name.sasl_plaintext.sasl.enabled.mechanisms=SCRAM-SHA-512,PLAIN
listener.name.sasl_ssl.sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.sasl_plaintext.scram-sha-512.sasl.jaas.config={module}.scram.ScramLoginModule required username=\"broker\" password=\"{ADMIN_PASSWORD}\";
listener.name.sasl_plaintext.plain.sasl.jaas.config={module}.plain.PlainLoginModule required user_{USER}=\"{PASSWORD}\";
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config={module}.scram.ScramLoginModule required;
ssl.keystore.type=PEM
ssl.keystore.location={keys}
ssl.truststore.type=PEM
ssl.truststore.location={}
",
        Path::new(&keys.to_string()).with_file_name("ca.pem").display()
    )
}

/// Two authorities, and a certificate of the first for `localhost`.
fn make_certificates(openssl: &Path, folder: &Path) {
    let at = |name: &str| folder.join(name).display().to_string();
    let ssl = |arguments: &[&str]| drop(run(openssl, arguments, ""));
    let key = ["-newkey", "rsa:2048", "-nodes"];
    for name in ["ca", "other-ca"] {
        let (keys, out, subject) =
            (at(&format!("{name}.key")), at(&format!("{name}.pem")), format!("/CN={name}"));
        let ends = ["-keyout", &keys, "-out", &out, "-subj", &subject, "-days", "2"];
        ssl(&[&["req", "-x509"][..], &key, &ends].concat());
    }
    let (keys, request, signed) = (at("broker.key"), at("broker.csr"), at("broker.crt"));
    ssl(&[&["req"][..], &key, &["-keyout", &keys, "-out", &request, "-subj", "/CN=broker"]].concat());
    fs::write(folder.join("names"), "subjectAltName=DNS:localhost\n")
        .expect("the temporary folder can be written");
    let (authority, its_key, names) = (at("ca.pem"), at("ca.key"), at("names"));
    let by = ["-CA", &authority, "-CAkey", &its_key, "-CAcreateserial", "-days", "2", "-extfile", &names];
    ssl(&[&["x509", "-req", "-in", &request, "-out", &signed][..], &by].concat());
    let read = |name: &str| fs::read_to_string(folder.join(name)).expect("openssl has written it");
    fs::write(folder.join("broker.pem"), read("broker.key") + &read("broker.crt"))
        .expect("the temporary folder can be written");
}

#[cfg(test)]
mod tests {
    use super::super::super::supervised::is_listening;
    use super::*;

    #[test]
    fn it_listens_for_both() {
        let Some(kafka) = SecureKafka::own() else { return };
        assert!(is_listening(kafka.tls_port()) && is_listening(kafka.clear_port()));
        assert!(kafka.authority().is_file() && kafka.other_authority().is_file());
    }
}
