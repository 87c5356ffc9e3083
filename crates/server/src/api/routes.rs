//! The table of administration: finds who answers, and becomes the OpenAPI page.

use http::Method;

use super::{
    ApiAnswer, ApiAsk, alerts, audit, changes, counts, events, live, maintain, openapi, pipelines, replay,
    rules, runs, streams, tokens,
};
use crate::error::ServerError;
use crate::fhir::controls::decode;

/// One row.
pub(crate) struct Route {
    pub(crate) method: Method,
    /// A name in braces stands for one part that is left open.
    pub(crate) path: &'static str,
    /// What it is for, for the OpenAPI page.
    pub(crate) about: &'static str,
    pub(crate) params: &'static [Param],
    pub(crate) takes_body: bool,
    /// The body is events: larger, and NDJSON too.
    pub(crate) takes_events: bool,
    pub(crate) run: fn(ApiAsk) -> ApiAnswer,
}

/// A query parameter.
pub(crate) struct Param {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    /// `string` or `integer`.
    pub(crate) ty: &'static str,
}

macro_rules! table {
    ($($method:ident $path:literal, $about:literal, [$($name:ident: $ty:ident $what:literal),*], $takes:ident, $handler:path;)*) => {
        /// Everything that can be asked.
        pub(crate) static ROUTES: &[Route] = &[$(Route {
            method: Method::$method,
            path: $path,
            about: $about,
            params: &[$(Param { name: stringify!($name), about: $what, ty: stringify!($ty) }),*],
            takes_body: table!(@$takes),
            takes_events: table!(@@$takes),
            run: |ask| Box::pin($handler(ask)),
        }),*];
    };
    (@body) => { true };
    (@events) => { true };
    (@nothing) => { false };
    (@@events) => { true };
    (@@$other:ident) => { false };
}

