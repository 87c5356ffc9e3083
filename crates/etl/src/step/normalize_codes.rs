//! The step `normalize_codes`: codes of diagnoses, procedures, drugs, tests, providers and places in their canonical form. Digits are never
//! invented; what is no code is counted by reason, and kept, emptied or quarantined as the file says.

mod options;
mod system;

use std::any::Any;
use std::sync::Arc;

use arrow::array::{Array as _, ArrayRef, BooleanArray, Int32Array, StringViewBuilder};
use clinical::code::{Canonical, CodeProblem};
use serde_json::json;
use table::{Batch, Columns, Text, Type};

use crate::step::cells::{Labels, PerValue, Refused, Tally, add, days_of, is_calendar, need};
use crate::step::{Output, Step, StepSpec};
use crate::yaml::Node;
use crate::{EtlError, Problems, world::World};

pub(crate) use options::{CodeColumn, NormalizeCodes, OnInvalid};
pub(crate) use system::System;

const NAME: &str = "normalize_codes";

/// Decodes the options.
pub(super) fn decode(options: &Node, problems: &mut Problems) -> Option<Box<dyn StepSpec>> {
    options::decode(options, problems).map(|spec| Box::new(spec) as Box<dyn StepSpec>)
}

impl StepSpec for NormalizeCodes {
    fn plan(&self, input: &Columns, problems: &mut Problems) -> Columns {
        let mut columns = input.clone();
        for one in &self.columns {
            need(
                input,
                &one.column,
                NAME,
                |kind| kind == Type::Text,
                "text: a number has lost its zeros",
                problems,
            );
            if let Some(as_of) = &one.as_of {
                need(input, as_of, NAME, is_calendar, "a date, or text in one of the `formats`", problems);
            }
            if one.valid_flag {
                add(&mut columns, &one.valid_name(), Type::Boolean, one.column.at, problems);
            }
            if one.system_flag {
                add(&mut columns, &one.system_name(), Type::Text, one.column.at, problems);
            }
        }
        columns
    }

    fn made_from(&self, _input: &Columns) -> Vec<(String, Vec<String>)> {
        let mut made = Vec::new();
        for one in &self.columns {
            let mut from = vec![one.column.text.clone()];
            from.extend(one.as_of.as_ref().map(|word| word.text.clone()));
            made.push((one.column.text.clone(), from.clone()));
            made.extend(one.valid_flag.then(|| (one.valid_name(), from.clone())));
            made.extend(one.system_flag.then(|| (one.system_name(), from)));
        }
        made
    }

    fn start(
        &self,
        _input: &Columns,
        _tapped: &[Arc<dyn Any + Send + Sync>],
        world: &Arc<World>,
    ) -> Result<Box<dyn Step>, EtlError> {
        let columns = self.columns.iter().cloned().map(Normalizing::of).collect();
        Ok(Box::new(Running { columns, world: world.clone() }))
    }
}

struct Running {
    columns: Vec<Normalizing>,
    world: Arc<World>,
}

impl Step for Running {
    fn push(&mut self, mut batch: Batch, out: &mut dyn Output) -> Result<(), EtlError> {
        self.world.check_cancelled()?;
        let mut refused = Refused::default();
        for column in &mut self.columns {
            batch = column.normalize(batch, &mut refused)?;
        }
        refused.give(NAME, batch, out)
    }

    fn finish(&mut self, out: &mut dyn Output) -> Result<(), EtlError> {
        for column in &self.columns {
            column.report(out);
        }
        Ok(())
    }
}

/// What a text is in a code system.
#[derive(Clone, Copy)]
enum Read {
    Missing,
    /// It is canonical already.
    Same,
    Changed(Canonical),
    Wrong(CodeProblem),
    /// The system depends on a day that is missing or cannot be read.
    NoDay,
}

/// A column of codes at work.
struct Normalizing {
    spec: CodeColumn,
    /// Answers by era: before ICD-10 and since.
    memory: [PerValue<Read>; 2],
    systems: Labels,
    n_missing: u64,
    n_canonical: u64,
    n_changed: u64,
    wrong: Tally,
}

impl Normalizing {
    fn of(spec: CodeColumn) -> Normalizing {
        let systems = Labels::of(&["icd9cm", "icd10cm"]);
        let memory = [PerValue::new(), PerValue::new()];
        Normalizing {
            spec,
            memory,
            systems,
            n_missing: 0,
            n_canonical: 0,
            n_changed: 0,
            wrong: Tally::default(),
        }
    }

