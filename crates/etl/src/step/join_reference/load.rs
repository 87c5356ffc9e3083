//! A reference table in memory: the row of each key, and the taken columns.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array as _, ArrayRef, BooleanArray};
use arrow::compute::{CastOptions, cast, cast_with_options, concat, nullif};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::{Map, Value as Json};
use table::csv::{self, Dialect, Wanted};
use table::{Batch, Columns, Place, Places, Reading, Text, Type, Value};

use crate::step::key::hashes;
use crate::world::World;
use crate::{EtlError, Word};

use super::failed;
use super::options::JoinReference;

/// More rows than any table of areas or codes has.
const REFERENCE_ROWS_MAX: usize = 10_000_000;

/// A reference table in memory.
pub(super) struct Reference {
    rows: HashMap<u128, u32>,
    taken: Vec<ArrayRef>,
    n_rows: u64,
    n_without_key: u64,
    null_values: Vec<(String, u64)>,
}

impl Reference {
    /// The row of a key.
    pub(super) fn row_of(&self, key: u128) -> Option<u32> {
        self.rows.get(&key).copied()
    }

    /// The taken columns, in the order of `take`.
    pub(super) fn taken(&self) -> &[ArrayRef] {
        &self.taken
    }

    pub(super) fn n_rows(&self) -> u64 {
        self.n_rows
    }

    pub(super) fn n_without_key(&self) -> u64 {
        self.n_without_key
    }

    /// How many taken values were "no data", by the text that said so.
    pub(super) fn null_values(&self) -> Json {
        let counts = self.null_values.iter().map(|(text, n)| (text.clone(), Json::from(*n)));
        Json::Object(counts.collect::<Map<String, Json>>())
    }
}

/// A reference table that is being read.
pub(super) struct Building {
    name: String,
    key: Vec<(String, Type)>,
    take: Vec<(String, Type)>,
    null_values: Vec<(String, u64)>,
    rows: HashMap<u128, u32>,
    places: Vec<u64>,
    parts: Vec<Vec<ArrayRef>>,
    n_without_key: u64,
}

impl Building {
    /// `source` are the columns of the other source, when the reference is one.
    pub(super) fn new(options: &JoinReference, source: Option<&Columns>) -> Building {
        let named = |word: &Word| (word.text.clone(), options.kind_of(word, source));
        let take: Vec<(String, Type)> = options.take.iter().map(|taken| named(&taken.from)).collect();
        Building {
            name: options.name.clone(),
            key: options.by.iter().map(|(_, theirs)| named(theirs)).collect(),
            parts: vec![Vec::new(); take.len()],
            take,
            null_values: options.null_values.iter().map(|word| (word.text.clone(), 0)).collect(),
            rows: HashMap::new(),
            places: Vec::new(),
            n_without_key: 0,
        }
    }

    /// Adds rows. A key that is there already is an error: which of the two rows is right nobody can know.
    pub(super) fn push(&mut self, batch: &Batch) -> Result<(), EtlError> {
        let first = self.places.len();
        if first + batch.n_rows() > REFERENCE_ROWS_MAX {
            return Err(EtlError::Limit(format!(
                "the reference `{}` has more than {REFERENCE_ROWS_MAX} rows: join it with the step `sql`",
                self.name
            )));
        }
        let names: Vec<String> = self.key.iter().map(|(name, _)| name.clone()).collect();
        for (row, key) in hashes(&self.with_typed_key(batch)?, &names)?.into_iter().enumerate() {
            let line = batch.place(row).line;
            self.places.push(line);
            let Some(key) = key else {
                self.n_without_key += 1;
                continue;
            };
            match self.rows.entry(key) {
                Entry::Vacant(free) => {
                    free.insert(u32::try_from(first + row).unwrap_or(u32::MAX));
                }
                Entry::Occupied(held) => {
                    let other = self.places[*held.get() as usize];
                    return Err(failed(format!(
                        "the rows {other} and {line} of the reference `{}` have the same {}: it must be unique",
                        self.name,
                        names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "),
                    )));
                }
            }
        }
        for ((name, kind), parts) in self.take.iter().zip(&mut self.parts) {
            let known = nulled(batch.array(name)?, &mut self.null_values)?;
            parts.push(typed(&known, name, *kind, &self.name, batch)?);
        }
        Ok(())
    }

