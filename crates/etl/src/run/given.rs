//! Rows that are given as texts instead of read: those of tests, and those that are replayed.

use table::{Batch, Column, Columns, Place, Places, Reading, Type, Typed, TypedColumn, Typing, Value};

use crate::EtlError;

/// Cells by column name; a column that is not named is missing.
pub(crate) type Given = Vec<(String, Option<String>)>;

/// Rows as a batch of the source's columns. Texts are read in the usual form of each type; a text that is not of its type makes a
/// reject, as it would where it is read. `places` has one place per row.
pub(crate) fn typed(columns: &Columns, rows: &[Given], places: &[Place]) -> Result<Typed, EtlError> {
    let texts: Vec<Column> =
        columns.iter().map(|column| Column::new(column.name.clone(), Type::Text)).collect();
    let cells = |row: &Given| -> Vec<Value> {
        columns
            .iter()
            .map(|column| {
                let cell = row.iter().find(|(name, _)| **name == *column.name);
                cell.and_then(|(_, text)| text.clone()).map_or(Value::Null, Value::Text)
            })
            .collect()
    };
    let rows: Vec<Vec<Value>> = rows.iter().map(cells).collect();
    let batch = Batch::from_rows(&Columns::new(texts)?, &rows)?;
    let batch = at_places(&batch, places)?;
    let reading = |kind: Type| Reading { null_values: Vec::new(), ..Reading::new(kind) };
    let typing = columns.iter().map(|column| TypedColumn {
        name: column.name.clone(),
        from: column.name.clone(),
        reading: reading(column.kind),
    });
    Ok(Typing::new(typing.collect()).apply(&batch)?)
}

/// The batch with other places.
fn at_places(batch: &Batch, places: &[Place]) -> Result<Batch, EtlError> {
    let names = batch.columns()?;
    let own = names.iter().map(|column| Ok((column.name.clone(), batch.array(&column.name)?.clone())));
    Ok(Batch::new(own.collect::<Result<_, EtlError>>()?, Places::of(places))?)
}
