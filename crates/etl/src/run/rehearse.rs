//! The tests of a pipeline: given rows go through checks and steps, and what comes out is compared.

use std::collections::BTreeMap;
use std::sync::Arc;

use table::{Columns, Place, Type};

use crate::file::{Expectation, Pipeline, TestSpec};
use crate::plan::Plan;
use crate::run::through::{Caught, From, Through, gather, texts_of};
use crate::run::{Connected, StepCounts, given};
use crate::world::World;
use crate::{EtlError, Point};

const ROWS_MAX: usize = 100_000;

/// How a test ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestOutcome {
    /// The test's name.
    pub name: String,
    /// Where it stands.
    pub at: Point,
    /// What was not as expected. Empty: it passed.
    pub failures: Vec<String>,
}

/// Runs one test of a pipeline. The world's clock must stand at the test's time. Sources are not connected: their columns are those
/// they declare, or the texts that the test gives.
pub async fn rehearse(
    pipeline: &Pipeline,
    test: &TestSpec,
    world: &Arc<World>,
) -> Result<TestOutcome, EtlError> {
    let mut columns = BTreeMap::new();
    for source in &pipeline.sources {
        let declared = source.spec.columns();
        let rows = test.given.iter().find(|(name, _)| name.text == source.name.text).map(|(_, rows)| rows);
        let found = match (declared, rows) {
            (Some(declared), _) => declared,
            (None, Some(rows)) => named_in(rows)?,
            (None, None) => continue,
        };
        columns.insert(source.name.text.clone(), found);
    }
    let plan = Plan::of(pipeline, &columns).map_err(EtlError::Invalid)?;
    let (mut batches, mut rejected) = (BTreeMap::new(), BTreeMap::new());
    for (name, rows) in &test.given {
        let Some(columns) = columns.get(&name.text) else {
            return Err(EtlError::Step {
                step: "test".to_owned(),
                why: format!("`{name}` at {} is no source", name.at),
            });
        };
        if let Some((column, _)) = rows.iter().flatten().find(|(column, _)| columns.get(column).is_none()) {
            let why = format!("the source `{name}` has no column `{column}` (at {})", column.at);
            return Err(EtlError::Step { step: "test".to_owned(), why });
        }
        let rows: Vec<given::Given> = rows
            .iter()
            .map(|row| row.iter().map(|(name, text)| (name.text.clone(), text.clone())).collect())
            .collect();
        let places: Vec<Place> =
            (1..=rows.len() as u64).map(|line| Place { unit: 0, line, offset: None }).collect();
        let typed = given::typed(columns, &rows, &places)?;
        batches.insert(name.text.clone(), vec![typed.batch]);
        rejected.insert(name.text.clone(), typed.rejects);
    }
    let gathered = gather(pipeline, &plan, &mut Connected::default(), &mut batches, world).await?;
    let mut failures = Vec::new();
    for (name, expectation) in &test.expect {
        let (Some(source), Some(columns)) = (pipeline.source(name), plan.flow(name)) else {
            failures.push(format!("`{name}` at {} is no source with given rows", name.at));
            continue;
        };
        let through = Through { source, columns, n_steps: source.steps.len(), rows_max: ROWS_MAX };
        let rows = batches.get(&name.text).cloned().unwrap_or_default();
        let tapped = gathered.for_source(source);
        let (mut caught, _) = through.read(From::Given(rows), &tapped, Vec::new(), world).await?;
        caught.rejects.extend(rejected.remove(&name.text).unwrap_or_default());
        compare(name, expectation, &caught, &mut failures)?;
    }
    Ok(TestOutcome { name: test.name.text.clone(), at: test.name.at, failures })
}

/// The columns that given rows name, as text.
fn named_in(rows: &[crate::file::Cells]) -> Result<Columns, EtlError> {
    let mut columns = Columns::default();
    rows.iter().flatten().for_each(|(name, _)| columns.set(name, Type::Text));
    Ok(columns)
}

fn compare(
    source: &str,
    expected: &Expectation,
    caught: &Caught,
    failures: &mut Vec<String>,
) -> Result<(), EtlError> {
    if let Some(rows) = &expected.rows {
        compare_rows(source, rows, caught, failures)?;
    }
    let mut found: Vec<(u64, String)> =
        caught.rejects.iter().map(|reject| (reject.place.line, reject.rule.to_string())).collect();
    let mut wanted = expected.rejects.clone();
    found.sort();
    wanted.sort();
    if found != wanted {
        let show = |rejects: &[(u64, String)]| {
            let each = rejects.iter().map(|(row, rule)| format!("row {row} by `{rule}`"));
            if rejects.is_empty() { "none".to_owned() } else { each.collect::<Vec<_>>().join(", ") }
        };
        failures.push(format!("`{source}`: rejects expected: {}; found: {}", show(&wanted), show(&found)));
    }
    type CountsOf = fn(&StepCounts) -> &BTreeMap<String, u64>;
    #[allow(clippy::type_complexity, reason = "said once, where it is read")]
    let sums: [(&str, &Option<BTreeMap<String, u64>>, CountsOf); 2] = [
        ("filtered", &expected.filtered, |counts| &counts.filtered),
        ("deduplicated", &expected.deduplicated, |counts| &counts.deduplicated),
    ];
    for (what, wanted, of) in sums {
        let Some(wanted) = wanted else { continue };
        let mut found: BTreeMap<String, u64> = BTreeMap::new();
        for (rule, n) in caught.counts.iter().flat_map(of) {
            *found.entry(rule.clone()).or_default() += n;
        }
        if found != *wanted {
            failures.push(format!("`{source}`: {what} expected: {wanted:?}; found: {found:?}"));
        }
    }
    Ok(())
}

fn compare_rows(
    source: &str,
    wanted: &[crate::file::Cells],
    caught: &Caught,
    failures: &mut Vec<String>,
) -> Result<(), EtlError> {
    let found = texts_of(&caught.batches, &caught.columns)?;
    if found.len() != wanted.len() {
        failures.push(format!("`{source}`: {} rows expected, {} found", wanted.len(), found.len()));
    }
    for (number, (wanted, found)) in (1..).zip(wanted.iter().zip(&found)) {
        for (column, cell) in wanted {
            match caught.columns.position(column) {
                None => failures.push(format!(
                    "`{source}` row {number}: there is no column `{column}` after the last step"
                )),
                Some(index) if found[index] != *cell => {
                    // Values of a test are written by its author: they may be shown.
                    let show = |cell: &Option<String>| {
                        cell.as_ref().map_or("null".to_owned(), |text| format!("`{text}`"))
                    };
                    failures.push(format!(
                        "`{source}` row {number}, `{column}`: {} expected, {} found",
                        show(cell),
                        show(&found[index])
                    ));
                }
                Some(_) => {}
            }
        }
    }
    Ok(())
}
