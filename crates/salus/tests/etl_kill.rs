//! A run whose process dies, at every named point of a load and at any moment, is continued: what the target holds is what an undisturbed
//! run gives, row by row, and another run changes nothing. For every kind of target.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of a test")]

#[path = "support/dice.rs"]
mod dice;
#[path = "support/loads.rs"]
mod loads;
mod support;

use std::time::{Duration, Instant};

use dice::{Dice, number};
use loads::{Kind, Place, Store, contents};

/// Moments at which a run is killed, for each kind; fewer when they take longer than `SECS_MAX`. `SALUS_KILLS` gives a number that is
/// kept however long it takes.
const KILLS: u32 = 100;
const KILLS_MIN: u32 = 8;
const SECS_MAX: u64 = 6;
/// `SALUS_SEED` gives another one.
const SEED: u64 = 20_261_125;

const FOLDER: &[&str] =
    &["before-commit", "staged", "renamed", "before-manifest", "after-manifest", "after-commit"];

/// Kills loads of this kind in all ways, and compares what each left in the end with an undisturbed load.
fn check(kind: &'static Kind) {
    let Some(base) = Place::loaded(kind) else { return };
    let calm = base.copy();
    calm.more();
    let start = Instant::now();
    let run = calm.run(&[]).expect(4).json()["run"].as_str().unwrap().to_owned();
    let whole = start.elapsed();
    let account = calm.account(&run);
    let mut places = vec![("undisturbed".to_owned(), calm)];
    let finish = |what: String, place: Place, die_at: Option<&str>, places: &mut Vec<(String, Place)>| {
        let run = place.resume(die_at);
        assert_eq!(place.account(&run), account, "{} {what}", kind.name);
        places.push((what, place));
    };
    for point in kind.points {
        let place = base.copy();
        place.more();
        let died = place.run(&["--die-at", point]);
        assert_eq!(died.code, -1, "{} does not pass `{point}`: {died:?}", kind.name);
        finish(format!("died at `{point}`, twice"), place, Some(point), &mut places);
    }
    let wanted = number("SALUS_KILLS").map(|n| u32::try_from(n).unwrap());
    let seed = number("SALUS_SEED").unwrap_or(SEED);
    let (mut dice, start, mut n_kills) = (Dice::new(seed), Instant::now(), 0);
    while n_kills < wanted.unwrap_or(KILLS) {
        if wanted.is_none() && n_kills >= KILLS_MIN && start.elapsed() > Duration::from_secs(SECS_MAX) {
            break;
        }
        let place = base.copy();
        place.more();
        // The first part of a run only finds its configuration: fewer die there.
        let part = if n_kills % 5 == 0 { dice.part() } else { 0.4 + 0.65 * dice.part() };
        place.run_and_kill(whole.mul_f64(part));
        finish(format!("killed after {part:.3} of {whole:?}"), place, None, &mut places);
        n_kills += 1;
    }
    println!(
        "{}: killed at {n_kills} random moments (seed {seed}) and {} points",
        kind.name,
        kind.points.len()
    );
    compare(kind, &places, "");
    for (what, place) in &places {
        let again = place.run(&[]).expect(0).json();
        assert_eq!(again["counts"]["read"], 0, "{} {what}: {again}", kind.name);
    }
    compare(kind, &places, ", then run again");
}

fn compare(kind: &Kind, places: &[(String, Place)], then: &str) {
    let all: Vec<&Place> = places.iter().map(|(_, place)| place).collect();
    let found = contents(kind, &all);
    assert!(found[0].len() > 500, "{}: {} rows", kind.name, found[0].len());
    for ((what, _), content) in places.iter().zip(&found) {
        assert_eq!(content, &found[0], "{} {what}{then}", kind.name);
    }
}

macro_rules! kinds {
    ($($name:ident: $store:ident, $options:literal, $points:expr;)*) => {
        $(#[test]
        fn $name() {
            check(&Kind { name: stringify!($name), store: Store::$store, options: $options, points: $points });
        })*
    };
}

kinds! {
    csv_append: Text, "type: csv, path: out, mode: append", FOLDER;
    csv_merge: Text, "type: csv, path: out, mode: merge, key: [patient_id]", FOLDER;
    ndjson_append: Text, "type: ndjson, path: out, mode: append", FOLDER;
    ndjson_replace: Text, "type: ndjson, path: out, mode: replace", FOLDER;
    parquet_append: Tables, "type: parquet, path: out, mode: append", FOLDER;
    parquet_merge: Tables, "type: parquet, path: out, mode: merge, key: [patient_id], partition_by: [gender]", FOLDER;
    delta_append: Tables, "type: delta, path: out, mode: append", &["staged", "before-commit", "after-commit"];
    delta_merge: Tables, "type: delta, path: out, mode: merge, key: [patient_id]", &["staged", "before-commit", "after-commit"];
    sqlite_merge: Sqlite, "type: sqlite, path: out.db, table: people, mode: merge, key: [patient_id]",
        &["before-commit", "sqlite-staged", "sqlite-merged", "sqlite-before-commit", "sqlite-committed", "after-commit"];
    postgres_append: Postgres, "type: postgres, url: \"URL\", table: TABLE, mode: append",
        &["before-commit", "postgres-staged", "postgres-before-commit", "postgres-committed", "after-commit"];
    postgres_merge: Postgres, "type: postgres, url: \"URL\", table: TABLE, mode: merge, key: [patient_id]",
        &["before-commit", "postgres-staged", "postgres-merged", "postgres-before-commit", "postgres-committed", "after-commit"];
    mysql_append: Mysql, "type: mysql, url: \"URL\", table: TABLE, mode: append",
        &["before-commit", "mysql-staged", "mysql-before-commit", "mysql-committed", "after-commit"];
    mysql_merge: Mysql, "type: mysql, url: \"URL\", table: TABLE, mode: merge, key: [patient_id]",
        &["before-commit", "mysql-staged", "mysql-merged", "mysql-before-commit", "mysql-committed", "after-commit"];
    fhir_store: Fhir, "type: fhir_store, batch: 100",
        &["before-commit", "fhir_store:staged", "fhir_store:half", "fhir_store:written", "fhir_store:committed", "after-commit"];
}
