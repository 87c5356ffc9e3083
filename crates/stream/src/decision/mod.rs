//! Decision support by CDS Hooks 2.0: the rules that raise alerts, asked at a moment in a workflow; their findings become cards.
//!
//! What a request prefetched is used; what it did not is read from the store of this server, for the caller and with a record. Nothing that is found
//! becomes an alert, and no state of a patient is changed.

mod card;
mod feedback;
mod gather;
mod lead;
mod request;
mod service;
mod suggest;

use std::collections::HashSet;

use event::resource::{Origin, events_of};
use event::{Event, SourceConfig};
use fhir::{Instant, Resource, Value};
use gate::{Access, GateError, Matter, Subject};
use rules::{Finding, PatientState, RuleSet, Severity, What};
use uuid::Uuid;

pub use card::{Card, OVERRIDE_REASONS};
pub use service::{Hook, SERVICES, Service, discovery, service_named};

use crate::{Platform, StreamError};
use feedback::Given;
use lead::Leads;
use request::Asked;

/// Cards of one answer, the worst first.
const CARDS_MAX: usize = 20;
/// The source that events of a request carry.
const SOURCE: &str = "cds-hooks";

/// Why there is no advice.
#[derive(Debug, thiserror::Error)]
pub enum DecisionError {
    /// There is no such service.
    #[error("there is no service `{0}`: ask `GET /cds-services` for those there are")]
    UnknownService(String),
    /// The feedback is about a card that was not given.
    #[error("{0}")]
    UnknownCard(String),
    /// The request is not as the specification says.
    #[error("{0}")]
    Invalid(String),
    /// Data that is needed was neither prefetched nor could it be read.
    #[error("{0}")]
    Precondition(String),
    /// The gate refused.
    #[error(transparent)]
    Gate(#[from] GateError),
    /// Streams failed.
    #[error(transparent)]
    Stream(#[from] StreamError),
}

impl From<db::DbError> for DecisionError {
    fn from(error: db::DbError) -> DecisionError {
        DecisionError::Stream(error.into())
    }
}

impl Platform {
    /// Answers a request to a service with its cards, which are kept for feedback. `public_url` is the address at which others reach this server,
    /// when it is configured: cards link to its pages.
    ///
    /// # Errors
    /// The request is wrong, the caller may not ask, or data that is needed cannot be had.
    pub async fn decide(
        &self,
        access: &Access,
        id: &str,
        body: &Value,
        public_url: Option<&str>,
    ) -> Result<Vec<Card>, DecisionError> {
        let service = service_named(id).ok_or_else(|| DecisionError::UnknownService(id.to_owned()))?;
        let asked = Asked::parse(body, service)?;
        let subject =
            Subject::new(Matter::DecisionSupport, service.id).of_patients(vec![asked.patient.clone()]);
        let permit = self.gate().permit(access, subject).await?;
        let known = gather::gather(self, access, service, &asked).await?;
        let now = self.now();
        let findings = judged(&self.rules(), &known, &asked, now)?;
        let leads = self.leads(access, &permit.tenant().to_string(), &asked.patient, public_url).await?;
        let cards = cards_of(&findings, service.hook, &leads, &asked.orders);
        let (tenant, by) = (permit.tenant().to_string(), permit.principal().to_owned());
        let (instance, user) = (asked.instance, asked.user);
        let (patient, kept) = (format!("Patient/{}", asked.patient), cards.clone());
        let service = service.id;
        self.database()
            .write(move |conn| {
                let given = Given {
                    tenant: &tenant,
                    service,
                    instance: &instance,
                    user: &user,
                    subject: &patient,
                    by: &by,
                    at: now,
                };
                feedback::keep(conn, &given, &kept)
            })
            .await?;
        Ok(cards)
    }

    async fn leads(
        &self,
        access: &Access,
        tenant: &str,
        patient: &str,
        public_url: Option<&str>,
    ) -> Result<Leads, DecisionError> {
        let Some(base) = public_url.map(str::to_owned) else { return Ok(Leads::default()) };
        let (tenant, id) = (tenant.to_owned(), patient.to_owned());
        let mut leads = self.database().read(move |conn| Leads::find(conn, &base, &tenant, &id)).await?;
        // The page of a patient is there when the store has the patient, for the caller.
        if leads.has_page() && self.gate().read(access, fhir::Kind::named("Patient"), patient).await.is_err()
        {
            leads.without_page();
        }
        Ok(leads)
    }

    /// Keeps what people did with cards.
    ///
    /// # Errors
    /// The feedback is wrong, or the caller may not give any.
    pub async fn feedback(&self, access: &Access, id: &str, body: &Value) -> Result<usize, DecisionError> {
        let service = service_named(id).ok_or_else(|| DecisionError::UnknownService(id.to_owned()))?;
        let outcomes = feedback::parse(body)?;
        let n = outcomes.len();
        let subject =
            Subject::new(Matter::DecisionSupport, format!("{}/feedback", service.id)).of_rows(n as u64);
        let permit = self.gate().permit(access, subject).await?;
        let (tenant, by, now) = (permit.tenant().to_string(), permit.principal().to_owned(), self.now());
        let service = service.id;
        self.database()
            .write(move |conn| {
                let given =
                    Given { tenant: &tenant, service, instance: "", user: "", subject: "", by: &by, at: now };
                feedback::record(conn, &given, &outcomes)
            })
            .await??;
        Ok(n)
    }
}

/// What is known for a decision.
pub(crate) struct Known {
    pub(crate) subject: rules::Subject,
    /// Observations, the oldest first.
    pub(crate) observations: Vec<Resource>,
}

/// What the rules say, each rule's last word only.
fn judged(
    rules: &RuleSet,
    known: &Known,
    asked: &Asked,
    now: Instant,
) -> Result<Vec<Finding>, DecisionError> {
    let mut findings: Vec<Finding> = Vec::new();
    let mut state = PatientState::default();
    for event in events(known, asked, now)? {
        for finding in rules.on_event(&mut state, &known.subject, &event) {
            // Of orders each has its own finding; of measures the last word counts.
            findings.retain(|before| {
                before.rule != finding.rule || before.opening != finding.opening && is_order(&event)
            });
            findings.push(finding);
        }
    }
    for finding in rules.on_time(&mut state, &known.subject, now) {
        findings.retain(|before| before.rule != finding.rule);
        findings.push(finding);
    }
    findings.retain(|finding| matches!(finding.what, What::Raise(_) | What::NotEvaluated(_)));
    Ok(findings)
}

fn is_order(event: &Event) -> bool {
    event.kind == event::Kind::MedicationOrders
}

/// The events of what is known: observations at their time, orders now.
fn events(known: &Known, asked: &Asked, now: Instant) -> Result<Vec<Event>, DecisionError> {
    let config = SourceConfig::default();
    let mut events = Vec::new();
    for (at, resource) in known.observations.iter().chain(&asked.orders).enumerate() {
        let version = at.to_string();
        let origin = Origin { source: SOURCE, version: &version, is_update: false, written_at: now, now };
        // One that cannot be read says nothing; that it is there stays visible in the record.
        let mut found = events_of(resource, origin, &config).unwrap_or_default();
        for event in &mut found {
            event.patient = Some(format!("Patient/{}", asked.patient));
            if let Some(encounter) = &asked.encounter {
                event.encounter.get_or_insert_with(|| format!("Encounter/{encounter}"));
            }
            if is_order(event) {
                event.at = now;
            }
        }
        events.extend(found);
    }
    events.sort_by_key(|event| event.at.0);
    Ok(events)
}

/// The worst first. Rules that speak of one topic are one card, as they are one alert; each order has its own.
fn cards_of(findings: &[Finding], hook: Hook, leads: &Leads, orders: &[Resource]) -> Vec<Card> {
    let mut worst: Vec<&Finding> = findings.iter().filter(|one| matches!(one.what, What::Raise(_))).collect();
    worst.sort_by_key(|finding| std::cmp::Reverse(severity_of(finding)));
    let mut told: HashSet<(&str, &str)> = HashSet::new();
    worst.retain(|finding| {
        let order = if hook == Hook::PatientView { "" } else { finding.opening.as_str() };
        told.insert((finding.topic.as_str(), order))
    });
    worst.truncate(CARDS_MAX);
    let card = |finding: &Finding| {
        let suggestion = suggest::suggestion_of(finding, orders, Uuid::new_v4());
        card::card_of(finding, Uuid::new_v4(), leads, suggestion)
    };
    let mut cards: Vec<Card> = worst.into_iter().filter_map(card).collect();
    // Whether somebody is an adult is asked of every patient; that an order has no code matters when it is signed.
    if hook != Hook::PatientView || cards.is_empty() {
        cards.extend(card::unjudged(findings, Uuid::new_v4()));
    }
    cards
}

fn severity_of(finding: &Finding) -> Option<Severity> {
    match finding.what {
        What::Raise(severity) => Some(severity),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
