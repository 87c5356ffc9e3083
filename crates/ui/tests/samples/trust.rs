//! Sample pages about trust: signing in, errors, settings, audit.

use ui::parts::chip::Tone;
use ui::parts::empty::Notice;
use ui::parts::pager::Paging;
use ui::settings::{Fresh, Token, Tokens};
use ui::{audit, error, settings, sign_in};

use super::{Sample, at, frame};

pub(super) fn all() -> Vec<Sample> {
    let full = settings_view();
    let mut closed = full.clone();
    closed.tokens = None;
    closed.notice = Some(Notice {
        tone: Tone::Good,
        title: "Your purpose of use is now care management".into(),
        text: String::new(),
    });
    let mut invited = full.clone();
    if let Some(tokens) = &mut invited.tokens {
        let address = "http://127.0.0.1:8080/auth/link?token=s3cret".into();
        (tokens.list, tokens.fresh) = (Vec::new(), Some(Fresh::Link { name: "Bo Lind".into(), address }));
    }
    let ledger = audit_view();
    let mut nothing = ledger.clone();
    nothing.rows.clear();
    nothing.filter.patient = "nobody".into();
    let link = sign_in::View { link: Some("s3cret".into()), why: None };
    let needed = sign_in::View { link: None, why: Some("The session has ended: sign in again.".into()) };
    vec![
        ("settings", settings::page(&full)),
        ("settings-invited", settings::page(&invited)),
        ("settings-closed", settings::page(&closed)),
        ("audit", audit::page(&ledger)),
        ("audit-nothing", audit::page(&nothing)),
        ("sign-in", sign_in::page(&link)),
        ("sign-in-needed", sign_in::page(&needed)),
        ("error-401", error::page(&error(401, "Sign in needed", false))),
        ("error-403", error::page(&error(403, "Not open to your role", true))),
        ("error-404", error::page(&error(404, "There is no such resource", true))),
        ("error-500", error::page(&error(500, "Something broke inside", true))),
    ]
}

fn error(status: u16, title: &str, is_framed: bool) -> error::View {
    error::View {
        frame: is_framed.then(frame),
        status,
        title: title.into(),
        happened: "`Patient/<b>42</b>` is unknown, or not open to you.".into(),
        kept: "Nothing was changed by this request.".into(),
        next: "Check the id, or look for the patient by name.".into(),
        action: Some(("/patients".into(), "To the patients".into())),
        request: Some("0192f3a1-77c2-7f00-9a1c-2b7f3a4d9c10".into()),
    }
}

fn settings_view() -> settings::View {
    let token = |name: &str, role: &str, scopes: &str, expires: &str, revoked: Option<&str>| Token {
        id: format!("0192f3a1-0000-4000-8000-{:012}", name.len()),
        name: name.into(),
        roles: role.into(),
        scopes: scopes.into(),
        patient: scopes.starts_with("patient/").then(|| "synth-0100".into()),
        created: at("2026-11-01T08:00:00Z"),
        expires: Some(at(expires)),
        revoked: revoked.map(at),
    };
    settings::View {
        frame: frame(),
        principal: "session:0192f3a1-77c2-7f00-9a1c-2b7f3a4d9c10".into(),
        scopes: "user/*.cruds".into(),
        expires: Some(at("2026-11-26T01:00:00Z")),
        notice: None,
        tokens: Some(Tokens {
            list: vec![
                token(
                    "lab interface",
                    "service",
                    "system/Observation.cu system/Patient.rs",
                    "2027-10-01T00:00:00Z",
                    None,
                ),
                token("portal of one patient", "clinician", "patient/*.rs", "2026-11-26T00:00:00Z", None),
                token("old load", "engineer", "user/*.crus metrics", "2026-11-20T00:00:00Z", None),
                token(
                    "lost laptop",
                    "analyst",
                    "user/*.rs",
                    "2027-01-01T00:00:00Z",
                    Some("2026-11-12T09:00:00Z"),
                ),
            ],
            roles: ["service", "clinician", "analyst", "engineer"].map(String::from).to_vec(),
            fresh: Some(Fresh::Token {
                name: "lab interface".into(),
                secret: "salus_9f2mX0exampleexampleexample".into(),
            }),
        }),
    }
}

fn audit_view() -> audit::View {
    let row = |seq: u64,
               who: &str,
               purpose: &str,
               action: &str,
               kind: Option<&str>,
               count,
               outcome: &str,
               detail: Option<&str>| audit::Row {
        seq,
        at: at(&format!("2026-11-25T13:{:02}:09Z", seq % 60)),
        who: who.into(),
        on_behalf_of: (seq == 12).then(|| "Dr. Ada Lopez".into()),
        purpose: purpose.into(),
        action: action.into(),
        kind: kind.map(String::from),
        detail: detail.map(String::from),
        count,
        outcome: outcome.into(),
    };
    let session = "session:0192f3a1-77c2-7f00-9a1c-2b7f3a4d9c10";
    audit::View {
        frame: frame(),
        filter: audit::Filter::default(),
        rows: vec![
            row(17, session, "TREAT", "search", Some("Observation"), 61, "done", Some("code value-quantity")),
            row(15, session, "TREAT", "read", Some("Patient"), 1, "done", None),
            row(12, "token:portal", "PATRQT", "read", Some("Patient"), 0, "not-found", None),
            row(
                11,
                "token:billing",
                "HPAYMT",
                "search",
                Some("Condition"),
                0,
                "denied",
                Some("no scope of the token allows this: `user/Condition.s` would"),
            ),
            row(7, "local:ada", "HSYSADMIN", "token-create", None, 0, "done", Some("token:17 clinician")),
            row(3, "session:unknown", "", "login", None, 0, "failed", None),
        ],
        paging: Paging { shown: 6, total: None, first: None, next: Some("/audit?before=3".into()) },
    }
}
