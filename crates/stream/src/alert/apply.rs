//! Applies what a rule says to the alert of its topic: opens, joins, worsens, eases, ends or retracts it.

use fhir::Instant;
use notify::Purpose;
use rules::{Finding, Severity, What};
use rusqlite::{Connection, params};

use super::change::{Record, end, record};
use super::model::{About, Alert, Part, State, Step, Transition};
use super::policy::Policy;
use super::{id_of, inhibit, row, silence, tell};

/// What one finding is applied with.
pub(crate) struct Ground<'a> {
    pub(crate) conn: &'a Connection,
    pub(crate) policy: &'a Policy,
    pub(crate) now: Instant,
}

/// Applies a finding, in the transaction of the event that made it. The same finding again changes nothing, so that a replay makes no second alert.
///
/// # Errors
/// The database fails.
pub fn apply(
    conn: &Connection,
    policy: &Policy,
    tenant: &str,
    finding: &Finding,
    about: &About,
    now: Instant,
) -> rusqlite::Result<Vec<Transition>> {
    let ground = Ground { conn, policy, now };
    match &finding.what {
        What::NotEvaluated(reason) => not_judged(conn, tenant, finding, reason).map(|()| Vec::new()),
        What::Raise(severity) => {
            judged(conn, tenant, finding)?;
            raise(&ground, tenant, finding, *severity, about)
        }
        What::Clear => {
            judged(conn, tenant, finding)?;
            close(&ground, tenant, finding, "cleared")
        }
        What::Retract => close(&ground, tenant, finding, "retracted"),
    }
}

fn not_judged(conn: &Connection, tenant: &str, finding: &Finding, reason: &str) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "INSERT INTO unjudged (tenant, subject, rule, version, reason, since) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (tenant, subject, rule) DO UPDATE SET version = excluded.version, reason = excluded.reason, since = excluded.since
         WHERE reason <> excluded.reason",
    )?
    .execute(params![tenant, finding.subject, finding.rule, finding.version, reason, finding.at.0])?;
    Ok(())
}

fn judged(conn: &Connection, tenant: &str, finding: &Finding) -> rusqlite::Result<()> {
    conn.prepare_cached("DELETE FROM unjudged WHERE tenant = ?1 AND subject = ?2 AND rule = ?3")?
        .execute(params![tenant, finding.subject, finding.rule])?;
    Ok(())
}

fn part_of(finding: &Finding, severity: Severity) -> Part {
    Part {
        rule: finding.rule.clone(),
        version: finding.version.clone(),
        opening: finding.opening.clone(),
        severity,
        is_immediate: finding.immediate,
        state: "active".to_owned(),
        message: finding.message.clone(),
        seen: row::seen_of(&finding.seen),
        at: finding.at,
        event: finding.event.clone().unwrap_or_else(|| finding.opening.clone()),
    }
}

fn raise(
    ground: &Ground<'_>,
    tenant: &str,
    finding: &Finding,
    severity: Severity,
    about: &About,
) -> rusqlite::Result<Vec<Transition>> {
    let conn = ground.conn;
    let mut part = part_of(finding, severity);
    if let Some((key, before)) = row::part(conn, tenant, finding)? {
        // The episode is over, or was never true: this is a replay.
        if before.state != "active" {
            return Ok(Vec::new());
        }
        part.severity = severity.max(before.severity);
        part.is_immediate |= before.is_immediate;
        if part == before {
            return Ok(Vec::new());
        }
        let is_worse = part.severity > before.severity || (part.is_immediate && !before.is_immediate);
        row::put_part(conn, tenant, &finding.subject, key, &part)?;
        let mut alert = row::by_key(conn, key)?;
        if !alert.state.is_live() && is_worse {
            // A person ended it, and it got worse: that is told again, on the live alert of the topic if there is one.
            if let Some(live) = row::live(conn, tenant, &finding.subject, &finding.topic)? {
                row::put_part(conn, tenant, &finding.subject, live.key, &part)?;
                alert = live;
            }
        }
        return settle(ground, alert, finding, Some(about), Step::Worsened);
    }
    if let Some(alert) = row::live(conn, tenant, &finding.subject, &finding.topic)? {
        row::put_part(conn, tenant, &finding.subject, alert.key, &part)?;
        return settle(ground, alert, finding, Some(about), Step::Joined);
    }
    open(ground, tenant, finding, &part, about)
}

