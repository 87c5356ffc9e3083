//! A gate and a platform on a new folder, with a clock that tests set, and eyes on the tables.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use event::Sources;
use fhir::Resource;
use gate::{Access, Action, Gate, GateConfig, Matter, Permit, Principal, Subject, Tenant};
use rules::{RuleFile, RuleSet, load_beside_shipped};
use stream::alert::Policy;
use stream::log::KafkaSettings;
use stream::surveillance::SurveillanceConfig;
use stream::{Platform, PlatformConfig, Receipt, Settings};
use testkit::{FixedClock, LossyDisk};

pub(crate) const BASE: &str = "http://127.0.0.1:8080/fhir";
/// When every test begins.
pub(crate) const NOW: &str = "2026-11-25T12:00:00Z";

/// What a house stands on.
#[derive(Clone, Default)]
pub(crate) struct Ground {
    /// The log in a Kafka cluster.
    pub(crate) kafka: Option<KafkaSettings>,
    /// The files of streams on a disk that fails.
    pub(crate) disk: Option<LossyDisk>,
    /// Another clock than that of the house.
    pub(crate) clock: Option<Arc<dyn fhir::Clock>>,
    /// How counts are watched.
    pub(crate) surveillance: SurveillanceConfig,
}

pub(crate) struct House {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) clock: FixedClock,
    pub(crate) gate: Gate,
    pub(crate) platform: Platform,
    pub(crate) settings: Settings,
    ground: Ground,
    pub(crate) configured: Configured,
    /// Of this house, beside the shipped ones.
    rule_files: Vec<RuleFile>,
}

/// What is configured beside the limits.
#[derive(Default)]
pub(crate) struct Configured {
    pub(crate) alerts: stream::alert::Settings,
    pub(crate) sources: Sources,
}

