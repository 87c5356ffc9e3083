//! Where people and other parts of the program come with alerts: wants a permit of the gate, reads and writes, keeps the timers going.

use std::sync::Arc;
use std::time::Duration;

use db::Database;
use fhir::{Clock, Instant};
use gate::{Matter, Permit};
use notify::outbox::{self, Delivery};
use notify::{Counts, Worker};
use tokio::sync::watch;

use super::model::{Alert, Part, Transition};
use super::people::{self, Act};
use super::policy::Policy;
use super::query::{self, Page, Query, Unjudged};
use super::refusal::AlertError;
use super::silence::{self, Silence, SilenceRequest};
use super::{burden, timer};

/// How long the timers sleep at most: an alert that is opened meanwhile has its own.
const SLEEP_MAX: Duration = Duration::from_secs(1);

/// The alerts of a data folder. Cheap to clone.
#[derive(Clone)]
pub struct Desk {
    database: Database,
    policy: Arc<Policy>,
    clock: Arc<dyn Clock>,
    changed: watch::Sender<u64>,
    counts: Arc<Counts>,
}

/// An alert with all that is known of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Whole {
    /// The alert.
    pub alert: Alert,
    /// What each rule says.
    pub parts: Vec<Part>,
    /// Every step.
    pub history: Vec<Transition>,
    /// Every message.
    pub deliveries: Vec<Delivery>,
}

impl Desk {
    /// Of `stream.db`, opened by [`crate::open`]. `changed` goes up with each change that a page could want to show.
    pub fn new(
        database: Database,
        policy: Arc<Policy>,
        clock: Arc<dyn Clock>,
        changed: watch::Sender<u64>,
    ) -> Desk {
        Desk { database, policy, clock, changed, counts: Arc::default() }
    }

    /// What alerts are handled by.
    pub fn policy(&self) -> &Arc<Policy> {
        &self.policy
    }

