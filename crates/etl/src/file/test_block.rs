//! The `tests:` block: rows that are given instead of the sources, and what must come out of the steps.

use std::collections::BTreeMap;

use fhir::Instant;

use crate::yaml::{Kind, Node};
use crate::{Point, Problems, Word};

/// A row as it is written in a test: cells by column name; `null` is a missing cell.
pub type Cells = Vec<(Word, Option<String>)>;

/// One test of a pipeline.
#[derive(Debug)]
pub struct TestSpec {
    /// Its name.
    pub name: Word,
    /// The time of the run.
    pub at: Option<Instant>,
    /// Rows instead of a source.
    pub given: Vec<(Word, Vec<Cells>)>,
    /// What must come of a source.
    pub expect: Vec<(Word, Expectation)>,
}

/// What must come of a source's rows. What is not written is not compared, but rejects always are.
#[derive(Debug)]
pub struct Expectation {
    /// Where it stands.
    pub at: Point,
    /// Rows after the last step, in order; only the columns that are written are compared.
    pub rows: Option<Vec<Cells>>,
    /// Rejected rows: number of the given row (from 1) and the rule.
    pub rejects: Vec<(u64, String)>,
    /// Rows left out, by rule.
    pub filtered: Option<BTreeMap<String, u64>>,
    /// Rows left out, by key.
    pub deduplicated: Option<BTreeMap<String, u64>>,
}

pub(super) fn decode(node: Option<&Node>, problems: &mut Problems) -> Vec<TestSpec> {
    let items = node.map(|node| node.items("`tests`", problems)).unwrap_or_default();
    items.iter().filter_map(|item| test(item, problems)).collect()
}

fn test(node: &Node, problems: &mut Problems) -> Option<TestSpec> {
    let mut fields = node.fields("a test", problems);
    let name = fields.required_text("name", problems);
    let at = fields.text("at", problems).and_then(|word| {
        let at = Instant::parse(&word);
        if at.is_none() {
            problems.add(word.at, "`at` of a test must be an instant such as `2026-01-15T00:00:00Z`");
        }
        at
    });
    let given = fields.required("given", problems);
    let given = given.map(|node| node.entries("`given`", problems)).unwrap_or_default();
    let given = given.iter().map(|(source, node)| (source.clone(), rows(node, problems))).collect();
    let expect = fields.required("expect", problems);
    let expect = expect.map(|node| node.entries("`expect`", problems)).unwrap_or_default();
    let expect = expect.iter().map(|(source, node)| (source.clone(), expectation(node, problems))).collect();
    fields.end(problems);
    Some(TestSpec { name: name?, at, given, expect })
}

/// A list of rows, or a map with `rows`, `rejects`, `filtered`, `deduplicated`.
fn expectation(node: &Node, problems: &mut Problems) -> Expectation {
    let mut expectation =
        Expectation { at: node.at, rows: None, rejects: Vec::new(), filtered: None, deduplicated: None };
    if let Kind::List(_) = node.kind {
        expectation.rows = Some(rows(node, problems));
        return expectation;
    }
    let mut fields = node.fields("what a test expects", problems);
    expectation.rows = fields.node("rows").map(|node| rows(node, problems));
    for item in fields.node("rejects").map(|node| node.items("`rejects`", problems)).unwrap_or_default() {
        let mut reject = item.fields("a reject", problems);
        let (row, rule) = (reject.whole("row", problems), reject.required_text("rule", problems));
        if let (Some(row), Some(rule)) = (row, rule) {
            expectation.rejects.push((row, rule.text));
        }
        reject.end(problems);
    }
    expectation.filtered = fields.node("filtered").map(|node| counts(node, problems));
    expectation.deduplicated = fields.node("deduplicated").map(|node| counts(node, problems));
    fields.end(problems);
    expectation
}

fn rows(node: &Node, problems: &mut Problems) -> Vec<Cells> {
    let row = |item: &Node, problems: &mut Problems| -> Cells {
        let entries = item.entries("a row", problems);
        let cell = |(column, value): &(Word, Node), problems: &mut Problems| {
            let text = match &value.kind {
                Kind::Null => None,
                _ => value.text("a cell", problems).map(|word| word.text),
            };
            (column.clone(), text)
        };
        entries.iter().map(|entry| cell(entry, problems)).collect()
    };
    node.items("the rows", problems).iter().map(|item| row(item, problems)).collect()
}

fn counts(node: &Node, problems: &mut Problems) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for (name, value) in node.entries("counts by name", problems) {
        let Some(word) = value.text("a count", problems) else { continue };
        match word.parse() {
            Ok(n) => {
                counts.insert(name.text.clone(), n);
            }
            Err(_) => problems.add(word.at, "a count must be a whole number"),
        }
    }
    counts
}
