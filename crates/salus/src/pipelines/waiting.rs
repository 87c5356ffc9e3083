//! Quarantined rows that wait, chosen for a replay or a waiver.

use anyhow::Context as _;
use etl::EtlError;
use etl::run::Quarantined;
use etl::runs::{QuarantineFilter, QuarantineRow, Runs, State};
use table::Place;

/// The most rows that are run again at once.
const ROWS_MAX: usize = 10_000;

/// Open rows of a run, of one source and rule when they are named.
pub(crate) fn waiting(
    runs: &Runs,
    run: &str,
    source: Option<&str>,
    rule: Option<&str>,
) -> Result<Vec<QuarantineRow>, EtlError> {
    runs.quarantined(&QuarantineFilter {
        run: Some(run.to_owned()),
        source: source.map(str::to_owned),
        rule: rule.map(str::to_owned),
        state: Some(State::Open),
        rows_max: ROWS_MAX,
        ..QuarantineFilter::default()
    })
}

/// The rows with their content.
pub(crate) fn opened(runs: &Runs, rows: &[QuarantineRow]) -> anyhow::Result<Vec<Quarantined>> {
    rows.iter().map(|row| open(runs, row)).collect()
}

fn open(runs: &Runs, row: &QuarantineRow) -> anyhow::Result<Quarantined> {
    let raw = runs.open_quarantined(row.id)?.with_context(|| format!("row {} is gone", row.id))?;
    Ok(Quarantined {
        id: row.id,
        unit: row.unit.clone(),
        place: Place {
            unit: 0,
            line: u64::try_from(row.line).unwrap_or(0),
            offset: row.byte.and_then(|byte| u64::try_from(byte).ok()),
        },
        raw,
    })
}
