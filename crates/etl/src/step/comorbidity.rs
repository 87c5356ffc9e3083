//! The step `comorbidity`: a Charlson or Elixhauser score per patient, from the distinct codes of a look-back window, of this source or another.

mod gather;
mod options;

use std::any::Any;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Int64Array};
use clinical::comorbidity::{Groups, Options, Variant, score_of};
use serde_json::json;
use table::{Batch, Columns, Type};

use crate::engine::Spool;
use crate::step::cells::{Tally, add, is_calendar, is_number, need, numbers_of};
use crate::step::{Output, Step, StepSpec, Tap, TapSpec};
use crate::yaml::Node;
use crate::{EtlError, Problems, world::World};

use gather::{Gathered, Gatherer, hash_of};

pub(crate) use options::Comorbidity;

const NAME: &str = "comorbidity";

/// Decodes the options.
pub(super) fn decode(options: &Node, problems: &mut Problems) -> Option<Box<dyn StepSpec>> {
    options::decode(options, problems).map(|spec| Box::new(spec) as Box<dyn StepSpec>)
}

impl Comorbidity {
    /// The flags of groups: name of the column and number of the group.
    fn flags(&self) -> Vec<(String, usize)> {
        let groups = self.variant.map().groups().iter().filter(|_| self.groups);
        groups.map(|group| (format!("{}_{}", self.into, group.code), group.number)).collect()
    }

    /// Columns of the table with the codes are text, and its day is a day.
    fn check_codes(&self, input: &Columns, problems: &mut Problems) {
        let is_text = |kind| kind == Type::Text;
        for codes in &self.codes {
            need(input, codes, NAME, is_text, "text: codes", problems);
        }
        if let Some(date) = &self.date {
            need(input, date, NAME, is_calendar, "a date, or text in one of the `formats`", problems);
        }
    }
}

impl StepSpec for Comorbidity {
    fn holds_rows(&self) -> bool {
        self.from.is_none()
    }

    fn plan(&self, input: &Columns, problems: &mut Problems) -> Columns {
        let mut columns = input.clone();
        let is_text = |kind| kind == Type::Text;
        need(input, &self.by, NAME, is_text, "text: an identifier keeps its zeros", problems);
        if self.from.is_none() {
            self.check_codes(input, problems);
        }
        if let Some(age) = &self.age {
            need(input, age, NAME, is_number, "a number of years", problems);
        }
        add(&mut columns, &self.into, Type::Integer, self.into.at, problems);
        for (name, _) in self.flags() {
            add(&mut columns, &name, Type::Boolean, self.into.at, problems);
        }
        columns
    }

    fn made_from(&self, _input: &Columns) -> Vec<(String, Vec<String>)> {
        let mut from = vec![self.by.text.clone()];
        if self.from.is_none() {
            from.extend(self.codes.iter().chain(&self.date).map(|word| word.text.clone()));
        }
        let mut with_age = from.clone();
        with_age.extend(self.age.iter().map(|word| word.text.clone()));
        let mut made = vec![(self.into.text.clone(), with_age)];
        made.extend(self.flags().into_iter().map(|(name, _)| (name, from.clone())));
        made
    }

    fn taps(&self) -> Vec<TapSpec> {
        let columns = self.codes.iter().chain([&self.patient]).chain(&self.date).cloned().collect();
        self.from
            .iter()
            .map(|source| TapSpec { source: source.clone(), columns: Vec::clone(&columns) })
            .collect()
    }

    fn start_tap(
        &self,
        source: &str,
        columns: &Columns,
        world: &Arc<World>,
    ) -> Result<Box<dyn Tap>, EtlError> {
        let mut problems = Problems::default();
        self.check_codes(columns, &mut problems);
        need(
            columns,
            &self.patient,
            NAME,
            |kind| kind == Type::Text,
            "text: an identifier keeps its zeros",
            &mut problems,
        );
        if !problems.is_empty() {
            return Err(EtlError::Invalid(problems.into_sorted()));
        }
        let gatherer = Gatherer::of(self, &self.patient, world)?;
        Ok(Box::new(Looking { gatherer, world: world.clone(), source: source.to_owned() }))
    }

    fn start(
        &self,
        _input: &Columns,
        tapped: &[Arc<dyn Any + Send + Sync>],
        world: &Arc<World>,
    ) -> Result<Box<dyn Step>, EtlError> {
        let scorer = Scorer {
            by: self.by.text.clone(),
            age: self.age.as_ref().map(|word| word.text.clone()),
            into: self.into.text.clone(),
            flags: self.flags(),
            variant: self.variant,
            options: Options {
                hierarchy: self.hierarchy,
                age_points_max: self.age.as_ref().map(|_| self.age_points_max),
            },
            without_codes_is_zero: self.without_codes_is_zero,
            n_scored: 0,
            not_scored: Tally::default(),
        };
        let world = world.clone();
        if self.from.is_none() {
            let gatherer = Gatherer::of(self, &self.by, &world)?;
            let spool = Some(world.engine.spool()?);
            return Ok(Box::new(OfItself { scorer, gatherer: Some(gatherer), spool, world }));
        }
        let gathered = tapped.first().cloned().and_then(|any| any.downcast::<Gathered>().ok());
        let gathered = gathered.ok_or_else(|| EtlError::Step {
            step: NAME.to_owned(),
            why: "the other source was not looked at before this one".to_owned(),
        })?;
        Ok(Box::new(OfOther { scorer, gathered, world }))
    }
}

