//! Keys as 128-bit hashes: of rows for `unique`, of the columns of other sources for `reference`.

use std::any::Any;
use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array as _, AsArray as _};
use table::{Batch, Columns, Text, Value};
use twox_hash::XxHash3_128;

use crate::EtlError;
use crate::check::cells::{Cells, Need, Scalars, all_present};
use crate::check::missing::Tokens;
use crate::check::spec::CheckSpec;
use crate::keyed::{Found, Keyed};
use crate::step::{Tap, TapSpec};
use crate::world::World;

/// Keys of one check when it does not say otherwise.
pub(super) const KEYS_MAX: u64 = 50_000_000;

/// More different keys than a check allows are an error.
pub(super) fn check_number(n_keys: u64, keys_max: u64) -> Result<(), EtlError> {
    if n_keys <= keys_max {
        return Ok(());
    }
    Err(EtlError::Limit(format!(
        "more than {keys_max} keys: raise `keys_max` of the check (keys that do not fit into memory take 16 bytes of disk each)"
    )))
}

/// The hash of the key of each row. Every cell is hashed by itself, so that neighbouring texts cannot flow together. Whole numbers and
/// decimals are hashed as they are written, so that a number matches the same number in a text column. Rows without a value have a hash
/// that means nothing.
pub(super) fn hashes(cells: &[&Cells], n_rows: usize) -> Vec<u128> {
    let mut all: Vec<u128> = Vec::new();
    for (index, cells) in cells.iter().enumerate() {
        let column = hashes_of_column(cells, n_rows);
        if index == 0 {
            all = column;
        } else {
            for (sum, hash) in all.iter_mut().zip(column) {
                let mut both = [0; 32];
                both[..16].copy_from_slice(&sum.to_le_bytes());
                both[16..].copy_from_slice(&hash.to_le_bytes());
                *sum = XxHash3_128::oneshot(&both);
            }
        }
    }
    all
}

fn hashes_of_column(cells: &Cells, n_rows: usize) -> Vec<u128> {
    if let Some(text) = cells.text() {
        return match text {
            Text::Plain(views) => {
                (0..n_rows)
                    .map(|row| {
                        if views.is_null(row) { 0 } else { XxHash3_128::oneshot(views.value(row).as_bytes()) }
                    })
                    .collect()
            }
            Text::Coded(..) => text.map(|text| text.map_or(0, |text| XxHash3_128::oneshot(text.as_bytes()))),
        };
    }
    let of = XxHash3_128::oneshot;
    match cells.scalars() {
        Some(Scalars::Whole(values)) => values.iter().map(|n| of(n.to_string().as_bytes())).collect(),
        Some(Scalars::Decimal(values, scale)) => {
            let text = |n: &i128| Value::Decimal(*n, scale).to_text().unwrap_or_default();
            values.iter().map(|n| of(text(n).as_bytes())).collect()
        }
        // Minus zero is zero.
        Some(Scalars::Number(values)) => {
            values.iter().map(|n| of(&(n + 0.0).to_bits().to_le_bytes())).collect()
        }
        Some(Scalars::Days(values)) => values.iter().map(|n| of(&n.to_le_bytes())).collect(),
        Some(Scalars::Micros(values)) => values.iter().map(|n| of(&n.to_le_bytes())).collect(),
        None => {
            let bits = cells.array.as_boolean();
            (0..n_rows).map(|row| of(&[u8::from(bits.value(row))])).collect()
        }
    }
}

/// What the tap of one source gathers: for each `reference` check that looks there, by its id, the keys.
pub(super) struct Gathered(HashMap<String, Arc<Found<()>>>);

impl Gathered {
    pub(super) fn of(&self, id: &str) -> Option<Arc<Found<()>>> {
        self.0.get(id).cloned()
    }
}

/// Each source once, with all columns that checks look at there.
pub(super) fn taps(specs: &[CheckSpec]) -> Vec<TapSpec> {
    let mut taps: Vec<TapSpec> = Vec::new();
    for reference in specs.iter().filter_map(CheckSpec::reference) {
        let at = taps.iter().position(|tap| tap.source.text == reference.source.text);
        let tap = match at {
            Some(at) => &mut taps[at],
            None => {
                taps.push(TapSpec { source: reference.source.clone(), columns: Vec::new() });
                taps.last_mut().expect("it was just pushed")
            }
        };
        for column in &reference.columns {
            if !tap.columns.iter().any(|other| other.text == column.text) {
                tap.columns.push(column.clone());
            }
        }
    }
    taps
}

struct KeyTap {
    world: Arc<World>,
    gathering: Vec<Gathering>,
}

struct Gathering {
    id: String,
    needs: Vec<Need>,
    keys: Keyed<()>,
    keys_max: u64,
}

/// See [`crate::check::Checks::start_tap`].
pub(super) fn start_tap(
    specs: &[CheckSpec],
    source: &str,
    columns: &Columns,
    world: &Arc<World>,
) -> Result<Box<dyn Tap>, EtlError> {
    let mut gathering = Vec::new();
    let tokens = Arc::new(Tokens::default());
    for spec in specs {
        let Some(reference) = spec.reference().filter(|reference| reference.source.text == source) else {
            continue;
        };
        let mut needs = Vec::new();
        for name in &reference.columns {
            let column = columns.get(name).ok_or_else(|| {
                crate::check::failed(&spec.id, format!("the source `{source}` has no column `{name}`"))
            })?;
            needs.push(Need { column: column.name.clone(), kind: column.kind, tokens: tokens.clone() });
        }
        let (id, keys_max) = (spec.id.clone(), reference.keys_max);
        gathering.push(Gathering { id, needs, keys: Keyed::new(world.engine.keys()), keys_max });
    }
    Ok(Box::new(KeyTap { world: world.clone(), gathering }))
}

impl Tap for KeyTap {
    fn push(&mut self, batch: &Batch) -> Result<(), EtlError> {
        self.world.check_cancelled()?;
        for Gathering { needs, keys, keys_max, .. } in &mut self.gathering {
            let cells: Vec<Cells> =
                needs.iter().map(|need| Cells::of(batch, need)).collect::<Result<_, _>>()?;
            let cells: Vec<&Cells> = cells.iter().collect();
            let hashes = hashes(&cells, batch.n_rows());
            for row in all_present(&cells, batch.n_rows()).set_indices() {
                keys.add(hashes[row], ())?;
            }
            check_number(keys.n_keys_min(), *keys_max)?;
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Arc<dyn Any + Send + Sync>, EtlError> {
        let mut gathered = HashMap::new();
        for Gathering { id, keys, keys_max, .. } in self.gathering {
            let found = keys.finish()?;
            check_number(found.n_keys(), keys_max)?;
            gathered.insert(id, Arc::new(found));
        }
        Ok(Arc::new(Gathered(gathered)))
    }
}
