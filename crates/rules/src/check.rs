//! Checks rule files and runs the tests that stand in them.

use yaml::{Point, Problems};

use crate::file::{RuleFile, RuleProblem, parse_pack};
use crate::model::Pack;
use crate::shipped::released;
use crate::test::{self, TestOutcome};
use crate::{RuleSet, UsedVersion, shipped_files};

/// Reads files beside the shipped ones: a file with the pack name of a shipped one replaces it.
///
/// # Errors
/// Everything that is wrong; also a released version of a rule that says something else now.
pub fn load_with_shipped(files: &[RuleFile]) -> Result<RuleSet, Vec<RuleProblem>> {
    load_beside_shipped(files, &[])
}

/// As [`load_with_shipped`]; a version that was `used` must also say the same.
///
/// # Errors
/// Everything that is wrong.
pub fn load_beside_shipped(files: &[RuleFile], used: &[UsedVersion]) -> Result<RuleSet, Vec<RuleProblem>> {
    RuleSet::load(&files_with_shipped(files), used)
}

/// As [`load_with_shipped`], with some rules as another file says them: an earlier version of one, beside all others as they are.
///
/// # Errors
/// Everything that is wrong, also a rule that its other file does not have.
pub fn load_with_older(
    files: &[RuleFile],
    older: &[(String, RuleFile)],
) -> Result<RuleSet, Vec<RuleProblem>> {
    let mut found = Vec::new();
    let mut packs: Vec<Pack> = files_with_shipped(files).iter().map(|file| parse(file, &mut found)).collect();
    for (name, file) in older {
        let mut old = parse(file, &mut found);
        let known =
            |measure: &str| packs.iter().flat_map(|pack| &pack.measures).any(|known| known.name == measure);
        old.measures.retain(|measure| !known(&measure.name));
        old.rules.retain(|rule| rule.name == *name);
        old.tests = Vec::new();
        if old.rules.is_empty() {
            let message = format!("there is no rule `{name}` in it");
            found.push(RuleProblem { path: file.path.clone(), at: Point { line: 1, column: 1 }, message });
        }
        packs.iter_mut().for_each(|pack| pack.rules.retain(|rule| rule.name != *name));
        packs.push(old);
    }
    let set = RuleSet::link(&packs, &released(), &mut found);
    if found.is_empty() { Ok(set) } else { Err(found) }
}

/// Files with the shipped ones beside them whose packs they do not replace.
pub fn files_with_shipped(files: &[RuleFile]) -> Vec<RuleFile> {
    let replaced = |shipped: &RuleFile| files.iter().any(|file| file.pack() == shipped.pack());
    let shipped = shipped_files().into_iter().filter(|shipped| !replaced(shipped));
    shipped.chain(files.iter().cloned()).collect()
}

/// Runs the tests of some files against the rules of these and the shipped ones.
///
/// # Errors
/// Everything that is wrong with the files.
pub fn test_files(files: &[RuleFile]) -> Result<Vec<TestOutcome>, Vec<RuleProblem>> {
    let all = files_with_shipped(files);
    let mut found = Vec::new();
    let packs: Vec<Pack> = all.iter().map(|file| parse(file, &mut found)).collect();
    let set = RuleSet::link(&packs, &released(), &mut found);
    if !found.is_empty() {
        return Err(found);
    }
    let asked = packs.iter().filter(|pack| files.iter().any(|file| file.path == pack.path));
    Ok(asked.flat_map(|pack| outcomes(&set, pack)).collect())
}

pub(crate) fn parse(file: &RuleFile, found: &mut Vec<RuleProblem>) -> Pack {
    let mut problems = Problems::default();
    let pack = parse_pack(file, &mut problems);
    let path = file.path.clone();
    found.extend(problems.into_sorted().into_iter().map(|problem| RuleProblem {
        path: path.clone(),
        at: problem.at,
        message: problem.message,
    }));
    pack
}

pub(crate) fn outcomes(set: &RuleSet, pack: &Pack) -> Vec<TestOutcome> {
    pack.tests
        .iter()
        .map(|test| TestOutcome {
            path: pack.path.clone(),
            at: test.at,
            rule: test.rule.clone(),
            name: test.name.clone(),
            failures: test::run(set, test),
        })
        .collect()
}
