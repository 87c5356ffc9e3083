//! What the server is told at start.

use std::net::SocketAddr;
use std::path::PathBuf;

/// Limits on what one request may cost; the unit is in the name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Body of everything but a bundle.
    pub body_bytes_max: usize,
    /// Body of a batch or transaction.
    pub bundle_bytes_max: usize,
    /// Body of a form, `POST _search`.
    pub form_bytes_max: usize,
    /// Bodies held in memory at once, over all requests.
    pub bodies_in_flight_bytes_max: usize,
    /// Path and query.
    pub url_bytes_max: usize,
    /// Entries of a batch or transaction.
    pub bundle_entries_max: usize,
    /// Results per page when a request does not say.
    pub page_count_default: u32,
    /// Results per page however many a request asks for.
    pub page_count_max: u32,
    /// Open connections.
    pub connections_max: usize,
    /// Time to send the head of a request.
    pub header_read_timeout_secs: u64,
    /// Time to send a body.
    pub body_read_timeout_secs: u64,
    /// Time that open requests have to finish when the server stops.
    pub shutdown_grace_secs: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            body_bytes_max: 8 << 20,
            bundle_bytes_max: 64 << 20,
            form_bytes_max: 1 << 20,
            bodies_in_flight_bytes_max: 256 << 20,
            url_bytes_max: 32 << 10,
            bundle_entries_max: 20_000,
            page_count_default: 50,
            page_count_max: 1_000,
            connections_max: 4_096,
            header_read_timeout_secs: 15,
            body_read_timeout_secs: 120,
            shutdown_grace_secs: 20,
        }
    }
}

/// Certificate chain and private key, PEM files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate and those that signed it.
    pub cert: PathBuf,
    /// The key.
    pub key: PathBuf,
}

/// How the server listens and answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerConfig {
    /// Address for TCP.
    pub listen: SocketAddr,
    /// The address clients see, without `/fhir` and without a slash at the end.
    pub public_url: String,
    /// It was configured, and not made of the address that is listened on: others may be sent there.
    pub is_public_url_known: bool,
    /// TLS; without it only loopback addresses are served.
    pub tls: Option<TlsFiles>,
    /// Unix socket for commands on this machine; `None` for none.
    pub socket: Option<PathBuf>,
    /// Limits.
    pub limits: Limits,
}

impl ServerConfig {
    /// Plain HTTP on an address, no socket, limits of the house.
    pub fn new(listen: SocketAddr) -> ServerConfig {
        let public_url = format!("http://{listen}");
        ServerConfig {
            listen,
            public_url,
            is_public_url_known: false,
            tls: None,
            socket: None,
            limits: Limits::default(),
        }
    }

    /// The base of FHIR URLs, `http://127.0.0.1:8080/fhir`.
    pub fn fhir_base(&self) -> String {
        format!("{}/fhir", self.public_url)
    }

    /// Do browsers reach this server by TLS; then cookies say so.
    pub fn is_https(&self) -> bool {
        self.public_url.starts_with("https://")
    }
}
