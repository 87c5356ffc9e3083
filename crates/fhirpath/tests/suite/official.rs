//! Runs the official suite and compares what fails with `cases/known_wrong.txt`: both a new failure and a new success fail.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use fhir::{Instant, Resource, Value, json};
use fhirpath::{Context, Expression, Item, PathError, System};

use crate::resource::resource_of;
use crate::xml::{self, Xml};

/// Fewer would mean that the suite was not read.
const TESTS_MIN: usize = 900;

#[test]
fn the_official_suite_passes() {
    let Some(folder) = testkit::shared_data("fhirpath-r4-tests.tar.zst") else { return };
    let text = fs::read_to_string(folder.join("r4/fhirpath/tests-fhir-r4.xml")).unwrap();
    let suite = xml::parse(&text);
    let mut inputs = Inputs { folder: folder.join("r4/examples"), read: HashMap::new() };
    let mut failed: BTreeMap<String, String> = BTreeMap::new();
    let mut seen: HashMap<String, usize> = HashMap::new();
    let mut n_tests = 0;
    for test in suite.elements("group").flat_map(|group| group.elements("test")) {
        n_tests += 1;
        let name = test.attribute("name").unwrap();
        // Two tests share a name; the second is told apart by a number.
        let count = seen.entry(name.to_string()).or_default();
        *count += 1;
        let name = if *count > 1 { format!("{name}#{count}") } else { name.to_string() };
        if let Err(why) = run(test, &mut inputs) {
            failed.insert(name, why);
        }
    }
    println!("{} of {n_tests} official tests pass", n_tests - failed.len());
    assert!(n_tests >= TESTS_MIN);
    compare(&failed);
}

/// Failures that are not listed, and listed ones that pass, both fail.
fn compare(failed: &BTreeMap<String, String>) {
    let listed = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("cases/known_wrong.txt"))
        .expect("the list is there");
    let known: BTreeMap<&str, &str> = listed
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| line.split_once(' ').unwrap_or_else(|| panic!("`{line}` has no reason")))
        .collect();
    let news: Vec<String> = failed
        .iter()
        .filter(|(name, _)| !known.contains_key(name.as_str()))
        .map(|(name, why)| format!("fails: {name} {why}"))
        .chain(known.keys().filter(|name| !failed.contains_key(**name)).map(|name| format!("passes: {name}")))
        .collect();
    assert!(news.is_empty(), "not as known_wrong.txt says:\n{}", news.join("\n"));
}

/// Inputs by file name.
struct Inputs {
    folder: PathBuf,
    read: HashMap<String, Resource>,
}

impl Inputs {
    fn get(&mut self, name: &str) -> &Resource {
        if !self.read.contains_key(name) {
            let value = self.load(name);
            self.read.insert(name.to_string(), Resource::from_value(value).expect("inputs are resources"));
        }
        &self.read[name]
    }

    /// As the suite has it, else by the same name in JSON, else ours.
    fn load(&self, name: &str) -> Value {
        let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases/inputs");
        let json_name = name.replace(".xml", ".json");
        for path in [self.folder.join(name), self.folder.join(&json_name), ours.join(&json_name)] {
            let Ok(text) = fs::read_to_string(&path) else { continue };
            if path.extension().is_some_and(|extension| extension == "xml") {
                return resource_of(&xml::parse(&text));
            }
            return json::parse(text.as_bytes(), &json::Limits::default()).expect("inputs are JSON");
        }
        panic!("the input `{name}` is missing")
    }
}

fn run(test: &Xml, inputs: &mut Inputs) -> Result<(), String> {
    let expression = test.elements("expression").next().ok_or("no expression")?;
    let text = expression.own_text();
    let resource = inputs.get(test.attribute("inputfile").unwrap_or("patient-example.xml"));
    let context = Context::new(resource).now(Instant(1_767_323_045_000_000));
    let result = evaluate(&text, &context, test);
    if expression.attribute("invalid").is_some() {
        return match result {
            Ok(found) => Err(format!("`{}` gives {found:?}, an error is expected", text.trim())),
            Err(_) => Ok(()),
        };
    }
    let found = result.map_err(|error| format!("`{}` fails: {error}", text.trim()))?;
    let mut expected: Vec<String> = test.elements("output").map(shown_output).collect();
    let mut found: Vec<String> = found;
    // Where the suite states no type, none is compared.
    if test.elements("output").any(|output| output.attribute("type").is_none()) {
        found = found
            .iter()
            .map(|item| item.split_once(' ').map_or(String::new(), |(_, value)| value.to_string()))
            .collect();
    }
    if test.attribute("ordered") == Some("false") {
        expected.sort();
        found.sort();
    }
    if found == expected {
        Ok(())
    } else {
        Err(format!("`{}` gives {found:?}, not {expected:?}", text.trim()))
    }
}

/// Parsed, checked against the type of the input, evaluated: a mistake in any of these is an error.
fn evaluate(text: &str, context: &Context<'_>, test: &Xml) -> Result<Vec<String>, PathError> {
    let expression = Expression::parse(text)?;
    let focus = context.focus.fhir_type().expect("the input is a resource");
    // Valid tests are checked too: what is right must not be refused. `as()` on many items is tolerated by evaluation, since rules of R4
    // need it, and this suite has no valid test with it.
    if let Some(mistake) = expression.check(focus).into_iter().next() {
        return Err(mistake);
    }
    if test.attribute("predicate") == Some("true") {
        return Ok(vec![format!("boolean {}", expression.is_true(context)?)]);
    }
    Ok(expression.evaluate(context)?.iter().map(shown).collect())
}

/// Type and value of an item, as the suite writes them.
fn shown(item: &Item<'_>) -> String {
    let ty = item.ty().name();
    let ty = if item.fhir_type().is_some() { ty.to_string() } else { lower_first(ty) };
    let value = match item.system() {
        Some(System::Boolean(truth)) => truth.to_string(),
        Some(System::Integer(number)) => number.to_string(),
        Some(System::Decimal(number)) => number.to_string(),
        Some(System::String(text)) => text.to_string(),
        Some(System::Temporal(temporal)) => {
            if ty == "time" {
                format!("@T{temporal}")
            } else {
                format!("@{temporal}")
            }
        }
        Some(System::Quantity(quantity)) => quantity.to_string(),
        None => "(object)".to_string(),
    };
    format!("{ty} {value}")
}

fn shown_output(output: &Xml) -> String {
    match output.attribute("type") {
        Some(ty) => format!("{} {}", lower_first(ty), output.own_text()),
        None => output.own_text(),
    }
}

fn lower_first(name: &str) -> String {
    name[..1].to_ascii_lowercase() + &name[1..]
}
