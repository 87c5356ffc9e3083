//! Addresses of pages, in one place: what links to a page and what serves it cannot drift apart.

use fhir::uri::encode;

/// The overview.
pub const OVERVIEW: &str = "/";
/// The list of patients; a `POST` filters it.
pub const PATIENTS: &str = "/patients";
/// Search over all types; a `POST` searches.
pub const SEARCH: &str = "/search";
/// Pipelines.
pub const PIPELINES: &str = "/pipelines";
/// Runs of pipelines.
pub const RUNS: &str = "/runs";
/// Rows that pipelines set aside.
pub const QUARANTINE: &str = "/quarantine";
/// The ward board.
pub const WARD: &str = "/ward";
/// The queue of alerts.
pub const ALERTS: &str = "/alerts";
/// Where alerts are acknowledged, escalated, snoozed and resolved.
pub const ALERT_ACTS: &str = "/alerts/act";
/// Where a rule is silenced for a patient.
pub const SILENCES: &str = "/alerts/silences";
/// Counts of populations.
pub const SURVEILLANCE: &str = "/surveillance";
/// Operation of the streams.
pub const STREAMS: &str = "/streams";
/// What could not be processed.
pub const DEAD_LETTERS: &str = "/streams/dead-letters";
/// Where dead letters are sent again.
pub const DEAD_REPLAY: &str = "/streams/dead-letters/replay";
/// Rules.
pub const RULES: &str = "/rules";
/// The audit ledger.
pub const AUDIT: &str = "/audit";
/// Settings and tokens.
pub const SETTINGS: &str = "/settings";
/// Where the search field of the bar is sent.
pub const FIND: &str = "/find";
/// Where another purpose of use is chosen.
pub const PURPOSE: &str = "/purpose";
/// Where tokens are created.
pub const TOKENS: &str = "/settings/tokens";
/// Where sign-in links for people are created.
pub const LINKS: &str = "/settings/links";
/// Where a set-up link leads; a `POST` uses it up.
pub const SIGN_IN: &str = "/auth/link";
/// Where signing out is sent.
pub const SIGN_OUT: &str = "/auth/sign-out";

/// Page of a patient.
pub fn patient(id: &str) -> String {
    format!("{PATIENTS}/{}", encode(id))
}

/// The vitals of a patient.
pub fn vitals(id: &str) -> String {
    format!("{PATIENTS}/{}/vitals", encode(id))
}

/// The same over some hours.
pub fn vitals_of(id: &str, hours: u32) -> String {
    format!("{}?hours={hours}", vitals(id))
}

/// The board of one ward.
pub fn ward_of(unit: &str) -> String {
    with_query(WARD, &[("unit", unit)])
}

/// Page of an alert.
pub fn alert(id: &str) -> String {
    format!("{ALERTS}/{}", encode(id))
}

/// Page of a rule.
pub fn rule(name: &str) -> String {
    format!("{RULES}/{}", encode(name))
}

/// The same in a version that was used.
pub fn rule_version(name: &str, version: &str) -> String {
    with_query(&rule(name), &[("version", version)])
}

/// A raw event, by its place in the log.
pub fn event(position: &str) -> String {
    format!("{STREAMS}/events/{}", encode(position))
}

/// Where the content of a dead letter is opened.
pub fn open_letter(id: u64) -> String {
    format!("{DEAD_LETTERS}/{id}/open")
}

/// Page of a resource.
pub fn resource(kind: &str, id: &str) -> String {
    format!("/resources/{}/{}", encode(kind), encode(id))
}

/// Search page with a type chosen.
pub fn search_of(kind: &str) -> String {
    format!("{SEARCH}?type={}", encode(kind))
}

/// Where a run of a pipeline is started.
pub fn start(pipeline: &str) -> String {
    format!("{PIPELINES}/{}/run", encode(pipeline))
}

/// The quality of a pipeline over time.
pub fn quality(pipeline: &str) -> String {
    format!("{PIPELINES}/{}/quality", encode(pipeline))
}

/// Runs with a filter; empty parts filter nothing.
pub fn runs_of(pipeline: &str, status: &str) -> String {
    with_query(RUNS, &[("pipeline", pipeline), ("status", status)])
}

/// Page of a run.
pub fn run(run: &str) -> String {
    format!("{RUNS}/{}", encode(run))
}

/// Where a run is stopped.
pub fn cancel(run: &str) -> String {
    format!("{RUNS}/{}/cancel", encode(run))
}

/// The quality report of a run, as a document of its own.
pub fn report(run: &str) -> String {
    format!("/api/v1/runs/{}/report", encode(run))
}

/// Where rows are run again.
pub fn replay(run: &str) -> String {
    format!("{RUNS}/{}/replay", encode(run))
}

/// Where rows are waived.
pub fn waive(run: &str) -> String {
    format!("{RUNS}/{}/waive", encode(run))
}

/// Where the content of a row is opened.
pub fn open_row(row: u64) -> String {
    format!("{QUARANTINE}/{row}/open")
}

/// An address with the pairs that say something.
pub(crate) fn with_query(path: &str, pairs: &[(&str, &str)]) -> String {
    let said = pairs.iter().filter(|(_, value)| !value.is_empty());
    let parts: Vec<String> = said.map(|(name, value)| format!("{name}={}", encode(value))).collect();
    if parts.is_empty() { path.to_string() } else { format!("{path}?{}", parts.join("&")) }
}

/// Where a token is revoked.
pub fn revoke(token: &str) -> String {
    format!("{TOKENS}/{}/revoke", encode(token))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_plain_is_encoded() {
        assert_eq!(resource("Patient", "a-1.b"), "/resources/Patient/a-1.b");
        assert_eq!(patient("a b"), "/patients/a%20b");
        assert_eq!(runs_of("a b", ""), "/runs?pipeline=a%20b");
        assert_eq!(runs_of("", ""), "/runs");
    }
}
