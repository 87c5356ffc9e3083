//! Trains the compression dictionary of stored bodies on synthetic people: `cargo run --release -p salus-store --example dictionary FILE`.
//!
//! A dictionary is never changed once databases were made with it: a better one gets the next number in `src/body/codec.rs`.
#![allow(clippy::print_stdout, reason = "a command for people")]

use fhir::{Object, Value};
use synth::{Config, Population};

const DICTIONARY_BYTES_MAX: usize = 64 << 10;
const PATIENTS: u32 = 400;
/// Samples of one type: the frequent ones must not crowd out the others.
const SAMPLES_OF_TYPE_MAX: usize = 2_500;
/// What many sources write into the `meta` of everything they send; `KIND` and `NUMBER` stand for what differs. Half of the samples carry one.
const LABELS: [&str; 3] = [
    r#""profile":["http://hl7.org/fhir/us/core/StructureDefinition/us-core-KIND"]"#,
    r#""tag":[{"system":"https://smarthealthit.org/tags","code":"NUMBER"}]"#,
    r#""security":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActReason","code":"HTEST","display":"test health data"}]"#,
];

fn main() {
    let Some(path) = std::env::args().nth(1) else {
        println!("name the file to write, such as `crates/store/definitions/dictionary-2.zdict`");
        return;
    };
    let population = Population::new(Config::new(PATIENTS, 1));
    let mut samples: Vec<Vec<u8>> = Vec::new();
    let mut counts: std::collections::HashMap<String, usize> = std::collections::HashMap::new();
    let people = (0..PATIENTS).flat_map(|index| population.patient(index));
    for resource in people.chain(population.shared()).chain(population.groups()) {
        let kind = resource.text("resourceType").unwrap_or("").to_string();
        let n = counts.entry(kind).or_default();
        *n += 1;
        if *n <= SAMPLES_OF_TYPE_MAX {
            samples.push(sample(&resource, samples.len()));
        }
    }
    let dictionary =
        zstd::dict::from_samples(&samples, DICTIONARY_BYTES_MAX).expect("there are enough samples");
    let bytes: usize = samples.iter().map(Vec::len).sum();
    std::fs::write(&path, &dictionary).expect("the file can be written");
    println!("{path}: {} bytes from {} samples of {bytes} bytes", dictionary.len(), samples.len());
}

/// What is stored of a resource: all but the head, which is written in front when it is read.
fn sample(resource: &Value, number: usize) -> Vec<u8> {
    let members = resource.as_object().expect("a resource is an object").iter();
    let kept = members.filter(|(key, _)| !["resourceType", "id", "meta"].contains(key));
    let object: Object = kept.map(|(key, value)| (key, value.clone())).collect();
    let text = Value::Object(object).to_bytes();
    let kind = resource.text("resourceType").unwrap_or("").to_lowercase();
    let label = LABELS.get(number % 6).map_or(String::new(), |label| label.replace("KIND", &kind));
    let label = label.replace("NUMBER", &number.to_string());
    let mut sample = u32::try_from(label.len()).expect("a label is short").to_le_bytes().to_vec();
    sample.extend_from_slice(label.as_bytes());
    sample.extend_from_slice(&text[1..text.len() - 1]);
    sample
}
