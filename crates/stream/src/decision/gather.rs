//! What a decision needs: prefetched resources, or else what the store has, read for the caller.

use fhir::{Kind, Resource};
use gate::{Access, GateError};

use super::request::Asked;
use super::service::Service;
use super::{DecisionError, Known};
use crate::Platform;
use crate::process::facts::Facts;

/// Resources of one template.
const RESOURCES_MAX: u32 = 500;

/// Everything that the service's templates name.
pub(super) async fn gather(
    platform: &Platform,
    access: &Access,
    service: &Service,
    asked: &Asked,
) -> Result<Known, DecisionError> {
    let mut facts = Facts::default();
    let mut observations = Vec::new();
    for (key, template) in service.prefetch {
        let resources = match asked.prefetched(key) {
            Some(resources) => resources.to_vec(),
            None => fetch(platform, access, key, template, asked).await?,
        };
        for resource in resources {
            check_patient(&resource, key, asked)?;
            match resource.kind().name() {
                "Observation" if Facts::is_of_pregnancy(resource.value()) => {
                    facts.add_pregnancy(resource.value());
                }
                "Observation" => observations.push(resource),
                kind => facts.add(kind, resource.id().unwrap_or_default(), resource.value()),
            }
        }
    }
    observations.reverse();
    Ok(Known { subject: facts.subject(), observations })
}

/// The data of one patient is never judged with that of another.
fn check_patient(resource: &Resource, key: &str, asked: &Asked) -> Result<(), DecisionError> {
    let value = resource.value();
    let about = match resource.kind().name() {
        "Patient" => resource.id().map(|id| format!("Patient/{id}")),
        _ => ["subject", "patient"]
            .iter()
            .find_map(|name| value.get(name)?.text("reference").map(str::to_owned)),
    };
    let wanted = format!("Patient/{}", asked.patient);
    if about.as_deref().is_none_or(|about| about == wanted || about.ends_with(&format!("/{wanted}"))) {
        return Ok(());
    }
    Err(DecisionError::Invalid(format!(
        "`prefetch.{key}` holds a resource of another patient than `context.patientId`"
    )))
}

async fn fetch(
    platform: &Platform,
    access: &Access,
    key: &str,
    template: &str,
    asked: &Asked,
) -> Result<Vec<Resource>, DecisionError> {
    let missing = |why: &str| {
        DecisionError::Precondition(format!(
            "`prefetch.{key}` is missing, and this server {why}: prefetch `{template}`"
        ))
    };
    let request = template.replace("{{context.patientId}}", &asked.patient);
    let found = match request.split_once('?') {
        None => read(platform, access, &request).await.map(|one| vec![one]),
        Some((kind, query)) => search(platform, access, kind, query).await,
    };
    match found {
        Ok(resources) => Ok(resources),
        Err(DecisionError::Gate(GateError::NotFound { .. } | GateError::Gone { .. })) => {
            Err(missing("has no such resource"))
        }
        Err(DecisionError::Gate(GateError::Forbidden(_))) => Err(missing("may not read it for you")),
        Err(error) => Err(error),
    }
}

async fn read(platform: &Platform, access: &Access, request: &str) -> Result<Resource, DecisionError> {
    let (kind, id) = request.split_once('/').unwrap_or((request, ""));
    let stored = platform.gate().read(access, Kind::named(kind), id).await?;
    Ok(stored.body.resource().map_err(GateError::Store)?)
}

async fn search(
    platform: &Platform,
    access: &Access,
    kind: &str,
    query: &str,
) -> Result<Vec<Resource>, DecisionError> {
    let options = search::Options::new(true, Vec::new(), platform.now());
    let parsed = search::parse(Some(Kind::named(kind)), query, &options).map_err(|issues| {
        DecisionError::Invalid(issues.first().map_or_else(String::new, |issue| issue.diagnostics.clone()))
    })?;
    let count = parsed.query.count.unwrap_or(RESOURCES_MAX).min(RESOURCES_MAX);
    let page = platform.gate().search(access, &parsed.query, count).await?;
    page.matches.iter().map(|stored| Ok(stored.body.resource().map_err(GateError::Store)?)).collect()
}
