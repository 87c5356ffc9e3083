//! The detectors against R's package `surveillance` 1.20.3 on its own three series (shared data `surveillance-reference`).

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test: it may panic, and says aloud what it did not check"
)]

use std::collections::HashMap;
use std::io::Read;
use std::path::PathBuf;

use clinical::age::parse_day;
use clinical::surveillance::ears::{self, c1, c2};
use clinical::surveillance::farrington::{NotTested, Options, Weekly, farrington};

/// One line by column name.
type Row = HashMap<String, String>;

fn shared() -> PathBuf {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    std::env::var_os("SALUS_SHARED_DATA").map_or_else(beside, PathBuf::from)
}

/// The lines of every file; `None` without the shared data.
fn reference() -> Option<HashMap<String, Vec<Row>>> {
    let path = shared().join("surveillance-reference.tar.zst");
    let Ok(file) = std::fs::File::open(&path) else {
        println!("not checked: `{}` is absent", path.display());
        return None;
    };
    let mut archive = tar::Archive::new(zstd::Decoder::new(file).unwrap());
    let mut files = HashMap::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().file_name().map(|name| name.to_string_lossy().into_owned());
        let mut text = String::new();
        entry.read_to_string(&mut text).unwrap();
        let mut lines =
            text.lines().map(|line| line.split(',').map(|cell| cell.trim_matches('"').to_owned()));
        let Some(names) = lines.next().map(Iterator::collect::<Vec<_>>) else { continue };
        files.insert(name.unwrap(), lines.map(|cells| names.iter().cloned().zip(cells).collect()).collect());
    }
    Some(files)
}

fn number(row: &Row, column: &str) -> Option<f64> {
    row[column].parse().ok()
}

fn near(found: f64, expected: f64, place: &str) {
    assert!((found - expected).abs() <= 1e-6 * expected.abs().max(1.0), "{place}: {found} is not {expected}");
}

#[test]
fn ears_agrees_with_the_package() {
    let Some(files) = reference() else { return };
    let at_999 = ears::Options { z_max: 3.090_232_306_167_813, c3_max: 2.0, sd_min: 0.0 };
    let cdc = ears::Options { z_max: 3.0, c3_max: 2.0, sd_min: 0.5 };
    let mut n_checked = 0;
    for (name, rows) in files.iter().filter(|(name, _)| name.starts_with("ears_")) {
        let (options, prefix) = if name.contains("cdc3sd") { (cdc, "") } else { (at_999, "ears_") };
        let counts: Vec<f64> = rows.iter().map(|row| number(row, "observed").unwrap()).collect();
        for (day, row) in rows.iter().enumerate() {
            for (detector, look) in [("C1", c1(&counts, day, options)), ("C2", c2(&counts, day, options))] {
                let place = format!("{name} {detector} {day}");
                let upper = number(row, &format!("{prefix}{detector}_upper"));
                assert_eq!(look.is_some(), upper.is_some(), "{place}");
                if let (Some(look), Some(upper)) = (look, upper) {
                    near(look.upper, upper, &place);
                    assert_eq!(
                        u8::from(look.alert).to_string(),
                        row[&format!("{prefix}{detector}_alarm")],
                        "{place}"
                    );
                    n_checked += 1;
                }
            }
        }
    }
    assert!(n_checked > 3000, "{n_checked}");
}

/// Calls `check` with every week of every series; returns how many there were.
fn each_week(mut check: impl FnMut(Weekly<'_>, usize, &Row, &str)) -> Option<usize> {
    let files = reference()?;
    let mut n_weeks = 0;
    for series in ["ha", "momo", "salmonella.agona"] {
        let all = &files[&format!("ears_{series}.csv")];
        let counts: Vec<u64> = all.iter().map(|row| row["observed"].parse().unwrap()).collect();
        // `momo` has dates, and past weeks are found by the calendar.
        let weekly = Weekly { counts: &counts, first_day: parse_day(&all[0]["epoch"]) };
        for row in &files[&format!("farrington_{series}.csv")] {
            let week = row["t"].parse::<usize>().unwrap() - 1;
            check(weekly, week, row, &format!("{series} {}", week + 1));
            n_weeks += 1;
        }
    }
    Some(n_weeks)
}

#[test]
fn farrington_agrees_with_the_package() {
    let mut n_tested = 0;
    let n_weeks = each_week(|weekly, week, row, place| {
        // The package writes 0 where there are too few cases.
        let upper = number(row, "farrington_upper").filter(|upper| *upper > 0.0);
        match (farrington(weekly, week, &Options::ORIGINAL), upper) {
            (Ok(look), Some(upper)) => {
                near(look.upper, upper, place);
                assert_eq!(u8::from(look.alert).to_string(), row["farrington_alarm"], "{place}");
                n_tested += 1;
            }
            (Err(NotTested::TooFewCases), None) => {}
            (look, upper) => panic!("{place}: {look:?} against {upper:?}"),
        }
    });
    if let Some(n_weeks) = n_weeks {
        assert_eq!((n_weeks, n_tested), (595, 574));
    }
}

#[test]
fn flexible_farrington_agrees_with_the_package() {
    let options = Options { alpha: 0.05, ..Options::FLEXIBLE };
    let mut n_tested = 0;
    let n_weeks = each_week(|weekly, week, row, place| {
        match (farrington(weekly, week, &options), number(row, "noufaily_upper")) {
            (Ok(look), Some(upper)) => {
                assert_eq!(look.upper, upper, "{place}");
                near(look.expected, number(row, "noufaily_expected").unwrap(), place);
                assert_eq!(u8::from(look.alert).to_string(), row["noufaily_alarm"], "{place}");
                n_tested += 1;
            }
            // Here the package writes its bound and no alert.
            (Err(NotTested::TooFewCases), _) => assert_eq!(row["noufaily_alarm"], "0", "{place}"),
            (look, upper) => panic!("{place}: {look:?} against {upper:?}"),
        }
    });
    if let Some(n_weeks) = n_weeks {
        assert_eq!((n_weeks, n_tested), (595, 574));
    }
}
