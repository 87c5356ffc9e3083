//! Formulas of medicine over rows: BMI, eGFR, MELD 3.0, FIB-4. Each value is computed, or empty for a reason that is counted.

use std::sync::Arc;

use arrow::array::{ArrayRef, Decimal128Array, Float64Array, Int32Array, Int64Array};
use clinical::NotComputed;
use serde_json::json;
use table::{Batch, Columns, Type};

use super::NAME;
use super::formula::{Computed, Formula, Inputs};
use super::measure::{Lack, Measure, Measuring};
use super::person::{Persons, Who};
use crate::step::Output;
use crate::step::cells::{Labels, Refused, Tally, choice_or_null};
use crate::yaml::Fields;
use crate::{EtlError, Point, Problems, Word};

/// Digits of a BMI: 2540.00 is the highest that is believed.
const BMI_TYPE: Type = Type::Decimal { precision: 7, scale: 2 };

/// A score as the file describes it.
#[derive(Clone, Debug)]
pub(crate) struct Score {
    formula: Formula,
    measures: Vec<Measure>,
    who: Who,
    into: Word,
    /// The class of the value: `category`, `stage` or `risk`.
    class: Option<Word>,
    /// The eGFR as it is reported: a whole number.
    reported: Option<Word>,
    is_quarantined: bool,
}

impl Score {
    /// Decodes the options of a formula.
    pub(super) fn decode(
        formula: Formula,
        fields: &mut Fields<'_>,
        problems: &mut Problems,
    ) -> Option<Score> {
        let needed = formula.needed();
        let measures: Vec<Measure> =
            needed.iter().filter_map(|needed| Measure::decode(*needed, fields, problems)).collect();
        let class = formula.class_key().and_then(|key| fields.text(key, problems));
        let who = Who::decode(formula, class.is_some(), fields, problems);
        let reported = if formula == Formula::Egfr { fields.text("reported", problems) } else { None };
        let into = fields
            .text("into", problems)
            .unwrap_or(Word { text: formula.name().to_owned(), at: fields.at() });
        let choices = [("null", false), ("quarantine", true)];
        let is_quarantined = choice_or_null(fields, "on_bad_unit", &choices, problems).unwrap_or(false);
        let is_complete = measures.len() == needed.len();
        is_complete.then_some(Score { formula, measures, who: who?, into, class, reported, is_quarantined })
    }

    pub(super) fn plan(&self, columns: &Columns, problems: &mut Problems) -> Vec<(String, Type, Point)> {
        self.measures.iter().for_each(|measure| measure.plan(columns, problems));
        self.who.plan(columns, problems);
        let kind = match self.formula {
            Formula::Bmi => BMI_TYPE,
            Formula::Egfr | Formula::Fib4 => Type::Number,
            Formula::Meld3 => Type::Integer,
        };
        let mut new = vec![(self.into.text.clone(), kind, self.into.at)];
        new.extend(self.class.iter().map(|word| (word.text.clone(), Type::Text, word.at)));
        new.extend(self.reported.iter().map(|word| (word.text.clone(), Type::Integer, word.at)));
        new
    }

    pub(super) fn made_from(&self) -> Vec<(String, Vec<String>)> {
        let mut from: Vec<String> = self.measures.iter().flat_map(Measure::columns).collect();
        from.extend(self.who.columns());
        let new = [Some(&self.into), self.class.as_ref(), self.reported.as_ref()];
        new.into_iter().flatten().map(|word| (word.text.clone(), from.clone())).collect()
    }
}

/// Why there is no value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    /// An input.
    Input(&'static str, Lack),
    /// The formula.
    Formula(NotComputed),
}

impl Reason {
    fn text(self) -> String {
        match self {
            Reason::Input(key, lack) => format!("{key}: {}", lack.text()),
            Reason::Formula(not) => {
                let text = not.to_string();
                text.strip_prefix("not computed: ").unwrap_or(&text).to_owned()
            }
        }
    }
}

/// Counts of reasons, without a text per row.
#[derive(Default)]
struct Reasons(Vec<(Reason, u64)>);

