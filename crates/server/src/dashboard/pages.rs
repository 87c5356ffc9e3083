//! The table of pages.

use http::Method;

use super::{
    PageAnswer, PageAsk, audit, find, overview, patient, patients, pipelines, purpose, quarantine, resource,
    search, settings, streams,
};
use crate::error::ServerError;
use crate::fhir::controls::decode;

/// One row.
pub(crate) struct Page {
    pub(crate) method: Method,
    /// `{}` stands for one part that is left open.
    pub(crate) path: &'static str,
    pub(crate) run: fn(PageAsk) -> PageAnswer,
}

macro_rules! table {
    ($($method:ident $path:literal, $handler:path;)*) => {
        static PAGES: &[Page] = &[$(Page {
            method: Method::$method,
            path: $path,
            run: |ask| Box::pin($handler(ask)),
        }),*];
    };
}

table! {
    GET "/", overview::overview;
    GET "/patients", patients::list;
    POST "/patients", patients::filter;
    GET "/patients/{}", patient::show;
    GET "/patients/{}/vitals", streams::vitals;
    GET "/ward", streams::ward;
    GET "/alerts", streams::list;
    POST "/alerts/act", streams::act;
    POST "/alerts/silences", streams::silence;
    GET "/alerts/{}", streams::show;
    GET "/surveillance", streams::surveillance;
    GET "/streams", streams::operations;
    GET "/streams/events/{}", streams::event;
    GET "/streams/dead-letters", streams::dead_letters;
    POST "/streams/dead-letters/replay", streams::replay_letters;
    POST "/streams/dead-letters/{}/open", streams::open_letter;
    GET "/rules", streams::rules;
    GET "/rules/{}", streams::rule;
    GET "/search", search::show;
    POST "/search", search::ask;
    GET "/resources/{}/{}", resource::show;
    GET "/pipelines", pipelines::list;
    POST "/pipelines/{}/run", pipelines::start;
    GET "/pipelines/{}/quality", pipelines::quality;
    GET "/runs", pipelines::runs;
    GET "/runs/{}", pipelines::run;
    POST "/runs/{}/cancel", pipelines::cancel;
    POST "/runs/{}/replay", quarantine::replay;
    POST "/runs/{}/waive", quarantine::waive;
    GET "/quarantine", quarantine::list;
    POST "/quarantine/{}/open", quarantine::open;
    GET "/audit", audit::list;
    POST "/audit", audit::filter;
    GET "/settings", settings::show;
    POST "/settings/links", settings::invite;
    POST "/settings/tokens", settings::create;
    POST "/settings/tokens/{}/revoke", settings::revoke;
    POST "/find", find::find;
    POST "/purpose", purpose::choose;
}

/// Who answers, and the parts of the path that the table leaves open.
pub(crate) fn find(method: &Method, path: &str) -> Result<(&'static Page, Vec<String>), ServerError> {
    let wanted = if *method == Method::HEAD { &Method::GET } else { method };
    let mut allowed: Vec<&str> = Vec::new();
    for page in PAGES {
        let Some(parts) = open_parts(page.path, path) else { continue };
        if page.method == *wanted {
            return Ok((page, parts));
        }
        allowed.push(page.method.as_str());
    }
    if allowed.is_empty() {
        return Err(ServerError::UnknownPath(path.trim_start_matches('/').to_string()));
    }
    Err(ServerError::MethodNotAllowed { method: method.to_string(), allowed: allowed.join(", ") })
}

fn open_parts(row: &str, path: &str) -> Option<Vec<String>> {
    let (mut wanted, mut given) = (row.split('/'), path.split('/'));
    let mut open = Vec::new();
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return Some(open),
            (Some("{}"), Some(part)) if !part.is_empty() => open.push(decode(part)),
            (Some(word), Some(part)) if word == part => {}
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_parts_are_found() {
        assert_eq!(open_parts("/", "/"), Some(vec![]));
        assert_eq!(
            open_parts("/resources/{}/{}", "/resources/Patient/a%20b"),
            Some(vec!["Patient".into(), "a b".into()])
        );
        for path in ["/resources/Patient", "/resources//1", "/resources/Patient/1/2", "/x/Patient/1"] {
            assert_eq!(open_parts("/resources/{}/{}", path), None, "{path}");
        }
        assert!(find(&Method::HEAD, "/").is_ok());
        assert!(matches!(find(&Method::PUT, "/"), Err(ServerError::MethodNotAllowed { .. })));
    }
}
