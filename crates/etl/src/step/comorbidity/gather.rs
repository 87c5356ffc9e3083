//! The groups of every patient: a 128-bit hash of the identifier with the bits of the groups.

use std::sync::Arc;

use clinical::age::Day;
use clinical::code::{DiagnosisSystem, diagnosis_system_on};
use clinical::comorbidity::{Groups, Variant, groups_of};
use table::Batch;
use twox_hash::XxHash3_128;

use super::Comorbidity;
use crate::keyed::{Found, Keyed};
use crate::step::cells::{DateFormats, DayCell, PerValue, Tally, days_of, today};
use crate::{EtlError, Word, world::World};

/// The hash of a patient's identifier, without blanks around it.
pub(super) fn hash_of(id: &str) -> u128 {
    XxHash3_128::oneshot(id.trim_ascii().as_bytes())
}

/// What was gathered.
pub(super) struct Gathered {
    patients: Found<u32>,
    pub(super) counts: Tally,
}

impl Gathered {
    /// The groups of a patient; `None` without a readable code in the window.
    pub(super) fn groups_of(&self, patient: u128) -> Result<Option<Groups>, EtlError> {
        Ok(self.patients.get(patient)?.map(Groups::of_bits))
    }

    /// Patients with a readable code in the window.
    pub(super) fn n_patients(&self) -> u64 {
        self.patients.n_keys()
    }
}

/// Gathers groups from rows with codes.
pub(super) struct Gatherer {
    variant: Variant,
    codes: Vec<(String, PerValue<Option<Groups>>)>,
    by: String,
    date: Option<String>,
    formats: DateFormats,
    /// First and last day that count.
    window: (Option<Day>, Day),
    /// Patients without any group need not be kept when having no code means the same.
    keeps_empty: bool,
    patients_max: u64,
    patients: Keyed<u32>,
    counts: Tally,
}

/// What becomes of a row.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Row {
    Counts,
    Not(&'static str),
}

impl Gatherer {
    pub(super) fn of(spec: &Comorbidity, by: &Word, world: &Arc<World>) -> Result<Gatherer, EtlError> {
        let last = match spec.as_of {
            Some(day) => day,
            None => today(world)?,
        };
        Ok(Gatherer {
            variant: spec.variant,
            codes: spec.codes.iter().map(|word| (word.text.clone(), PerValue::new())).collect(),
            by: by.text.clone(),
            date: spec.date.as_ref().map(|word| word.text.clone()),
            formats: spec.formats.clone(),
            window: (spec.lookback_days.and_then(|days| last.plus_days(-days)), last),
            keeps_empty: !spec.without_codes_is_zero,
            patients_max: spec.patients_max,
            patients: Keyed::new(world.engine.keys()),
            counts: Tally::default(),
        })
    }

    /// Takes the codes of some rows.
    pub(super) fn push(&mut self, batch: &Batch) -> Result<(), EtlError> {
        let rows = self.rows_of(batch)?;
        let patients = batch.text(&self.by)?;
        let (mut n_used, mut n_missing, mut n_unreadable, mut n_without) = (0, 0, 0, 0);
        for (column, memory) in &mut self.codes {
            let variant = self.variant;
            let text = batch.text(column)?;
            // `None`: missing. `Some(None)`: not readable.
            let read = text.map(|text| {
                let text = text.map(str::trim_ascii).filter(|text| !text.is_empty())?;
                Some(memory.get(text, |text| groups_of(variant, text).ok()))
            });
            for (row, read) in read.into_iter().enumerate().filter(|(row, _)| rows[*row] == Row::Counts) {
                let groups = match read {
                    None => {
                        n_missing += 1;
                        continue;
                    }
                    Some(None) => {
                        n_unreadable += 1;
                        continue;
                    }
                    Some(Some(groups)) => groups,
                };
                let Some(patient) = patients.get(row).filter(|id| !id.trim_ascii().is_empty()) else {
                    n_without += 1;
                    continue;
                };
                n_used += 1;
                if groups.is_empty() && !self.keeps_empty {
                    continue;
                }
                self.patients.add(hash_of(patient), groups.bits())?;
            }
        }
        let counts = &mut self.counts;
        counts.add_many("used", n_used);
        counts.add_many("missing", n_missing);
        counts.add_many("unreadable", n_unreadable);
        counts.add_many("without a patient", n_without);
        check_number(self.patients.n_keys_min(), self.patients_max)
    }

    /// Which rows lie in the window; the others are counted.
    fn rows_of(&mut self, batch: &Batch) -> Result<Vec<Row>, EtlError> {
        let Some(date) = &self.date else { return Ok(vec![Row::Counts; batch.n_rows()]) };
        let (first, last) = self.window;
        let row_of = |cell: DayCell| match cell {
            DayCell::Missing | DayCell::Bad => Row::Not("rows without a readable day"),
            DayCell::Day(day) if day > last => Row::Not("rows after the window"),
            DayCell::Day(day) if first.is_some_and(|first| day < first) => Row::Not("rows before the window"),
            DayCell::Day(day) if diagnosis_system_on(day) == DiagnosisSystem::Icd9Cm => {
                Row::Not("rows of ICD-9")
            }
            DayCell::Day(_) => Row::Counts,
        };
        let rows: Vec<Row> = days_of(batch, date, &self.formats)?.into_iter().map(row_of).collect();
        for row in &rows {
            if let Row::Not(why) = row {
                self.counts.add(why);
            }
        }
        Ok(rows)
    }

    /// What was gathered.
    pub(super) fn finish(self) -> Result<Gathered, EtlError> {
        let Gatherer { patients, counts, patients_max, .. } = self;
        let patients = patients.finish()?;
        check_number(patients.n_keys(), patients_max)?;
        Ok(Gathered { patients, counts })
    }
}

fn check_number(n_patients: u64, max: u64) -> Result<(), EtlError> {
    if n_patients <= max {
        return Ok(());
    }
    Err(EtlError::Limit(format!(
        "the step `comorbidity` found more than `patients_max` ({max}) patients: raise it (a patient takes about 12 bytes of memory, or 20 of disk), or narrow the window"
    )))
}
