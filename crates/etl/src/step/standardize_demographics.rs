//! The step `standardize_demographics`: sex, race and ethnicity become codes of FHIR and CDC, birth dates become days, ages are completed years
//! on a stated day. What cannot be mapped or read is counted, and kept, emptied or quarantined as the file says.

mod answer;
mod dates;
mod options;

use std::any::Any;
use std::sync::Arc;

use table::{Batch, Columns, Type};

use crate::step::cells::{Refused, add, is_calendar, need, today};
use crate::step::{Output, Step, StepSpec};
use crate::yaml::Node;
use crate::{EtlError, Problems, Word, world::World};

use answer::Asked;
use dates::Dates;
pub(crate) use options::{AgeOn, Demographics, OnInvalid, Unmapped};

const NAME: &str = "standardize_demographics";

/// Decodes the options.
pub(super) fn decode(options: &Node, problems: &mut Problems) -> Option<Box<dyn StepSpec>> {
    options::decode(options, problems).map(|spec| Box::new(spec) as Box<dyn StepSpec>)
}

impl Demographics {
    /// The columns with answers that become codes.
    fn asked(&self) -> impl Iterator<Item = &Word> {
        [&self.sex, &self.race, &self.ethnicity, &self.race_ethnicity].into_iter().flatten()
    }

    /// The columns with days.
    fn days(&self) -> impl Iterator<Item = &Word> {
        [&self.birth_date, &self.death_date].into_iter().flatten()
    }
}

impl StepSpec for Demographics {
    fn plan(&self, input: &Columns, problems: &mut Problems) -> Columns {
        let mut columns = input.clone();
        for column in self.asked() {
            need(input, column, NAME, |kind| kind == Type::Text, "text", problems);
        }
        let on = if let Some(AgeOn::Column(column)) = &self.age_on { Some(column) } else { None };
        for column in self.days().chain(on) {
            need(input, column, NAME, is_calendar, "a date, or text in one of the `formats`", problems);
        }
        for column in self.asked().chain(self.days()).filter(|_| self.keep_source) {
            if let Some(found) = input.get(column) {
                add(&mut columns, &source_name(column), found.kind, column.at, problems);
            }
        }
        for column in self.days() {
            columns.set(column, Type::Date);
        }
        if let Some(column) = &self.race_ethnicity {
            for name in ["race", "ethnicity"] {
                add(&mut columns, name, Type::Text, column.at, problems);
            }
        }
        if self.age_on.is_some() {
            add(&mut columns, &self.age, Type::Integer, self.age.at, problems);
        }
        columns
    }

    fn made_from(&self, input: &Columns) -> Vec<(String, Vec<String>)> {
        let mut made: Vec<(String, Vec<String>)> = self
            .asked()
            .chain(self.days())
            .map(|column| (column.text.clone(), vec![column.text.clone()]))
            .collect();
        if self.keep_source {
            made.extend(
                self.asked().chain(self.days()).map(|word| (source_name(word), vec![word.text.clone()])),
            );
        }
        if let Some(column) = &self.race_ethnicity {
            made.extend(["race", "ethnicity"].map(|name| (name.to_owned(), vec![column.text.clone()])));
        }
        if let Some(on) = &self.age_on {
            let mut from: Vec<String> = self.days().map(|word| word.text.clone()).collect();
            from.extend(if let AgeOn::Column(column) = on { Some(column.text.clone()) } else { None });
            made.push((self.age.text.clone(), from));
        }
        made.retain(|(_, from)| from.iter().all(|name| input.get(name).is_some()));
        made
    }

    fn start(
        &self,
        _input: &Columns,
        _tapped: &[Arc<dyn Any + Send + Sync>],
        world: &Arc<World>,
    ) -> Result<Box<dyn Step>, EtlError> {
        Ok(Box::new(Running {
            asked: answer::asked_of(self),
            dates: Dates::of(self, today(world)?),
            keep_source: self.keep_source,
            unmapped: self.unmapped,
            world: world.clone(),
        }))
    }
}

fn source_name(column: &str) -> String {
    format!("{column}_source")
}

struct Running {
    asked: Vec<Asked>,
    dates: Dates,
    keep_source: bool,
    unmapped: Unmapped,
    world: Arc<World>,
}

impl Step for Running {
    fn push(&mut self, mut batch: Batch, out: &mut dyn Output) -> Result<(), EtlError> {
        self.world.check_cancelled()?;
        if self.keep_source {
            let own = self.asked.iter().map(Asked::column).chain(self.dates.columns());
            let own: Vec<String> = own.map(str::to_owned).collect();
            for column in own {
                let original = batch.array(&column)?.clone();
                batch = batch.with(&source_name(&column), original)?;
            }
        }
        let mut refused = Refused::default();
        for asked in &mut self.asked {
            batch = asked.standardize(batch, self.unmapped, &mut refused)?;
        }
        batch = self.dates.standardize(batch, &mut refused)?;
        refused.give(NAME, batch, out)
    }

    fn finish(&mut self, out: &mut dyn Output) -> Result<(), EtlError> {
        for asked in &self.asked {
            asked.report(out);
        }
        self.dates.report(out);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