    fn normalize(&mut self, mut batch: Batch, refused: &mut Refused) -> Result<Batch, EtlError> {
        let array = batch.array(&self.spec.column)?.clone();
        let text = batch.text(&self.spec.column)?;
        let eras = self.eras_of(&batch)?;
        let reads = self.reads_of(&text, eras.as_deref());
        self.count(&reads, refused);
        let is_emptied = self.spec.on_invalid == OnInvalid::Null;
        let is_touched = reads.iter().any(|read| match read {
            Read::Changed(_) => true,
            Read::Wrong(_) | Read::NoDay => is_emptied,
            Read::Missing | Read::Same => false,
        });
        if is_touched {
            batch = batch.with(&self.spec.column, rewritten(&reads, &array, is_emptied))?;
        }
        if self.spec.valid_flag {
            let valid = reads.iter().map(|read| match read {
                Read::Missing => None,
                Read::Same | Read::Changed(_) => Some(true),
                Read::Wrong(_) | Read::NoDay => Some(false),
            });
            batch = batch.with(&self.spec.valid_name(), Arc::new(valid.collect::<BooleanArray>()))?;
        }
        if self.spec.system_flag {
            let systems = self.systems_of(&reads, eras.as_deref());
            batch = batch.with(&self.spec.system_name(), systems)?;
        }
        Ok(batch)
    }

    /// Per row whether its day is in the era of ICD-10; `None` without a day. `None` for all: no column says the day.
    fn eras_of(&self, batch: &Batch) -> Result<Option<Vec<Option<bool>>>, EtlError> {
        let Some(as_of) = &self.spec.as_of else { return Ok(None) };
        let days = days_of(batch, as_of, &self.spec.formats)?;
        Ok(Some(days.into_iter().map(|cell| cell.day().map(system::is_icd10_on)).collect()))
    }

    fn reads_of(&mut self, text: &Text<'_>, eras: Option<&[Option<bool>]>) -> Vec<Read> {
        let system = self.spec.system;
        let Some(eras) = eras else {
            let [memory, _] = &mut self.memory;
            return memory.map(text, Read::Missing, |text| read(text, |text| system.check(text, None)));
        };
        let reads = eras.iter().enumerate().map(|(row, era)| {
            let Some(text) = text.get(row) else { return Read::Missing };
            let Some(is_icd10) = *era else {
                return if text.trim_ascii().is_empty() { Read::Missing } else { Read::NoDay };
            };
            self.memory[usize::from(is_icd10)]
                .get(text, |text| read(text, |text| system.check(text, Some(is_icd10))))
        });
        reads.collect()
    }

    fn count(&mut self, reads: &[Read], refused: &mut Refused) {
        for (row, read) in reads.iter().enumerate() {
            let (reason, message) = match read {
                Read::Missing => {
                    self.n_missing += 1;
                    continue;
                }
                Read::Same => {
                    self.n_canonical += 1;
                    continue;
                }
                Read::Changed(_) => {
                    self.n_changed += 1;
                    continue;
                }
                Read::Wrong(problem) => (system::reason_of(problem), None),
                Read::NoDay => {
                    ("no_day", Some("the day that tells the code system is missing or cannot be read"))
                }
            };
            self.wrong.add(reason);
            if self.spec.on_invalid == OnInvalid::Quarantine {
                let message = match (message, read) {
                    (Some(message), _) => message.to_owned(),
                    (None, Read::Wrong(problem)) => problem.to_string(),
                    (None, _) => String::new(),
                };
                refused.add(row, &self.spec.column, reason, message);
            }
        }
    }

    /// The system of each code that is one.
    fn systems_of(&mut self, reads: &[Read], eras: Option<&[Option<bool>]>) -> ArrayRef {
        let fixed = self.systems.number(self.spec.system.name());
        let numbers = reads.iter().enumerate().map(|(row, read)| match read {
            Read::Same | Read::Changed(_) if self.spec.system == System::Icd => {
                eras.and_then(|eras| eras[row]).map(i32::from)
            }
            Read::Same | Read::Changed(_) => Some(fixed),
            Read::Missing | Read::Wrong(_) | Read::NoDay => None,
        });
        let numbers = numbers.collect::<Int32Array>();
        self.systems.column(numbers)
    }

    fn report(&self, out: &mut dyn Output) {
        let fact = json!({
            "canonical": self.n_canonical,
            "changed": self.n_changed,
            "missing": self.n_missing,
            "invalid": self.wrong.to_json(),
        });
        out.fact(&format!("{NAME}.{}", self.spec.column), fact);
    }
}

fn read(text: &str, check: impl Fn(&str) -> Result<Canonical, CodeProblem>) -> Read {
    match check(text) {
        Ok(canonical) if canonical.as_str() == text => Read::Same,
        Ok(canonical) => Read::Changed(canonical),
        Err(CodeProblem::Empty) => Read::Missing,
        Err(problem) => Read::Wrong(problem),
    }
}

/// The column with canonical codes; a dictionary is written out where rows with one text differ, which only days can do.
fn rewritten(reads: &[Read], original: &ArrayRef, is_emptied: bool) -> ArrayRef {
    let text = Text::of(original).expect("the plan asked for text");
    let mut builder = StringViewBuilder::with_capacity(original.len());
    for (row, read) in reads.iter().enumerate() {
        match read {
            Read::Changed(code) => builder.append_value(code.as_str()),
            Read::Wrong(_) | Read::NoDay if is_emptied => builder.append_null(),
            Read::Missing | Read::Same | Read::Wrong(_) | Read::NoDay => builder.append_option(text.get(row)),
        }
    }
    Arc::new(builder.finish())
}

#[cfg(test)]
mod tests;
