//! Golden cases: `patient: EXPRESSION` on a small resource, and the items that it gives, one a line.

use std::collections::HashMap;
use std::path::Path;

use fhir::{Instant, Resource, json};
use fhirpath::{Context, Expression, Item, System};

#[test]
fn golden_cases() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    let inputs: HashMap<&str, Resource> = ["patient", "observation"]
        .into_iter()
        .map(|name| {
            let text = std::fs::read(folder.join(format!("inputs/{name}-golden.json"))).unwrap();
            (name, Resource::parse(&text, &json::Limits::default()).unwrap())
        })
        .collect();
    let n_cases = testkit::cases(folder.join("golden"), |input| {
        let (name, text) = input.split_once(": ").expect("a case names its input");
        answer(&inputs[name], text)
    });
    assert!(n_cases > 100, "{n_cases}");
}

fn answer(resource: &Resource, text: &str) -> String {
    let context = Context::new(resource).now(Instant(1_767_323_045_678_000));
    let items = Expression::parse(text).and_then(|expression| expression.evaluate(&context));
    match items {
        Ok(items) => items.iter().map(shown).collect::<Vec<_>>().join("\n"),
        Err(error) => format!("error at {error}"),
    }
}

/// The type and the value; an object as JSON.
fn shown(item: &Item<'_>) -> String {
    let value = match item.system() {
        Some(System::Boolean(truth)) => truth.to_string(),
        Some(System::Integer(number)) => number.to_string(),
        Some(System::Decimal(number)) => number.to_string(),
        Some(System::String(text)) => format!("{text:?}"),
        Some(System::Temporal(temporal)) => temporal.to_string(),
        Some(System::Quantity(quantity)) => quantity.to_string(),
        None => item.value().map_or("(no value)".to_string(), fhir::Value::to_text),
    };
    format!("{} {value}", item.ty())
}
