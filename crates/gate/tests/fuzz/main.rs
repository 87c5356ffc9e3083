//! The bodies of the fuzz targets for what comes from outside, on a corpus that is changed at random: JSON, bundles, search queries.

#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

#[path = "../../../../fuzz/bodies/bundle.rs"]
mod bundle;
mod corpus;
#[path = "../../../../fuzz/bodies/json.rs"]
mod json;
#[path = "../../../../fuzz/bodies/search_query.rs"]
mod search_query;

use corpus::{BUNDLES, PIECES, QUERIES, TEXTS, WORDS};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// Runs of each body; `SALUS_FUZZ_RUNS` asks for more.
const RUNS: u32 = 4_000;

fn runs() -> u32 {
    std::env::var("SALUS_FUZZ_RUNS").map_or(RUNS, |text| text.parse().unwrap())
}

/// One of the seeds with up to eight changes: bytes flipped, cut out, repeated, pieces put in.
fn changed(random: &mut StdRng, seeds: &[&str], pieces: &[&str]) -> Vec<u8> {
    let mut bytes = seeds[random.random_range(0..seeds.len())].as_bytes().to_vec();
    for _ in 0..random.random_range(0..8) {
        let at = random.random_range(0..=bytes.len());
        let to = (at + random.random_range(0..16)).min(bytes.len());
        match random.random_range(0..6) {
            0 if at < bytes.len() => bytes[at] ^= 1 << random.random_range(0..8),
            1 => drop(bytes.drain(at..to)),
            2 => {
                let again = bytes[at..to].to_vec();
                bytes.splice(at..at, again);
            }
            3 => bytes.truncate(at),
            _ => {
                let piece = pieces[random.random_range(0..pieces.len())];
                bytes.splice(at..at, piece.bytes());
            }
        }
    }
    bytes
}

#[test]
fn no_json_breaks_the_parser() {
    let mut random = StdRng::seed_from_u64(1);
    for text in TEXTS.iter().chain(&BUNDLES) {
        json::run(text.as_bytes());
    }
    for _ in 0..runs() {
        json::run(&changed(&mut random, &TEXTS, &PIECES));
    }
}

#[test]
fn no_bundle_breaks_validation_or_extraction() {
    let mut random = StdRng::seed_from_u64(2);
    for text in BUNDLES {
        assert!(fhir::Resource::parse(text.as_bytes(), &fhir::json::Limits::default()).is_ok(), "{text}");
        bundle::run(text.as_bytes());
    }
    for _ in 0..runs() {
        bundle::run(&changed(&mut random, &BUNDLES, &PIECES));
    }
}

#[test]
fn no_query_breaks_the_parser() {
    let mut random = StdRng::seed_from_u64(3);
    let number_of = |name| u8::try_from(fhir::Kind::named(name).index()).unwrap();
    let observation = number_of("Observation");
    for text in QUERIES {
        [observation, number_of("Patient"), u8::MAX]
            .iter()
            .for_each(|kind| search_query::run(*kind, false, text));
    }
    for _ in 0..runs() * 5 {
        let bytes = changed(&mut random, &QUERIES, &WORDS);
        let text = String::from_utf8_lossy(&bytes);
        // A quarter asks about observations, which have most sorts of parameters.
        let kind = if random.random_bool(0.25) { observation } else { random.random_range(0..=u8::MAX) };
        search_query::run(kind, random.random_bool(0.5), &text);
    }
}
