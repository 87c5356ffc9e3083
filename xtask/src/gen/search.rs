//! `search.txt`: the search parameters of each type, with the part of the expression that is about the type.

use std::collections::BTreeMap;
use std::fmt::Write;

use anyhow::Context;
use serde_json::Value;

use super::package::Package;

const HEADER: &str = "\
# FHIR R4 4.0.1, written by `cargo xtask gen`.
# Type, then its parameters, separated by tabs: code, type, name of the definition, targets, components (name=expression), expression
";
const PARAMETERS: &str = "http://hl7.org/fhir/SearchParameter/";

pub(super) fn write(package: &Package) -> anyhow::Result<String> {
    let mut by_base: BTreeMap<&str, BTreeMap<&str, String>> = BTreeMap::new();
    for parameter in package.all("SearchParameter") {
        let url = parameter["url"].as_str().context("url")?;
        let Some(name) = url.strip_prefix(PARAMETERS).filter(|name| !name.starts_with("example")) else {
            continue;
        };
        for base in parameter["base"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            let code = parameter["code"].as_str().context("code")?;
            let line = line_of(package, parameter, name, base).with_context(|| format!("{base} {code}"))?;
            let before = by_base.entry(base).or_default().insert(code, line);
            anyhow::ensure!(before.is_none(), "{base} has two parameters `{code}`");
        }
    }
    let mut text = HEADER.to_owned();
    for (base, lines) in by_base {
        writeln!(text, "{base}")?;
        for line in lines.values() {
            writeln!(text, "\t{line}")?;
        }
    }
    Ok(text)
}

fn line_of(package: &Package, parameter: &Value, name: &str, base: &str) -> anyhow::Result<String> {
    let code = parameter["code"].as_str().context("code")?;
    // `_text`, `_content` and `_query` have no expression: they are about the whole resource.
    let (ty, expression) = match parameter["expression"].as_str() {
        Some(expression) => (parameter["type"].as_str().context("type")?, part_for(expression, base)?),
        None => ("special", String::new()),
    };
    let targets = parameter["target"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let mut targets: Vec<&str> = targets.filter(|target| *target != "Resource").collect();
    // A list of all types (`Parameters` is never in it) means any.
    if targets.len() >= 145 {
        targets.clear();
    }
    let mut components = Vec::new();
    for component in parameter["component"].as_array().into_iter().flatten() {
        let definition = component["definition"].as_str().context("definition")?;
        let definition = package.get("SearchParameter", definition).context("a component is one of R4")?;
        let text = |value: &Value| value.as_str().map(str::to_owned).context("a component is complete");
        let (code, ty) = (text(&definition["code"])?, text(&definition["type"])?);
        components.push(format!("{code}:{ty}={}", text(&component["expression"])?));
    }
    Ok([code, ty, name, &targets.join(","), &components.join(";"), &expression].join("\t"))
}

/// The alternatives of a union that start at `base`; those that name no type are about it as well.
fn part_for(expression: &str, base: &str) -> anyhow::Result<String> {
    let mut parts = Vec::new();
    for part in alternatives(expression) {
        let root =
            part.trim_start_matches('(').split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or("");
        if root == base {
            parts.push(part.to_owned());
        } else if root.starts_with(|c: char| c.is_ascii_lowercase()) {
            parts.push(format!("{base}.{part}"));
        }
    }
    anyhow::ensure!(!parts.is_empty(), "no part of `{expression}` is about `{base}`");
    Ok(parts.join(" | "))
}

/// Splits at `|` outside parentheses and quotes.
fn alternatives(expression: &str) -> Vec<&str> {
    let (mut depth, mut quoted, mut start) = (0u32, false, 0);
    let mut parts = Vec::new();
    for (at, c) in expression.char_indices() {
        match c {
            '\'' => quoted = !quoted,
            _ if quoted => {}
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            '|' if depth == 0 => {
                parts.push(expression[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(expression[start..].trim());
    parts
}

#[cfg(test)]
mod tests {
    fn check(expression: &str, base: &str, expected: &str) {
        assert_eq!(super::part_for(expression, base).unwrap(), expected);
    }

    #[test]
    fn an_expression_is_cut_down_to_its_type() {
        let code = "AllergyIntolerance.code | AllergyIntolerance.reaction.substance | Condition.code | (DeviceRequest.code as CodeableConcept)";
        check(code, "AllergyIntolerance", "AllergyIntolerance.code | AllergyIntolerance.reaction.substance");
        check(code, "Condition", "Condition.code");
        check(code, "DeviceRequest", "(DeviceRequest.code as CodeableConcept)");
        check("name | alias", "InsurancePlan", "InsurancePlan.name | InsurancePlan.alias");
        check("A.b.where(c = 'x|y' | d) | B.b", "A", "A.b.where(c = 'x|y' | d)");
        assert!(super::part_for("A.b", "AB").is_err());
    }
}
