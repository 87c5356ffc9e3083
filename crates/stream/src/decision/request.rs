//! What a client asks: read, and refused with its place when it is not as the specification says. Pure.

use fhir::{Resource, Value};

use super::DecisionError;
use super::service::{Hook, Service};

/// Draft orders of one request.
const ORDERS_MAX: usize = 200;

/// Resources by key: `None` is `null`, which says that there are none.
type Prefetched = Vec<(String, Option<Vec<Resource>>)>;

/// A request that is understood.
pub(crate) struct Asked {
    pub(crate) instance: String,
    pub(crate) user: String,
    pub(crate) patient: String,
    pub(crate) encounter: Option<String>,
    /// Orders that it is about.
    pub(crate) orders: Vec<Resource>,
    /// What was prefetched.
    pub(crate) prefetch: Prefetched,
}

fn wrong(place: &str, why: &str) -> DecisionError {
    DecisionError::Invalid(format!("`{place}` {why}"))
}

impl Asked {
    /// Reads the body of a request to a service.
    pub(crate) fn parse(body: &Value, service: &Service) -> Result<Asked, DecisionError> {
        let text = |name: &str| body.text(name).ok_or_else(|| wrong(name, "is missing, or is not a string"));
        let hook = text("hook")?;
        if hook != service.hook.name() {
            let why =
                format!("is `{hook}`, and the service `{}` answers `{}`", service.id, service.hook.name());
            return Err(wrong("hook", &why));
        }
        let instance = text("hookInstance")?;
        if uuid::Uuid::parse_str(instance).is_err() {
            return Err(wrong("hookInstance", "is not a UUID"));
        }
        if body.get("fhirAuthorization").is_some() && body.text("fhirServer").is_none() {
            return Err(wrong("fhirServer", "is missing beside `fhirAuthorization`"));
        }
        let context = body.get("context").filter(|context| context.as_object().is_some());
        let context = context.ok_or_else(|| wrong("context", "is missing, or is not an object"))?;
        let patient = context.text("patientId").filter(|id| fhir::is_id(id));
        let encounter = context.text("encounterId");
        if encounter.is_some_and(|id| !fhir::is_id(id)) {
            return Err(wrong("context.encounterId", "is not an id"));
        }
        Ok(Asked {
            instance: instance.to_owned(),
            user: user_of(context, service.hook)?,
            patient: patient
                .ok_or_else(|| wrong("context.patientId", "is missing, or is not an id"))?
                .to_owned(),
            encounter: encounter.map(str::to_owned),
            orders: orders_of(context, service.hook)?,
            prefetch: prefetch_of(body.get("prefetch"), service)?,
        })
    }

    /// What was prefetched under a key; `None`: the key is not there, and it must be fetched.
    pub(crate) fn prefetched(&self, key: &str) -> Option<&[Resource]> {
        let (_, found) = self.prefetch.iter().find(|(name, _)| name == key)?;
        Some(found.as_deref().unwrap_or_default())
    }
}

/// `[ResourceType]/[id]`; who it can be depends on the hook.
fn user_of(context: &Value, hook: Hook) -> Result<String, DecisionError> {
    let kinds: &[&str] = match hook {
        Hook::PatientView => &["Practitioner", "PractitionerRole", "Patient", "RelatedPerson"],
        Hook::OrderSelect | Hook::OrderSign => &["Practitioner", "PractitionerRole"],
    };
    let user = context.text("userId").unwrap_or_default();
    let is_one = user.split_once('/').is_some_and(|(kind, id)| kinds.contains(&kind) && fhir::is_id(id));
    if is_one {
        Ok(user.to_owned())
    } else {
        Err(wrong(
            "context.userId",
            &format!("must be one of {} with an id, such as `Practitioner/abc`", kinds.join(", ")),
        ))
    }
}

/// Draft orders of medication; when they are being selected, only those.
fn orders_of(context: &Value, hook: Hook) -> Result<Vec<Resource>, DecisionError> {
    if hook == Hook::PatientView {
        return Ok(Vec::new());
    }
    let place = "context.draftOrders";
    let bundle = context.get("draftOrders").ok_or_else(|| wrong(place, "is missing"))?;
    let mut orders = resources_of(bundle, place)?;
    if orders.len() > ORDERS_MAX {
        return Err(wrong(place, &format!("has more than {ORDERS_MAX} orders")));
    }
    if hook == Hook::OrderSelect {
        let selections = context.get("selections").filter(|selections| selections.as_array().is_some());
        let selections =
            selections.ok_or_else(|| wrong("context.selections", "is missing, or is not an array"))?;
        let chosen: Vec<&str> = selections.items().iter().filter_map(Value::as_str).collect();
        if let Some(unknown) = chosen.iter().find(|one| !orders.iter().any(|order| is_named(order, one))) {
            return Err(wrong(
                "context.selections",
                &format!("names `{unknown}`, which is not among the draft orders"),
            ));
        }
        orders.retain(|order| chosen.iter().any(|one| is_named(order, one)));
    }
    orders.retain(|order| order.kind().name() == "MedicationRequest");
    Ok(orders)
}

/// By `Type/id`; examples of the specification also give the id alone.
fn is_named(order: &Resource, name: &str) -> bool {
    order.reference() == name || order.id() == Some(name)
}

/// The resources of a bundle, or the one that stands there itself.
fn resources_of(value: &Value, place: &str) -> Result<Vec<Resource>, DecisionError> {
    let one = |value: &Value| {
        Resource::from_value(value.clone()).map_err(|issues| {
            let why = issues.first().map_or("", |issue| issue.diagnostics.as_str());
            wrong(place, &format!("holds something that is no resource: {why}"))
        })
    };
    if value.text("resourceType") != Some("Bundle") {
        return Ok(vec![one(value)?]);
    }
    let entries = value.get("entry").map_or(&[][..], Value::items);
    entries.iter().filter_map(|entry| entry.get("resource")).map(one).collect()
}

fn prefetch_of(prefetch: Option<&Value>, service: &Service) -> Result<Prefetched, DecisionError> {
    let Some(prefetch) = prefetch else { return Ok(Vec::new()) };
    let prefetch = prefetch.as_object().ok_or_else(|| wrong("prefetch", "is not an object"))?;
    let mut found = Vec::new();
    for (key, value) in prefetch.iter() {
        // Other keys were not asked for; nothing is read of them.
        if !service.prefetch.iter().any(|(name, _)| *name == key) {
            continue;
        }
        if matches!(value, Value::Null) {
            found.push((key.to_owned(), None));
            continue;
        }
        let resources = resources_of(value, &format!("prefetch.{key}"))?;
        // The client could not fetch it: as if it had sent nothing.
        if !resources.iter().any(|resource| resource.kind().name() == "OperationOutcome") {
            found.push((key.to_owned(), Some(resources)));
        }
    }
    Ok(found)
}
