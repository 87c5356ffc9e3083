//! Questions about alerts: pages of a list, one alert with its trail, the sequence of changes. Who may ask is the [`super::Desk`]'s matter.

use fhir::Instant;
use rules::Severity;
use rusqlite::types::Value;
use rusqlite::{Connection, Row, params, params_from_iter};

use super::model::{Alert, Part, State, Step, Transition};
use super::row::{self, COLUMNS, alert_of, number_of, severity_of, state_of};

/// Alerts or changes of one answer.
const ROWS_MAX: usize = 1_000;

/// In which order a list comes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// The last opened first.
    #[default]
    Newest,
    /// The worst first, of those the one that waits longest.
    Worst,
}

/// Which alerts. What is not said matches everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// In one of these states.
    pub states: Vec<State>,
    /// Only those that are not over.
    pub live: bool,
    /// At least so bad.
    pub at_least: Option<Severity>,
    /// Of this patient or population.
    pub subject: Option<String>,
    /// Of this unit.
    pub unit: Option<String>,
    /// Of this region.
    pub region: Option<String>,
    /// Of this topic.
    pub topic: Option<String>,
    /// Decided by this rule.
    pub rule: Option<String>,
    /// About populations (`true`) or patients (`false`).
    pub population: Option<bool>,
    /// Opened at or after.
    pub since: Option<Instant>,
    /// In which order.
    pub order: Order,
    /// [`Page::next`] of the page before.
    pub after: Option<String>,
    /// At most so many; 0 means 100.
    pub max: usize,
}

/// A page of a list.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// The alerts.
    pub alerts: Vec<Alert>,
    /// To ask for the next page with; `None` when this is the last.
    pub next: Option<String>,
}

#[derive(Default)]
struct Where {
    text: String,
    values: Vec<Value>,
}

impl Where {
    fn and(&mut self, text: &str, values: impl IntoIterator<Item = Value>) {
        self.text.push_str(" AND ");
        self.text.push_str(text);
        self.values.extend(values);
    }

    fn is(&mut self, column: &str, value: Option<&String>) {
        if let Some(value) = value {
            self.and(&format!("{column} = ?"), [Value::Text(value.clone())]);
        }
    }
}

/// A page of alerts. A cursor that is not one of ours gives the first page.
///
/// # Errors
/// The database fails.
pub fn list(conn: &Connection, tenant: &str, query: &Query) -> rusqlite::Result<Page> {
    let max = if query.max == 0 { 100 } else { query.max.min(ROWS_MAX) };
    let mut wanted = Where::default();
    wanted.and("tenant = ?", [Value::Text(tenant.to_owned())]);
    filter(&mut wanted, query);
    let order = match query.order {
        Order::Newest => "key DESC",
        Order::Worst => "severity DESC, key",
    };
    if let Some((severity, key)) = query.after.as_deref().and_then(parse_cursor) {
        match query.order {
            Order::Newest => wanted.and("key < ?", [Value::Integer(key)]),
            Order::Worst => wanted.and(
                "(severity < ? OR (severity = ? AND key > ?))",
                [severity, severity, key].map(Value::Integer),
            ),
        }
    }
    // One more than asked for tells whether there is a next page.
    wanted.values.push(Value::Integer(max as i64 + 1));
    let sql = format!("SELECT {COLUMNS} FROM alert WHERE 1{} ORDER BY {order} LIMIT ?", wanted.text);
    let mut statement = conn.prepare_cached(&sql)?;
    let rows = statement.query_map(params_from_iter(wanted.values), alert_of)?;
    let mut alerts = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    let has_more = alerts.len() > max;
    alerts.truncate(max);
    let last = alerts.last().filter(|_| has_more);
    let next = last.map(|last| format!("{}.{}", number_of(last.severity), last.key));
    Ok(Page { alerts, next })
}

fn filter(wanted: &mut Where, query: &Query) {
    if query.live {
        wanted.and("ended_at IS NULL", []);
    }
    if !query.states.is_empty() {
        let marks = vec!["?"; query.states.len()].join(", ");
        let states = query.states.iter().map(|state| Value::Text(state.name().to_owned()));
        wanted.and(&format!("state IN ({marks})"), states);
    }
    if let Some(severity) = query.at_least {
        wanted.and("severity >= ?", [Value::Integer(number_of(severity))]);
    }
    wanted.is("subject", query.subject.as_ref());
    wanted.is("unit", query.unit.as_ref());
    wanted.is("region", query.region.as_ref());
    wanted.is("topic", query.topic.as_ref());
    wanted.is("rule", query.rule.as_ref());
    match query.population {
        Some(true) => wanted.and("subject LIKE 'population:%'", []),
        Some(false) => wanted.and("subject NOT LIKE 'population:%'", []),
        None => {}
    }
    if let Some(since) = query.since {
        wanted.and("raised_at >= ?", [Value::Integer(since.0)]);
    }
}

