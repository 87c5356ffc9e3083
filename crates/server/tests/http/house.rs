//! A gate on a new folder, a server on a free port, tokens for every role, and eyes on the ledger.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use gate::{Access, AuditQuery, Gate, GateConfig, Principal, Role, Roles, Tenant, TokenRequest};
use server::{ServerConfig, Services};
use stream::{Platform, PlatformConfig, Settings};
use testkit::FixedClock;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

use crate::client::{self, Answer};

pub(crate) struct House {
    pub(crate) runtime: Runtime,
    pub(crate) gate: Gate,
    pub(crate) address: SocketAddr,
    pub(crate) clock: FixedClock,
    pub(crate) folder: tempfile::TempDir,
    tokens: HashMap<String, String>,
    stop: Option<oneshot::Sender<()>>,
    running: Option<tokio::task::JoinHandle<Result<(), server::ServeError>>>,
}

impl House {
    pub(crate) fn new() -> House {
        House::with(|_| ())
    }

    /// A server whose configuration was changed.
    pub(crate) fn with(change: impl FnOnce(&mut ServerConfig)) -> House {
        House::build(change, |_| ())
    }

    /// A server with streams that work.
    pub(crate) fn streaming() -> House {
        House::build_with(|_| (), |_| (), true)
    }

    /// A server with streams, whose public address is configured.
    pub(crate) fn streaming_at(public_url: &str) -> House {
        let change = |config: &mut ServerConfig| {
            config.public_url = public_url.to_owned();
            config.is_public_url_known = true;
        };
        House::build_with(change, |_| (), true)
    }

    /// A server on another disk.
    pub(crate) fn on_disk(disk: &testkit::LossyDisk) -> House {
        House::build(|_| (), |gate| gate.store.vfs = Some(disk.vfs().to_string()))
    }

    fn build(change: impl FnOnce(&mut ServerConfig), change_gate: impl FnOnce(&mut GateConfig)) -> House {
        House::build_with(change, change_gate, false)
    }

    fn build_with(
        change: impl FnOnce(&mut ServerConfig),
        change_gate: impl FnOnce(&mut GateConfig),
        is_streaming: bool,
    ) -> House {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let mut config = ServerConfig::new(SocketAddr::from(([127, 0, 0, 1], testkit::free_port())));
        config.socket = Some(folder.path().join("salus.sock"));
        // Nothing in these tests ends only because it was waited for long enough.
        config.limits.shutdown_grace_secs = 3_600;
        change(&mut config);
        let clock = FixedClock::at("2026-01-02T03:04:05.678Z");
        let mut gate_config = GateConfig::new(folder.path(), config.fhir_base());
        change_gate(&mut gate_config);
        let gate = {
            let _context = runtime.enter();
            Gate::open(gate_config, Arc::new(clock.clone())).unwrap()
        };
        let stream = is_streaming.then(|| {
            let platform = runtime.block_on(platform(&folder, &gate, config.fhir_base()));
            let _context = runtime.enter();
            platform.start().unwrap();
            platform
        });
        let services = Services { stream, ..Services::default() };
        let bound = runtime.block_on(server::bind(config, gate.clone(), services)).unwrap();
        let address = bound.local_addr();
        let (stop, stopped) = oneshot::channel();
        let running = runtime.spawn(bound.run(async move { drop(stopped.await) }));
        let (stop, running) = (Some(stop), Some(running));
        let mut house =
            House { runtime, gate, address, clock, folder, tokens: HashMap::new(), stop, running };
        for role in Role::all() {
            house.add_token(role.name(), role, None, None);
        }
        house
    }

    /// Makes a token that requests use by `name`.
    pub(crate) fn add_token(
        &mut self,
        name: &str,
        role: Role,
        scopes: Option<&str>,
        patient: Option<&str>,
    ) -> String {
        let request = TokenRequest {
            role,
            name: name.to_string(),
            scopes: scopes.map(str::to_string),
            patient: patient.map(str::to_string),
            expires: "1d".to_string(),
        };
        let access = access_as(&[Role::Admin]);
        let (token, secret) = self.runtime.block_on(self.gate.create_token(&access, &request)).unwrap();
        self.tokens.insert(name.to_string(), secret.reveal().to_string());
        token.id
    }