impl Reasons {
    fn add(&mut self, reason: Reason) {
        match self.0.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, n)) => *n += 1,
            None => self.0.push((reason, 1)),
        }
    }

    fn to_json(&self) -> serde_json::Value {
        let mut tally = Tally::default();
        self.0.iter().for_each(|(reason, n)| tally.add_many(&reason.text(), *n));
        tally.to_json()
    }
}

/// A score at work.
pub(super) struct Scoring {
    score: Score,
    measures: Vec<Measuring>,
    persons: Persons,
    classes: Labels,
    n_computed: u64,
    not_computed: Reasons,
    not_classed: Reasons,
}

impl Scoring {
    pub(super) fn of(score: &Score, columns: &Columns) -> Scoring {
        Scoring {
            measures: score.measures.iter().map(|measure| Measuring::of(measure, columns)).collect(),
            persons: Persons::of(&score.who),
            classes: Labels::default(),
            score: score.clone(),
            n_computed: 0,
            not_computed: Reasons::default(),
            not_classed: Reasons::default(),
        }
    }

    pub(super) fn compute(&mut self, mut batch: Batch, refused: &mut Refused) -> Result<Batch, EtlError> {
        let mut values = Vec::with_capacity(self.measures.len());
        for measuring in &mut self.measures {
            values.push(measuring.read(&batch)?);
        }
        let persons = self.persons.read(&batch)?;
        let mut results = Vec::with_capacity(batch.n_rows());
        for (row, person) in persons.into_iter().enumerate() {
            let inputs = Inputs { values: &values, row, measures: self.score.formula.needed(), person };
            let result = self.score.formula.compute(&inputs, self.score.class.is_some());
            if let Err(reason) = result {
                self.not_computed.add(reason);
                self.refuse(reason, row, refused);
            }
            results.push(result.ok());
        }
        self.n_computed += results.iter().flatten().count() as u64;
        batch = batch.with(&self.score.into, self.values_of(&results))?;
        if let Some(class) = &self.score.class {
            let (classes, not_classed) = (&mut self.classes, &mut self.not_classed);
            let numbers = results.iter().map(|result| match result.as_ref()?.class {
                Ok(class) => Some(classes.number(class)),
                Err(reason) => {
                    not_classed.add(reason);
                    None
                }
            });
            let numbers = numbers.collect::<Int32Array>();
            batch = batch.with(class, classes.column(numbers))?;
        }
        if let Some(reported) = &self.score.reported {
            let whole = results.iter().map(|result| result.as_ref().map(|result| result.whole));
            batch = batch.with(reported, Arc::new(whole.collect::<Int64Array>()))?;
        }
        Ok(batch)
    }

    fn refuse(&self, reason: Reason, row: usize, refused: &mut Refused) {
        let Reason::Input(key, Lack::WrongUnit | Lack::NoUnit) = reason else { return };
        if self.score.is_quarantined {
            let column = self.score.measures.iter().find(|measure| measure.needed.key == key);
            let column = column.map_or("", |measure| &measure.column.text);
            refused.add(row, column, "unit", format!("the unit of `{key}` is missing or does not convert"));
        }
    }

    fn values_of(&self, results: &[Option<Computed>]) -> ArrayRef {
        let results = results.iter().map(Option::as_ref);
        match self.score.formula {
            Formula::Bmi => {
                let hundredths = results.map(|result| result.map(|result| i128::from(result.whole)));
                let array = hundredths.collect::<Decimal128Array>();
                Arc::new(array.with_precision_and_scale(7, 2).expect("seven digits, two behind the point"))
            }
            Formula::Meld3 => {
                Arc::new(results.map(|result| result.map(|result| result.whole)).collect::<Int64Array>())
            }
            Formula::Egfr | Formula::Fib4 => {
                Arc::new(results.map(|result| result.map(|result| result.real)).collect::<Float64Array>())
            }
        }
    }

    pub(super) fn report(&self, out: &mut dyn Output) {
        let mut fact = json!({"computed": self.n_computed, "not_computed": self.not_computed.to_json()});
        if let Some(class) = &self.score.class {
            fact[format!("no_{class}")] = self.not_classed.to_json();
        }
        out.fact(&format!("{NAME}.{}", self.score.into), fact);
    }
}
