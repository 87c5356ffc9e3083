//! A file with alerts, a clock, a policy; words for what happened.

use std::sync::Arc;

use db::Database;
use fhir::{Clock as _, Instant};
use rules::{Finding, Seen, Severity, What};
use rusqlite::Connection;
use stream::alert::{self, About, Act, Alert, Policy, Refusal, Settings, SilenceRequest, Transition};
use testkit::FixedClock;

pub(crate) struct House {
    pub(crate) database: Database,
    pub(crate) clock: FixedClock,
    pub(crate) policy: Arc<Policy>,
    folder: tempfile::TempDir,
}

/// Two steps of escalation, a receiver that hears everything, one that also hears what is over.
pub(crate) fn notify_settings() -> serde_json::Value {
    let hook =
        |name: &str| serde_json::json!([{"url": format!("https://h.example/{name}"), "secret": "${env:x}"}]);
    serde_json::json!({
        "receivers": {
            "ward": {"webhook": hook("ward")},
            "system": {"webhook": hook("system"), "resolved": true},
            "first": {"webhook": hook("first")},
            "second": {"webhook": hook("second")},
        },
        "route": {"receivers": ["ward"], "routes": [{"match": {"unit": ["icu"]}, "receivers": ["system"]}]},
        "escalation": [{"receivers": ["first"]}, {"receivers": ["second"]}],
    })
}

pub(crate) fn policy(alerts: serde_json::Value) -> Policy {
    let settings: Settings = serde_json::from_value(alerts).unwrap();
    let notify = serde_json::from_value(notify_settings()).unwrap();
    Policy::new(&settings, notify::Plan::new(&notify).unwrap()).unwrap()
}

impl House {
    pub(crate) fn new() -> House {
        House::with(serde_json::json!({}))
    }

    pub(crate) fn with(alerts: serde_json::Value) -> House {
        let folder = tempfile::tempdir().unwrap();
        let database = stream::open(&folder.path().join("stream.db")).unwrap();
        let clock = FixedClock::at("2026-03-01T12:00:00Z");
        House { database, clock, policy: Arc::new(policy(alerts)), folder }
    }

    /// The process ends, and another opens the file.
    pub(crate) fn reopen(&mut self) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(self.database.close()).unwrap();
        self.database = stream::open(&self.folder.path().join("stream.db")).unwrap();
    }

    pub(crate) fn later(&self, mins: i64) {
        self.clock.advance_micros(mins * 60_000_000);
    }

    pub(crate) fn write<T: Send + 'static>(
        &self,
        f: impl FnOnce(&Connection, &Policy, Instant) -> rusqlite::Result<T> + Send + 'static,
    ) -> T {
        let (policy, now) = (Arc::clone(&self.policy), self.clock.now());
        self.database.write_blocking(move |conn| f(conn, &policy, now)).unwrap()
    }

    pub(crate) fn apply(&self, finding: Finding) -> Vec<Transition> {
        let about = About { unit: Some("ward-3".into()), ..About::default() };
        self.write(move |conn, policy, now| alert::apply(conn, policy, "main", &finding, &about, now))
    }

    /// What was applied, in words.
    pub(crate) fn steps(&self, finding: Finding) -> String {
        words(&self.apply(finding))
    }

    pub(crate) fn due(&self) -> String {
        words(&self.write(alert::due))
    }

    pub(crate) fn act(&self, id: &str, act: Act) -> Result<String, Refusal> {
        let id = id.to_owned();
        let done = self.write(move |conn, policy, now| {
            alert::act(conn, policy, ("main", &id), ("token:ada", &act), None, now)
        });
        done.map(|done| words(&done))
    }

    pub(crate) fn silence(&self, request: SilenceRequest) -> Result<(String, String), Refusal> {
        let made = self
            .write(move |conn, policy, now| alert::silence(conn, policy, "main", &request, "token:ada", now));
        made.map(|(silence, done)| (silence.id, words(&done)))
    }

    pub(crate) fn alerts(&self) -> Vec<Alert> {
        self.write(|conn, _, _| alert::list(conn, "main", &alert::Query::default())).alerts
    }

    /// The only alert.
    pub(crate) fn alert(&self) -> Alert {
        let [alert] = self.alerts().try_into().unwrap();
        alert
    }

    /// Messages, as `RECEIVER PURPOSE`, that were put since the last look; all of them are delivered by it.
    pub(crate) fn messages(&self) -> String {
        self.write(|conn, _, _| {
            let mut statement = conn.prepare(
                "SELECT receiver || ' ' || purpose FROM outbox JOIN outbox_item ON outbox = outbox.key WHERE state = 'pending' ORDER BY outbox.key, number",
            )?;
            let found = statement.query_map([], |row| row.get::<_, String>(0))?.collect::<rusqlite::Result<Vec<_>>>()?;
            conn.execute("UPDATE outbox SET state = 'delivered', attempts = 1 WHERE state = 'pending'", [])?;
            Ok(found.join(", "))
        })
    }

    /// Every message that waits is given up.
    pub(crate) fn give_up(&self) {
        self.write(|conn, _, _| {
            conn.execute("UPDATE outbox SET state = 'dead', attempts = 6 WHERE state = 'pending'", [])
        });
    }
}

/// `raised open critical`, one per step.
pub(crate) fn words(done: &[Transition]) -> String {
    let word = |t: &Transition| format!("{} {} {}", t.what.name(), t.after.name(), t.severity.name());
    done.iter().map(word).collect::<Vec<_>>().join(", ")
}

/// A finding of rule `rule` about topic `potassium` of a patient, opened by event `e1`.
pub(crate) fn finding(rule: &str, what: What) -> Finding {
    Finding {
        rule: rule.into(),
        version: "1".into(),
        subject: "Patient/p1".into(),
        what,
        at: Instant::parse("2026-03-01T11:59:00Z").unwrap(),
        opening: "e1".into(),
        event: Some("e1".into()),
        message: "potassium 6.8 mmol/L".into(),
        seen: vec![Seen {
            name: "potassium".into(),
            value: "6.8".into(),
            unit: Some("mmol/L".into()),
            at: Instant::parse("2026-03-01T11:59:00Z").unwrap(),
            event: "e1".into(),
            source: "lab".into(),
        }],
        topic: "potassium".into(),
        immediate: false,
        respond_within_mins: None,
    }
}

pub(crate) fn raise(rule: &str, severity: Severity) -> Finding {
    finding(rule, What::Raise(severity))
}

/// Another episode, of another topic.
pub(crate) fn of(topic: &str, opening: &str, finding: Finding) -> Finding {
    Finding { topic: topic.into(), opening: opening.into(), event: Some(opening.into()), ..finding }
}