    pub(crate) fn token(&self, name: &str) -> &str {
        self.tokens.get(name).unwrap_or_else(|| panic!("no token `{name}`"))
    }

    /// One request of the token `who`.
    pub(crate) fn ask(&self, who: &str, method: &str, path: &str, body: &str) -> Answer {
        let token = format!("Bearer {}", self.token(who));
        let headers = [("Authorization", token.as_str()), ("Content-Type", "application/fhir+json")];
        client::send(self.address, &client::request(method, path, &headers, body.as_bytes()))
    }

    /// Records of the ledger behind a position, and the position after them. What set the house up is left out.
    pub(crate) fn audit(&self, after: u64) -> (Vec<String>, u64) {
        let access = access_as(&[Role::Auditor]);
        let query = AuditQuery { after, max: 1_000, ..AuditQuery::default() };
        let entries = self.runtime.block_on(self.gate.audit(&access, query)).unwrap();
        let last = entries.last().map_or(after, |entry| entry.seq);
        let ours = entries.iter().filter(|entry| !entry.record.request.starts_with("house-"));
        (ours.map(|entry| line_of(&entry.record)).collect(), last)
    }

    /// Entries of the change log behind a position, and the position after them.
    pub(crate) fn changes(&self, after: u64) -> (Vec<String>, u64) {
        let access = access_as(&[Role::Service]);
        let changes = self.runtime.block_on(self.gate.changes(&access, after, 1_000)).unwrap();
        let last = changes.last().map_or(after, |change| change.seq);
        let lines = changes.iter().map(|change| {
            let author = &change.author;
            let op = format!("{:?}", change.op).to_lowercase();
            format!(
                "{op} {}/{} version {} for {} in {}",
                change.kind, change.id, change.version, author.purpose, author.request
            )
        });
        (lines.collect(), last)
    }

    pub(crate) fn socket(&self) -> std::path::PathBuf {
        self.folder.path().join("salus.sock")
    }

    /// Asks the server to stop, and gives what waits for its end.
    pub(crate) fn stop(&mut self) -> tokio::task::JoinHandle<Result<(), server::ServeError>> {
        drop(self.stop.take());
        self.running.take().unwrap()
    }
}

async fn platform(folder: &tempfile::TempDir, gate: &Gate, fhir_base: String) -> Platform {
    let config = PlatformConfig {
        dir: folder.path().to_path_buf(),
        gate: gate.clone(),
        fhir_base,
        keys: None,
        rules: rules::RuleSet::shipped(),
        alerts: stream::alert::Policy::standard(),
        sources: event::Sources::default(),
        surveillance: stream::surveillance::SurveillanceConfig::default(),
        kafka: None,
        settings: Settings::default(),
    };
    let platform = Platform::open(config).await.unwrap();
    platform.keep_rules().await.unwrap();
    platform
}

fn access_as(roles: &[Role]) -> Access {
    let roles = Roles::of(roles).unwrap();
    let principal = Principal { scopes: roles.ceiling(), roles, ..Principal::local("house", Tenant::main()) };
    Access::new(Arc::new(principal), None, "house-1").unwrap()
}

fn line_of(record: &gate::Record) -> String {
    let mut line = format!("{} {}", record.action.name(), record.outcome.name());
    if let Some(kind) = record.kind {
        line.push_str(&format!(" {kind}"));
    }
    if !record.ids.is_empty() {
        line.push_str(&format!(" [{}]", record.ids));
    }
    line.push_str(&format!(" count {} for {} in {}", record.count, record.purpose, record.request));
    if !record.patients.is_empty() {
        line.push_str(&format!(" patients {}", record.patients.join(" ")));
    }
    if let Some(detail) = &record.detail {
        line.push_str(&format!(" ({detail})"));
    }
    line
}
