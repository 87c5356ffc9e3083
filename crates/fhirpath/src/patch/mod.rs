//! A patch of a resource, in either form of R4: a JSON Patch, or the operations of a FHIRPath Patch. Knows no HTTP and no store.

mod edit;
mod list;
mod operation;
mod place;
mod value;

use std::fmt;

use fhir::patch::{JsonPatch, PatchError, has_empty, prune};
use fhir::{Issue, IssueType, Resource, Value, bundle};

use operation::Operation;

/// Most values of a patched resource.
const VALUES_MAX: usize = 1_000_000;

/// A change that is worked out on a stored resource.
///
/// ```
/// use fhir::{Resource, json};
/// use fhirpath::Patch;
/// let patient = br#"{"resourceType":"Patient","id":"1","birthDate":"1980"}"#;
/// let patient = Resource::parse(patient, &json::Limits::default()).unwrap();
/// let patch = json!({"resourceType": "Parameters", "parameter": [{"name": "operation", "part": [
///     {"name": "type", "valueCode": "replace"},
///     {"name": "path", "valueString": "Patient.birthDate"},
///     {"name": "value", "valueDate": "1980-02-29"}
/// ]}]});
/// let patched = Patch::parse(patch).unwrap().apply(&patient).unwrap();
/// assert_eq!(patched.value().text("birthDate"), Some("1980-02-29"));
/// ```
#[derive(Clone)]
pub struct Patch(Form);

#[derive(Clone)]
enum Form {
    Json(JsonPatch),
    Path(Vec<Operation>),
}

/// Patient data does not print.
impl fmt::Debug for Patch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Form::Json(patch) => fmt::Debug::fmt(patch, f),
            Form::Path(operations) => write!(f, "patch({} operations)", operations.len()),
        }
    }
}

impl Patch {
    /// Reads a list as a JSON Patch, a `Parameters` as a FHIRPath Patch. The issues say which operation is wrong.
    pub fn parse(value: Value) -> Result<Patch, Vec<Issue>> {
        match &value {
            Value::Array(_) => match JsonPatch::parse(value) {
                Ok(patch) => Ok(Patch(Form::Json(patch))),
                Err(error) => Err(vec![issue(&error, false)]),
            },
            Value::Object(object)
                if object.get("resourceType").and_then(Value::as_str) == Some("Parameters") =>
            {
                match operation::parse(value) {
                    Ok(operations) => Ok(Patch(Form::Path(operations))),
                    Err(error) => Err(vec![issue(&error, true)]),
                }
            }
            _ => {
                let text = "a patch is a list of operations (JSON Patch) or a `Parameters` (FHIRPath Patch)";
                Err(vec![Issue::error(IssueType::Structure, "patch", text)])
            }
        }
    }

    /// The patched resource. It has the type and the id of the stored one; whether it follows the rules of R4 is for others to check.
    ///
    /// A narrative that was generated from what the patch changes is left out: it would tell what is no longer so.
    pub fn apply(&self, stored: &Resource) -> Result<Resource, Vec<Issue>> {
        let mut resource = match &self.0 {
            Form::Json(patch) => {
                let mut value = stored.value().clone();
                patch.apply(&mut value).map_err(|error| vec![issue(&error, false)])?;
                Resource::from_value(value)?
            }
            Form::Path(operations) => {
                let mut resource = stored.clone();
                edit::apply(operations, &mut resource).map_err(|error| vec![issue(&error, true)])?;
                let mut value = resource.into_value();
                // R4 knows no empty elements: what a deletion emptied goes too. What the patch itself sends empty is a mistake to be told.
                if !operations.iter().filter_map(Operation::value).any(has_empty) {
                    prune(&mut value);
                }
                Resource::from_value(value)?
            }
        };
        if resource.kind() != stored.kind() || resource.id() != stored.id() {
            let text = "a patch changes neither the type nor the id of a resource";
            return Err(vec![Issue::error(IssueType::BusinessRule, "patch-identity", text)]);
        }
        if !fits(resource.value(), &mut VALUES_MAX.clone(), fhir::json::Limits::default().depth_max) {
            let text =
                format!("the patched resource has more than {VALUES_MAX} values, or is nested too deep");
            return Err(vec![Issue::error(IssueType::TooLong, "patch-size", text)]);
        }
        let text = |resource: &Resource| resource.object().get("text").cloned();
        let told = text(stored).filter(|told| told.text("status") == Some("generated"));
        if told.is_some() && told == text(&resource) && resource != *stored {
            resource.object_mut().remove("text");
        }
        Ok(resource)
    }

