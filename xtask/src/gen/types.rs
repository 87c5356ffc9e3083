//! `types.txt`: every type with its own elements: cardinality, flags, types, reference targets, binding.
//!
//! Types that are resources come first, in alphabetical order; then all others, backbone elements among them.

use std::collections::BTreeMap;
use std::fmt::Write;

use anyhow::Context;
use serde_json::Value;

use super::package::{Package, without_version};

const HEADER: &str = "\
# FHIR R4 4.0.1, written by `cargo xtask gen`.
# Type < base (a: abstract, p: primitive), then its own elements: name min..max flags types binding
# flags: s summary, m modifier. Targets of a reference stand in parentheses. Binding: ! required, + extensible, ~ preferred, ? example.
";
const STRUCTURES: &str = "http://hl7.org/fhir/StructureDefinition/";
const VALUE_SETS: &str = "http://hl7.org/fhir/ValueSet/";

/// A type: its base, marks behind the base, and lines of its own elements.
struct Type {
    base: String,
    marks: &'static str,
    elements: Vec<String>,
}

pub(super) fn write(package: &Package) -> anyhow::Result<String> {
    let mut resources = BTreeMap::new();
    let mut others = BTreeMap::new();
    for definition in package.all("StructureDefinition").filter(|definition| is_type(definition)) {
        let name = definition["type"].as_str().context("a type has a name")?;
        let concrete = definition["kind"] == "resource" && definition["abstract"] == false;
        for (path, own) in types_of(definition).with_context(|| name.to_owned())? {
            let list = if concrete && path == name { &mut resources } else { &mut others };
            list.insert(path, own);
        }
    }
    let mut text = HEADER.to_owned();
    for (name, own) in resources.iter().chain(&others) {
        writeln!(text, "{name} <{}{}{}", space(&own.base), own.base, own.marks)?;
        for element in &own.elements {
            writeln!(text, " {element}")?;
        }
    }
    Ok(text)
}

fn space(base: &str) -> &'static str {
    if base.is_empty() { "" } else { " " }
}

/// Is it a type of FHIR itself, not a profile and not a logical model.
pub(super) fn is_type(definition: &Value) -> bool {
    definition["kind"] != "logical" && definition["derivation"] != "constraint"
}

fn types_of(definition: &Value) -> anyhow::Result<BTreeMap<String, Type>> {
    let name = definition["type"].as_str().context("name")?;
    let elements = definition["snapshot"]["element"].as_array().context("snapshot")?;
    let primitive = definition["kind"] == "primitive-type";
    let marks = match (definition["abstract"] == true, primitive) {
        (true, _) => " a",
        (_, true) => " p",
        _ => "",
    };
    let base = definition["baseDefinition"].as_str().unwrap_or("");
    let base = base.strip_prefix(STRUCTURES).unwrap_or(base).to_owned();
    let mut types = BTreeMap::from([(name.to_owned(), Type { base, marks, elements: Vec::new() })]);
    for (at, element) in elements.iter().enumerate().skip(1) {
        let path = element["path"].as_str().context("path")?;
        if element["base"]["path"] != path || primitive {
            continue; // inherited, or the value of a primitive
        }
        let (parent, own) = path.rsplit_once('.').context("a path has a parent")?;
        let is_backbone = elements
            .get(at + 1)
            .and_then(|next| next["path"].as_str())
            .is_some_and(|next| next.strip_prefix(path).is_some_and(|rest| rest.starts_with('.')));
        if is_backbone {
            let base = element["type"][0]["code"].as_str().context("base")?.to_owned();
            types.insert(path.to_owned(), Type { base, marks: "", elements: Vec::new() });
        }
        let line = line_of(element, own, path, is_backbone).with_context(|| path.to_owned())?;
        types.get_mut(parent).with_context(|| format!("parent of {path}"))?.elements.push(line);
    }
    Ok(types)
}

fn line_of(element: &Value, own: &str, path: &str, is_backbone: bool) -> anyhow::Result<String> {
    let max = element["max"].as_str().context("max")?;
    let mut line = format!("{own} {}..{max} ", element["min"]);
    let mut flags = String::new();
    for (flag, letter) in [("isSummary", 's'), ("isModifier", 'm')] {
        if element[flag] == true {
            flags.push(letter);
        }
    }
    line.push_str(if flags.is_empty() { "-" } else { &flags });
    line.push(' ');
    if is_backbone {
        line.push_str(path);
    } else if let Some(reference) = element["contentReference"].as_str() {
        line.push_str(reference.strip_prefix('#').context("a content reference is local")?);
    } else {
        let types = element["type"].as_array().context("no type")?;
        let types: Vec<String> = types.iter().map(|ty| type_of(ty, path)).collect::<Result<_, _>>()?;
        line.push_str(&types.join("|"));
    }
    if let Some(binding) = binding_of(element) {
        write!(line, " {binding}")?;
    }
    Ok(line)
}

fn type_of(ty: &Value, path: &str) -> anyhow::Result<String> {
    let code = ty["code"].as_str().context("a type has a code")?;
    let name = if code.starts_with("http://hl7.org/fhirpath/System.") {
        // Ids and addresses of extensions are system types; the FHIR type stands beside them.
        match path {
            "Resource.id" => "id",
            "Extension.url" => "uri",
            _ => "string",
        }
    } else {
        code
    };
    let targets: Vec<&str> = ty["targetProfile"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|target| target.as_str()?.strip_prefix(STRUCTURES))
        .filter(|target| *target != "Resource")
        .collect();
    // A quantity without comparator has a profile of its own.
    let simple = ty["profile"][0] == "http://hl7.org/fhir/StructureDefinition/SimpleQuantity";
    let name = if simple { "SimpleQuantity" } else { name };
    Ok(if targets.is_empty() { name.to_owned() } else { format!("{name}({})", targets.join(",")) })
}

fn binding_of(element: &Value) -> Option<String> {
    let binding = &element["binding"];
    let url = without_version(binding["valueSet"].as_str()?);
    let strength = match binding["strength"].as_str()? {
        "required" => '!',
        "extensible" => '+',
        "preferred" => '~',
        _ => '?',
    };
    Some(format!("{strength}{}", url.strip_prefix(VALUE_SETS).unwrap_or(url)))
}
