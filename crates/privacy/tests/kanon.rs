//! Random tables are k-anonymous for random k, as the independent proof sees it; planted violations are found.

#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it should be")]

use privacy::kanon::{Anonymizer, Diversity, Generalised, Hierarchy, Options, Quasi, Sensitive, Stratum};
use privacy::{Finding, PrivacyError, Proof, Requirement, SUPPRESSED, SensitiveRequirement, prove};
use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

const LEVELS: [&str; 4] = ["none", "mild", "moderate", "severe"];
const STATES: [(&str, &str); 8] = [
    ("north", "all"),
    ("south", "all"),
    ("ME", "north"),
    ("NH", "north"),
    ("VT", "north"),
    ("FL", "south"),
    ("GA", "south"),
    ("AL", "south"),
];

struct Person {
    age: Option<String>,
    sex: &'static str,
    state: &'static str,
    level: &'static str,
}

fn people(n: usize, seed: u64) -> Vec<Person> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut one = || Person {
        age: rng.random_bool(0.95).then(|| rng.random_range(0..100).to_string()),
        sex: ["f", "m", ""][rng.random_range(0..3)],
        state: ["ME", "NH", "VT", "FL", "GA", "AL"][rng.random_range(0..6)],
        level: LEVELS[rng.random_range(0..4)],
    };
    (0..n).map(|_| one()).collect()
}

fn stratum(people: &[Person], sensitive: bool) -> Stratum {
    let ages: Vec<Option<&str>> = people.iter().map(|person| person.age.as_deref()).collect();
    let sexes: Vec<Option<&str>> = people.iter().map(|person| Some(person.sex)).collect();
    let states: Vec<Option<&str>> = people.iter().map(|person| Some(person.state)).collect();
    let levels: Vec<&str> = people.iter().map(|person| person.level).collect();
    let tree = Hierarchy::new("state", &STATES).unwrap();
    let quasi = vec![
        Quasi::numbers("age", 0, &ages).unwrap(),
        Quasi::categories("sex", &sexes, None).unwrap(),
        Quasi::categories("state", &states, Some(&tree)).unwrap(),
    ];
    Stratum::new(quasi, sensitive.then(|| Sensitive::new("level", &LEVELS, &levels).unwrap())).unwrap()
}

fn published(generalised: &Generalised, people: &[Person]) -> Vec<[String; 4]> {
    let label = |row, quasi| generalised.label(row, quasi).to_owned();
    let row = |(row, person): (usize, &Person)| {
        [label(row, 0), label(row, 1), label(row, 2), person.level.to_owned()]
    };
    people.iter().enumerate().map(row).collect()
}

fn run(people: &[Person], options: Options) -> (Generalised, Vec<[String; 4]>) {
    let mut anonymizer = Anonymizer::new(options).unwrap();
    let sensitive = options.diversity.is_some() || options.closeness.is_some();
    let generalised = anonymizer.generalise(&stratum(people, sensitive)).unwrap();
    let rows = published(&generalised, people);
    (generalised, rows)
}

fn proof_of(rows: &[[String; 4]], k: usize, sensitive: Option<SensitiveRequirement<'_>>) -> Proof {
    prove(rows, &[0, 1, 2], &Requirement { k: k as u64, sensitive })
}

