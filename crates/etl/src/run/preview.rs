//! Rows as they are after a step, without loading anything.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::EtlError;
use crate::file::Pipeline;
use crate::run::through::{From, Through, gather, texts_of};
use crate::world::World;

/// Rows that are read to show a few: steps that need all rows work on these.
const ROWS_READ_MAX: usize = 10_000;

/// Some rows after a step.
#[derive(Debug)]
pub struct Preview {
    /// The source.
    pub source: String,
    /// Names and types of the columns.
    pub columns: Vec<(String, String)>,
    /// Cells as text; missing ones are `None`.
    pub rows: Vec<Vec<Option<String>>>,
    /// Rows set aside among those that were read: rule and message.
    pub rejects: Vec<(String, String)>,
    /// How many rows were read at most: steps that need all rows saw only these.
    pub rows_read_max: usize,
}

/// The first rows of a source after a step (its name, or its number from 1; `checks` for none; the last by default).
pub async fn preview(
    pipeline: &Pipeline,
    world: &Arc<World>,
    source: Option<&str>,
    step: Option<&str>,
    rows_max: usize,
) -> Result<Preview, EtlError> {
    let wrong = |why: String| EtlError::Step { step: step.unwrap_or("preview").to_owned(), why };
    let entry = match source {
        Some(name) => pipeline.source(name).ok_or_else(|| wrong(format!("there is no source `{name}`")))?,
        None => match pipeline.sources.as_slice() {
            [one] => one,
            _ => return Err(wrong("the pipeline has several sources: name one with `--source`".to_owned())),
        },
    };
    let n_steps = match step {
        None => entry.steps.len(),
        Some("checks") => 0,
        Some(name) => {
            let by_number =
                name.parse::<usize>().ok().filter(|number| (1..=entry.steps.len()).contains(number));
            let by_name = entry.steps.iter().rposition(|step| step.name.text == name).map(|index| index + 1);
            by_number
                .or(by_name)
                .ok_or_else(|| wrong(format!("the source `{}` has no step `{name}`", entry.name)))?
        }
    };
    let (plan, mut connected) = crate::run::connect(pipeline, world).await?;
    if let Some(error) = connected.failed.remove(&entry.name.text) {
        return Err(error);
    }
    let own = connected.open.remove(&entry.name.text);
    let gathered = gather(pipeline, &plan, &mut connected, &mut BTreeMap::new(), world).await?;
    let columns = plan.flow(&entry.name).ok_or_else(|| wrong("its columns are not known".to_owned()))?;
    let open = match own {
        Some(open) => open,
        None => entry.spec.open(world).await?,
    };
    let through = Through { source: entry, columns, n_steps, rows_max };
    let tapped = gathered.for_source(entry);
    let (caught, _) = through.read(From::Source(open, ROWS_READ_MAX), &tapped, Vec::new(), world).await?;
    Ok(Preview {
        source: entry.name.text.clone(),
        columns: caught
            .columns
            .iter()
            .map(|column| (column.name.to_string(), column.kind.to_string()))
            .collect(),
        rows: texts_of(&caught.batches, &caught.columns)?,
        rejects: caught
            .rejects
            .into_iter()
            .map(|reject| (reject.rule.into_owned(), reject.message))
            .collect(),
        rows_read_max: ROWS_READ_MAX,
    })
}
