//! The CapabilityStatement, made from the table of interactions and the table of search parameters: it cannot promise more than there is.

use fhir::definitions::SearchType;
use fhir::{Instant, Kind, Object, Value, json};
use search::ParamId;

use crate::fhir::interactions::{INTERACTIONS, Level};

/// What is not there, said where clients look.
const NOT_SUPPORTED: &str = "Not supported: XML and RDF, XML Patch, subscriptions, asynchronous requests, `$everything`, `$export` and terminology \
    operations; profiles in `$validate` (only the base of R4 is checked); the search parameters `_text`, `_content`, `_query`, `_filter` and \
    `near`; `:in`, `:not-in`, `:above` and `:below` on codes beyond the value sets that R4 lists. Unknown search parameters are errors \
    unless `Prefer: handling=lenient` asks otherwise. Reads in a transaction are done after its writes; one that fails is told in its entry.";

/// The statement of a server at `base`.
pub(crate) fn statement(base: &str, now: Instant) -> Value {
    let date = now.to_rfc3339_millis();
    let resources: Vec<Value> = Kind::all().map(resource).collect();
    json!({
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": date,
        "kind": "instance",
        "software": {"name": "salus", "version": (env!("CARGO_PKG_VERSION"))},
        "implementation": {"description": "salus", "url": base},
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json", "json"],
        "patchFormat": ["application/json-patch+json", "application/fhir+json"],
        "rest": [{
            "mode": "server",
            "documentation": NOT_SUPPORTED,
            "security": {
                "description": "Every request but this one carries `Authorization: Bearer TOKEN`. The purpose of use may be stated in `X-Salus-Purpose`."
            },
            "resource": resources,
            "interaction": (codes(Level::System, &["batch"])),
            "searchParam": (whole_system()),
            "compartment": (compartments())
        }]
    })
}

fn has(code: &str) -> bool {
    INTERACTIONS.iter().any(|row| row.code == code)
}

/// Interactions of one level, each once.
fn codes(level: Level, further: &[&'static str]) -> Value {
    let mut codes: Vec<&str> = Vec::new();
    for row in INTERACTIONS.iter().filter(|row| row.level == level) {
        if !codes.contains(&row.code) {
            codes.push(row.code);
        }
    }
    // A batch comes the same way as a transaction.
    codes.extend(further.iter().filter(|_| has("transaction")));
    Value::Array(codes.into_iter().map(|code| json!({"code": code})).collect())
}

fn resource(kind: Kind) -> Value {
    let mut resource = Object::new();
    resource.insert("type", kind.name().into());
    resource.insert("interaction", codes(Level::Resource, &[]));
    resource.insert("versioning", "versioned".into());
    resource.insert("readHistory", true.into());
    resource.insert("updateCreate", true.into());
    resource.insert("conditionalCreate", true.into());
    resource.insert("conditionalRead", "full-support".into());
    resource.insert("conditionalUpdate", has("conditional-update").into());
    let conditional_delete = if has("conditional-delete") { "multiple" } else { "not-supported" };
    resource.insert("conditionalDelete", conditional_delete.into());
    resource.insert("referencePolicy", json!(["literal", "logical", "local"]));
    let params: Vec<ParamId> = ParamId::of_kind(kind).filter(|param| param.def().is_supported()).collect();
    let references = params.iter().filter(|param| param.def().ty == SearchType::Reference);
    let includes: Vec<Value> = references.map(|param| named(*param)).collect();
    if !includes.is_empty() {
        resource.insert("searchInclude", Value::Array(includes));
    }
    let reverse: Vec<Value> = leading_to(kind).map(named).collect();
    if !reverse.is_empty() {
        resource.insert("searchRevInclude", Value::Array(reverse));
    }
    resource.insert("searchParam", Value::Array(params.into_iter().map(search_param).collect()));
    if has("validate") {
        let url = "http://hl7.org/fhir/OperationDefinition/Resource-validate";
        resource.insert("operation", json!([{"name": "validate", "definition": url}]));
    }
    Value::Object(resource)
}

/// Reference parameters of all types that name this one as a target; those that may lead anywhere are left out.
fn leading_to(kind: Kind) -> impl Iterator<Item = ParamId> {
    let reference = |param: &ParamId| param.def().ty == SearchType::Reference && param.def().is_supported();
    ParamId::all().filter(reference).filter(move |param| param.def().targets.contains(&kind))
}

fn named(param: ParamId) -> Value {
    let def = param.def();
    Value::from(format!("{}:{}", def.kind, def.code))
}

fn search_param(param: ParamId) -> Value {
    let def = param.def();
    let mut object = Object::new();
    object.insert("name", def.code.into());
    if !def.url.is_empty() {
        object.insert("definition", def.url.into());
    }
    object.insert("type", def.ty.code().into());
    Value::Object(object)
}

/// Parameters of a search over all types.
fn whole_system() -> Value {
    json!([
        {"name": "_id", "type": "token"},
        {"name": "_lastUpdated", "type": "date"},
        {"name": "_tag", "type": "token"},
        {"name": "_profile", "type": "uri"},
        {"name": "_security", "type": "token"},
        {"name": "_source", "type": "uri"},
        {"name": "_type", "type": "special"}
    ])
}

fn compartments() -> Value {
    let url = |name: &&str| {
        Value::from(format!("http://hl7.org/fhir/CompartmentDefinition/{}", name.to_lowercase()))
    };
    Value::Array(super::compartment::OWNERS.iter().map(url).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patient() -> Value {
        let statement = statement("http://h/fhir", Instant(0));
        let resources = statement.get("rest").unwrap().items()[0].get("resource").unwrap().items().to_vec();
        assert_eq!(resources.len(), Kind::all().len());
        resources.into_iter().find(|resource| resource.text("type") == Some("Patient")).unwrap()
    }

    fn texts(value: &Value, list: &str, key: &str) -> Vec<String> {
        value.get(list).unwrap().items().iter().map(|item| item.text(key).unwrap().to_string()).collect()
    }

    #[test]
    fn the_statement_says_what_the_table_says() {
        let patient = patient();
        let expected = [
            "search-type",
            "create",
            "history-type",
            "read",
            "update",
            "patch",
            "delete",
            "history-instance",
            "vread",
        ];
        assert_eq!(texts(&patient, "interaction", "code"), expected);
        let params = texts(&patient, "searchParam", "name");
        assert!(params.contains(&"birthdate".to_string()) && !params.contains(&"_text".to_string()));
        let reverse = patient.get("searchRevInclude").unwrap().items();
        assert!(reverse.contains(&Value::from("Observation:patient")));
    }

    #[test]
    fn the_statement_is_valid() {
        let statement = fhir::Resource::from_value(statement("http://h/fhir", Instant(0))).unwrap();
        let errors: Vec<_> = validate::check(&statement, validate::Level::Full)
            .into_iter()
            .filter(fhir::Issue::is_error)
            .collect();
        assert_eq!(errors, []);
    }
}
