//! The step `derive`: new columns from formulas of medicine, from days, from expressions. What cannot be computed is empty, and the reason is
//! counted; nothing has a default.

mod calendar;
mod expression;
mod formula;
mod measure;
mod options;
mod person;
mod score;

use std::any::Any;
use std::sync::Arc;

use table::{Batch, Columns, Type};

use crate::step::cells::{Refused, add};
use crate::step::{Output, Step, StepSpec};
use crate::yaml::Node;
use crate::{EtlError, Point, Problems, world::World};

use calendar::Calendar;
use expression::{Computing, Written};
use score::{Score, Scoring};

pub(crate) use options::Derive;

const NAME: &str = "derive";

/// Decodes the options.
pub(super) fn decode(options: &Node, problems: &mut Problems) -> Option<Box<dyn StepSpec>> {
    options::decode(options, problems).map(|spec| Box::new(spec) as Box<dyn StepSpec>)
}

/// One entry of the list.
#[derive(Debug)]
pub(crate) enum Derived {
    /// `bmi`, `egfr`, `meld3`, `fib4`.
    Score(Score),
    /// `day_of_week`, `month`, `quarter`.
    Calendar(Calendar),
    /// `expression`.
    Expression(Written),
}

impl Derived {
    /// The new columns, with their places in the file.
    fn plan(&self, columns: &Columns, problems: &mut Problems) -> Vec<(String, Type, Point)> {
        match self {
            Derived::Score(score) => score.plan(columns, problems),
            Derived::Calendar(calendar) => calendar.plan(columns, problems),
            Derived::Expression(written) => written.plan(columns, problems),
        }
    }

    fn made_from(&self, columns: &Columns) -> Vec<(String, Vec<String>)> {
        match self {
            Derived::Score(score) => score.made_from(),
            Derived::Calendar(calendar) => calendar.made_from(),
            Derived::Expression(written) => written.made_from(columns),
        }
    }
}

impl StepSpec for Derive {
    fn plan(&self, input: &Columns, problems: &mut Problems) -> Columns {
        let mut columns = input.clone();
        for output in &self.outputs {
            // An output may use those before it.
            for (name, kind, at) in output.plan(&columns, problems) {
                add(&mut columns, &name, kind, at, problems);
            }
        }
        columns
    }

    fn made_from(&self, input: &Columns) -> Vec<(String, Vec<String>)> {
        let mut columns = input.clone();
        let mut made = Vec::new();
        for output in &self.outputs {
            made.extend(output.made_from(&columns));
            for (name, kind, _) in output.plan(&columns, &mut Problems::default()) {
                columns.set(&name, kind);
            }
        }
        made
    }

    fn start(
        &self,
        input: &Columns,
        _tapped: &[Arc<dyn Any + Send + Sync>],
        world: &Arc<World>,
    ) -> Result<Box<dyn Step>, EtlError> {
        let mut columns = input.clone();
        let mut outputs = Vec::with_capacity(self.outputs.len());
        for output in &self.outputs {
            outputs.push(match output {
                Derived::Score(score) => Working::Score(Box::new(Scoring::of(score, &columns))),
                Derived::Calendar(calendar) => Working::Calendar(calendar.clone()),
                Derived::Expression(written) => Working::Expression(written.start(&columns)?),
            });
            for (name, kind, _) in output.plan(&columns, &mut Problems::default()) {
                columns.set(&name, kind);
            }
        }
        Ok(Box::new(Running { outputs, world: world.clone() }))
    }
}

enum Working {
    Score(Box<Scoring>),
    Calendar(Calendar),
    Expression(Computing),
}

struct Running {
    outputs: Vec<Working>,
    world: Arc<World>,
}

impl Step for Running {
    fn push(&mut self, mut batch: Batch, out: &mut dyn Output) -> Result<(), EtlError> {
        self.world.check_cancelled()?;
        let mut refused = Refused::default();
        for output in &mut self.outputs {
            batch = match output {
                Working::Score(scoring) => scoring.compute(batch, &mut refused)?,
                Working::Calendar(calendar) => calendar.compute(&batch)?,
                Working::Expression(computing) => computing.compute(&batch, &mut refused)?,
            };
        }
        refused.give(NAME, batch, out)
    }

    fn finish(&mut self, out: &mut dyn Output) -> Result<(), EtlError> {
        for output in &self.outputs {
            match output {
                Working::Score(scoring) => scoring.report(out),
                Working::Calendar(calendar) => calendar.report(out),
                Working::Expression(computing) => computing.report(out),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
