//! Nanoseconds per evaluation of ten search-like expressions, beside a walk written by hand for the same question.
//!
//! `cargo bench -p salus-fhirpath` prints one line for each; the last column is how often the walk goes into the evaluation.

use std::hint::black_box;
use std::time::Instant;

use fhir::{Kind, Reference, Resource, Value, json};
use fhirpath::{Context, Expression};

const OBSERVATION: &[u8] = include_bytes!("../cases/inputs/observation-bench.json");
const PATIENT: &[u8] = include_bytes!("../cases/inputs/patient-bench.json");

/// A question, and the same by hand: the number of items found.
type Question = (&'static str, fn(&Value) -> usize);

const QUESTIONS: [Question; 10] = [
    ("Observation.code", |v| count(v.get("code"))),
    ("Observation.status", |v| count(v.get("status"))),
    ("(Observation.value as Quantity)", |v| count(v.get("valueQuantity"))),
    ("Observation.subject.where(resolve() is Patient)", |v| {
        count(v.get("subject").filter(|s| is_patient(s)))
    }),
    ("Observation.category.coding.code", |v| {
        each(v, "category", |c| each(c, "coding", |c| count(c.get("code"))))
    }),
    ("Observation.component.code | Observation.code", |v| {
        each(v, "component", |c| count(c.get("code"))) + count(v.get("code"))
    }),
    ("(Observation.effective as dateTime) | (Observation.effective as Period)", |v| {
        count(v.get("effectiveDateTime")) + count(v.get("effectivePeriod"))
    }),
    ("Patient.name.family", |v| each(v, "name", |n| count(n.get("family")))),
    ("Patient.telecom.where(system='phone')", |v| {
        each(v, "telecom", |t| usize::from(t.text("system") == Some("phone")))
    }),
    ("Patient.deceased.exists() and Patient.deceased != false", |v| {
        usize::from(v.get("deceasedDateTime").is_some() || v.get("deceasedBoolean").is_some())
    }),
];

fn count(value: Option<&Value>) -> usize {
    value.map_or(0, |value| value.each().len())
}

fn each(value: &Value, key: &str, of: impl Fn(&Value) -> usize) -> usize {
    value.get(key).map_or(0, |value| value.each().iter().map(of).sum())
}

fn is_patient(reference: &Value) -> bool {
    match reference.text("reference").map(Reference::parse) {
        Some(Reference::Local { kind, .. }) => kind == Kind::PATIENT,
        _ => false,
    }
}

/// Nanoseconds of one call, by the best of several rounds.
fn nanos(mut call: impl FnMut() -> usize) -> (f64, usize) {
    let (mut best, mut found) = (f64::MAX, 0);
    for _ in 0..7 {
        let n_calls = 50_000;
        let started = Instant::now();
        for _ in 0..n_calls {
            found = black_box(call());
        }
        best = best.min(started.elapsed().as_secs_f64() * 1e9 / f64::from(n_calls));
    }
    (best, found)
}

#[allow(clippy::print_stdout, reason = "a measurement is for reading")]
fn main() {
    let parse = |bytes| Resource::parse(bytes, &json::Limits::default()).expect("the input is a resource");
    let (observation, patient) = (parse(OBSERVATION), parse(PATIENT));
    println!("{:>9} {:>9} {:>6}  expression (items)", "path ns", "hand ns", "ratio");
    let mut total = 0.0;
    for (text, by_hand) in QUESTIONS {
        let resource = if text.contains("Observation") { &observation } else { &patient };
        let expression = Expression::parse(text).expect("the expression is FHIRPath");
        let context = Context::new(resource);
        let (path, found) = nanos(|| {
            let mut n_items = 0;
            expression
                .each(black_box(&context), &mut |item| {
                    black_box(&item);
                    n_items += 1;
                    true
                })
                .expect("the expression can be evaluated");
            n_items
        });
        let (hand, expected) = nanos(|| by_hand(black_box(resource.value())));
        assert_eq!(found, expected, "{text}");
        println!("{path:>9.0} {hand:>9.0} {:>6.1}  {text} ({found})", path / hand);
        total += path;
    }
    println!("{total:>9.0} ns in total, {:.2} million evaluations a second", 1e3 * 10.0 / total);
}
