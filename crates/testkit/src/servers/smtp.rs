//! A mail server: aiosmtpd of PyPI with STARTTLS and AUTH, on the loopback address. Knows nothing of who sends.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::installed::not_installed;
use super::python::environment_program;
use super::supervised::{Plan, Supervised};

/// Known only to fixtures on the loopback address.
const USER: (&str, &str) = ("salus-alerts", "secret-of-the-test-mail");

/// A mail server that wants STARTTLS and a sign-in, and shows what it took. It ends when it is dropped.
#[derive(Debug)]
pub struct MailServer {
    server: Supervised,
}

/// A message that a [`MailServer`] took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// The sender of the envelope.
    pub from: String,
    /// The recipients of the envelope.
    pub to: Vec<String>,
    /// Did it come over TLS.
    pub tls: bool,
    /// Who was signed in.
    pub user: String,
    /// Headers and body, as they came.
    pub data: String,
}

impl MailServer {
    /// A new one. Prints `not checked: …` and returns `None` when it is not installed.
    pub fn start() -> Option<MailServer> {
        let Some(python) = environment_program("python3") else { return not_installed("the mail server") };
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/servers/smtp/server.py");
        let plan = Plan {
            name: "smtp",
            signal: "KILL",
            prepare: Box::new(|_| {}),
            command: Box::new(move |folder, port| {
                let port = port.to_string();
                let arguments = [python.as_os_str(), script.as_ref(), folder.as_ref(), port.as_ref()];
                arguments.into_iter().map(Into::into).chain([USER.0, USER.1].map(Into::into)).collect()
            }),
        };
        let is_ready =
            |_: &Path, port| std::net::TcpStream::connect((std::net::Ipv4Addr::LOCALHOST, port)).is_ok();
        Some(MailServer { server: Supervised::start(&plan, is_ready) })
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.server.port
    }

    /// Who may sign in.
    pub fn user(&self) -> (&'static str, &'static str) {
        USER
    }

    /// The certificate to trust, PEM.
    pub fn ca_file(&self) -> PathBuf {
        self.server.folder.join("ca.pem")
    }

    /// What it does instead of taking messages: `hang`, `drop` (it takes the message, and the connection breaks before it says so), or an answer such
    /// as `451 4.3.0 later`; `None` for nothing of that kind.
    pub fn fail(&self, how: Option<&str>) {
        let path = self.server.folder.join("fault");
        match how {
            Some(how) => fs::write(&path, how).expect("the server's folder can be written"),
            None => drop(fs::remove_file(&path)),
        }
    }

    /// Everything it took, in order.
    pub fn taken(&self) -> Vec<Mail> {
        let text = fs::read_to_string(self.server.folder.join("mail.ndjson")).unwrap_or_default();
        let parsed = text.lines().map(|line| {
            let mail: Value = serde_json::from_str(line).expect("the server writes JSON");
            let text = |name: &str| mail[name].as_str().unwrap_or_default().to_owned();
            let to = mail["to"].as_array().into_iter().flatten();
            Mail {
                from: text("from"),
                to: to.filter_map(|to| to.as_str().map(str::to_owned)).collect(),
                tls: mail["tls"] == true,
                user: text("user"),
                data: text("data"),
            }
        });
        parsed.collect()
    }

    /// Stops it: connections are refused.
    pub fn stop(&self) {
        self.server.stop();
    }
}