    /// The columns of the key in the declared type. A number is never turned into text: its zeros are gone.
    fn with_typed_key(&self, batch: &Batch) -> Result<Batch, EtlError> {
        let mut batch = batch.clone();
        for (name, kind) in &self.key {
            let array = Arc::clone(batch.array(name)?);
            let found = Type::of(array.data_type());
            if *kind == Type::Text && found != Some(Type::Text) {
                let found = found.map_or_else(|| array.data_type().to_string(), |kind| kind.to_string());
                return Err(failed(format!(
                    "the key `{name}` of the reference `{}` is {found}, not text: a number has lost its zeros",
                    self.name
                )));
            }
            let array = typed(&array, name, *kind, &self.name, &batch)?;
            batch = batch.with(name, array)?;
        }
        Ok(batch)
    }

    pub(super) fn finish(self) -> Result<Reference, EtlError> {
        let mut taken = Vec::with_capacity(self.take.len());
        for ((_, kind), parts) in self.take.iter().zip(&self.parts) {
            let parts: Vec<&dyn arrow::array::Array> = parts.iter().map(|part| &**part).collect();
            taken.push(match parts.as_slice() {
                [] => arrow::array::new_empty_array(&kind.data_type()),
                parts => concat(parts)?,
            });
        }
        Ok(Reference {
            rows: self.rows,
            taken,
            n_rows: self.places.len() as u64,
            n_without_key: self.n_without_key,
            null_values: self.null_values,
        })
    }
}

/// The values with those that mean "no data" missing, counted.
fn nulled(array: &ArrayRef, null_values: &mut [(String, u64)]) -> Result<ArrayRef, EtlError> {
    if null_values.is_empty() {
        return Ok(Arc::clone(array));
    }
    let numbers: Vec<Option<f64>> = null_values.iter().map(|(text, _)| text.parse().ok()).collect();
    let which = |text: &str| {
        let number: Option<f64> = text.trim().parse().ok();
        null_values.iter().zip(&numbers).position(|((null, _), null_number)| {
            text.trim() == null || (number.is_some() && number == *null_number)
        })
    };
    let hits: Vec<Option<usize>> = match Text::of(array) {
        Some(text) => text.map(|value| value.and_then(which)),
        None => {
            let cells = (0..array.len()).map(|row| Ok(Value::of(array, row)?.to_text()));
            let cells: Vec<Option<String>> = cells.collect::<Result<_, EtlError>>()?;
            cells.iter().map(|text| text.as_deref().and_then(which)).collect()
        }
    };
    for hit in hits.iter().flatten() {
        null_values[*hit].1 += 1;
    }
    let is_null: BooleanArray = hits.iter().map(|hit| Some(hit.is_some())).collect();
    let plain = plain_text(array)?;
    Ok(nullif(&plain, &is_null)?)
}

/// Text as views; other arrays as they are.
fn plain_text(array: &ArrayRef) -> Result<ArrayRef, EtlError> {
    let is_text = Type::of(array.data_type()) == Some(Type::Text);
    Ok(if is_text { cast(array, &Type::Text.data_type())? } else { Arc::clone(array) })
}

/// The values as the declared type. Text is read; an empty text is missing in all types but text.
fn typed(
    array: &ArrayRef,
    name: &str,
    kind: Type,
    reference: &str,
    batch: &Batch,
) -> Result<ArrayRef, EtlError> {
    let array = plain_text(array)?;
    let found = Type::of(array.data_type());
    if found == Some(kind) {
        return Ok(cast(&array, &kind.data_type())?);
    }
    if found != Some(Type::Text) {
        let found = found.map_or_else(|| array.data_type().to_string(), |kind| kind.to_string());
        return Err(failed(format!(
            "the column `{name}` of the reference `{reference}` is {found}: write `{name}: {found}` in `columns`"
        )));
    }
    let trimmed = Text::of(&array).expect("a view of text").map_text(|text| {
        let text = text.trim();
        (!text.is_empty()).then_some(text.into())
    });
    let safe = CastOptions { safe: true, ..CastOptions::default() };
    let values = cast_with_options(&trimmed, &kind.data_type(), &safe)?;
    match (0..values.len()).find(|row| values.is_null(*row) && !trimmed.is_null(*row)) {
        None => Ok(values),
        Some(row) => Err(failed(format!(
            "row {} of the reference `{reference}` holds no {kind} in `{name}`: correct it, or name its text in `null_values`",
            batch.place(row).line
        ))),
    }
}

