//! The operations of a FHIRPath Patch, read from their `Parameters`.

use std::fmt;

use fhir::patch::{OPS_MAX, PatchError};
use fhir::{Value, bundle};

use crate::Expression;

/// One operation.
#[derive(Clone)]
pub(super) struct Operation {
    pub(super) path: Expression,
    /// The path as it was sent, for messages.
    pub(super) text: String,
    pub(super) change: Change,
}

/// What to do at the path. Values are the `part` that carries them.
#[derive(Clone)]
pub(super) enum Change {
    Add { name: String, value: Value },
    Insert { index: usize, value: Value },
    Delete,
    Replace { value: Value },
    Move { source: usize, destination: usize },
}

impl Change {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Change::Add { .. } => "add",
            Change::Insert { .. } => "insert",
            Change::Delete => "delete",
            Change::Replace { .. } => "replace",
            Change::Move { .. } => "move",
        }
    }
}

/// Patient data does not print.
impl fmt::Debug for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.change.name())
    }
}

impl Operation {
    /// The part that carries its value.
    pub(super) fn value(&self) -> Option<&Value> {
        match &self.change {
            Change::Add { value, .. } | Change::Insert { value, .. } | Change::Replace { value } => {
                Some(value)
            }
            Change::Delete | Change::Move { .. } => None,
        }
    }

    /// Texts of references that it sends.
    pub(super) fn visit_references(&self, visit: &mut impl FnMut(&str)) {
        let ends_with = if let Change::Add { name, .. } = &self.change { name } else { &self.text };
        let Some(value) = self.value() else { return };
        bundle::visit_references(value, &mut |text| visit(text));
        if ends_with.ends_with("reference")
            && let Some(text) = value.text("valueString").or_else(|| value.text("valueUri"))
        {
            visit(text);
        }
    }
}

/// Reads all operations.
pub(super) fn parse(mut parameters: Value) -> Result<Vec<Operation>, PatchError> {
    let sent = match parameters.get_mut("parameter").map(Value::take) {
        Some(Value::Array(sent)) => sent,
        Some(_) => return Err(PatchError::whole("`Parameters.parameter` is a list")),
        None => Vec::new(),
    };
    if sent.len() > OPS_MAX {
        return Err(PatchError::whole(format!("a patch has at most {OPS_MAX} operations: send several")));
    }
    sent.into_iter().enumerate().map(|(at, parameter)| operation_of(at, parameter)).collect()
}

/// The parts of an operation by name.
struct Parts {
    at: usize,
    parts: Vec<(String, Value)>,
}

impl Parts {
    fn take(&mut self, name: &str) -> Option<Value> {
        let place = self.parts.iter().position(|(own, _)| own == name)?;
        Some(self.parts.swap_remove(place).1)
    }

    fn need(&mut self, name: &str) -> Result<Value, PatchError> {
        self.take(name).ok_or_else(|| self.wrong(format!("the part `{name}` is missing")))
    }

    fn text(&mut self, name: &str, keys: &[&str]) -> Result<String, PatchError> {
        let part = self.need(name)?;
        let text = keys.iter().find_map(|key| part.text(key)).map(str::to_string);
        text.ok_or_else(|| self.wrong(format!("the part `{name}` has no `{}`", keys[0])))
    }

    fn position(&mut self, name: &str) -> Result<usize, PatchError> {
        let part = self.need(name)?;
        let keys = ["valueInteger", "valueUnsignedInt", "valuePositiveInt"];
        let number = keys.iter().find_map(|key| part.get(key)?.as_number()?.as_i64());
        number
            .and_then(|number| usize::try_from(number).ok())
            .ok_or_else(|| self.wrong(format!("the part `{name}` has no `valueInteger` from 0 on")))
    }

    fn wrong(&self, problem: String) -> PatchError {
        PatchError::at(self.at, "", "", problem)
    }
}

fn operation_of(at: usize, mut parameter: Value) -> Result<Operation, PatchError> {
    let wrong = |problem: String| PatchError::at(at, "", "", problem);
    if parameter.text("name") != Some("operation") {
        return Err(wrong("every parameter is named `operation`".into()));
    }
    let mut parts = Parts { at, parts: Vec::new() };
    for part in parameter.get_mut("part").and_then(Value::as_array_mut).into_iter().flatten() {
        let name = part.text("name").unwrap_or("").to_string();
        if parts.parts.iter().any(|(own, _)| *own == name) {
            return Err(wrong(format!("the part `{name}` is given twice")));
        }
        parts.parts.push((name, part.take()));
    }
    let kind = parts.text("type", &["valueCode", "valueString"])?;
    let text = parts.text("path", &["valueString"])?;
    let change = match kind.as_str() {
        "add" => {
            let name = parts.text("name", &["valueString"])?;
            Change::Add { name, value: parts.need("value")? }
        }
        "insert" => Change::Insert { index: parts.position("index")?, value: parts.need("value")? },
        "delete" => Change::Delete,
        "replace" => Change::Replace { value: parts.need("value")? },
        "move" => {
            Change::Move { source: parts.position("source")?, destination: parts.position("destination")? }
        }
        _ => return Err(wrong("the part `type` is `add`, `insert`, `delete`, `replace` or `move`".into())),
    };
    if let Some((name, _)) = parts.parts.first() {
        return Err(wrong(format!("the part `{name}` does not belong to `{kind}`: leave it out")));
    }
    let path = Expression::parse(&text)
        .map_err(|error| PatchError::at(at, &kind, &text, format!("the path is not understood: {error}")))?;
    Ok(Operation { path, text, change })
}
