//! The step `fill_missing`: a value of the file in the place of missing ones, or values of the same patient and test carried forward or
//! interpolated within a gap. Every value that is made has a flag beside it, and is counted.

mod constant;
mod options;
mod ordered;
mod series;

use std::any::Any;
use std::sync::Arc;

use table::{Batch, Columns, Type};

use crate::engine::{SortKey, Spool};
use crate::step::cells::{add, need};
use crate::step::{Output, Step, StepSpec};
use crate::yaml::Node;
use crate::{EtlError, Problems, world::World};

use constant::Constant;
use ordered::Ordered;

pub(crate) use options::{Fill, FillMissing, Strategy};

const NAME: &str = "fill_missing";

/// Decodes the options.
pub(super) fn decode(options: &Node, problems: &mut Problems) -> Option<Box<dyn StepSpec>> {
    options::decode(options, problems).map(|spec| Box::new(spec) as Box<dyn StepSpec>)
}

impl FillMissing {
    /// Fills with a value of the file, and then those that look at other rows: their flags come in this order.
    fn by_kind(&self) -> (Vec<&Fill>, Vec<&Fill>) {
        self.fills.iter().partition(|fill| matches!(fill.strategy, Strategy::ClinicalDefault { .. }))
    }

    fn plan_one(fill: &Fill, input: &Columns, problems: &mut Problems) {
        match &fill.strategy {
            Strategy::ClinicalDefault { value } => {
                let found = need(input, &fill.column, NAME, |_| true, "any column", problems);
                if let Some(kind) = found.filter(|kind| constant::value_of(value, *kind).is_none()) {
                    let column = &fill.column;
                    problems
                        .add(value.at, format!("the value for `{column}` must be {kind}, as the column is"));
                }
            }
            Strategy::ForwardFill { .. } => {
                need(input, &fill.column, NAME, |_| true, "any column", problems);
            }
            Strategy::Interpolate { .. } => {
                let is_right = |kind| matches!(kind, Type::Number | Type::Decimal { .. });
                let wanted = "`number` or `decimal(p,s)` to interpolate: declare the type in the source";
                need(input, &fill.column, NAME, is_right, wanted, problems);
            }
        }
    }
}

impl StepSpec for FillMissing {
    fn holds_rows(&self) -> bool {
        self.order_by.is_some()
    }

    fn plan(&self, input: &Columns, problems: &mut Problems) -> Columns {
        let mut columns = input.clone();
        for fill in &self.fills {
            FillMissing::plan_one(fill, input, problems);
        }
        for column in &self.partition_by {
            need(input, column, NAME, |_| true, "any column", problems);
        }
        if let Some(order_by) = &self.order_by {
            let is_time = |kind| matches!(kind, Type::Date | Type::Instant);
            let wanted = "`date` or `instant` to order by: declare the type in the source";
            need(input, order_by, NAME, is_time, wanted, problems);
        }
        let (constants, ordered) = self.by_kind();
        for fill in constants.into_iter().chain(ordered) {
            add(&mut columns, &fill.flag(), Type::Boolean, fill.column.at, problems);
        }
        columns
    }

    fn made_from(&self, _input: &Columns) -> Vec<(String, Vec<String>)> {
        let mut made = Vec::new();
        for fill in &self.fills {
            let mut from = vec![fill.column.text.clone()];
            if !matches!(fill.strategy, Strategy::ClinicalDefault { .. }) {
                from.extend(self.partition_by.iter().chain(&self.order_by).map(|word| word.text.clone()));
            }
            made.push((fill.column.text.clone(), from.clone()));
            made.push((fill.flag(), from));
        }
        made
    }

    fn start(
        &self,
        input: &Columns,
        _tapped: &[Arc<dyn Any + Send + Sync>],
        world: &Arc<World>,
    ) -> Result<Box<dyn Step>, EtlError> {
        let (constants, ordered) = self.by_kind();
        let constants =
            constants.into_iter().map(|fill| Constant::of(fill, input)).collect::<Result<_, _>>()?;
        let waiting = match (&self.order_by, ordered.is_empty()) {
            (Some(order_by), false) => {
                let names = self.partition_by.iter().chain([order_by]).map(|word| word.text.clone());
                let keys =
                    names.map(|column| SortKey { column, descending: false, nulls_first: true }).collect();
                let ordered = Ordered::of(&ordered, &self.partition_by, order_by);
                Some(Waiting { spool: world.engine.spool()?, keys, ordered })
            }
            _ => None,
        };
        Ok(Box::new(Running { constants, waiting, world: world.clone() }))
    }
}

/// Rows that wait until they can be ordered.
struct Waiting {
    spool: Spool,
    keys: Vec<SortKey>,
    ordered: Ordered,
}

struct Running {
    constants: Vec<Constant>,
    waiting: Option<Waiting>,
    world: Arc<World>,
}

impl Step for Running {
    fn push(&mut self, mut batch: Batch, out: &mut dyn Output) -> Result<(), EtlError> {
        self.world.check_cancelled()?;
        for constant in &mut self.constants {
            batch = constant.fill(batch)?;
        }
        match &mut self.waiting {
            Some(waiting) => waiting.spool.push(&batch),
            None => out.rows(batch),
        }
    }

    fn finish(&mut self, out: &mut dyn Output) -> Result<(), EtlError> {
        if let Some(Waiting { spool, keys, mut ordered }) = self.waiting.take() {
            let spooled = spool.finish()?;
            for batch in self.world.engine.sort(&spooled, &keys)? {
                self.world.check_cancelled()?;
                ordered.push(&batch?, out)?;
            }
            ordered.finish(out)?;
        }
        self.constants.iter().for_each(|constant| constant.report(out));
        Ok(())
    }
}

/// Per row whether the cell is missing: null, or text of nothing but blanks.
fn missing_in(batch: &Batch, column: &str) -> Result<Vec<bool>, EtlError> {
    let array = batch.array(column)?;
    if let Some(text) = table::Text::of(array) {
        return Ok(text.map(|text| text.is_none_or(|text| text.trim_ascii().is_empty())));
    }
    Ok((0..batch.n_rows()).map(|row| array.is_null(row)).collect())
}

#[cfg(test)]
mod tests;