/// Reads a file. The suffix says what it is.
pub(super) fn load(options: &JoinReference, written: &Word, world: &World) -> Result<Reference, EtlError> {
    let path = world.path(written).map_err(failed)?;
    let mut building = Building::new(options, None);
    let needed: Vec<String> = options.their_columns().into_iter().map(|word| word.text).collect();
    let mut each = |batch: Batch| building.push(&batch);
    let name = written.text.to_ascii_lowercase();
    let unpacked = name.trim_end_matches(".gz").trim_end_matches(".zst");
    if name.ends_with(".parquet") {
        parquet(&path, written, &needed, &mut each)?;
    } else if unpacked.ends_with(".csv") {
        delimited(&path, written, b',', &needed, &mut each)?;
    } else if unpacked.ends_with(".tsv") {
        delimited(&path, written, b'\t', &needed, &mut each)?;
    } else {
        return Err(failed(format!("`{written}` is no `.csv`, `.tsv` or `.parquet` file")));
    }
    building.finish()
}

/// The needed columns of a file of delimited text, all as text. A record that cannot be read ends the run: what it held nobody knows.
fn delimited(
    path: &Path,
    written: &Word,
    delimiter: u8,
    needed: &[String],
    each: &mut dyn FnMut(Batch) -> Result<(), EtlError>,
) -> Result<(), EtlError> {
    let file = File::open(path).map_err(|error| failed(format!("cannot open `{written}`: {error}")))?;
    let broken = |error: table::TableError| failed(format!("`{written}`: {error}"));
    let dialect = Dialect { delimiter, ..Dialect::default() };
    let options = csv::Options { dialect, ..csv::Options::default() };
    let opened = csv::open(Box::new(file), options).map_err(broken)?;
    let mut wanted = Vec::with_capacity(needed.len());
    for name in needed {
        let at = opened.names().iter().position(|found| found == name);
        let at = at.ok_or_else(|| no_column(written, name, opened.names()))?;
        wanted.push(Wanted { name: name.as_str().into(), at, reading: Reading::new(Type::Text) });
    }
    for piece in opened.read(0, wanted) {
        let piece = piece.map_err(broken)?;
        if let Some(reject) = piece.rejects.first() {
            let line = reject.place.line;
            return Err(failed(format!("line {line} of `{written}` cannot be read: {}", reject.message)));
        }
        if let Some(batch) = piece.batch {
            each(batch)?;
        }
    }
    Ok(())
}

fn no_column(written: &Word, name: &str, names: &[String]) -> EtlError {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    failed(format!("`{written}` has no column `{name}`: it has {}", names.join(", ")))
}

/// The needed columns of a Parquet file.
fn parquet(
    path: &Path,
    written: &Word,
    needed: &[String],
    each: &mut dyn FnMut(Batch) -> Result<(), EtlError>,
) -> Result<(), EtlError> {
    let file = File::open(path).map_err(|error| failed(format!("cannot open `{written}`: {error}")))?;
    let broken = |_| failed(format!("`{written}` is no readable Parquet file"));
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(broken)?;
    let mut n_before = 0;
    for record in builder.build().map_err(broken)? {
        let record = record.map_err(|_| failed(format!("`{written}` is no readable Parquet file")))?;
        let mut columns = Vec::with_capacity(needed.len());
        for name in needed {
            let array = record.column_by_name(name).ok_or_else(|| {
                let schema = record.schema();
                let names: Vec<String> = schema.fields().iter().map(|field| field.name().clone()).collect();
                no_column(written, name, &names)
            })?;
            columns.push((name.as_str().into(), Arc::clone(array)));
        }
        let n_rows = record.num_rows();
        let places = Places::numbered(Place::default().unit, n_before + 1, n_rows);
        n_before += n_rows as u64;
        let batch = Batch::new(columns, places)?;
        // Every column must be of a known type before it is compared or taken.
        batch.columns().map_err(|error| failed(format!("{written}: {error}")))?;
        each(batch)?;
    }
    Ok(())
}