fn parse_cursor(text: &str) -> Option<(i64, i64)> {
    let (severity, key) = text.split_once('.')?;
    Some((severity.parse().ok()?, key.parse().ok()?))
}

/// One alert.
///
/// # Errors
/// The database fails.
pub fn get(conn: &Connection, tenant: &str, id: &str) -> rusqlite::Result<Option<Alert>> {
    row::by_id(conn, tenant, id)
}

/// What each rule says within an alert, the deciding one first.
///
/// # Errors
/// The database fails.
pub fn parts(conn: &Connection, alert: &Alert) -> rusqlite::Result<Vec<Part>> {
    row::parts_of(conn, alert.key)
}

const CHANGE: &str = "change.seq, change.what, change.before, change.after, change.severity, change.at, change.by, change.reason";

fn transition_of(row: &Row<'_>, alert: String) -> rusqlite::Result<Transition> {
    let (what, before, after): (String, Option<String>, String) = (row.get(1)?, row.get(2)?, row.get(3)?);
    Ok(Transition {
        seq: row.get(0)?,
        alert,
        what: Step::named(&what).unwrap_or(Step::Joined),
        before: before.as_deref().map(state_of),
        after: state_of(&after),
        severity: severity_of(row.get(4)?),
        at: Instant(row.get(5)?),
        by: row.get(6)?,
        reason: row.get(7)?,
    })
}

/// The trail of one alert, from its opening.
///
/// # Errors
/// The database fails.
pub fn history(conn: &Connection, alert: &Alert) -> rusqlite::Result<Vec<Transition>> {
    let sql =
        format!("SELECT {CHANGE} FROM alert_change AS change WHERE alert = ?1 ORDER BY seq LIMIT 10000");
    conn.prepare_cached(&sql)?.query_map([alert.key], |row| transition_of(row, alert.id.clone()))?.collect()
}

/// How many rules speak within each of these alerts.
///
/// # Errors
/// The database fails.
pub(super) fn n_parts(conn: &Connection, alerts: &[Alert]) -> rusqlite::Result<Vec<u64>> {
    let mut statement =
        conn.prepare_cached("SELECT count(DISTINCT rule) FROM alert_part WHERE alert = ?1")?;
    alerts.iter().map(|alert| statement.query_row(params![alert.key], |row| row.get(0))).collect()
}

/// Changes behind a place in the sequence, each with its alert as it is now. The sequence never goes back and has no change added before its end.
///
/// # Errors
/// The database fails.
pub fn changes(
    conn: &Connection,
    tenant: &str,
    after: i64,
    max: usize,
) -> rusqlite::Result<Vec<(Transition, Alert)>> {
    let sql = format!(
        "SELECT {CHANGE}, change.alert FROM alert_change AS change WHERE change.seq > ?2 AND change.tenant = ?1 ORDER BY change.seq LIMIT ?3"
    );
    let mut statement = conn.prepare_cached(&sql)?;
    let rows = statement.query_map(params![tenant, after, max.min(ROWS_MAX) as i64], |row| {
        Ok((transition_of(row, String::new())?, row.get::<_, i64>(8)?))
    })?;
    let mut found = Vec::new();
    for row in rows {
        let (mut transition, key) = row?;
        let alert = row::by_key(conn, key)?;
        transition.alert.clone_from(&alert.id);
        found.push((transition, alert));
    }
    Ok(found)
}

/// The end of the sequence of changes; 0 when there is none.
///
/// # Errors
/// The database fails.
pub fn last_seq(conn: &Connection) -> rusqlite::Result<i64> {
    conn.prepare_cached("SELECT coalesce(max(seq), 0) FROM alert_change")?.query_row([], |row| row.get(0))
}

/// What a rule could not judge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unjudged {
    /// The rule.
    pub rule: String,
    /// Its version.
    pub version: String,
    /// Why.
    pub reason: String,
    /// Since when, for this reason.
    pub since: Instant,
}

/// What the rules could not judge of a subject when they looked last, and why.
///
/// # Errors
/// The database fails.
pub fn unjudged(conn: &Connection, tenant: &str, subject: &str) -> rusqlite::Result<Vec<Unjudged>> {
    conn.prepare_cached(
        "SELECT rule, version, reason, since FROM unjudged WHERE tenant = ?1 AND subject = ?2 ORDER BY rule",
    )?
    .query_map(params![tenant, subject], |row| {
        Ok(Unjudged {
            rule: row.get(0)?,
            version: row.get(1)?,
            reason: row.get(2)?,
            since: Instant(row.get(3)?),
        })
    })?
    .collect()
}
