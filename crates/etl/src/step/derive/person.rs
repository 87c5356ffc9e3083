//! The person of a row: age, sex as a coefficient, pregnancy, kidneys.

use arrow::array::{Array as _, AsArray as _, BooleanArray};
use clinical::demographics::{Gender, gender_of};
use clinical::egfr::Kidney;
use clinical::{Pregnancy, Sex, Subject};
use table::{Batch, Columns, Type};

use super::NAME;
use super::formula::Formula;
use crate::step::cells::{PerValue, is_number, need, numbers_of};
use crate::yaml::Fields;
use crate::{EtlError, Problems, Word};

/// The columns that tell who it is.
#[derive(Clone, Debug)]
pub(super) struct Who {
    age: Option<Word>,
    sex: Option<Word>,
    pregnant: Option<Word>,
    dialysis: Option<Word>,
    acute_kidney_injury: Option<Word>,
}

impl Who {
    /// Decodes `age`, `sex`, `pregnant`, `dialysis`, `acute_kidney_injury`, as far as the formula asks for them.
    pub(super) fn decode(
        formula: Formula,
        with_class: bool,
        fields: &mut Fields<'_>,
        problems: &mut Problems,
    ) -> Option<Who> {
        let age = fields.text("age", problems);
        if age.is_none() && (formula != Formula::Bmi || with_class) {
            problems.add(fields.at(), format!("{} needs the key `age`", fields.what()));
            return None;
        }
        let has_sex = matches!(formula, Formula::Egfr | Formula::Meld3);
        let sex = if has_sex { fields.required_text("sex", problems) } else { None };
        let mut asked = |key, formulas: &[Formula]| {
            if formulas.contains(&formula) { fields.text(key, problems) } else { None }
        };
        let pregnant = asked("pregnant", &[Formula::Bmi, Formula::Egfr]);
        let dialysis = asked("dialysis", &[Formula::Egfr, Formula::Meld3]);
        let acute_kidney_injury = asked("acute_kidney_injury", &[Formula::Egfr]);
        (sex.is_some() || !has_sex).then_some(Who { age, sex, pregnant, dialysis, acute_kidney_injury })
    }

    fn flags(&self) -> [&Option<Word>; 3] {
        [&self.pregnant, &self.dialysis, &self.acute_kidney_injury]
    }

    pub(super) fn plan(&self, columns: &Columns, problems: &mut Problems) {
        if let Some(age) = &self.age {
            need(columns, age, NAME, is_number, "a number of years", problems);
        }
        if let Some(sex) = &self.sex {
            need(columns, sex, NAME, |kind| kind == Type::Text, "text: `female` or `male`", problems);
        }
        for flag in self.flags().into_iter().flatten() {
            need(columns, flag, NAME, |kind| kind == Type::Boolean, "a boolean", problems);
        }
    }

    /// The columns that are read.
    pub(super) fn columns(&self) -> Vec<String> {
        let words = [&self.age, &self.sex].into_iter().chain(self.flags()).flatten();
        words.map(|word| word.text.clone()).collect()
    }
}

/// Who it is.
#[derive(Clone, Copy)]
pub(super) struct Person {
    pub(super) subject: Subject,
    pub(super) is_on_dialysis: bool,
    has_acute_injury: bool,
}

impl Person {
    /// Whether kidney function is steady.
    pub(super) fn kidney(self) -> Kidney {
        match (self.is_on_dialysis, self.has_acute_injury) {
            (true, _) => Kidney::Dialysis,
            (false, true) => Kidney::AcuteInjury,
            (false, false) => Kidney::Steady,
        }
    }
}

/// Persons of rows.
pub(super) struct Persons {
    who: Who,
    sexes: PerValue<Option<Sex>>,
}

impl Persons {
    pub(super) fn of(who: &Who) -> Persons {
        Persons { who: who.clone(), sexes: PerValue::new() }
    }

    /// The person of each row.
    pub(super) fn read(&mut self, batch: &Batch) -> Result<Vec<Person>, EtlError> {
        let ages = self.who.age.as_ref().map(|age| numbers_of(batch, age)).transpose()?;
        let sexes = match &self.who.sex {
            Some(sex) => Some(self.sexes.map(&batch.text(sex)?, None, |text| match gender_of(text) {
                Some(Gender::Female) => Some(Sex::Female),
                Some(Gender::Male) => Some(Sex::Male),
                Some(Gender::Other | Gender::Unknown) | None => None,
            })),
            None => None,
        };
        let [pregnant, dialysis, injury] = self.who.flags().map(|flag| flag_of(batch, flag.as_ref()));
        let (pregnant, dialysis, injury) = (pregnant?, dialysis?, injury?);
        let persons = (0..batch.n_rows()).map(|row| {
            let pregnancy = match value(pregnant, row) {
                Some(true) => Pregnancy::PregnantOrPostPartum,
                Some(false) => Pregnancy::No,
                None => Pregnancy::NotStated,
            };
            let age_years = ages.as_ref().and_then(|ages| ages[row].years());
            let sex = sexes.as_ref().and_then(|sexes| sexes[row]);
            Person {
                subject: Subject { age_years, sex, pregnancy },
                is_on_dialysis: value(dialysis, row) == Some(true),
                has_acute_injury: value(injury, row) == Some(true),
            }
        });
        Ok(persons.collect())
    }
}

fn flag_of<'a>(batch: &'a Batch, flag: Option<&Word>) -> Result<Option<&'a BooleanArray>, EtlError> {
    flag.map(|flag| Ok(batch.array(flag)?.as_boolean())).transpose()
}

fn value(flags: Option<&BooleanArray>, row: usize) -> Option<bool> {
    flags.filter(|flags| !flags.is_null(row)).map(|flags| flags.value(row))
}
