//! Rows on their way to the targets of a source: keys looked at, audit columns added, one task per target.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{
    Array as _, ArrayRef, BooleanArray, DictionaryArray, Int32Array, StringArray, StringViewBuilder,
    TimestampMicrosecondArray,
};
use fhir::Instant;
use table::{Batch, Columns, Reject};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::EtlError;
use crate::engine::MADE_UNIT;
use crate::file::TargetEntry;
use crate::plan::target_columns;
use crate::run::TargetCounts;
use crate::source::Unit;
use crate::target::{AUDIT, Committed, Load, Mode, Target};
use crate::world::World;

const BATCHES_AHEAD_MAX: usize = 4;

/// A target that rows are on their way to.
pub(crate) struct Delivery {
    counts: TargetCounts,
    key: Vec<String>,
    audit: Option<Audit>,
    /// Numbers of the units whose rows the target has already.
    skipped: HashSet<u32>,
    rows: Option<mpsc::Sender<Batch>>,
    task: JoinHandle<(Box<dyn Target>, Result<(), EtlError>)>,
}

/// What the audit columns say.
#[derive(Clone)]
pub(crate) struct Audit {
    pub(crate) run: String,
    pub(crate) pipeline_hash: String,
    pub(crate) at: Instant,
    pub(crate) unit_names: Arc<[String]>,
}

/// A target that was asked what it has.
pub(crate) struct Opened {
    pub(crate) target: Box<dyn Target>,
    pub(crate) committed: Committed,
}

/// Opens a target and asks what it has of the source.
pub(crate) async fn open(entry: &TargetEntry, load: Load, world: &Arc<World>) -> Result<Opened, EtlError> {
    let mut target = entry.spec.open(load, world).await?;
    let committed = target.committed().await?;
    Ok(Opened { target, committed })
}

/// Whether a target needs a unit. A target that is replaced needs all units or none.
pub(crate) fn needs(mode: Mode, committed: &Committed, units: &[Unit], unit: &Unit) -> bool {
    match mode {
        Mode::Replace => {
            let mut there: Vec<&str> = committed.units.iter().map(String::as_str).collect();
            let mut wanted: Vec<&str> = units.iter().map(|unit| unit.id.as_str()).collect();
            there.sort_unstable();
            wanted.sort_unstable();
            there != wanted
        }
        Mode::Append | Mode::Merge => !committed.units.contains(&unit.id),
    }
}

impl Delivery {
    /// Begins to deliver. `skipped` are the numbers of units the target has already.
    pub(crate) async fn begin(
        entry: &TargetEntry,
        mut opened: Opened,
        output: &Columns,
        audit: Audit,
        skipped: HashSet<u32>,
    ) -> Result<Delivery, EtlError> {
        let columns = target_columns(output, entry.audit_columns);
        opened.target.begin(&columns).await?;
        let (rows, mut waiting) = mpsc::channel::<Batch>(BATCHES_AHEAD_MAX);
        let task = tokio::spawn(async move {
            let mut target = opened.target;
            while let Some(batch) = waiting.recv().await {
                if let Err(error) = target.write(batch).await {
                    return (target, Err(error));
                }
            }
            (target, Ok(()))
        });
        let counts = TargetCounts {
            name: entry.name.text.clone(),
            kind: entry.kind.text.clone(),
            status: "loading".to_owned(),
            ..TargetCounts::default()
        };
        let key = entry.spec.key().iter().map(|word| word.text.clone()).collect();
        let audit = entry.audit_columns.then_some(audit);
        Ok(Delivery { counts, key, audit, skipped, rows: Some(rows), task })
    }

    /// Gives rows to the target's task; from a blocking thread. Rejects are rows whose key is missing. When the task has ended with an
    /// error the rows go nowhere: [`Delivery::end`] says why.
    pub(crate) fn rows(&mut self, batch: &Batch) -> Result<Vec<Reject>, EtlError> {
        self.counts.offered += batch.n_rows() as u64;
        let batch = self.without_loaded(batch)?;
        let (batch, rejects) = self.without_keyless(batch)?;
        self.counts.quarantined += rejects.len() as u64;
        if batch.n_rows() > 0
            && let Some(rows) = &self.rows
        {
            let batch = match &self.audit {
                Some(audit) => audit.add_to(&batch)?,
                None => batch,
            };
            if rows.blocking_send(batch).is_err() {
                self.rows = None;
            }
        }
        Ok(rejects)
    }

    fn without_loaded(&mut self, batch: &Batch) -> Result<Batch, EtlError> {
        if self.skipped.is_empty() {
            return Ok(batch.clone());
        }
        // Rows that a step made of all units count as those of the first.
        let unit = |row| match batch.place(row).unit {
            MADE_UNIT => 0,
            unit => unit,
        };
        let wanted: BooleanArray =
            (0..batch.n_rows()).map(|row| Some(!self.skipped.contains(&unit(row)))).collect();
        self.counts.already_loaded += (batch.n_rows() - wanted.true_count()) as u64;
        Ok(batch.filter(&wanted)?)
    }