impl House {
    pub(crate) async fn new() -> House {
        House::with(|_| ()).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut Settings)) -> House {
        House::on(Ground::default(), change).await
    }

    /// On other ground.
    pub(crate) async fn on(ground: Ground, change: impl FnOnce(&mut Settings)) -> House {
        House::configured(Configured::default(), ground, change).await
    }

    pub(crate) async fn configured(
        configured: Configured,
        ground: Ground,
        change: impl FnOnce(&mut Settings),
    ) -> House {
        // A small number of partitions, so that patients share them.
        let mut settings = Settings { partitions: 2, follow_store: false, ..Settings::default() };
        change(&mut settings);
        let folder = tempfile::tempdir().unwrap();
        let clock = FixedClock::at(NOW);
        let told = ground.clock.clone().unwrap_or_else(|| Arc::new(clock.clone()));
        let gate = Gate::open(GateConfig::new(folder.path(), BASE), told).unwrap();
        let platform = open(&folder, &gate, &settings, &ground, &configured).await;
        House { folder, clock, gate, platform, settings, ground, configured, rule_files: Vec::new() }
    }

    /// Stops processing, and opens the file again, as after a restart.
    pub(crate) async fn reopen(&mut self) {
        self.platform.stop().await;
        let House { folder, gate, settings, ground, configured, .. } = self;
        self.platform = open(folder, gate, settings, ground, configured).await;
        self.use_rules(self.rule_files.clone()).await;
    }

    /// Uses rules of this house from now on, as when their files change.
    pub(crate) async fn use_rules(&mut self, files: Vec<RuleFile>) {
        let used = self.platform.used_rules().await.unwrap();
        let rules = load_beside_shipped(&files, &used).unwrap_or_else(|problems| panic!("{problems:?}"));
        self.platform.use_rules(rules, files.clone());
        self.platform.keep_rules().await.unwrap();
        self.rule_files = files;
    }

    pub(crate) fn access(&self) -> Access {
        let principal = Principal::service("test", Tenant::main());
        Access::new(Arc::new(principal), None, "r1").unwrap()
    }

    pub(crate) async fn permit(&self, matter: Matter) -> Permit {
        self.gate.permit(&self.access(), Subject::new(matter, "")).await.unwrap()
    }

    pub(crate) async fn publish(&self, events: &[String]) -> Receipt {
        let permit = self.permit(Matter::PublishEvents).await;
        let events = events.iter().map(|text| Bytes::from(text.clone())).collect();
        self.platform.publish(&permit, events).await.unwrap()
    }

    /// Resources that a search finds, as text, in the order of their identifiers.
    pub(crate) async fn found(&self, kind: &str, query: &str) -> Vec<String> {
        let options = search::Options::new(true, vec![BASE.to_owned()], self.gate.now());
        let query = search::parse(Some(fhir::Kind::named(kind)), query, &options).unwrap().query;
        let page = self.gate.search(&self.access(), &query, 100).await.unwrap();
        let mut found: Vec<(String, String)> = page
            .matches
            .iter()
            .map(|one| (one.id.to_string(), String::from_utf8(one.body.bytes().to_vec()).unwrap()))
            .collect();
        found.sort();
        found.into_iter().map(|(_, text)| text).collect()
    }

    /// Waits until a search finds so many.
    pub(crate) async fn until_found(&self, kind: &str, query: &str, expected: usize) -> Vec<String> {
        for _ in 0..12_000 {
            let found = self.found(kind, query).await;
            if found.len() == expected {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{kind}?{query} finds {}, not {expected}", self.found(kind, query).await.len());
    }

    pub(crate) async fn put(&self, text: &str) {
        let resource = Resource::parse(text.as_bytes(), &fhir::json::Limits::default()).unwrap();
        self.gate.write_one(&self.access(), Action::Update { resource, if_match: None }).await.unwrap();
    }

    /// Waits until everything is processed.
    pub(crate) async fn settle(&self) {
        let permit = self.permit(Matter::Streams).await;
        for _ in 0..12_000 {
            let health = self.platform.health(&permit).await.unwrap();
            if health.lag == 0 && health.observations_waiting == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("not processed: {:?}", self.platform.health(&permit).await.unwrap());
    }

    /// A number that a query gives.
    pub(crate) async fn count(&self, sql: &'static str) -> i64 {
        self.platform.database().read(move |conn| conn.query_row(sql, [], |row| row.get(0))).await.unwrap()
    }

    /// Waits until every partition has looked at the clock, as it does once a second.
    pub(crate) async fn pass_time(&self) {
        tokio::time::sleep(Duration::from_millis(2_500)).await;
    }

    /// Waits until a query gives a number.
    pub(crate) async fn until(&self, sql: &'static str, expected: i64) {
        for _ in 0..12_000 {
            if self.count(sql).await == expected {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("`{sql}` gives {}, not {expected}", self.count(sql).await);
    }
}

async fn open(
    folder: &tempfile::TempDir,
    gate: &Gate,
    settings: &Settings,
    ground: &Ground,
    configured: &Configured,
) -> Platform {
    let config = PlatformConfig {
        dir: folder.path().to_owned(),
        gate: gate.clone(),
        fhir_base: BASE.to_owned(),
        keys: None,
        rules: RuleSet::shipped(),
        alerts: Policy::new(&configured.alerts, notify::Plan::silent()).unwrap(),
        sources: configured.sources.clone(),
        surveillance: ground.surveillance.clone(),
        kafka: ground.kafka.clone(),
        settings: settings.clone(),
    };
    let Some(disk) = &ground.disk else { return Platform::open(config).await.unwrap() };
    let on = |options: db::Options| {
        db::Database::open(db::Options { vfs: Some(disk.vfs().to_owned()), ..options }).unwrap()
    };
    let stream = on(stream::database_options(std::path::Path::new("/stream.db")));
    let log = on(stream::log_options(std::path::Path::new("/log.db")));
    Platform::open_on(stream, Some(log), config).await.unwrap()
}

/// Seconds since the start of the test.
pub(crate) fn secs_of(micros: i64) -> i64 {
    (micros - fhir::Instant::parse(NOW).unwrap().0) / 1_000_000
}

/// Vital signs of a patient, a number of seconds after the start of the test (or before).
pub(crate) fn vitals(id: &str, patient: &str, secs: i64, data: &str) -> String {
    let at = fhir::Instant(fhir::Instant::parse(NOW).unwrap().0 + secs * 1_000_000);
    format!(
        r#"{{"id":"{id}","kind":"vital_signs","patient":"{patient}","at":"{at}","source":"monitor","unit":"7A","data":{data}}}"#
    )
}