    /// What became of messages since the start.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    fn tell(&self, done: &[Transition]) {
        if !done.is_empty() {
            self.changed.send_modify(|n| *n = n.wrapping_add(1));
        }
    }

    /// A page of a list.
    ///
    /// # Errors
    /// The permit is not for alerts, or the database fails.
    pub async fn list(&self, permit: &Permit, query: Query) -> Result<Page, AlertError> {
        may_look(permit)?;
        let tenant = tenant_of(permit);
        Ok(self.database.read(move |conn| query::list(conn, &tenant, &query)).await?)
    }

    /// One alert with its parts, trail and messages; `None` when there is none.
    ///
    /// # Errors
    /// The permit is not for alerts, or the database fails.
    pub async fn whole(&self, permit: &Permit, id: &str) -> Result<Option<Whole>, AlertError> {
        may_look(permit)?;
        let (tenant, id) = (tenant_of(permit), id.to_owned());
        let found = self.database.read(move |conn| {
            let Some(alert) = query::get(conn, &tenant, &id)? else { return Ok(None) };
            let parts = query::parts(conn, &alert)?;
            let history = query::history(conn, &alert)?;
            let deliveries = outbox::deliveries(conn, &tenant, &id)?;
            Ok(Some(Whole { alert, parts, history, deliveries }))
        });
        Ok(found.await?)
    }

    /// Changes behind a place in the sequence, each with its alert as it is now.
    ///
    /// # Errors
    /// The permit is not for alerts, or the database fails.
    pub async fn changes(
        &self,
        permit: &Permit,
        after: i64,
        max: usize,
    ) -> Result<Vec<(Transition, Alert)>, AlertError> {
        may_look(permit)?;
        let tenant = tenant_of(permit);
        Ok(self.database.read(move |conn| query::changes(conn, &tenant, after, max)).await?)
    }

    /// How many rules speak within each of these alerts.
    ///
    /// # Errors
    /// The permit is not for alerts, or the database fails.
    pub async fn n_parts(&self, permit: &Permit, alerts: &[Alert]) -> Result<Vec<u64>, AlertError> {
        may_look(permit)?;
        let alerts = alerts.to_vec();
        Ok(self.database.read(move |conn| query::n_parts(conn, &alerts)).await?)
    }

    /// The end of the sequence of changes.
    ///
    /// # Errors
    /// The database fails.
    pub async fn last_seq(&self) -> Result<i64, AlertError> {
        Ok(self.database.read(query::last_seq).await?)
    }

    /// What the rules could not judge of a patient.
    ///
    /// # Errors
    /// The permit is not for alerts, or the database fails.
    pub async fn unjudged(&self, permit: &Permit, subject: &str) -> Result<Vec<Unjudged>, AlertError> {
        may_look(permit)?;
        let (tenant, subject) = (tenant_of(permit), subject.to_owned());
        Ok(self.database.read(move |conn| query::unjudged(conn, &tenant, &subject)).await?)
    }

    /// The burden of alarms in a period; holds no patient data.
    ///
    /// # Errors
    /// The permit is neither for alerts nor for streams, or the database fails.
    pub async fn burden(
        &self,
        permit: &Permit,
        unit: Option<String>,
        period: (Instant, Instant),
    ) -> Result<burden::Burden, AlertError> {
        if permit.matter() != Matter::Streams {
            may_look(permit)?;
        }
        let (tenant, policy) = (tenant_of(permit), Arc::clone(&self.policy));
        let found =
            self.database.read(move |conn| burden::burden(conn, &policy, &tenant, unit.as_deref(), period));
        Ok(found.await?)
    }

    /// Does what a person wants with an alert; `seen` is the last change that they saw.
    ///
    /// # Errors
    /// The permit is not for changing alerts, the alert does not allow it, or the database fails.
    pub async fn act(
        &self,
        permit: &Permit,
        id: &str,
        act: Act,
        seen: Option<i64>,
    ) -> Result<Vec<Transition>, AlertError> {
        may_change(permit)?;
        let (tenant, id, by) = (tenant_of(permit), id.to_owned(), permit.principal().to_owned());
        let (policy, now) = (Arc::clone(&self.policy), self.clock.now());
        let done = self
            .database
            .write(move |conn| people::act(conn, &policy, (&tenant, &id), (&by, &act), seen, now))
            .await??;
        self.tell(&done);
        Ok(done)
    }

    /// Makes a silence.
    ///
    /// # Errors
    /// The permit is not for changing alerts, the policy does not allow it, or the database fails.
    pub async fn silence(&self, permit: &Permit, request: SilenceRequest) -> Result<Silence, AlertError> {
        may_change(permit)?;
        let (tenant, by) = (tenant_of(permit), permit.principal().to_owned());
        let (policy, now) = (Arc::clone(&self.policy), self.clock.now());
        let (made, done) = self
            .database
            .write(move |conn| silence::silence(conn, &policy, &tenant, &request, &by, now))
            .await??;
        self.tell(&done);
        Ok(made)
    }

    /// Silences that have not ended.
    ///
    /// # Errors
    /// The permit is not for alerts, or the database fails.
    pub async fn silences(&self, permit: &Permit) -> Result<Vec<Silence>, AlertError> {
        may_look(permit)?;
        let (tenant, now) = (tenant_of(permit), self.clock.now());
        Ok(self.database.read(move |conn| silence::silences(conn, &tenant, now)).await?)
    }

    /// Ends a silence before its time.
    ///
    /// # Errors
    /// The permit is not for changing alerts, there is no such silence, or the database fails.
    pub async fn lift(&self, permit: &Permit, id: &str) -> Result<Vec<Transition>, AlertError> {
        may_change(permit)?;
        let (tenant, id, by) = (tenant_of(permit), id.to_owned(), permit.principal().to_owned());
        let (policy, now) = (Arc::clone(&self.policy), self.clock.now());
        let done =
            self.database.write(move |conn| silence::lift(conn, &policy, &tenant, &id, &by, now)).await??;
        self.tell(&done);
        Ok(done)
    }

    /// Does what is due now; gives back what happened.
    ///
    /// # Errors
    /// The database fails.
    pub async fn tick(&self) -> Result<Vec<Transition>, AlertError> {
        let now = self.clock.now();
        let next = self.database.read(timer::next_due).await?;
        if next.is_none_or(|next| next > now) {
            return Ok(Vec::new());
        }
        let policy = Arc::clone(&self.policy);
        let done = self.database.write(move |conn| timer::due(conn, &policy, now)).await?;
        self.tell(&done);
        Ok(done)
    }

    /// Keeps the timers going and delivers messages, until it is dropped. A database that fails is asked again.
    pub async fn keep_time(&self) {
        match &self.policy.messages {
            None => self.keep_timers().await,
            Some((channels, settings)) => {
                let clock = Arc::clone(&self.clock);
                let worker = Worker::new(self.database.clone(), channels.clone(), settings, clock)
                    .counting(Arc::clone(&self.counts));
                tokio::join!(self.keep_timers(), worker.run());
            }
        }
    }

    async fn keep_timers(&self) {
        loop {
            match self.tick().await {
                Ok(done) if !done.is_empty() => continue,
                Ok(_) => {}
                Err(error) => tracing::error!(%error, "the timers of alerts could not be kept, trying again"),
            }
            tokio::time::sleep(SLEEP_MAX).await;
        }
    }
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Desk")
    }
}

fn may_look(permit: &Permit) -> Result<(), AlertError> {
    let allowed = matches!(permit.matter(), Matter::Alerts | Matter::ChangeAlert | Matter::DecisionSupport);
    allowed.then_some(()).ok_or(AlertError::WrongPermit)
}

fn may_change(permit: &Permit) -> Result<(), AlertError> {
    (permit.matter() == Matter::ChangeAlert).then_some(()).ok_or(AlertError::WrongPermit)
}

fn tenant_of(permit: &Permit) -> String {
    permit.tenant().to_string()
}