    /// Texts of references that it sends.
    pub fn visit_references(&self, visit: &mut impl FnMut(&str)) {
        match &self.0 {
            Form::Json(patch) => patch.values().for_each(|(name, value)| match value {
                Value::String(text) if name == "reference" => visit(text),
                value => bundle::visit_references(value, &mut |text| visit(text)),
            }),
            Form::Path(operations) => operations.iter().for_each(|operation| {
                operation.visit_references(&mut *visit);
            }),
        }
    }
}

fn issue(error: &PatchError, is_path: bool) -> Issue {
    let issue = Issue::error(IssueType::Processing, "patch", error.to_string());
    match error.operation {
        Some(at) if is_path => issue.at(format!("Parameters.parameter[{at}]")),
        _ => issue,
    }
}

fn fits(value: &Value, left: &mut usize, depth_left: usize) -> bool {
    if *left == 0 {
        return false;
    }
    *left -= 1;
    match value {
        Value::Array(items) => depth_left > 0 && items.iter().all(|item| fits(item, left, depth_left - 1)),
        Value::Object(object) => {
            depth_left > 0 && object.iter().all(|(_, member)| fits(member, left, depth_left - 1))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fhir::json::{self, Limits};

    const PATIENT: &str = r#"{"resourceType":"Patient","id":"1","name":[{"family":"A","given":["x","y"]},{"family":"B"}],"birthDate":"1980","_birthDate":{"id":"b"},"multipleBirthInteger":2}"#;

    /// An operation: `type path [name=..] [index=..] [source=..] [destination=..] [value]`, the value as JSON members of its part.
    fn operation(kind: &str, path: &str, more: &str) -> String {
        let more = if more.is_empty() { String::new() } else { format!(",{more}") };
        format!(
            r#"{{"name":"operation","part":[{{"name":"type","valueCode":"{kind}"}},{{"name":"path","valueString":"{path}"}}{more}]}}"#
        )
    }

    fn name(text: &str) -> String {
        format!(r#"{{"name":"name","valueString":"{text}"}}"#)
    }

    fn value(members: &str) -> String {
        format!(r#"{{"name":"value",{members}}}"#)
    }

    fn number(name: &str, number: usize) -> String {
        format!(r#"{{"name":"{name}","valueInteger":{number}}}"#)
    }

    fn patched(stored: &str, patch: &str) -> String {
        let stored = Resource::parse(stored.as_bytes(), &Limits::default()).unwrap();
        let patch = json::parse(patch.as_bytes(), &Limits::default()).unwrap();
        match Patch::parse(patch).and_then(|patch| patch.apply(&stored)) {
            Ok(resource) => resource.value().to_text(),
            Err(issues) => issues[0].diagnostics.clone(),
        }
    }

    /// One operation on the patient: what the patient lost and what it got, or why not.
    fn check(kind: &str, path: &str, more: &[String], expected: &str) {
        let operation = operation(kind, path, &more.join(","));
        let patch = format!(r#"{{"resourceType":"Parameters","parameter":[{operation}]}}"#);
        let answer = patched(PATIENT, &patch);
        let place = format!("operation 0 (`{kind}` at `{path}`): ");
        let short =
            answer.strip_prefix(r#"{"resourceType":"Patient","id":"1","#).or(answer.strip_prefix(&place));
        assert_eq!(short.unwrap_or(&answer), expected, "{operation}");
    }

    const NAMES: &str = r#""name":[{"family":"A","given":["x","y"]},{"family":"B"}]"#;
    const BIRTH: &str = r#""birthDate":"1980","_birthDate":{"id":"b"},"multipleBirthInteger":2"#;

    #[test]
    fn add_appends_and_does_not_overwrite() {
        let gender = [name("gender"), value(r#""valueCode":"male""#)];
        check("add", "Patient", &gender, &format!(r#"{NAMES},{BIRTH},"gender":"male"}}"#));
        let phone = [name("telecom"), value(r#""valueContactPoint":{"value":"5"}"#)];
        check("add", "Patient", &phone, &format!(r#"{NAMES},{BIRTH},"telecom":[{{"value":"5"}}]}}"#));
        let given = [name("given"), value(r#""valueString":"z""#)];
        check(
            "add",
            "Patient.name.where(family = 'A')",
            &given,
            &format!(r#""name":[{{"family":"A","given":["x","y","z"]}},{{"family":"B"}}],{BIRTH}}}"#),
        );
        let birth = [name("birthDate"), value(r#""valueDate":"1981""#)];
        check("add", "Patient", &birth, "there is a `birthDate` already: use `replace`");
        let multiple = [name("multipleBirth"), value(r#""valueBoolean":true"#)];
        check("add", "Patient", &multiple, "there is a `multipleBirth` already: use `replace`");
        check("add", "Patient.name", &given, "the path leads to 2 elements: it must lead to one");
        check("add", "Patient.contact", &given, "nothing is there");
        check(
            "add",
            "Patient",
            &[name("color"), value(r#""valueCode":"x""#)],
            "`Patient` has no element `color`",
        );
    }

    #[test]
    fn a_value_of_parts_becomes_a_backbone_element() {
        let parts = value(
            r#""part":[{"name":"name","valueHumanName":{"family":"C"}},{"name":"telecom","valueContactPoint":{"value":"1"}},{"name":"telecom","valueContactPoint":{"value":"2"}}]"#,
        );
        let contact = r#""contact":[{"name":{"family":"C"},"telecom":[{"value":"1"},{"value":"2"}]}]"#;
        check("add", "Patient", &[name("contact"), parts], &format!("{NAMES},{BIRTH},{contact}}}"));
        let inner = value(r#""part":[{"name":"color","valueCode":"x"}]"#);
        check("add", "Patient", &[name("contact"), inner], "`Patient.contact` has no element `color`");
    }

    #[test]
    fn an_extension_is_added_to_a_primitive() {
        let extension = [name("extension"), value(r#""valueExtension":{"url":"http://u","valueCode":"c"}"#)];
        let birth = r#""multipleBirthInteger":2,"birthDate":"1980","_birthDate":{"id":"b","extension":[{"url":"http://u","valueCode":"c"}]}}"#;
        check("add", "Patient.birthDate", &extension, &format!("{NAMES},{birth}"));
    }

    #[test]
    fn insert_and_move_keep_lists_whole() {
        let c = value(r#""valueHumanName":{"family":"C"}"#);
        check(
            "insert",
            "Patient.name",
            &[number("index", 1), c.clone()],
            &format!(
                r#"{BIRTH},"name":[{{"family":"A","given":["x","y"]}},{{"family":"C"}},{{"family":"B"}}]}}"#
            ),
        );
        check(
            "insert",
            "Patient.name",
            &[number("index", 3), c.clone()],
            "the list has 2 items: there is no position 3",
        );
        check(
            "insert",
            "Patient.telecom",
            &[number("index", 0), c.clone()],
            "the list is not there: use `add` for its first item",
        );
        let part = "the path does not lead to one whole list: name the list, its positions count";
        check("insert", "Patient.name[0]", &[number("index", 0), c.clone()], part);
        check("insert", "Patient.birthDate", &[number("index", 0), c], "`birthDate` is no list");
        check(
            "move",
            "Patient.name",
            &[number("source", 1), number("destination", 0)],
            &format!(r#"{BIRTH},"name":[{{"family":"B"}},{{"family":"A","given":["x","y"]}}]}}"#),
        );
        let outside = "the list has 2 items: there is no position 2";
        check("move", "Patient.name", &[number("source", 2), number("destination", 0)], outside);
    }

    #[test]
    fn delete_takes_one_or_nothing() {
        check("delete", "Patient.birthDate", &[], &format!(r#"{NAMES},"multipleBirthInteger":2}}"#));
        check("delete", "Patient.gender", &[], &format!("{NAMES},{BIRTH}}}"));
        check("delete", "Patient.name", &[], "the path leads to 2 elements: it must lead to one");
        check(
            "delete",
            "Patient.name[0].given[1]",
            &[],
            &format!(r#""name":[{{"family":"A","given":["x"]}},{{"family":"B"}}],{BIRTH}}}"#),
        );
        check(
            "delete",
            "Patient.name[1].family",
            &[],
            &format!(r#""name":[{{"family":"A","given":["x","y"]}}],{BIRTH}}}"#),
        );
        check("delete", "Patient", &[], "the path leads to the resource itself: name an element of it");
        check(
            "delete",
            "Patient.name.count()",
            &[],
            "the path leads to a computed value, not into the resource",
        );
    }

    #[test]
    fn replace_puts_another_value_in_its_place() {
        let birth = format!(r#"{NAMES},"multipleBirthInteger":2,"birthDate":"1981-05"}}"#);
        check("replace", "Patient.birthDate", &[value(r#""valueDate":"1981-05""#)], &birth);
        let multiple =
            format!(r#"{NAMES},"birthDate":"1980","_birthDate":{{"id":"b"}},"multipleBirthBoolean":true}}"#);
        check("replace", "Patient.multipleBirth", &[value(r#""valueBoolean":true"#)], &multiple);
        check(
            "replace",
            "Patient.multipleBirth",
            &[value(r#""valueString":"x""#)],
            "`multipleBirth` cannot be a string",
        );
        check("replace", "Patient.gender", &[value(r#""valueCode":"male""#)], "nothing is there");
        check(
            "replace",
            "Patient.id",
            &[value(r#""valueId":"2""#)],
            "a patch changes neither the type nor the id of a resource",
        );
    }

    #[test]
    fn wrong_operations_name_what_is_wrong() {
        let wrong = |parameter: &str, expected: &str| {
            let patch = format!(r#"{{"resourceType":"Parameters","parameter":[{parameter}]}}"#);
            assert_eq!(patched(PATIENT, &patch), expected);
        };
        wrong("", PATIENT);
        wrong(r#"{"name":"x"}"#, "operation 0: every parameter is named `operation`");
        wrong(
            &operation("put", "Patient", ""),
            "operation 0: the part `type` is `add`, `insert`, `delete`, `replace` or `move`",
        );
        wrong(&operation("add", "Patient", ""), "operation 0: the part `name` is missing");
        wrong(
            &operation("delete", "Patient", &name("x")),
            "operation 0: the part `name` does not belong to `delete`: leave it out",
        );
        wrong(
            &operation("move", "Patient.name", &number("source", 0)),
            "operation 0: the part `destination` is missing",
        );
        assert_eq!(
            patched(PATIENT, "7"),
            "a patch is a list of operations (JSON Patch) or a `Parameters` (FHIRPath Patch)"
        );
    }

    #[test]
    fn a_generated_narrative_is_left_out_and_another_is_kept() {
        let with = |status: &str| {
            format!(
                r#"{{"resourceType":"Patient","id":"1","text":{{"status":"{status}","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">A</div>"}},"active":true}}"#
            )
        };
        let patch = r#"[{"op":"replace","path":"/active","value":false}]"#;
        assert_eq!(
            patched(&with("generated"), patch),
            r#"{"resourceType":"Patient","id":"1","active":false}"#
        );
        assert!(patched(&with("additional"), patch).contains("xhtml"));
        let nothing = r#"[{"op":"test","path":"/active","value":true}]"#;
        assert_eq!(patched(&with("generated"), nothing), with("generated"));
    }

    #[test]
    fn references_are_found_in_both_forms() {
        let find = |patch: &str| {
            let mut found = Vec::new();
            let value = json::parse(patch.as_bytes(), &Limits::default()).unwrap();
            Patch::parse(value).unwrap().visit_references(&mut |text| found.push(text.to_string()));
            found
        };
        let json = r#"[{"op":"add","path":"/subject/reference","value":"a"},{"op":"add","path":"/subject","value":{"reference":"b"}}]"#;
        assert_eq!(find(json), ["a", "b"]);
        let subject =
            operation("replace", "Observation.subject", &value(r#""valueReference":{"reference":"c"}"#));
        let text = operation("replace", "Observation.subject.reference", &value(r#""valueString":"d""#));
        assert_eq!(
            find(&format!(r#"{{"resourceType":"Parameters","parameter":[{subject},{text}]}}"#)),
            ["c", "d"]
        );
    }
}