fn open(
    ground: &Ground<'_>,
    tenant: &str,
    finding: &Finding,
    part: &Part,
    about: &About,
) -> rusqlite::Result<Vec<Transition>> {
    let Ground { conn, policy, now } = *ground;
    let respond_by = policy.respond_by(part.severity, finding.respond_within_mins, now);
    let mut alert = Alert {
        key: 0,
        id: id_of(tenant, &finding.rule, &finding.subject, &finding.opening),
        tenant: tenant.to_owned(),
        subject: finding.subject.clone(),
        topic: finding.topic.clone(),
        rule: part.rule.clone(),
        version: part.version.clone(),
        opening: part.opening.clone(),
        event: part.event.clone(),
        severity: part.severity,
        peak: part.severity,
        is_immediate: part.is_immediate,
        state: State::Open,
        message: part.message.clone(),
        seen: part.seen.clone(),
        at: finding.at,
        raised_at: now,
        changed_at: now,
        ended_at: None,
        respond_by,
        acknowledged_at: None,
        owner: None,
        is_overridden: false,
        timer_at: respond_by,
        level: 0,
        repeats: 0,
        silence: None,
        inhibited_by: None,
        about: about.clone(),
        seq: 0,
    };
    if !row::insert(conn, &mut alert)? {
        return Ok(Vec::new());
    }
    row::put_part(conn, tenant, &finding.subject, alert.key, part)?;
    let by = by_rule(finding);
    let raised = Record { what: Step::Raised, before: None, by: &by, reason: None };
    let mut done = vec![record(conn, &mut alert, &raised, now)?];
    done.extend(inhibit::start(ground, &alert)?);
    if let Some(covered) = silence::cover(ground, &mut alert)? {
        done.push(covered);
    } else if let Some(covered) = inhibit::cover(ground, &mut alert)? {
        done.push(covered);
    } else {
        tell::tell(conn, policy, &alert, Purpose::Raised, now)?;
    }
    Ok(done)
}

/// Brings an alert in line with its parts after one of them changed.
fn settle(
    ground: &Ground<'_>,
    mut alert: Alert,
    finding: &Finding,
    about: Option<&About>,
    step: Step,
) -> rusqlite::Result<Vec<Transition>> {
    let Ground { conn, policy, now } = *ground;
    let parts = row::parts_of(conn, alert.key)?;
    let Some(deciding) = parts.first().filter(|part| part.state == "active") else {
        return Ok(Vec::new());
    };
    let (severity, was_immediate) = (alert.severity, alert.is_immediate);
    take_over(&mut alert, deciding);
    if let Some(about) = about {
        move_to(&mut alert, about);
    }
    let is_worse = alert.severity > severity || (alert.is_immediate && !was_immediate);
    let by = by_rule(finding);
    let before = alert.state;
    if is_worse {
        return worsen(ground, alert, before, finding);
    }
    if alert.severity < severity && alert.state.is_live() {
        let eased = Record { what: Step::Eased, before: Some(before), by: &by, reason: None };
        return Ok(vec![record(conn, &mut alert, &eased, now)?]);
    }
    if step == Step::Joined {
        if let Some(asked) = finding.respond_within_mins
            && alert.state == State::Open
            && alert.inhibited_by.is_none()
        {
            let earlier = policy.respond_by(alert.severity, Some(asked), now);
            alert.respond_by = [alert.respond_by, earlier].into_iter().flatten().min();
            alert.timer_at = alert.respond_by;
        }
        let joined = Record { what: Step::Joined, before: Some(before), by: &by, reason: None };
        return Ok(vec![record(conn, &mut alert, &joined, now)?]);
    }
    // The same again: only the last value is new.
    row::save(conn, &alert)?;
    Ok(Vec::new())
}

fn worsen(
    ground: &Ground<'_>,
    mut alert: Alert,
    before: State,
    finding: &Finding,
) -> rusqlite::Result<Vec<Transition>> {
    let Ground { conn, policy, now } = *ground;
    alert.state = State::Open;
    alert.ended_at = None;
    alert.is_overridden = false;
    alert.owner = None;
    alert.level = 0;
    alert.repeats = 0;
    alert.respond_by = policy.respond_by(alert.severity, finding.respond_within_mins, now);
    alert.timer_at = alert.respond_by;
    alert.silence = None;
    alert.inhibited_by = None;
    let by = by_rule(finding);
    let worsened = Record { what: Step::Worsened, before: Some(before), by: &by, reason: None };
    let mut done = vec![record(conn, &mut alert, &worsened, now)?];
    done.extend(inhibit::start(ground, &alert)?);
    if let Some(covered) = silence::cover(ground, &mut alert)? {
        done.push(covered);
    } else if let Some(covered) = inhibit::cover(ground, &mut alert)? {
        done.push(covered);
    } else {
        tell::tell(conn, policy, &alert, Purpose::Worsened, now)?;
    }
    Ok(done)
}

/// The part that decides gives the alert its face.
fn take_over(alert: &mut Alert, part: &Part) {
    alert.rule.clone_from(&part.rule);
    alert.version.clone_from(&part.version);
    alert.event.clone_from(&part.event);
    alert.message.clone_from(&part.message);
    alert.seen = part.seen.clone();
    alert.severity = part.severity;
    alert.is_immediate = part.is_immediate;
    alert.peak = alert.peak.max(part.severity);
}