table! {
    GET "/api/v1/alert-burden", "The burden of alarms: how many, how many were answered and overridden, how fast, per bed and day.",
        [unit: string "Only of this unit.",
         from: string "Alerts opened at or after this instant; a day before `to` unless told.",
         to: string "Alerts opened before this instant; now unless told."],
        nothing, alerts::burden;
    GET "/api/v1/alerts", "Alerts, a page at a time.",
        [state: string "`live` (not over), or some of open, acknowledged, escalated, snoozed, silenced, resolved, retracted, with commas.",
         severity: string "At least so bad: critical, high, medium, low, info.",
         patient: string "Of this patient, `Patient/ID` or `SYSTEM|VALUE`.",
         subject: string "Of this patient or population.",
         unit: string "Of this ward or unit.",
         region: string "Of this region.",
         topic: string "Of this topic.",
         rule: string "Decided by this rule.",
         about: string "`patient` or `population`.",
         since: string "Opened at or after this instant.",
         order: string "`newest` (the default) or `worst`.",
         after: string "`next` of the page before.",
         max: integer "At most so many, 100 unless told, 1000 at most."],
        nothing, alerts::list;
    GET "/api/v1/alerts/{id}", "An alert: what each rule says, every step, every message.", [], nothing, alerts::show;
    POST "/api/v1/alerts/{id}/acknowledge", "Takes the alert; `reason` is a note, `seen` the last change that was looked at.", [], body, alerts::acknowledge;
    POST "/api/v1/alerts/{id}/escalate", "Asks for more help, now.", [], body, alerts::escalate;
    GET "/api/v1/alerts/{id}/fhir", "The alert as a FHIR resource.", [type: string "`Flag` (the default) or `DetectedIssue`."], nothing, alerts::resource;
    POST "/api/v1/alerts/{id}/override", "Ends the alert as not useful; needs `reason`.", [], body, alerts::override_it;
    POST "/api/v1/alerts/{id}/resolve", "Ends the alert; needs `reason` while its condition holds.", [], body, alerts::resolve;
    POST "/api/v1/alerts/{id}/snooze", "Puts the alert off for `mins`, up to the maximum of its severity; needs `reason`.", [], body, alerts::snooze;
    GET "/api/v1/audit", "Records of the audit ledger, in order, a page at a time.",
        [patient: string "Records whose answer named this patient.",
         principal: string "Records of this principal.",
         request: string "Records of this request.",
         since: string "Records at or after this instant.",
         after: integer "Records behind this position.",
         max: integer "At most so many, 100 unless told, 1000 at most."],
        nothing, audit::audit;
    GET "/api/v1/changes", "Entries of the change log, in order, a page at a time.",
        [after: integer "Changes behind this position.",
         max: integer "At most so many, 100 unless told, 10000 at most."],
        nothing, changes::changes;
    POST "/api/v1/check", "Do versions, index and change log agree.", [], nothing, maintain::check;
    GET "/api/v1/counts", "How many resources the caller may see, per type.", [], nothing, counts::counts;
    GET "/api/v1/dead-letters", "What could not be read or processed, without content; how much of each cause.",
        [state: string "Only in this state: open, queued, replayed, waived.",
         cause: string "Only with this cause.",
         after: integer "Letters behind this one.",
         max: integer "At most so many, 100 unless told, 10000 at most."],
        nothing, streams::letters;
    GET "/api/v1/dead-letters/{id}", "What stands in one letter; recorded in the audit ledger.", [], nothing, streams::letter;
    POST "/api/v1/dead-letters/{id}/replay", "Runs a letter again, with what was held behind it.", [], nothing, streams::replay;
    POST "/api/v1/dead-letters/{id}/waive", "Says that a letter is not needed; what was held behind it goes on.", [], nothing, streams::waive;
    GET "/api/v1/events", "The last events, oldest first.",
        [kind: string "Only of this kind.",
         max: integer "At most so many, 20 unless told, 10000 at most."],
        nothing, events::tail;
    POST "/api/v1/events", "One event, an array, or one event a line; answers when all are on disk. 429 with `Retry-After` when too much waits.",
        [], events, events::publish;
    POST "/api/v1/links", "Creates a link that signs one person in, once.", [], body, tokens::link;
    GET "/api/v1/openapi.json", "This page.", [], nothing, openapi::openapi;
    GET "/api/v1/pipelines", "Pipelines of the folder, and those that ever ran: flows, schedule, last run, quality, problems of files.", [], nothing, pipelines::list;
    GET "/api/v1/pipelines/{name}/runs", "Runs of a pipeline, the newest first.",
        [status: string "Only with this status: running, completed, completed_with_errors, failed, cancelled, interrupted.",
         max: integer "At most so many, 20 unless told, 1000 at most."],
        nothing, pipelines::runs;
    POST "/api/v1/pipelines/{name}/runs", "Starts a run; answers 202 with its id while it runs.",
        [dry_run: boolean "`true`: read, check, transform and count; write nothing."],
        nothing, pipelines::start;
    POST "/api/v1/rebuild/index", "Builds the search index anew while the old one serves.", [], nothing, maintain::rebuild;
    GET "/api/v1/rules", "Rules in force, and what is wrong with newer files, which are therefore not used.", [], nothing, rules::list;
    GET "/api/v1/rules/{name}", "A rule (`PACK%2FNAME`) in a version that was used here: what it says, and the file it stood in.",
        [version: string "This version; the one in force unless told."],
        nothing, rules::show;
    POST "/api/v1/rules/replay", "History through other rules: which alerts they would have made, beside those of today.", [], body, replay::replay;
    GET "/api/v1/runs/{id}", "A run: its record, or how far it is.", [], nothing, runs::show;
    POST "/api/v1/runs/{id}/cancel", "Asks a run of this server to stop.", [], nothing, runs::cancel;
    GET "/api/v1/runs/{id}/quarantine", "Rows that the run set aside, without their content.",
        [source: string "Only of this source.",
         rule: string "Only refused by this rule.",
         state: string "Only in this state: open, replayed, waived.",
         after: integer "Rows behind this one.",
         max: integer "At most so many, 100 unless told, 10000 at most."],
        nothing, runs::quarantine;
    GET "/api/v1/runs/{id}/quarantine/content", "What stands in one row; recorded in the audit ledger.",
        [row: integer "The row, by its id."],
        nothing, runs::content;
    POST "/api/v1/runs/{id}/replay", "Runs open rows again through the pipeline as it is now; answers 202 with the new run's id.",
        [source: string "Only of this source.", rule: string "Only refused by this rule."],
        nothing, runs::replay;
    GET "/api/v1/runs/{id}/report", "The quality report of the run.",
        [format: string "`html` (the default) or `json`."],
        nothing, runs::report;
    POST "/api/v1/runs/{id}/waive", "Says that open rows are not needed.",
        [source: string "Only of this source.", rule: string "Only refused by this rule."],
        nothing, runs::waive;
    GET "/api/v1/silences", "Silences that have not ended.", [], nothing, alerts::silences;
    POST "/api/v1/silences", "Makes a silence: `subject`, `topic`, `rule`, `unit` (at least one), `mins`, `reason`. Never covers critical or high.", [], body, alerts::silence;
    DELETE "/api/v1/silences/{id}", "Ends a silence before its time.", [], nothing, alerts::lift;
    GET "/api/v1/stream", "Alerts and readings as they happen, as server-sent events; goes on behind `Last-Event-ID`.",
        [after: string "Go on behind this event; `Last-Event-ID` is stronger.",
         page: string "Pieces of a page instead of JSON: ward, alerts, alert, vitals.",
         unit: string "Of the page: only this ward.",
         state: string "Of the page of alerts: only this state.",
         severity: string "Of the page of alerts: only this severity.",
         id: string "Of the page of an alert: its id.",
         patient: string "Of the page of vitals: the patient's id.",
         hours: integer "Of the page of vitals: hours that are shown."],
        nothing, live::stream;
    GET "/api/v1/streams", "How the streams are: ready, lag, times.", [], nothing, streams::health;
    GET "/api/v1/streams/groups", "How far each group is in each partition.", [], nothing, streams::groups;
    GET "/api/v1/tokens", "All tokens, also those that have ended; no secrets.", [], nothing, tokens::list;
    POST "/api/v1/tokens", "Creates a token; its secret is shown this once.", [], body, tokens::create;
    DELETE "/api/v1/tokens/{id}", "Ends a token now.", [], nothing, tokens::revoke;
    GET "/metrics", "Counters in the Prometheus text form; needs the scope `metrics`.", [], nothing, counts::metrics;
}

