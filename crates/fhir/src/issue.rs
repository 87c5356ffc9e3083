//! What is wrong with data, and the OperationOutcome that says so.

use crate::{Object, Value, json};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Nothing further could be looked at.
    Fatal,
    /// It must be mended.
    Error,
    /// It should be mended.
    Warning,
    /// Nothing is wrong.
    Information,
}

impl Severity {
    /// The code in FHIR.
    pub fn code(self) -> &'static str {
        match self {
            Severity::Fatal => "fatal",
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Information => "information",
        }
    }
}

macro_rules! issue_types {
    ($($(#[$doc:meta])* $name:ident $code:literal;)*) => {
        /// The codes of `http://hl7.org/fhir/issue-type` that are used here.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum IssueType { $($(#[$doc])* $name),* }

        impl IssueType {
            /// The code in FHIR.
            pub fn code(self) -> &'static str {
                match self { $(IssueType::$name => $code),* }
            }
        }
    };
}

issue_types! {
    /// Content that breaks a rule.
    Invalid "invalid";
    /// JSON that is not JSON, or not a resource.
    Structure "structure";
    /// A required element is missing.
    Required "required";
    /// A value of the wrong form.
    Value "value";
    /// A rule between elements is broken.
    Invariant "invariant";
    /// No valid login.
    Login "login";
    /// The login has ended.
    Expired "expired";
    /// Not allowed.
    Forbidden "forbidden";
    /// The request itself is wrong.
    Processing "processing";
    /// Not supported here.
    NotSupported "not-supported";
    /// It is there already.
    Duplicate "duplicate";
    /// More than one match.
    MultipleMatches "multiple-matches";
    /// Unknown.
    NotFound "not-found";
    /// It was deleted.
    Deleted "deleted";
    /// Too much was asked.
    TooLong "too-long";
    /// A code that is not in its set.
    CodeInvalid "code-invalid";
    /// An extension that is not understood.
    Extension "extension";
    /// It costs more than is allowed.
    TooCostly "too-costly";
    /// A rule of this server.
    BusinessRule "business-rule";
    /// Another write came first.
    Conflict "conflict";
    /// Something broke; try again later.
    Transient "transient";
    /// Something broke inside.
    Exception "exception";
    /// Too much is going on.
    Throttled "throttled";
    /// Just to say.
    Informational "informational";
}

/// One thing that is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issue {
    /// How bad.
    pub severity: Severity,
    /// What sort.
    pub code: IssueType,
    /// A short name of exactly this problem, for programs: `unknown-element`.
    pub slug: &'static str,
    /// What is wrong and what to do, for people. It names places and limits; it quotes a value only where the value is needed.
    pub diagnostics: String,
    /// FHIRPath of the place: `Patient.contact[0].gender`.
    pub expression: Option<String>,
}

impl Issue {
    /// An error without a place.
    pub fn error(code: IssueType, slug: &'static str, diagnostics: impl Into<String>) -> Issue {
        Issue { severity: Severity::Error, code, slug, diagnostics: diagnostics.into(), expression: None }
    }

    /// A warning without a place.
    pub fn warning(code: IssueType, slug: &'static str, diagnostics: impl Into<String>) -> Issue {
        Issue { severity: Severity::Warning, ..Issue::error(code, slug, diagnostics) }
    }

    /// The same at a place.
    #[must_use]
    pub fn at(mut self, expression: impl Into<String>) -> Issue {
        self.expression = Some(expression.into());
        self
    }

    /// Does it stop a write.
    pub fn is_error(&self) -> bool {
        matches!(self.severity, Severity::Fatal | Severity::Error)
    }
}

/// An OperationOutcome. Without issues it says that all went well, because FHIR wants at least one.
pub fn outcome(issues: &[Issue]) -> Value {
    let well = Issue {
        severity: Severity::Information,
        ..Issue::error(IssueType::Informational, "done", "all is well")
    };
    let issues = if issues.is_empty() { std::slice::from_ref(&well) } else { issues };
    let issues: Vec<Value> = issues.iter().map(issue_value).collect();
    json!({"resourceType": "OperationOutcome", "issue": issues})
}

fn issue_value(issue: &Issue) -> Value {
    let mut object = Object::new();
    object.insert("severity", issue.severity.code().into());
    object.insert("code", issue.code.code().into());
    object.insert("details", json!({"coding": [{"system": "urn:salus:issue", "code": (issue.slug)}]}));
    object.insert("diagnostics", issue.diagnostics.as_str().into());
    if let Some(expression) = &issue.expression {
        object.insert("expression", json!([(expression.as_str())]));
    }
    Value::Object(object)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outcome_names_the_place() {
        let issue = Issue::error(IssueType::Value, "bad-date", "this is no date").at("Patient.birthDate");
        let expected = r#"{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"value","details":{"coding":[{"system":"urn:salus:issue","code":"bad-date"}]},"diagnostics":"this is no date","expression":["Patient.birthDate"]}]}"#;
        assert_eq!(outcome(&[issue]).to_text(), expected);
        assert!(outcome(&[]).to_text().contains("all is well"));
    }
}
