//! Makes a FHIR resource of each row, by a template in the pipeline. Each is checked as a write would be; a bad one is quarantined.

mod build;
mod template;
#[cfg(test)]
mod tests;

use std::any::Any;
use std::sync::Arc;

use arrow::array::StringViewBuilder;
use fhir::{Resource, Value as Fhir};
use table::{Batch, Column, Columns, Type};

use crate::step::shared::{reject, rejects};
use crate::step::{Output, Step, StepSpec};
use crate::world::World;
use crate::yaml::Node;
use crate::{EtlError, Problems, RowError};

use build::{Broken, Cells};
use template::Template;

const STEP: &str = "map_to_fhir";

/// The type of the resource, in a text column.
pub(crate) const RESOURCE_TYPE: &str = "resource_type";
/// Its id.
pub(crate) const RESOURCE_ID: &str = "resource_id";
/// Its JSON.
pub(crate) const RESOURCE: &str = "resource";

/// Options of `map_to_fhir`.
#[derive(Debug)]
struct MapToFhir {
    /// What each element is made of.
    template: Template,
    /// How much is checked.
    level: validate::Level,
}

/// Reads the options.
pub(super) fn decode(options: &Node, problems: &mut Problems) -> Option<Box<dyn StepSpec>> {
    let mut fields = options.fields("the step `map_to_fhir`", problems);
    let resource = fields.required("resource", problems);
    let levels = [("full", validate::Level::Full), ("basic", validate::Level::Basic)];
    let level = fields.choice("validation", &levels, problems).unwrap_or(validate::Level::Full);
    fields.end(problems);
    let template = Template::decode(resource?, problems)?;
    Some(Box::new(MapToFhir { template, level }))
}

/// The columns that come out.
fn output() -> Columns {
    let columns = [RESOURCE_TYPE, RESOURCE_ID, RESOURCE].map(|name| Column::new(name, Type::Text));
    Columns::new(columns.to_vec()).expect("three different names")
}

impl StepSpec for MapToFhir {
    fn plan(&self, input: &Columns, problems: &mut Problems) -> Columns {
        self.template.bind(input, problems);
        output()
    }

    fn made_from(&self, input: &Columns) -> Vec<(String, Vec<String>)> {
        let mut problems = Problems::default();
        let used = self.template.bind(input, &mut problems).map(|bound| bound.columns()).unwrap_or_default();
        [RESOURCE_ID, RESOURCE].iter().map(|name| ((*name).to_owned(), used.clone())).collect()
    }

    fn start(
        &self,
        input: &Columns,
        _tapped: &[Arc<dyn Any + Send + Sync>],
        _world: &Arc<World>,
    ) -> Result<Box<dyn Step>, EtlError> {
        let mut problems = Problems::default();
        let bound = self.template.bind(input, &mut problems);
        let bound = bound.ok_or_else(|| EtlError::Invalid(problems.into_sorted()))?;
        Ok(Box::new(Working { bound, level: self.level }))
    }
}

struct Working {
    bound: template::Bound,
    level: validate::Level,
}

impl Step for Working {
    fn push(&mut self, batch: Batch, out: &mut dyn Output) -> Result<(), EtlError> {
        let (cells, bad) = Cells::of(&self.bound, &batch)?;
        let mut is_bad = vec![false; batch.n_rows()];
        for bad in &bad {
            is_bad[bad.row] = true;
        }
        // One reject per row, though several expressions may fail on it.
        let mut first = vec![false; batch.n_rows()];
        let bad = bad.into_iter().filter(|bad| !std::mem::replace(&mut first[bad.row], true)).collect();
        for reject in rejects(&batch, STEP, bad) {
            out.reject(reject)?;
        }
        let n_rows = batch.n_rows();
        let mut ids = StringViewBuilder::with_capacity(n_rows);
        let mut bodies = StringViewBuilder::with_capacity(n_rows);
        let mut kept = Vec::with_capacity(n_rows);
        for row in (0..n_rows).filter(|row| !is_bad[*row]) {
            let made = build::resource(&self.bound, &cells, row).and_then(|value| self.checked(value));
            match made {
                Ok((id, body)) => {
                    ids.append_value(id);
                    bodies.append_value(body);
                    kept.push(u32::try_from(row).unwrap_or(u32::MAX));
                }
                Err(broken) => out.reject(reject(&batch, row, STEP, row_error(&broken)))?,
            }
        }
        let kept = batch.take(&arrow::array::UInt32Array::from(kept))?;
        let kinds = arrow::array::StringViewArray::from_iter_values(std::iter::repeat_n(
            self.bound.kind(),
            kept.n_rows(),
        ));
        out.rows(kept.with_columns(vec![
            (RESOURCE_TYPE.into(), Arc::new(kinds)),
            (RESOURCE_ID.into(), Arc::new(ids.finish())),
            (RESOURCE.into(), Arc::new(bodies.finish())),
        ])?)
    }
}

impl Working {
    /// Id and JSON of a resource that a store would take.
    fn checked(&self, value: Fhir) -> Result<(String, String), Broken> {
        let resource = Resource::from_value(value).map_err(|issues| Broken::of_issues(&issues))?;
        let Some(id) = resource.id().map(str::to_owned) else {
            return Err(Broken::at("missing_id", &format!("{}.id", self.bound.kind())));
        };
        let issues: Vec<fhir::Issue> = validate::check(&resource, self.level);
        if issues.iter().any(fhir::Issue::is_error) {
            return Err(Broken::of_issues(&issues));
        }
        Ok((id, resource.value().to_text()))
    }
}

fn row_error(broken: &Broken) -> RowError {
    let more = match broken.n_issues {
        0 | 1 => String::new(),
        n => format!(", and {} more", n - 1),
    };
    let message = format!("the resource is not valid: `{}` at `{}`{more}", broken.reason, broken.place);
    RowError { column: None, reason: broken.reason, message }
}