/// Who answers, and the part of the path that the table leaves open.
pub(crate) fn find(method: &Method, path: &str) -> Result<(&'static Route, String), ServerError> {
    let wanted = if *method == Method::HEAD { &Method::GET } else { method };
    let mut allowed: Vec<&str> = Vec::new();
    for route in ROUTES {
        let Some(id) = open_part(route.path, path) else { continue };
        if route.method == *wanted {
            return Ok((route, id));
        }
        allowed.push(route.method.as_str());
    }
    if allowed.is_empty() {
        return Err(ServerError::UnknownPath(path.trim_start_matches('/').to_string()));
    }
    Err(ServerError::MethodNotAllowed { method: method.to_string(), allowed: allowed.join(", ") })
}

fn open_part(row: &str, path: &str) -> Option<String> {
    let (mut wanted, mut given) = (row.split('/'), path.split('/'));
    let mut open = String::new();
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return Some(open),
            (Some(name), Some(part)) if name.starts_with('{') && !part.is_empty() => open = decode(part),
            (Some(word), Some(part)) if word == part => {}
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(method: &Method, path: &str, expected: &str) {
        let answer = match find(method, path) {
            Ok((route, id)) => format!("{} {id}", route.path),
            Err(ServerError::MethodNotAllowed { allowed, .. }) => format!("allowed: {allowed}"),
            Err(_) => "unknown".to_string(),
        };
        assert_eq!(answer, expected, "{method} {path}");
    }

    #[test]
    fn requests_find_their_row() {
        check(&Method::GET, "/api/v1/tokens", "/api/v1/tokens ");
        check(&Method::HEAD, "/metrics", "/metrics ");
        check(&Method::DELETE, "/api/v1/tokens/a%20b", "/api/v1/tokens/{id} a b");
        check(&Method::GET, "/api/v1/runs/0192/quarantine", "/api/v1/runs/{id}/quarantine 0192");
        check(&Method::POST, "/api/v1/pipelines/a-b/runs", "/api/v1/pipelines/{name}/runs a-b");
        check(&Method::GET, "/api/v1/runs/0192/nothing", "unknown");
        check(&Method::PUT, "/api/v1/tokens", "allowed: GET, POST");
        check(&Method::GET, "/api/v1/tokens/", "unknown");
        check(&Method::GET, "/api/v1", "unknown");
    }
}
