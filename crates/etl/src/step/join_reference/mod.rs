//! Adds columns of a reference table by key: an index of neighbourhoods, a code list, another source. What finds no row there stays
//! missing and is counted; nothing is made up.

mod area;
mod load;
mod options;

use std::any::Any;
use std::sync::Arc;

use arrow::array::{BooleanArray, UInt32Array};
use serde_json::json;
use table::{Batch, Columns};

use crate::step::key::hashes;
use crate::step::shared::{check_name, listed, need_column, reject};
use crate::step::{Output, Step, StepSpec, Tap, TapSpec};
use crate::world::World;
use crate::{EtlError, Problems, RowError};

use area::Areas;
use load::{Building, Reference};
use options::{JoinReference, Origin, Unmatched};

pub(super) use options::decode;

impl StepSpec for JoinReference {
    fn plan(&self, input: &Columns, problems: &mut Problems) -> Columns {
        self.plan_among(input, &|_| None, problems)
    }

    fn plan_among(
        &self,
        input: &Columns,
        sources: &dyn Fn(&str) -> Option<Columns>,
        problems: &mut Problems,
    ) -> Columns {
        let theirs = match &self.origin {
            Origin::File(_) => None,
            Origin::Source(source) => sources(source),
        };
        let theirs = theirs.as_ref();
        for (own, their) in &self.by {
            let Some(kind) = need_column(input, own, "join_reference", problems) else { continue };
            let other = self.kind_of(their, theirs);
            if kind != other {
                problems.add(
                    own.at,
                    format!("`{own}` is {kind} and `{their}` of the reference is {other}: declare both with one type"),
                );
            }
        }
        let mut output = input.clone();
        for taken in &self.take {
            check_name(&taken.to, problems);
            if output.get(&taken.to).is_some() {
                problems.add(
                    taken.to.at,
                    format!(
                        "there is a column `{0}` already: write `{1} as` and another name",
                        taken.to, taken.from
                    ),
                );
            } else if !table::is_place(&taken.to) {
                output.set(&taken.to, self.kind_of(&taken.from, theirs));
            }
        }
        output
    }

    fn made_from(&self, _input: &Columns) -> Vec<(String, Vec<String>)> {
        let by: Vec<String> = self.by.iter().map(|(own, _)| own.text.clone()).collect();
        self.take.iter().map(|taken| (taken.to.text.clone(), by.clone())).collect()
    }

    fn taps(&self) -> Vec<TapSpec> {
        match &self.origin {
            Origin::File(_) => Vec::new(),
            Origin::Source(source) => {
                vec![TapSpec { source: source.clone(), columns: self.their_columns() }]
            }
        }
    }

    fn start_tap(
        &self,
        source: &str,
        columns: &Columns,
        _world: &Arc<World>,
    ) -> Result<Box<dyn Tap>, EtlError> {
        for name in self.their_columns() {
            let Some(column) = columns.get(&name) else {
                return Err(failed(format!("`{source}` has no column `{name}`: it has {}", listed(columns))));
            };
            let wanted = self.kind_of(&name, Some(columns));
            if column.kind != wanted {
                let kind = column.kind;
                return Err(failed(format!("the column `{name}` of `{source}` is {kind}, not {wanted}")));
            }
        }
        Ok(Box::new(Gather(Building::new(self, Some(columns)))))
    }

    fn start(
        &self,
        _input: &Columns,
        tapped: &[Arc<dyn Any + Send + Sync>],
        world: &Arc<World>,
    ) -> Result<Box<dyn Step>, EtlError> {
        let reference = match &self.origin {
            Origin::File(path) => Arc::new(load::load(self, path, world)?),
            Origin::Source(source) => {
                let gathered = tapped.first().and_then(|any| Arc::clone(any).downcast::<Reference>().ok());
                gathered.ok_or_else(|| failed(format!("the source `{source}` was not gathered")))?
            }
        };
        Ok(Box::new(Working {
            by: self.by.iter().map(|(own, _)| own.text.clone()).collect(),
            take: self.take.iter().map(|taken| taken.to.text.clone()).collect(),
            name: self.name.clone(),
            vintage: self.vintage.clone(),
            unmatched: self.unmatched,
            match_rate_min: self.match_rate_min,
            areas: self.geography.map(|geography| Areas::new(geography, &self.by[0].0)),
            reference,
            n_matched: 0,
            n_unmatched: 0,
            n_without_key: 0,
        }))
    }
}

