//! Puts messages about an alert into the outbox, for those whom the plan names.

use fhir::Instant;
use notify::{Facts, Notice, Purpose, outbox};
use rusqlite::Connection;

use super::model::Alert;
use super::policy::Policy;

fn notice(alert: &Alert, purpose: Purpose) -> Notice {
    Notice {
        tenant: alert.tenant.clone(),
        reference: alert.id.clone(),
        number: alert.seq,
        purpose,
        severity: alert.severity,
        at: alert.at,
        unit: alert.about.unit.clone(),
        text: Some(alert.message.clone()),
    }
}

fn routed<'a>(policy: &'a Policy, alert: &Alert) -> Vec<&'a str> {
    policy.plan.receivers_of(&Facts {
        severity: alert.severity,
        unit: alert.about.unit.as_deref(),
        population: &alert.about.population,
        region: alert.about.region.as_deref(),
        topic: &alert.topic,
        rule: &alert.rule,
        is_population: alert.is_population(),
    })
}

/// Tells those whom the routes name.
pub(crate) fn tell(
    conn: &Connection,
    policy: &Policy,
    alert: &Alert,
    purpose: Purpose,
    now: Instant,
) -> rusqlite::Result<()> {
    outbox::put(conn, &policy.plan, &routed(policy, alert), &notice(alert, purpose), now)?;
    Ok(())
}

/// Tells those whom the routes name, and those of the alert's level of escalation.
pub(crate) fn tell_more(
    conn: &Connection,
    policy: &Policy,
    alert: &Alert,
    now: Instant,
) -> rusqlite::Result<()> {
    let mut names = routed(policy, alert);
    let step = policy.plan.step(alert.level).iter().map(String::as_str);
    for name in step {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    outbox::put(conn, &policy.plan, &names, &notice(alert, Purpose::Escalated), now)?;
    Ok(())
}

/// Takes back what was not sent, and tells everybody who was told.
pub(crate) fn take_back(
    conn: &Connection,
    policy: &Policy,
    alert: &Alert,
    purpose: Purpose,
    now: Instant,
) -> rusqlite::Result<()> {
    let told = outbox::told(conn, &alert.tenant, &alert.id)?;
    outbox::cancel(conn, &alert.tenant, &alert.id, now)?;
    let notice = notice(alert, purpose);
    for to in told {
        outbox::put_to(conn, &policy.plan, &to.receiver, (to.channel, &to.address), &notice, now)?;
    }
    Ok(())
}

/// It goes on with less than was told: those who were told hear that, and those who were not, and still should be, hear what is left of it.
pub(crate) fn lessened(
    conn: &Connection,
    policy: &Policy,
    alert: &Alert,
    now: Instant,
) -> rusqlite::Result<()> {
    let told = outbox::told(conn, &alert.tenant, &alert.id)?;
    take_back(conn, policy, alert, Purpose::Corrected, now)?;
    if !alert.state.is_waiting() || alert.inhibited_by.is_some() {
        return Ok(());
    }
    let notice = notice(alert, Purpose::Raised);
    for name in routed(policy, alert) {
        let addresses = policy.plan.receiver(name).into_iter().flat_map(|receiver| &receiver.addresses);
        for (channel, address) in addresses {
            if !told.iter().any(|to| to.channel == *channel && to.address == *address) {
                outbox::put_to(conn, &policy.plan, name, (*channel, address), &notice, now)?;
            }
        }
    }
    Ok(())
}

/// Nobody needs to hear of it any more, but those who want to know that it is over.
pub(crate) fn over(conn: &Connection, policy: &Policy, alert: &Alert, now: Instant) -> rusqlite::Result<()> {
    let told = outbox::told(conn, &alert.tenant, &alert.id)?;
    outbox::cancel(conn, &alert.tenant, &alert.id, now)?;
    let notice = notice(alert, Purpose::Resolved);
    for to in told {
        if policy.plan.receiver(&to.receiver).is_some_and(|receiver| receiver.resolved) {
            outbox::put_to(conn, &policy.plan, &to.receiver, (to.channel, &to.address), &notice, now)?;
        }
    }
    Ok(())
}

/// The escalation's people hear that a correction did not reach somebody.
pub(crate) fn tell_step(
    conn: &Connection,
    policy: &Policy,
    alert: &Alert,
    purpose: Purpose,
    now: Instant,
) -> rusqlite::Result<()> {
    let names: Vec<&str> = policy.plan.step(alert.level).iter().map(String::as_str).collect();
    outbox::put(conn, &policy.plan, &names, &notice(alert, purpose), now)?;
    Ok(())
}

/// Tells everybody who was told; what waits is still sent.
pub(crate) fn also(
    conn: &Connection,
    policy: &Policy,
    alert: &Alert,
    purpose: Purpose,
    now: Instant,
) -> rusqlite::Result<()> {
    let notice = notice(alert, purpose);
    for to in outbox::told(conn, &alert.tenant, &alert.id)? {
        outbox::put_to(conn, &policy.plan, &to.receiver, (to.channel, &to.address), &notice, now)?;
    }
    Ok(())
}
