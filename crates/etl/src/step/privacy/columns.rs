//! Applies the plan of a table to the columns of a batch: once per distinct value where the patient does not matter.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array as _, ArrayRef, DictionaryArray, Int32Array, StringArray, StringViewBuilder};
use arrow::compute::cast;
use arrow::datatypes::Int32Type;
use privacy::{Cell, ColumnPlan, Effect, TablePlan, Tally, Transform};
use table::{Batch, Text, Type};

use crate::EtlError;

use super::options::shifted_kind;

/// The batch as it may leave. Counts per column go to `tallies`, in the order of the plan.
pub(super) fn apply(
    plan: &TablePlan,
    batch: &Batch,
    patient: Option<&str>,
    tallies: &mut [Tally],
) -> Result<Batch, EtlError> {
    let patients = match patient {
        Some(name) => Some(as_text(batch.array(name)?)?),
        None => None,
    };
    let mut columns = Vec::with_capacity(plan.columns().len());
    for (column, tally) in plan.columns().iter().zip(tallies) {
        let array = batch.array(column.name())?;
        if column.is_dropped() {
            count_whole(array, Effect::Dropped, tally);
            continue;
        }
        let treated = if column.transform() == Transform::Keep {
            count_whole(array, Effect::Kept, tally);
            Arc::clone(array)
        } else if column.needs_patient() {
            let values = per_row(column, &as_text(array)?, patients.as_ref(), tally);
            let kind = Type::of(array.data_type()).map_or(Type::Text, shifted_kind);
            if kind == Type::Text { values } else { cast(&values, &kind.data_type())? }
        } else {
            per_value(column, &as_text(array)?, tally)
        };
        columns.push((column.name().into(), treated));
    }
    Ok(batch.with_columns(columns)?)
}

/// Text as it is, other types as people write them.
pub(super) fn as_text(array: &ArrayRef) -> Result<ArrayRef, EtlError> {
    if Text::of(array).is_some() {
        return Ok(Arc::clone(array));
    }
    Ok(cast(array, &Type::Text.data_type())?)
}

fn count_whole(array: &ArrayRef, effect: Effect, tally: &mut Tally) {
    let n_absent = array.logical_null_count() as u64;
    tally.add_effect(Effect::Absent, n_absent);
    tally.add_effect(effect, array.len() as u64 - n_absent);
}

/// One evaluation per row, with the row's patient.
fn per_row(
    column: &ColumnPlan,
    values: &ArrayRef,
    patients: Option<&ArrayRef>,
    tally: &mut Tally,
) -> ArrayRef {
    let values = Text::of(values).expect("made text before");
    let patients = patients.map(|patients| Text::of(patients).expect("made text before"));
    let mut out = StringViewBuilder::with_capacity(values.len());
    for row in 0..values.len() {
        let patient = patients.and_then(|patients| patients.get(row)).unwrap_or_default();
        match values.get(row) {
            None => {
                tally.add_effect(Effect::Absent, 1);
                out.append_null();
            }
            Some(value) => {
                let cell = column.apply(value, patient);
                tally.add(&cell, 1);
                out.append_option(cell.text());
            }
        }
    }
    Arc::new(out.finish())
}

/// One evaluation per distinct value that a row holds: a vault keeps no surrogate of a value that is in no row.
fn per_value(column: &ColumnPlan, values: &ArrayRef, tally: &mut Tally) -> ArrayRef {
    match Text::of(values).expect("made text before") {
        Text::Coded(coded, texts) => per_code(column, coded, texts, tally),
        Text::Plain(views) => {
            let mut known: HashMap<&str, (Cell<'_>, u64)> = HashMap::new();
            let mut out = StringViewBuilder::with_capacity(views.len());
            let mut n_absent = 0;
            for value in views {
                let Some(value) = value else {
                    n_absent += 1;
                    out.append_null();
                    continue;
                };
                let (cell, n_rows) = known.entry(value).or_insert_with(|| (column.apply(value, ""), 0));
                *n_rows += 1;
                out.append_option(cell.text());
            }
            tally.add_effect(Effect::Absent, n_absent);
            known.values().for_each(|(cell, n_rows)| tally.add(cell, *n_rows));
            Arc::new(out.finish())
        }
    }
}

fn per_code(
    column: &ColumnPlan,
    coded: &DictionaryArray<Int32Type>,
    texts: &StringArray,
    tally: &mut Tally,
) -> ArrayRef {
    let mut n_rows = vec![0_u64; texts.len()];
    let mut n_absent = 0;
    for row in 0..coded.len() {
        match coded.key(row).filter(|key| !texts.is_null(*key)) {
            Some(key) => n_rows[key] += 1,
            None => n_absent += 1,
        }
    }
    tally.add_effect(Effect::Absent, n_absent);
    let cells = n_rows.iter().enumerate().map(|(key, n_rows)| {
        if *n_rows == 0 {
            return None;
        }
        let cell = column.apply(texts.value(key), "");
        tally.add(&cell, *n_rows);
        cell.into_text()
    });
    let treated: StringArray = cells.collect::<Vec<Option<Cow<'_, str>>>>().into_iter().collect();
    let keys: Int32Array = coded.keys().clone();
    Arc::new(DictionaryArray::new(keys, Arc::new(treated)))
}