/// Does a label cover what the person is.
fn covers(label: &str, value: &str) -> bool {
    let base = label.strip_suffix(" or missing");
    if value.is_empty() {
        return label.is_empty() || base.is_some() || label.split('|').any(|level| level == "missing");
    }
    let label = base.unwrap_or(label);
    if let Some((low, high)) = label.split_once("..") {
        let number = |text: &str| text.parse::<i64>().unwrap();
        return (number(low)..=number(high)).contains(&number(value));
    }
    let mut above = value;
    loop {
        if label.split('|').any(|level| level == above) {
            return true;
        }
        match STATES.iter().find(|(child, _)| *child == above) {
            Some((_, parent)) => above = parent,
            None => return false,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn random_tables_are_k_anonymous_true_and_deterministic(n in 0usize..400, k in 2usize..25, seed in any::<u64>()) {
        let people = people(n, seed);
        let (generalised, rows) = run(&people, Options::new(k));
        let proof = proof_of(&rows, k, None);
        prop_assert!(proof.holds(), "{:?}", proof);
        prop_assert_eq!(proof.rows, n as u64);
        prop_assert_eq!(proof.suppressed_rows, generalised.n_suppressed() as u64);
        prop_assert_eq!(generalised.n_suppressed(), if n < k { n } else { 0 });
        if n >= k {
            for (row, person) in rows.iter().zip(&people) {
                prop_assert!(covers(&row[0], person.age.as_deref().unwrap_or("")), "{} {:?}", row[0], person.age);
                prop_assert!(covers(&row[1], person.sex), "{} {}", row[1], person.sex);
                prop_assert!(covers(&row[2], person.state), "{} {}", row[2], person.state);
            }
        }
        prop_assert_eq!(&run(&people, Options::new(k)).1, &rows);
    }

    #[test]
    fn diversity_and_closeness_hold_as_proved(n in 50usize..300, k in 2usize..8, seed in any::<u64>(), l in 2usize..4, t in 0.05f64..0.5) {
        let people = people(n, seed);
        let required = SensitiveRequirement { column: 3, order: &LEVELS, ..SensitiveRequirement::default() };
        let options = Options { diversity: Some(Diversity::Distinct(l)), ..Options::new(k) };
        let proof = proof_of(&run(&people, options).1, k, Some(SensitiveRequirement { distinct: Some(l as u64), ..required.clone() }));
        prop_assert!(proof.holds(), "{:?}", proof);
        let options = Options { diversity: Some(Diversity::Entropy(1.8)), closeness: Some(t), ..Options::new(k) };
        let strict = SensitiveRequirement { entropy: Some(1.8), closeness: Some(t), ..required };
        let proof = proof_of(&run(&people, options).1, k, Some(strict));
        prop_assert!(proof.holds(), "{:?}", proof);
    }

    #[test]
    fn a_planted_violation_is_found(n in 60usize..200, k in 2usize..10, seed in any::<u64>(), at in any::<prop::sample::Index>()) {
        let people = people(n, seed);
        let (_, mut rows) = run(&people, Options::new(k));
        let at = at.index(n);
        // One row keeps its own value: it stands alone.
        rows[at][0] = "1000".to_owned();
        let proof = proof_of(&rows, k, None);
        prop_assert!(proof.findings.contains(&Finding::SmallClass { first_row: at as u64, n_rows: 1 }), "{:?}", proof);
        prop_assert_eq!(proof.max_risk, 1.0);
        rows[at][0] = SUPPRESSED.to_owned();
        let half = Finding::PartlySuppressed { row: at as u64 };
        prop_assert!(proof_of(&rows, k, None).findings.contains(&half));
    }
}

#[test]
fn a_large_table_is_cut_finely() {
    let people = people(20_000, 5);
    let (generalised, rows) = run(&people, Options::new(5));
    let proof = proof_of(&rows, 5, None);
    assert!(proof.holds() && proof.min_class.unwrap() >= 5);
    // Strict partitioning leaves classes of k to 2k - 1 rows where values allow it.
    assert!(generalised.n_classes() > 1_500 && proof.avg_risk > 0.075, "{generalised:?} {proof:?}");
}

#[test]
fn strata_are_summed_and_too_much_suppression_is_an_error() {
    let (large, small) = (people(95, 1), people(4, 2));
    let run = |limit| {
        let mut anonymizer =
            Anonymizer::new(Options { suppression_limit: limit, ..Options::new(5) }).unwrap();
        assert_eq!(anonymizer.generalise(&stratum(&large, false)).unwrap().n_suppressed(), 0);
        let suppressed = anonymizer.generalise(&stratum(&small, false)).unwrap();
        assert!((0..4).all(|row| suppressed.is_suppressed(row) && suppressed.label(row, 0) == SUPPRESSED));
        anonymizer.finish()
    };
    assert_eq!(run(0.05).unwrap(), (99, 4));
    let error = run(0.04).unwrap_err().to_string();
    assert!(error.contains("4 of 99 rows") && error.contains("4 %"), "{error}");
}

#[test]
fn options_that_promise_nothing_are_refused() {
    let check = |options: Options, words: &str| {
        let error = Anonymizer::new(options).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    };
    check(Options::new(1), "`k` must be at least 2");
    check(Options { suppression_limit: f64::NAN, ..Options::new(2) }, "`suppression_limit`");
    check(Options { closeness: Some(1.5), ..Options::new(2) }, "`t`");
    check(Options { diversity: Some(Diversity::Distinct(1)), ..Options::new(2) }, "`l`");
    check(Options { diversity: Some(Diversity::Entropy(f64::INFINITY)), ..Options::new(2) }, "`l`");
    let mut close = Anonymizer::new(Options { closeness: Some(0.2), ..Options::new(2) }).unwrap();
    let missing = close.generalise(&stratum(&people(10, 1), false)).unwrap_err();
    assert!(matches!(missing, PrivacyError::BadParameter { name: "sensitive", .. }));
    close.generalise(&stratum(&people(10, 1), true)).unwrap();
    let unreferenced = close.generalise(&stratum(&people(10, 2), true)).unwrap_err();
    assert!(matches!(unreferenced, PrivacyError::BadParameter { name: "reference", .. }));
    let ragged = Stratum::new(
        vec![Quasi::numbers("a", 0, &[Some("1")]).unwrap(), Quasi::numbers("b", 0, &[]).unwrap()],
        None,
    );
    assert!(matches!(ragged, Err(PrivacyError::Ragged { .. })));
}

#[test]
fn closeness_over_strata_is_proved_against_the_whole_table() {
    let strata = [people(150, 3), people(250, 4)];
    let mut whole = vec![0; LEVELS.len()];
    for part in &strata {
        let levels: Vec<&str> = part.iter().map(|person| person.level).collect();
        let counts = Sensitive::new("level", &LEVELS, &levels).unwrap().counts();
        whole.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
    }
    let options = Options { closeness: Some(0.15), ..Options::new(4) };
    let mut anonymizer = Anonymizer::new(options).unwrap().with_reference(whole.clone());
    let mut rows = Vec::new();
    for (name, part) in ["first", "second"].iter().zip(&strata) {
        let generalised = anonymizer.generalise(&stratum(part, true)).unwrap();
        rows.extend(
            published(&generalised, part).into_iter().map(|[a, b, c, d]| [format!("{name} {a}"), b, c, d]),
        );
    }
    anonymizer.finish().unwrap();
    let required = SensitiveRequirement {
        column: 3,
        closeness: Some(0.15),
        order: &LEVELS,
        reference: Some(&whole),
        ..SensitiveRequirement::default()
    };
    let proof = proof_of(&rows, 4, Some(required));
    assert!(proof.holds() && proof.classes > 2, "{proof:?}");
}