    fn without_keyless(&self, batch: Batch) -> Result<(Batch, Vec<Reject>), EtlError> {
        let mut rejects = Vec::new();
        let mut missing = vec![false; batch.n_rows()];
        for column in &self.key {
            let array = batch.array(column)?;
            if array.logical_null_count() == 0 {
                continue;
            }
            for (row, is_missing) in missing.iter_mut().enumerate() {
                let is_null = match table::Text::of(array) {
                    Some(text) => text.get(row).is_none(),
                    None => array.is_null(row),
                };
                if is_null && !*is_missing {
                    *is_missing = true;
                    rejects.push(Reject {
                        place: batch.place(row),
                        rule: format!("key of {}", self.counts.name).into(),
                        column: Some(column.clone()),
                        reason: "missing_key".into(),
                        message: format!("the key column `{column}` of the target is missing"),
                        // The run fills in the row as it was read.
                        raw: Vec::new(),
                    });
                }
            }
        }
        if rejects.is_empty() {
            return Ok((batch, rejects));
        }
        let keep: BooleanArray = missing.into_iter().map(|is_missing| Some(!is_missing)).collect();
        Ok((batch.filter(&keep)?, rejects))
    }

    /// No more rows: waits until all are staged.
    pub(crate) async fn end(mut self) -> (Staged, Result<(), EtlError>) {
        drop(self.rows.take());
        match self.task.await {
            Ok((target, outcome)) => (Staged { target: Some(target), counts: self.counts }, outcome),
            Err(_) => {
                let error = EtlError::Target {
                    target: self.counts.name.clone(),
                    why: "its task ended unexpectedly".to_owned(),
                    is_transient: false,
                };
                (Staged { target: None, counts: self.counts }, Err(error))
            }
        }
    }
}

/// A target whose rows are staged.
pub(crate) struct Staged {
    pub(crate) target: Option<Box<dyn Target>>,
    pub(crate) counts: TargetCounts,
}

impl Audit {
    fn add_to(&self, batch: &Batch) -> Result<Batch, EtlError> {
        let n = batch.n_rows();
        let batch = batch
            .with(AUDIT[0], constant(&self.run, n)?)?
            .with(AUDIT[1], constant(&self.pipeline_hash, n)?)?;
        let mut positions = StringViewBuilder::with_capacity(n);
        let mut text = String::new();
        for row in 0..n {
            let place = batch.place(row);
            let name = self.unit_names.get(place.unit as usize).map_or("", String::as_str);
            text.clear();
            text.push_str(name);
            push_number(&mut text, ':', place.line);
            if let Some(offset) = place.offset {
                push_number(&mut text, '@', offset);
            }
            positions.append_value(&text);
        }
        let at = TimestampMicrosecondArray::from_value(self.at.0, n).with_timezone("UTC");
        Ok(batch.with(AUDIT[2], Arc::new(positions.finish()))?.with(AUDIT[3], Arc::new(at))?)
    }
}

/// A mark and a number, without the formatting machinery: once per row.
fn push_number(text: &mut String, mark: char, mut number: u64) {
    let mut digits = [0_u8; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + u8::try_from(number % 10).unwrap_or(0);
        number /= 10;
        if number == 0 {
            break;
        }
    }
    text.push(mark);
    text.extend(digits[at..].iter().map(|digit| char::from(*digit)));
}

/// A column that says the same in every row: one value and codes.
fn constant(text: &str, n_rows: usize) -> Result<ArrayRef, EtlError> {
    let codes = Int32Array::from_value(0, n_rows);
    Ok(Arc::new(DictionaryArray::try_new(codes, Arc::new(StringArray::from(vec![text])))?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replaced_target_needs_all_units_or_none() {
        let unit = |id: &str| Unit {
            id: id.to_owned(),
            name: id.to_owned(),
            watermark: None,
            n_bytes: None,
            n_rows: None,
        };
        let units = [unit("a"), unit("b")];
        let has = |ids: &[&str]| Committed {
            units: ids.iter().map(|id| (*id).to_owned()).collect(),
            watermark: None,
        };
        assert!(!needs(Mode::Replace, &has(&["b", "a"]), &units, &units[0]));
        assert!(needs(Mode::Replace, &has(&["a"]), &units, &units[0]));
        assert!(needs(Mode::Replace, &has(&["a", "b", "c"]), &units, &units[0]));
        assert!(!needs(Mode::Merge, &has(&["a"]), &units, &units[0]));
        assert!(needs(Mode::Append, &has(&["a"]), &units, &units[1]));
    }

    #[test]
    fn positions_are_written_without_loss() {
        let mut text = String::from("f");
        push_number(&mut text, ':', u64::MAX);
        push_number(&mut text, '@', 0);
        assert_eq!(text, format!("f:{}@0", u64::MAX));
    }
}
