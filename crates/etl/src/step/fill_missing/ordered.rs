//! Rows in the order of partition and time: which belong together, and how long rows wait for a later value.

use std::collections::VecDeque;
use std::ops::Range;

use arrow::array::{Array as _, ArrayRef, AsArray as _};
use arrow::compute::partition;
use arrow::datatypes::{DataType, Date32Type, TimestampMicrosecondType};
use table::{Batch, Value};

use super::series::{Made, Series};
use super::{Fill, missing_in};
use crate::step::Output;
use crate::{EtlError, Word};

const MICROS_PER_DAY: i64 = 86_400_000_000;

/// Rows that wait for a later value of their partition. More are an error: the gap is too long, or the partition too wide.
const ROWS_HELD_MAX: usize = 2_000_000;

/// Fills columns of rows that come in order.
pub(super) struct Ordered {
    partition_by: Vec<String>,
    order_by: String,
    series: Vec<Series>,
    /// Batches whose rows are not all decided, oldest first.
    held: VecDeque<Held>,
    /// How many batches were given: the number of the first that is held.
    n_given: usize,
    n_rows_held: usize,
    /// The partition of the last row.
    last: Option<Vec<Value>>,
}

/// A batch, and by series what fills which of its rows.
struct Held {
    batch: Batch,
    made: Vec<Vec<(usize, Made)>>,
}

/// Rows of a batch that belong together.
pub(super) struct Part {
    pub(super) rows: Range<usize>,
    /// It goes on from the batch before.
    pub(super) continues: bool,
    /// No column of the partition is missing.
    pub(super) is_complete: bool,
}

/// A row that waits.
#[derive(Clone, Copy)]
pub(super) struct At {
    /// Number of the batch.
    pub(super) batch: usize,
    pub(super) row: usize,
    pub(super) micros: i64,
}

/// The rows of a batch as a series reads them.
pub(super) struct Rows<'a> {
    /// Number of the batch.
    pub(super) batch: usize,
    pub(super) array: &'a ArrayRef,
    pub(super) parts: &'a [Part],
    pub(super) times: &'a [Option<i64>],
    pub(super) missing: &'a [bool],
}

impl Ordered {
    pub(super) fn of(fills: &[&Fill], partition_by: &[Word], order_by: &Word) -> Ordered {
        Ordered {
            partition_by: partition_by.iter().map(|word| word.text.clone()).collect(),
            order_by: order_by.text.clone(),
            series: fills.iter().filter_map(|fill| Series::of(fill)).collect(),
            held: VecDeque::new(),
            n_given: 0,
            n_rows_held: 0,
            last: None,
        }
    }

    /// Takes the next rows and gives those that are decided.
    pub(super) fn push(&mut self, batch: &Batch, out: &mut dyn Output) -> Result<(), EtlError> {
        if batch.n_rows() == 0 {
            return Ok(());
        }
        let parts = self.parts_of(batch)?;
        let times = times_of(batch.array(&self.order_by)?);
        let number = self.n_given + self.held.len();
        self.n_rows_held += batch.n_rows();
        self.held.push_back(Held { batch: batch.clone(), made: vec![Vec::new(); self.series.len()] });
        for (index, series) in self.series.iter_mut().enumerate() {
            let missing = missing_in(batch, series.column())?;
            let array = batch.array(series.column())?;
            let rows = Rows { batch: number, array, parts: &parts, times: &times, missing: &missing };
            let (held, n_given) = (&mut self.held, self.n_given);
            series.read(&rows, &mut |at, made| held[at.batch - n_given].made[index].push((at.row, made)));
        }
        self.give(out)?;
        if self.n_rows_held > ROWS_HELD_MAX {
            return Err(EtlError::Limit(format!(
                "the step `fill_missing` would hold more than {ROWS_HELD_MAX} rows of one partition until a later value comes: choose a shorter `max_gap` or a narrower `partition_by`"
            )));
        }
        Ok(())
    }

    /// Gives the rest.
    pub(super) fn finish(&mut self, out: &mut dyn Output) -> Result<(), EtlError> {
        self.series.iter_mut().for_each(Series::end_partition);
        self.give(out)?;
        self.series.iter().for_each(|series| series.report(out));
        Ok(())
    }

    /// Gives the batches in which no row waits.
    fn give(&mut self, out: &mut dyn Output) -> Result<(), EtlError> {
        let first_waiting = self.series.iter().filter_map(Series::first_waiting).min().unwrap_or(usize::MAX);
        while self.n_given < first_waiting {
            let Some(Held { mut batch, made }) = self.held.pop_front() else { return Ok(()) };
            self.n_given += 1;
            self.n_rows_held -= batch.n_rows();
            for (series, made) in self.series.iter().zip(made) {
                batch = series.fill(batch, made)?;
            }
            out.rows(batch)?;
        }
        Ok(())
    }

    /// The parts of a batch, in order.
    fn parts_of(&mut self, batch: &Batch) -> Result<Vec<Part>, EtlError> {
        let mut arrays = Vec::with_capacity(self.partition_by.len());
        for column in &self.partition_by {
            arrays.push(batch.array(column)?.clone());
        }
        let ranges = partition(&arrays)?.ranges();
        let cells =
            |row: usize| arrays.iter().map(|array| Value::of(array, row)).collect::<Result<Vec<Value>, _>>();
        let continues = self.last.as_ref() == Some(&cells(0)?);
        self.last = Some(cells(batch.n_rows() - 1)?);
        let part = |(at, rows): (usize, Range<usize>)| {
            let is_complete = arrays.iter().all(|array| !array.is_null(rows.start));
            Part { continues: at == 0 && continues, is_complete, rows }
        };
        Ok(ranges.into_iter().enumerate().map(part).collect())
    }
}

/// Microseconds since 1970; a day is its first moment.
fn times_of(array: &ArrayRef) -> Vec<Option<i64>> {
    match array.data_type() {
        DataType::Date32 => {
            let days = array.as_primitive::<Date32Type>().iter();
            days.map(|days| days.map(|days| i64::from(days) * MICROS_PER_DAY)).collect()
        }
        DataType::Timestamp(..) => array
            .as_primitive_opt::<TimestampMicrosecondType>()
            .map_or_else(|| vec![None; array.len()], |moments| moments.iter().collect()),
        _ => vec![None; array.len()],
    }
}
