//! A file with an outbox, a clock, a worker.

use std::path::PathBuf;
use std::sync::Arc;

use db::{Database, Options};
use fhir::{Clock as _, Instant};
use notify::outbox::{self, Delivery};
use notify::{Channels, Notice, Plan, Purpose, Settings, Worker};
use rules::Severity;
use testkit::FixedClock;

pub(crate) struct House {
    pub(crate) database: Database,
    pub(crate) clock: FixedClock,
    pub(crate) settings: Settings,
    pub(crate) plan: Plan,
    path: PathBuf,
    _folder: Arc<tempfile::TempDir>,
}

const MIGRATIONS: &[&str] = &[outbox::SCHEMA];

fn open(path: &PathBuf) -> Database {
    Database::open(Options::new(path, 7, MIGRATIONS)).unwrap()
}

impl House {
    /// Settings are JSON; secrets in it are references to themselves: `${env:x}` is `x`.
    pub(crate) fn new(settings: &serde_json::Value) -> House {
        let mut settings: Settings = serde_json::from_value(settings.clone()).unwrap();
        settings
            .resolve::<()>(&|reference| {
                Ok(reference.trim_start_matches("${env:").trim_end_matches('}').to_owned())
            })
            .unwrap();
        let plan = Plan::new(&settings).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("outbox.db");
        let clock = FixedClock::at("2026-03-01T12:00:00Z");
        House { database: open(&path), clock, settings, plan, path, _folder: Arc::new(folder) }
    }

    /// The process ends without a word, and another begins.
    pub(crate) async fn reopen(&mut self) {
        self.database.close().await.unwrap();
        self.database = open(&self.path);
    }

    pub(crate) fn worker(&self) -> Worker {
        let channels = Channels::new(&self.settings, "https://salus.example").unwrap();
        Worker::new(self.database.clone(), channels, &self.settings, Arc::new(self.clock.clone()))
    }

    pub(crate) async fn put(&self, receivers: &[&str], notice: Notice) {
        let (plan, now) = (self.plan.clone(), self.clock.now());
        let receivers: Vec<String> = receivers.iter().map(|name| (*name).to_owned()).collect();
        self.database
            .write(move |conn| {
                let names: Vec<&str> = receivers.iter().map(String::as_str).collect();
                outbox::put(conn, &plan, &names, &notice, now)
            })
            .await
            .unwrap();
    }

    pub(crate) async fn deliveries(&self, reference: &str) -> Vec<Delivery> {
        let reference = reference.to_owned();
        self.database.read(move |conn| outbox::deliveries(conn, "main", &reference)).await.unwrap()
    }

    /// States of the messages about a thing.
    pub(crate) async fn states(&self, reference: &str) -> String {
        let all = self.deliveries(reference).await;
        all.iter().map(|d| format!("{} {}", d.purpose, d.state)).collect::<Vec<_>>().join(", ")
    }

    pub(crate) fn later(&self, secs: i64) {
        self.clock.advance_micros(secs * 1_000_000);
    }
}

/// Text with a synthetic patient, which must not get out.
pub(crate) const TEXT: &str = "Zebulon Quackenbush MRN 99881: potassium 7.9 mmol/L";

pub(crate) fn notice(reference: &str, number: i64, severity: Severity) -> Notice {
    Notice {
        tenant: "main".into(),
        reference: reference.into(),
        number,
        purpose: Purpose::Raised,
        severity,
        at: Instant::parse("2026-03-01T11:59:00Z").unwrap(),
        unit: Some("icu-1".into()),
        text: Some(TEXT.into()),
    }
}
