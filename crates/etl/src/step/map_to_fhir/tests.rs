//! What a template makes, what it leaves out, and what is refused.

use super::*;
use crate::step::testing::{Bench, Kept, table};

const PATIENT: &str = r#"
resource:
  resourceType: Patient
  id: {hash: [id]}
  active: true
  identifier:
    - {system: "urn:oid:1.2.3", value: {column: id}}
    - {system: "urn:ssn", value: {column: ssn}}
  name: [{family: {column: last}, given: [{column: first}, {column: middle}]}]
  gender: {sql: "case sex when 'M' then 'male' when 'F' then 'female' end"}
  birthDate: {column: born}
  multipleBirthInteger: {column: twin}
  deceasedBoolean: {if: "dead", then: true}
  managingOrganization: {reference_to: Organization, id: {column: org}, display: {column: org_name}}
"#;

fn rows() -> Batch {
    table(
        "id text, ssn text, last text, first text, middle text, sex text, born date, twin integer, dead boolean, org text, org_name text",
        "p1 1-2 Abel Ana - F 1980-02-29 2 true o1 Clinic_A | p2 - - - - x - - false - - | - 3 x y z M - - - - -",
    )
}

fn resources(out: &Kept) -> Vec<String> {
    out.table("resource").split(" | ").map(str::to_owned).collect()
}

#[test]
fn a_row_becomes_a_resource_and_what_is_missing_is_left_out() {
    let bench = Bench::new();
    let out = bench.run(decode, PATIENT, &[rows()]);
    let ids: Vec<String> = out.table("resource_id").split(" | ").map(str::to_owned).collect();
    assert_eq!(out.table("resource_type"), "Patient | Patient");
    assert_eq!(
        resources(&out),
        [
            format!(
                r#"{{"resourceType":"Patient","id":"{}","active":true,"identifier":[{{"system":"urn:oid:1.2.3","value":"p1"}},{{"system":"urn:ssn","value":"1-2"}}],"name":[{{"family":"Abel","given":["Ana"]}}],"gender":"female","birthDate":"1980-02-29","multipleBirthInteger":2,"deceasedBoolean":true,"managingOrganization":{{"reference":"Organization/o1","display":"Clinic A"}}}}"#,
                ids[0]
            ),
            format!(
                r#"{{"resourceType":"Patient","id":"{}","active":true,"identifier":[{{"system":"urn:oid:1.2.3","value":"p2"}}]}}"#,
                ids[1]
            ),
        ]
    );
    assert_eq!(out.rejects(), ["3 map_to_fhir missing_id"]);
    assert_eq!(out.batches[0].place(1).line, 2);
}

#[test]
fn the_same_values_give_the_same_id_where_it_is_made_and_where_it_is_meant() {
    let bench = Bench::new();
    let patient = bench.run(decode, PATIENT, &[rows()]);
    let observation = r#"
resource:
  resourceType: Observation
  id: {hash: [id, code, day]}
  status: final
  code: {coding: [{system: "http://loinc.org", code: {column: code}}]}
  subject: {reference_to: Patient, id: {hash: [id]}}
  effectiveDateTime: {column: day}
  valueQuantity: {if: "kind = 'n'", then: {value: {column: value, as: number}, unit: {column: unit}}}
  valueString: {if: "kind <> 'n'", then: {column: value}}
"#;
    let labs = table(
        "id text, code text, day date, kind text, value text, unit text",
        "p1 718-7 2026-01-02 n 13.50 g/dL | p1 718-7 2026-01-03 t low - | p2 718-7 2026-01-03 n low g/dL",
    );
    let out = bench.run(decode, observation, &[labs]);
    let id = patient.table("resource_id").split(" | ").next().unwrap().to_owned();
    let made = resources(&out);
    assert!(made[0].contains(&format!("\"subject\":{{\"reference\":\"Patient/{id}\"}}")), "{}", made[0]);
    assert!(made[0].contains("\"valueQuantity\":{\"value\":13.50,\"unit\":\"g/dL\"}"), "{}", made[0]);
    assert!(made[1].contains("\"valueString\":\"low\"") && !made[1].contains("valueQuantity"));
    assert_eq!(out.rejects(), ["3 map_to_fhir not_a_number"]);
    assert_eq!(
        out.rejected[0].message,
        "the resource is not valid: `not_a_number` at `Observation.valueQuantity.value`"
    );
}

#[test]
fn a_resource_that_a_store_would_refuse_is_quarantined_without_its_values() {
    let bench = Bench::new();
    let options = "resource: {resourceType: Patient, id: {column: id}, gender: {column: sex}, birthDate: {column: born}}";
    let rows = table(
        "id text, sex text, born text",
        "a mael 1980 | b male 31.12.1980 | c_d male 1980 | e male 1980",
    );
    let out = bench.run(decode, options, &[rows]);
    assert_eq!(out.table("resource_id"), "e");
    let messages: Vec<&str> = out.rejected.iter().map(|reject| reject.message.as_str()).collect();
    assert!(messages[0].contains("`code-not-in-value-set` at `Patient.gender`"), "{messages:?}");
    assert!(messages[1].contains("at `Patient.birthDate`"), "{messages:?}");
    assert!(messages[2].contains("`bad-id` at `Patient.id`"), "{messages:?}");
    assert!(messages.iter().all(|text| !text.contains("mael") && !text.contains("31.12")));
}

#[test]
fn what_cannot_be_is_said() {
    let bench = Bench::new();
    let check = |options: &str, wanted: &str| {
        assert_eq!(bench.problems(decode, options, &table("id text", "a")), [wanted]);
    };
    check("{}", "1:1: the step `map_to_fhir` needs the key `resource`");
    check(
        "{resource: {id: {column: id}}}",
        "1:12: `resource` of the step `map_to_fhir` needs `resourceType`: the type, such as `Patient`",
    );
    check(
        "{resource: {resourceType: Patient}}",
        "1:12: `resource` of the step `map_to_fhir` needs `id`: a column, or `{hash: [column]}`",
    );
    check("{resource: {resourceType: Person1, id: a}}", "1:27: `Person1` is not a resource type of R4");
    check(
        "{resource: {resourceType: Patient, id: {column: pid}}}",
        "1:49: the step `map_to_fhir` needs the column `pid`: there are `id`",
    );
    check(
        "{resource: {resourceType: Patient, id: {sql: \"upper(pid)\"}}}",
        "1:46: there is no column `pid`: there are `id`",
    );
    check(
        "{resource: {resourceType: Patient, id: {column: id, as: text}}}",
        "1:57: `resource` of the step `map_to_fhir`: `as` must be one of `string`, `number`, `boolean`",
    );
}