/// Looks at the codes of another source.
struct Looking {
    gatherer: Gatherer,
    world: Arc<World>,
    source: String,
}

impl Tap for Looking {
    fn push(&mut self, batch: &Batch) -> Result<(), EtlError> {
        self.world.check_cancelled()?;
        self.gatherer.push(batch).map_err(|error| match error {
            EtlError::Limit(why) => EtlError::Limit(format!("source `{}`: {why}", self.source)),
            other => other,
        })
    }

    fn finish(self: Box<Self>) -> Result<Arc<dyn Any + Send + Sync>, EtlError> {
        Ok(Arc::new(self.gatherer.finish()?))
    }
}

/// Gives rows the scores of their patients.
struct Scorer {
    by: String,
    age: Option<String>,
    into: String,
    flags: Vec<(String, usize)>,
    variant: Variant,
    options: Options,
    without_codes_is_zero: bool,
    n_scored: u64,
    not_scored: Tally,
}

impl Scorer {
    fn score(&mut self, mut batch: Batch, gathered: &Gathered) -> Result<Batch, EtlError> {
        let patients = batch.text(&self.by)?;
        let without = self.without_codes_is_zero.then(Groups::default);
        let groups: Vec<Option<Groups>> = (0..patients.len())
            .map(|row| {
                let patient = patients.get(row).filter(|id| !id.trim_ascii().is_empty());
                let found = match patient {
                    Some(id) => gathered.groups_of(hash_of(id))?.or(without),
                    None => None,
                };
                if found.is_none() {
                    self.not_scored.add(if patient.is_none() {
                        "no patient"
                    } else {
                        "no readable code in the window"
                    });
                }
                Ok(found)
            })
            .collect::<Result<_, EtlError>>()?;
        let ages = self.age.as_ref().map(|age| numbers_of(&batch, age)).transpose()?;
        let scores = groups.iter().enumerate().map(|(row, groups)| {
            let groups = (*groups)?;
            let age = match &ages {
                None => None,
                Some(ages) => match ages[row].years() {
                    Some(years) => Some(years),
                    None => {
                        self.not_scored.add("age unknown");
                        return None;
                    }
                },
            };
            self.n_scored += 1;
            Some(i64::from(score_of(self.variant, groups, age, self.options)))
        });
        let scores: ArrayRef = Arc::new(scores.collect::<Int64Array>());
        batch = batch.with(&self.into, scores)?;
        for (name, number) in &self.flags {
            let flags = groups.iter().map(|groups| groups.map(|groups| groups.contains(*number)));
            batch = batch.with(name, Arc::new(flags.collect::<BooleanArray>()))?;
        }
        Ok(batch)
    }

    fn report(&self, gathered: &Gathered, out: &mut dyn Output) {
        let fact = json!({
            "variant": self.variant.name(),
            "rows_scored": self.n_scored,
            "rows_not_scored": self.not_scored.to_json(),
            "patients_with_codes": gathered.n_patients(),
            "codes": gathered.counts.to_json(),
        });
        out.fact(&format!("{NAME}.{}", self.into), fact);
    }
}

/// Codes come from another source: rows stream.
struct OfOther {
    scorer: Scorer,
    gathered: Arc<Gathered>,
    world: Arc<World>,
}

impl Step for OfOther {
    fn push(&mut self, batch: Batch, out: &mut dyn Output) -> Result<(), EtlError> {
        self.world.check_cancelled()?;
        out.rows(self.scorer.score(batch, &self.gathered)?)
    }

    fn finish(&mut self, out: &mut dyn Output) -> Result<(), EtlError> {
        self.scorer.report(&self.gathered, out);
        Ok(())
    }
}

/// Codes come from the rows themselves: they wait until all codes are seen.
struct OfItself {
    scorer: Scorer,
    gatherer: Option<Gatherer>,
    spool: Option<Spool>,
    world: Arc<World>,
}

impl Step for OfItself {
    fn push(&mut self, batch: Batch, _out: &mut dyn Output) -> Result<(), EtlError> {
        self.world.check_cancelled()?;
        if let (Some(gatherer), Some(spool)) = (&mut self.gatherer, &mut self.spool) {
            gatherer.push(&batch)?;
            spool.push(&batch)?;
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut dyn Output) -> Result<(), EtlError> {
        let (Some(gatherer), Some(spool)) = (self.gatherer.take(), self.spool.take()) else { return Ok(()) };
        let gathered = gatherer.finish()?;
        for batch in spool.finish()?.read()? {
            self.world.check_cancelled()?;
            out.rows(self.scorer.score(batch?, &gathered)?)?;
        }
        self.scorer.report(&gathered, out);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