fn failed(why: String) -> EtlError {
    EtlError::Step { step: "join_reference".to_owned(), why }
}

struct Gather(Building);

impl Tap for Gather {
    fn push(&mut self, batch: &Batch) -> Result<(), EtlError> {
        self.0.push(batch)
    }

    fn finish(self: Box<Self>) -> Result<Arc<dyn Any + Send + Sync>, EtlError> {
        Ok(Arc::new(self.0.finish()?))
    }
}

struct Working {
    by: Vec<String>,
    take: Vec<String>,
    name: String,
    vintage: Option<String>,
    unmatched: Unmatched,
    match_rate_min: Option<f64>,
    areas: Option<Areas>,
    reference: Arc<Reference>,
    n_matched: u64,
    n_unmatched: u64,
    n_without_key: u64,
}

impl Step for Working {
    fn push(&mut self, batch: Batch, out: &mut dyn Output) -> Result<(), EtlError> {
        let keys = hashes(&batch, &self.by)?;
        let mut found = Vec::with_capacity(keys.len());
        for (row, key) in keys.iter().enumerate() {
            let Some(key) = key else {
                self.n_without_key += 1;
                found.push(None);
                continue;
            };
            let there = self.reference.row_of(*key);
            match there {
                Some(_) => self.n_matched += 1,
                None => {
                    self.n_unmatched += 1;
                    if let Some(areas) = &mut self.areas {
                        areas.explain(&batch, row)?;
                    }
                }
            }
            found.push(there);
        }
        let rows = UInt32Array::from(found);
        let mut batch = batch;
        for (name, values) in self.take.iter().zip(self.reference.taken()) {
            batch = batch.with(name, arrow::compute::take(values, &rows, None)?)?;
        }
        if self.unmatched == Unmatched::Keep || arrow::array::Array::null_count(&rows) == 0 {
            return out.rows(batch);
        }
        let is_there: BooleanArray = rows.iter().map(|row| Some(row.is_some())).collect();
        for row in (0..batch.n_rows()).filter(|row| !is_there.value(*row)) {
            let (reason, what) = match keys[row] {
                Some(_) => ("no_match", "the key is not in"),
                None => ("missing_key", "the key is missing, so nothing is found in"),
            };
            let column = (self.by.len() == 1).then(|| self.by[0].clone());
            let error = RowError { column, reason, message: format!("{what} the reference `{}`", self.name) };
            out.reject(reject(&batch, row, "join_reference", error))?;
        }
        out.rows(batch.filter(&is_there)?)
    }

    fn finish(&mut self, out: &mut dyn Output) -> Result<(), EtlError> {
        let n_rows = self.n_matched + self.n_unmatched + self.n_without_key;
        let rate = (n_rows > 0).then(|| self.n_matched as f64 / n_rows as f64);
        let mut facts = json!({
            "reference": self.name,
            "vintage": self.vintage,
            "rows_of_reference": self.reference.n_rows(),
            "rows_of_reference_without_key": self.reference.n_without_key(),
            "matched": self.n_matched,
            "unmatched": self.n_unmatched,
            "without_key": self.n_without_key,
            "match_rate": rate,
            "null_values": self.reference.null_values(),
        });
        if let Some(areas) = &self.areas {
            facts["unmatched_because"] = areas.facts();
        }
        out.fact("match_rate", json!(rate));
        out.fact("reference", facts);
        match (self.match_rate_min, rate) {
            (Some(least), Some(rate)) if rate < least => Err(failed(format!(
                "{} of {n_rows} rows find a row in `{}`, a share of {rate:.4}: `match_rate_min` asks for {least}",
                self.n_matched, self.name
            ))),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
