//! The shipped rules: their own tests, their versions, and that every number of theirs is held by a test.

use std::sync::Arc;

use clinical::Number;

use super::threshold::{Threshold, numbers};
use crate::check::{outcomes, parse};
use crate::expression::Expression;
use crate::model::{Body, Condition, Pack};
use crate::{RuleSet, shipped_files, test_files};

fn packs() -> Vec<Pack> {
    let mut found = Vec::new();
    let mut packs: Vec<Pack> = shipped_files().iter().map(|file| parse(file, &mut found)).collect();
    assert!(found.is_empty(), "{found:#?}");
    // Words become numbers here, so that they can be moved like numbers.
    let linked = RuleSet::link(&packs, &[], &mut found);
    for rule in packs.iter_mut().flat_map(|pack| &mut pack.rules) {
        let (_, resolved) = linked.rule_of(crate::hash::key(&rule.name)).unwrap();
        rule.body = resolved.body.clone();
        if let Body::Limits { words, .. } = &mut rule.body {
            words.iter_mut().for_each(|words| *words = [None, None]);
        }
    }
    packs
}

#[test]
fn their_own_tests_pass() {
    let outcomes = test_files(&shipped_files()).unwrap_or_else(|problems| {
        let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
        panic!("{}", problems.join("\n"))
    });
    let failed: Vec<String> = outcomes
        .iter()
        .filter(|outcome| !outcome.failures.is_empty())
        .map(|outcome| {
            format!("{}:{} {}: {}", outcome.path, outcome.at, outcome.name, outcome.failures.join("; "))
        })
        .collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    assert!(outcomes.len() > 100);
}

/// What stands in `shipped/versions.txt` was released: the same version never says something else.
#[test]
fn a_released_version_never_changes() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/shipped/versions.txt");
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let known: Vec<Vec<&str>> = text.lines().map(|line| line.split(' ').collect()).collect();
    let (mut missing, mut changed) = (Vec::new(), Vec::new());
    for rule in RuleSet::shipped().rules() {
        let hash = rule.hash.to_string();
        match known.iter().find(|line| line[0] == rule.name && line[1] == rule.version) {
            Some(line) if line[2] == hash => {}
            Some(_) => changed.push(rule.name),
            None => missing.push(format!("{} {} {hash}\n", rule.name, rule.version)),
        }
    }
    assert!(changed.is_empty(), "give these a new version: {changed:?}");
    if std::env::var_os("SALUS_BLESS").is_some() {
        std::fs::write(path, format!("{text}{}", missing.concat())).unwrap();
    } else {
        assert!(missing.is_empty(), "SALUS_BLESS=1 adds to `shipped/versions.txt`: {missing:#?}");
    }
}

/// Moves the `n`-th number of a pack by one unit in its last place; `None` when there are fewer.
fn moved(pack: &Pack, n: usize, step: i32) -> Option<(Pack, String)> {
    let (mut pack, mut seen, mut place) = (pack.clone(), 0, None);
    numbers(&mut pack, &mut |name, threshold| {
        if seen == n {
            place = Some(format!("{name} moved by {step}"));
            match threshold {
                Threshold::Number(number) => {
                    let (digits, scale) = number.parts();
                    *number = Number::of(digits + i64::from(step), scale);
                }
                Threshold::Span(span) => span.count = span.count.saturating_add_signed(step),
                Threshold::Age(age) => age.count = age.count.saturating_add_signed(step as i16),
            }
        }
        seen += 1;
    });
    Some((pack, place?))
}

/// Every numeral of an expression, moved by one unit in its last place.
fn moved_numerals(text: &str) -> Vec<String> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let in_word = at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_');
        let length = text[at..].bytes().take_while(|b| b.is_ascii_digit() || *b == b'.').count();
        if in_word || !bytes[at].is_ascii_digit() {
            at += 1;
            continue;
        }
        let (digits, scale) = Number::parse(&text[at..at + length]).unwrap().parts();
        let moved = [-1, 1].map(|step| Number::of(digits + step, scale));
        found.extend(moved.map(|number| format!("{}{number}{}", &text[..at], &text[at + length..])));
        at += length;
    }
    found
}

/// A row whose clear limit overlaps its limit is refused when it is read.
fn is_refused(pack: &Pack) -> bool {
    pack.rules.iter().flat_map(crate::model::Rule::rows).any(|row| match (&row.raise, &row.clear) {
        (Condition::Limit(raise), Condition::Limit(clear)) => !crate::file::hysteresis(*raise, *clear),
        _ => false,
    })
}

/// Some shipped test fails with `changed` in the place of a pack.
fn is_noticed(packs: &[Pack], at: usize, changed: Pack) -> bool {
    if is_refused(&changed) {
        return true;
    }
    let mut packs = packs.to_vec();
    packs[at] = changed;
    let set = RuleSet::link(&packs, &[], &mut Vec::new());
    // The pack's own tests first: they nearly always notice.
    let order = std::iter::once(at).chain((0..packs.len()).filter(|other| *other != at));
    order
        .into_iter()
        .any(|pack| outcomes(&set, &packs[pack]).iter().any(|outcome| !outcome.failures.is_empty()))
}

#[test]
fn a_moved_threshold_fails_a_test() {
    let packs = packs();
    let (mut n_moved, mut unnoticed) = (0, Vec::new());
    for (at, pack) in packs.iter().enumerate() {
        for n in 0.. {
            let Some(up) = moved(pack, n, 1) else { break };
            for (changed, place) in std::iter::once(up).chain(moved(pack, n, -1)) {
                n_moved += 1;
                if !is_noticed(&packs, at, changed) {
                    unnoticed.push(place);
                }
            }
        }
    }
    assert!(unnoticed.is_empty(), "{} of {n_moved}:\n{}", unnoticed.len(), unnoticed.join("\n"));
    assert!(n_moved > 500, "{n_moved}");
}

#[test]
fn a_moved_numeral_of_an_expression_fails_a_test() {
    let packs = packs();
    let (mut n_moved, mut unnoticed) = (0, Vec::new());
    for (at, pack) in packs.iter().enumerate() {
        for (place, rule) in pack.rules.iter().enumerate() {
            let Body::When(row) = &rule.body else { continue };
            for (raises, condition) in [(true, &row.raise), (false, &row.clear)] {
                let Condition::When(old) = condition else { continue };
                for text in moved_numerals(&old.text) {
                    n_moved += 1;
                    let new = Condition::When(Arc::new(Expression::compile(&text).unwrap()));
                    let mut changed = pack.clone();
                    let Body::When(row) = &mut changed.rules[place].body else { continue };
                    *(if raises { &mut row.raise } else { &mut row.clear }) = new;
                    if !is_noticed(&packs, at, changed) {
                        unnoticed.push(format!("{}: {text}", rule.name));
                    }
                }
            }
        }
    }
    assert!(unnoticed.is_empty(), "{unnoticed:#?}");
    assert!(n_moved >= 12, "{n_moved}");
}
