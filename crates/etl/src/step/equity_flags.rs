//! The step `equity_flags`: flags by rules on codes that the file names, and how they spread over strata, with small cells suppressed.

mod options;
mod rule;
mod strata;

use std::any::Any;
use std::sync::Arc;

use arrow::array::BooleanArray;
use table::{Batch, Columns, Type};

use crate::step::cells::{add, need};
use crate::step::{Output, Step, StepSpec};
use crate::yaml::Node;
use crate::{EtlError, Problems, world::World};

use rule::Rule;
use strata::Counts;

pub(crate) use options::{EquityFlags, Flag, Stratum};

const NAME: &str = "equity_flags";

/// Decodes the options.
pub(super) fn decode(options: &Node, problems: &mut Problems) -> Option<Box<dyn StepSpec>> {
    options::decode(options, problems).map(|spec| Box::new(spec) as Box<dyn StepSpec>)
}

impl StepSpec for EquityFlags {
    fn plan(&self, input: &Columns, problems: &mut Problems) -> Columns {
        let mut columns = input.clone();
        let is_text = |kind| kind == Type::Text;
        for condition in &self.conditions {
            need(input, &condition.column, NAME, is_text, "text: codes", problems);
        }
        for flag in &self.flags {
            add(&mut columns, &flag.name, Type::Boolean, flag.name.at, problems);
        }
        for stratum in &self.strata {
            need(input, &stratum.column, NAME, is_text, "text: codes", problems);
        }
        columns
    }

    fn made_from(&self, _input: &Columns) -> Vec<(String, Vec<String>)> {
        let of = |flag: &Flag| {
            let mut from: Vec<String> = Vec::new();
            flag.rule.visit(&mut |at| from.push(self.conditions[at].column.text.clone()));
            from.sort();
            from.dedup();
            (flag.name.text.clone(), from)
        };
        self.flags.iter().map(of).collect()
    }

    fn start(
        &self,
        _input: &Columns,
        _tapped: &[Arc<dyn Any + Send + Sync>],
        world: &Arc<World>,
    ) -> Result<Box<dyn Step>, EtlError> {
        Ok(Box::new(Running {
            flags: self.flags.iter().map(|flag| (flag.name.text.clone(), flag.rule.clone())).collect(),
            conditions: self.conditions.iter().cloned().map(rule::Watched::of).collect(),
            counts: Counts::of(self),
            world: world.clone(),
        }))
    }
}

struct Running {
    flags: Vec<(String, Rule)>,
    conditions: Vec<rule::Watched>,
    counts: Counts,
    world: Arc<World>,
}

impl Step for Running {
    fn push(&mut self, mut batch: Batch, out: &mut dyn Output) -> Result<(), EtlError> {
        self.world.check_cancelled()?;
        let mut held = Vec::with_capacity(self.conditions.len());
        for condition in &mut self.conditions {
            held.push(condition.evaluate(&batch)?);
        }
        let mut flags = Vec::with_capacity(self.flags.len());
        for (name, rule) in &self.flags {
            let values: Vec<Option<bool>> = (0..batch.n_rows()).map(|row| rule.holds(&held, row)).collect();
            batch = batch.with(name, Arc::new(values.iter().copied().collect::<BooleanArray>()))?;
            flags.push(values);
        }
        self.counts.add(&batch, &flags)?;
        out.rows(batch)
    }

    fn finish(&mut self, out: &mut dyn Output) -> Result<(), EtlError> {
        let never: Vec<String> = self.conditions.iter().flat_map(rule::Watched::never_met).collect();
        out.fact(&format!("{NAME}.codes_never_met"), never.into());
        self.counts.report(out);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
