//! Events per second of the shipped rules on one core: `cargo bench -p salus-rules --bench rules`.

#[path = "../tests/common/mod.rs"]
mod common;

use std::time::Instant as Clock;

use common::{SECOND, START, adult, event, measured};
use event::{Event, Sources};
use fhir::Instant;
use rules::{PatientState, RuleSet, Subject};

const N_BEDS: usize = 250;
const ROUNDS: usize = 400;
/// Where the last twelve digits of the id stand in the text.
const ID: usize = 42;

/// Normal vital signs that move a little.
fn vitals(bed: usize, round: usize) -> Vec<event::Measurement> {
    let wave = |low: usize, span: usize| (low + (bed * 7 + round * 3) % span).to_string();
    vec![
        measured("heart_rate", &wave(65, 20)),
        measured("respiratory_rate", &wave(13, 6)),
        measured("spo2", &wave(96, 4)),
        measured("systolic", &wave(115, 15)),
        measured("diastolic", &wave(70, 12)),
    ]
}

fn events(n_measured: usize) -> Vec<Vec<Event>> {
    let round = |round: usize| {
        let one = |bed: usize| {
            let mut measurements = vitals(bed, round);
            measurements.rotate_left(round % 5);
            measurements.truncate(n_measured);
            let mut made = event(
                &format!("0190f0a2-7c33-7d2e-8000-{bed:05}{round:07}"),
                START + round as i64 * SECOND,
                measurements,
            );
            made.patient = Some(format!("Patient/{bed}"));
            made
        };
        (0..N_BEDS).map(one).collect()
    };
    (0..ROUNDS).map(round).collect()
}

#[allow(clippy::print_stdout)]
fn measure(what: &str, set: &RuleSet, subject: &Subject, events: &[Vec<Event>]) {
    let mut states = vec![PatientState::default(); N_BEDS];
    let (mut best, mut n_found) = (0.0_f64, 0);
    for (round, beds) in events.iter().enumerate() {
        let start = Clock::now();
        for (event, state) in beds.iter().zip(&mut states) {
            n_found += set.on_event(state, subject, event).len();
        }
        let rate = beds.len() as f64 / start.elapsed().as_secs_f64();
        // The first rounds fill the states.
        if round > 10 {
            best = best.max(rate);
        }
    }
    let start = Clock::now();
    let n_bytes: usize = states.iter().map(|state| state.to_bytes().len()).sum();
    let micros = start.elapsed().as_secs_f64() * 1e6 / N_BEDS as f64;
    println!(
        "{what}: {best:.0} events/s (best round), {n_found} findings, state {} bytes, written in {micros:.1} us",
        n_bytes / N_BEDS
    );
}

/// What processing does with an entry of the log: reads it and lets the rules judge.
#[allow(clippy::print_stdout)]
fn log(what: &str, set: &RuleSet, subject: &Subject, events: &[Vec<Event>]) {
    let kept: Vec<Vec<Vec<u8>>> =
        events.iter().map(|beds| beds.iter().map(Event::to_bytes).collect()).collect();
    let mut states = vec![PatientState::default(); N_BEDS];
    let (mut best, mut n_found) = (0.0_f64, 0);
    for beds in &kept {
        let start = Clock::now();
        for (bytes, state) in beds.iter().zip(&mut states) {
            let event = Event::of_bytes(bytes).expect("it was written");
            n_found += set.on_event(state, subject, &event).len();
        }
        best = best.max(beds.len() as f64 / start.elapsed().as_secs_f64());
    }
    println!("decode of the log and rules, {what}: {best:.0} events/s (best round), {n_found} findings");
}

#[allow(clippy::print_stdout)]
fn decode() {
    let text = r#"{"schema":1,"id":"0190f0a2-7c33-7d2e-8000-000000000001","kind":"vital_signs","patient":"Patient/1","at":"2026-06-15T12:00:00Z","source":"monitor","unit":"W3","data":{"heart_rate":72,"respiratory_rate":16,"spo2":97,"systolic":121,"diastolic":75}}"#;
    let (set, subject) = (RuleSet::shipped(), adult());
    let (mut state, sources) = (PatientState::default(), Sources::default());
    let now = Instant(START);
    let mut bytes = text.as_bytes().to_vec();
    let (mut best, mut n, mut n_found) = (0.0_f64, 0_u64, 0);
    for _ in 0..500 {
        let start = Clock::now();
        for _ in 0..500 {
            // Each event has an id of its own, as real ones have.
            let id = format!("{n:012}");
            bytes[ID..ID + 12].copy_from_slice(id.as_bytes());
            let event = Event::parse(&bytes, &sources, now).expect("it is an event");
            n_found += set.on_event(&mut state, &subject, &event).len();
            n += 1;
        }
        best = best.max(500.0 / start.elapsed().as_secs_f64());
    }
    println!(
        "decode at the door and rules, five vital signs: {best:.0} events/s (best round), {n_found} findings"
    );
}

fn main() {
    let (set, subject) = (RuleSet::shipped(), adult());
    measure("one vital sign", &set, &subject, &events(1));
    measure("five vital signs", &set, &subject, &events(5));
    let unknown = Subject::default();
    measure("five vital signs, age not known", &set, &unknown, &events(5));
    log("one vital sign", &set, &subject, &events(1));
    log("five vital signs", &set, &subject, &events(5));
    decode();
}
