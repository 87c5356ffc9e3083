//! The paths inside the expressions of search parameters: `(Observation.value as Quantity)`, `Patient.telecom.where(system='email')`. Other
//! expressions are left to FHIRPath.

use fhir::Kind;

/// A path from a resource, or from an element, down to values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Path {
    /// It starts at the resource although the expression is evaluated on an element: `%resource`.
    pub(super) from_root: bool,
    pub(super) steps: Vec<Step>,
}

/// One name of a path, and what narrows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) name: &'static str,
    /// Only values of this type.
    pub(super) ty: Option<&'static str>,
    pub(super) guard: Guard,
    /// Only references that lead to this type.
    pub(super) leads_to: Option<Kind>,
}

/// Which items of an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Guard {
    /// All.
    None,
    /// Those whose member is this text.
    Member(&'static str, &'static str),
    /// The one at this place.
    At(usize),
}

/// The alternatives of an expression; `None` when one is more than a path.
pub(super) fn parse(expression: &'static str) -> Option<Vec<Path>> {
    alternatives(expression).into_iter().map(path).collect()
}

/// Splits at `|` outside of parentheses and quotes.
fn alternatives(expression: &'static str) -> Vec<&'static str> {
    let (mut depth, mut quoted, mut start) = (0, false, 0);
    let mut parts = Vec::new();
    for (at, byte) in expression.bytes().enumerate() {
        match byte {
            b'\'' => quoted = !quoted,
            b'(' if !quoted => depth += 1,
            b')' if !quoted => depth -= 1,
            b'|' if !quoted && depth == 0 => {
                parts.push(expression[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(expression[start..].trim());
    parts
}

fn path(text: &'static str) -> Option<Path> {
    let mut rest = text;
    let mut from_root = false;
    let mut steps: Vec<Step> = Vec::new();
    if let Some(inner) = rest.strip_prefix('(') {
        // `(Observation.value as CodeableConcept).text`
        let (inner, after) = inner.split_once(')')?;
        let (inner, ty) = inner.split_once(" as ")?;
        let start = path(inner.trim())?;
        (steps, from_root) = (start.steps, start.from_root);
        steps.last_mut()?.ty = Some(ty.trim());
        rest = after;
        if rest.is_empty() {
            return Some(Path { from_root, steps });
        }
        rest = rest.strip_prefix('.')?;
    } else if let Some(after) = rest.strip_prefix("%resource.") {
        from_root = true;
        rest = after;
    }
    let mut first = steps.is_empty() && !from_root;
    loop {
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        if name.is_empty() {
            return None;
        }
        rest = after;
        if rest.starts_with('(') {
            let close = rest.find(')').map(|at| {
                if rest[..at].contains("resolve(") {
                    rest[at + 1..].find(')').map(|more| at + 1 + more)
                } else {
                    Some(at)
                }
            })??;
            call(name, &rest[1..close], &mut steps)?;
            rest = &rest[close + 1..];
        } else if first && name.starts_with(|c: char| c.is_ascii_uppercase()) {
            // The type that the expression is about.
        } else {
            steps.push(Step { name, ty: None, guard: Guard::None, leads_to: None });
        }
        first = false;
        if let Some(after) = rest.strip_prefix('[') {
            let (number, after) = after.split_once(']')?;
            steps.last_mut()?.guard = Guard::At(number.parse().ok()?);
            rest = after;
        }
        if rest.is_empty() {
            return Some(Path { from_root, steps });
        }
        rest = rest.strip_prefix('.')?;
    }
}

/// A function that narrows the path.
fn call(name: &str, argument: &'static str, steps: &mut Vec<Step>) -> Option<()> {
    match name {
        "as" | "ofType" => steps.last_mut()?.ty = Some(argument),
        "extension" => {
            let url = argument.strip_prefix('\'')?.strip_suffix('\'')?;
            steps.push(Step {
                name: "extension",
                ty: None,
                guard: Guard::Member("url", url),
                leads_to: None,
            });
        }
        "where" => {
            let step = steps.last_mut()?;
            if let Some(kind) = argument.strip_prefix("resolve() is ") {
                step.leads_to = Some(Kind::parse(kind)?);
            } else {
                let (member, text) = argument.split_once('=')?;
                let text = text.strip_prefix('\'')?.strip_suffix('\'')?;
                step.guard = Guard::Member(member, text);
            }
        }
        _ => return None,
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(expression: &'static str, expected: &str) {
        let shown = parse(expression).map_or("none".into(), |paths| {
            let paths: Vec<String> = paths.iter().map(show).collect();
            paths.join(" | ")
        });
        assert_eq!(shown, expected, "{expression}");
    }

    fn show(path: &Path) -> String {
        let steps: Vec<String> = path
            .steps
            .iter()
            .map(|step| {
                let ty = step.ty.map_or(String::new(), |ty| format!(":{ty}"));
                let kind = step.leads_to.map_or(String::new(), |kind| format!("->{kind}"));
                let guard = match step.guard {
                    Guard::None => String::new(),
                    Guard::Member(member, text) => format!("[{member}={text}]"),
                    Guard::At(at) => format!("[{at}]"),
                };
                format!("{}{ty}{guard}{kind}", step.name)
            })
            .collect();
        format!("{}{}", if path.from_root { "^" } else { "" }, steps.join("."))
    }

    #[test]
    fn paths_of_r4_are_understood() {
        check("Patient.name.family", "name.family");
        check("Observation", "");
        check(
            "(Observation.value as Quantity) | (Observation.value as SampledData)",
            "value:Quantity | value:SampledData",
        );
        check(
            "(Observation.value as string) | (Observation.value as CodeableConcept).text",
            "value:string | value:CodeableConcept.text",
        );
        check("Condition.onset.as(Age) | Condition.onset.as(Range)", "onset:Age | onset:Range");
        check("Patient.telecom.where(system='email')", "telecom[system=email]");
        check("Condition.subject.where(resolve() is Patient)", "subject->Patient");
        check("Observation.extension('http://x.org/a|b')", "extension[url=http://x.org/a|b]");
        check("Bundle.entry[0].resource", "entry[0].resource");
        check("%resource.referenceSeq.chromosome", "^referenceSeq.chromosome");
        check("value.as(Quantity) | value.as(Range)", "value:Quantity | value:Range");
        check("Patient.deceased.exists() and Patient.deceased != false", "none");
    }
}
