//! A resource: a JSON object whose type is one of R4 and whose id, if it has one, is an id.

use std::fmt;

use crate::json::{self, Limits};
use crate::{Issue, IssueType, Kind, Object, Value, is_id};

/// A JSON object with a known `resourceType`. What else is in it, `validate` looks at.
#[derive(Clone, PartialEq, Eq)]
pub struct Resource {
    kind: Kind,
    value: Value,
}

/// Patient data does not print.
impl fmt::Debug for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind, self.id().unwrap_or("?"))
    }
}

impl Resource {
    /// Parses JSON. The issues say line and column, or which element is wrong.
    pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Resource, Vec<Issue>> {
        let value = json::parse(bytes, limits)
            .map_err(|error| vec![Issue::error(IssueType::Structure, "json", error.to_string())])?;
        Resource::from_value(value)
    }

    /// Checks that a value is a resource.
    pub fn from_value(value: Value) -> Result<Resource, Vec<Issue>> {
        let Some(object) = value.as_object() else {
            let text = format!("a resource is a JSON object, this is {}", value.type_name());
            return Err(vec![Issue::error(IssueType::Structure, "not-an-object", text)]);
        };
        let kind = match object.get("resourceType") {
            Some(Value::String(name)) => {
                Kind::parse(name).ok_or_else(|| format!("`{}` is not a resource type of R4", shown(name)))
            }
            Some(other) => Err(format!("`resourceType` must be a string, this is {}", other.type_name())),
            None => Err("`resourceType` is missing: it names the type, such as `Patient`".to_string()),
        };
        let kind = kind.map_err(|text| {
            vec![Issue::error(IssueType::Structure, "resource-type", text).at("resourceType")]
        })?;
        match object.get("id") {
            None => Ok(Resource { kind, value }),
            Some(Value::String(id)) if is_id(id) => Ok(Resource { kind, value }),
            Some(_) => {
                let text = "an id is a string of 1 to 64 letters, digits, `-` and `.`";
                Err(vec![Issue::error(IssueType::Value, "bad-id", text).at(format!("{kind}.id"))])
            }
        }
    }

    /// The type.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The id.
    pub fn id(&self) -> Option<&str> {
        self.value.text("id")
    }

    /// Gives it an id, behind `resourceType`.
    pub fn set_id(&mut self, id: &str) {
        self.object_mut().insert_at(1, "id", id.into());
    }

    /// Takes its id away.
    pub fn clear_id(&mut self) {
        self.object_mut().remove("id");
    }

    /// `Patient/42`; without an id the type alone.
    pub fn reference(&self) -> String {
        match self.id() {
            Some(id) => format!("{}/{id}", self.kind),
            None => self.kind.name().to_string(),
        }
    }

    /// The JSON.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// The members, to change them. `resourceType` and `id` are changed by nobody here but [`Resource::set_id`].
    pub fn object_mut(&mut self) -> &mut Object {
        self.value.as_object_mut().expect("a resource is an object since it was made")
    }

    /// The members.
    pub fn object(&self) -> &Object {
        self.value.as_object().expect("a resource is an object since it was made")
    }

    /// Calls `visit` with the text of every reference, to change it.
    pub fn visit_references_mut(&mut self, visit: &mut impl FnMut(&mut compact_str::CompactString)) {
        crate::bundle::visit_references_mut(&mut self.value, visit);
    }

    /// The JSON, given away.
    pub fn into_value(self) -> Value {
        self.value
    }
}

/// At most so much of a wrong text is repeated in a message.
fn shown(text: &str) -> &str {
    text.char_indices().nth(64).map_or(text, |(end, _)| &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let answer = match Resource::parse(text.as_bytes(), &Limits::default()) {
            Ok(resource) => format!("{resource:?}"),
            Err(issues) => issues[0].diagnostics.clone(),
        };
        assert_eq!(answer, expected);
    }

    #[test]
    fn only_resources_are_resources() {
        check(r#"{"resourceType":"Patient","id":"a-1.B","name":[{"family":"Secret"}]}"#, "Patient/a-1.B");
        check(r#"{"resourceType":"Patient"}"#, "Patient/?");
        check("[]", "a resource is a JSON object, this is array");
        check("{}", "`resourceType` is missing: it names the type, such as `Patient`");
        check(r#"{"resourceType":7}"#, "`resourceType` must be a string, this is number");
        check(r#"{"resourceType":"Pacient"}"#, "`Pacient` is not a resource type of R4");
        for id in ["\"\"", "\"a b\"", "7", "\"a_b\"", "null"] {
            let text = format!(r#"{{"resourceType":"Patient","id":{id}}}"#);
            check(&text, "an id is a string of 1 to 64 letters, digits, `-` and `.`");
        }
    }

    #[test]
    fn an_id_is_set_and_cleared() {
        let mut resource =
            Resource::parse(br#"{"resourceType":"Patient","active":true}"#, &Limits::default()).unwrap();
        resource.set_id("7");
        assert_eq!(resource.value().to_text(), r#"{"resourceType":"Patient","id":"7","active":true}"#);
        resource.clear_id();
        assert_eq!(resource.value().to_text(), r#"{"resourceType":"Patient","active":true}"#);
    }
}