/// A patient may be moved to another ward while an alert is open; what an event does not say stays.
fn move_to(alert: &mut Alert, about: &About) {
    let places = [
        (&mut alert.about.unit, &about.unit),
        (&mut alert.about.encounter, &about.encounter),
        (&mut alert.about.organization, &about.organization),
        (&mut alert.about.region, &about.region),
    ];
    for (own, new) in places {
        if new.is_some() {
            own.clone_from(new);
        }
    }
    if !about.population.is_empty() {
        alert.about.population.clone_from(&about.population);
    }
    let labels = &mut alert.about.privacy;
    labels.extend(about.privacy.iter().filter(|label| !labels.contains(label)).cloned().collect::<Vec<_>>());
}

/// A rule's episode is over (`cleared`) or was never true (`retracted`).
fn close(
    ground: &Ground<'_>,
    tenant: &str,
    finding: &Finding,
    state: &str,
) -> rusqlite::Result<Vec<Transition>> {
    let conn = ground.conn;
    let Some((key, mut part)) = row::part(conn, tenant, finding)? else { return Ok(Vec::new()) };
    // What was cleared can still turn out to have never been true; what was retracted stays so.
    if part.state == state || part.state == "retracted" {
        return Ok(Vec::new());
    }
    state.clone_into(&mut part.state);
    row::put_part(conn, tenant, &finding.subject, key, &part)?;
    let alert = row::by_key(conn, key)?;
    let parts = row::parts_of(conn, key)?;
    if parts.iter().any(|part| part.state == "active") {
        return lessen(ground, &alert, finding, state);
    }
    if state == "retracted" && parts.iter().all(|part| part.state == "retracted") {
        return retract(ground, alert, finding);
    }
    if !alert.state.is_live() {
        // It had ended. One of its reasons was never true: those who were told hear of it.
        return if state == "retracted" { correct(ground, alert, finding) } else { Ok(Vec::new()) };
    }
    let what = if state == "retracted" { "what is left of it has cleared" } else { "its rules have cleared" };
    let by = by_rule(finding);
    finish(ground, alert, &by, what, state == "retracted")
}

/// Ends an alert whose parts are all over.
fn finish(
    ground: &Ground<'_>,
    mut alert: Alert,
    by: &str,
    reason: &str,
    is_correction: bool,
) -> rusqlite::Result<Vec<Transition>> {
    let Ground { conn, policy, now } = *ground;
    let before = alert.state;
    end(&mut alert, State::Resolved, now);
    let resolved = Record { what: Step::Resolved, before: Some(before), by, reason: Some(reason) };
    let mut done = vec![record(conn, &mut alert, &resolved, now)?];
    if is_correction {
        tell::take_back(conn, policy, &alert, Purpose::Corrected, now)?;
    } else {
        tell::over(conn, policy, &alert, now)?;
    }
    done.extend(inhibit::stop(ground, &alert)?);
    Ok(done)
}

/// One part of several ended.
fn lessen(
    ground: &Ground<'_>,
    alert: &Alert,
    finding: &Finding,
    state: &str,
) -> rusqlite::Result<Vec<Transition>> {
    let severity = alert.severity;
    let done = settle(ground, alert.clone(), finding, None, Step::Eased)?;
    let alert = row::by_key(ground.conn, alert.key)?;
    if state == "retracted" && alert.severity < severity {
        tell::lessened(ground.conn, ground.policy, &alert, ground.now)?;
    }
    Ok(done)
}

fn retract(ground: &Ground<'_>, mut alert: Alert, finding: &Finding) -> rusqlite::Result<Vec<Transition>> {
    let Ground { conn, policy, now } = *ground;
    let before = alert.state;
    end(&mut alert, State::Retracted, now);
    let by = by_rule(finding);
    let reason = Some("what it rested on was corrected");
    let retracted = Record { what: Step::Retracted, before: Some(before), by: &by, reason };
    let mut done = vec![record(conn, &mut alert, &retracted, now)?];
    tell::take_back(conn, policy, &alert, Purpose::Retracted, now)?;
    done.extend(inhibit::stop(ground, &alert)?);
    Ok(done)
}

fn correct(ground: &Ground<'_>, mut alert: Alert, finding: &Finding) -> rusqlite::Result<Vec<Transition>> {
    let Ground { conn, policy, now } = *ground;
    let by = by_rule(finding);
    let reason = Some("one of its reasons was corrected");
    let eased = Record { what: Step::Eased, before: Some(alert.state), by: &by, reason };
    let done = vec![record(conn, &mut alert, &eased, now)?];
    tell::take_back(conn, policy, &alert, Purpose::Corrected, now)?;
    Ok(done)
}

fn by_rule(finding: &Finding) -> String {
    format!("rule:{}", finding.rule)
}
