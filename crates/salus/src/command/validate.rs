//! `salus validate`: checks files against FHIR R4 and stores nothing.

use std::sync::Arc;

use fhir::{Issue, Resource, Severity};
use serde::Serialize;

use crate::cli::ValidateArgs;
use crate::exit::{Exit, usage};
use crate::output::{say, say_json};
use crate::source::parse::{ParseOptions, parse_piece};
use crate::source::read::read_input;
use crate::source::walk::walk;
use crate::source::{Change, Place, Reject, SourceLimits};

#[derive(Debug, Default, Serialize)]
struct Findings {
    resources: u64,
    errors: u64,
    warnings: u64,
    issues: Vec<Finding>,
}

#[derive(Debug, Serialize)]
struct Finding {
    place: String,
    #[serde(rename = "type")]
    kind: Option<&'static str>,
    severity: &'static str,
    code: &'static str,
    expression: Option<String>,
    text: String,
}

pub(crate) fn run(args: &ValidateArgs) -> anyhow::Result<Exit> {
    if let Some(profile) = &args.profile {
        return Err(usage(format!(
            "validation against a profile such as `{profile}` is not supported yet: leave `--profile` out to check against the base of R4"
        )));
    }
    let limits = SourceLimits::default();
    let found = walk(&args.files, &limits)?;
    let mut findings = Findings::default();
    for input in &found.inputs {
        read_input(input, &limits, &Arc::default(), &mut |raw| {
            // A bundle is checked as it is: its entries are part of it.
            let parsed = parse_piece(raw, ParseOptions { keep_bundles: true });
            parsed.rejects.into_iter().for_each(|reject| findings.reject(reject));
            for item in parsed.units.into_iter().flat_map(|unit| unit.items) {
                if let Change::Put { resource, .. }
                | Change::Create { resource, .. }
                | Change::PutWhere { resource, .. } = &item.change
                {
                    findings.check(resource, &item.place);
                }
            }
            true
        });
    }
    if args.json {
        say_json(&findings)?;
    } else {
        print(&findings)?;
    }
    Ok(if findings.errors > 0 { Exit::NotInOrder } else { Exit::Done })
}

fn print(findings: &Findings) -> anyhow::Result<()> {
    for finding in &findings.issues {
        let expression = finding.expression.as_ref().map(|e| format!("{e}: ")).unwrap_or_default();
        say(format!("{} {}: {expression}{}", finding.severity, finding.place, finding.text))?;
    }
    say(format!(
        "{} resources, {} errors, {} warnings",
        findings.resources, findings.errors, findings.warnings
    ))
}

impl Findings {
    fn reject(&mut self, reject: Reject) {
        self.resources += 1;
        self.errors += 1;
        self.issues.push(Finding {
            place: reject.place.to_string(),
            kind: reject.kind.map(fhir::Kind::name),
            severity: "error",
            code: "unreadable",
            expression: None,
            text: reject.reason,
        });
    }

    fn check(&mut self, resource: &Resource, place: &Place) {
        self.resources += 1;
        for issue in validate::check(resource, validate::Level::Full) {
            self.add(issue, resource, place);
        }
    }

    fn add(&mut self, issue: Issue, resource: &Resource, place: &Place) {
        let severity = match issue.severity {
            Severity::Fatal | Severity::Error => {
                self.errors += 1;
                "error"
            }
            Severity::Warning => {
                self.warnings += 1;
                "warning"
            }
            Severity::Information => "information",
        };
        self.issues.push(Finding {
            place: place.to_string(),
            kind: Some(resource.kind().name()),
            severity,
            code: issue.slug,
            expression: issue.expression,
            text: issue.diagnostics,
        });
    }
}
