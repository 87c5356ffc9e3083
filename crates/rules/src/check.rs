//! Checks rule files and runs the tests that stand in them.

use yaml::Problems;

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
    RuleSet::load(&with_shipped(files), used)
}

fn with_shipped(files: &[RuleFile]) -> Vec<RuleFile> {
    let replaced = |shipped: &RuleFile| files.iter().any(|file| file.pack() == shipped.pack());
    let shipped = shipped_files().into_iter().filter(|shipped| !replaced(shipped));
    shipped.chain(files.iter().cloned()).collect()
}

/// Runs the tests of some files against the rules of these and the shipped ones.
///
/// # Errors
/// Everything that is wrong with the files.
pub fn test_files(files: &[RuleFile]) -> Result<Vec<TestOutcome>, Vec<RuleProblem>> {
    let all = with_shipped(files);
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
