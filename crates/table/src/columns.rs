//! The columns of a table: names and types in order.

use std::sync::Arc;

use arrow::datatypes::{Field, Schema, SchemaRef};

use crate::{TableError, Type, is_place, place_fields};

/// One column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name, unique in the table.
    pub name: Arc<str>,
    /// What it holds.
    pub kind: Type,
}

impl Column {
    /// A column.
    pub fn new(name: impl Into<Arc<str>>, kind: Type) -> Column {
        Column { name: name.into(), kind }
    }
}

/// The columns of a table in order, without those of the places.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Columns(Vec<Column>);

impl Columns {
    /// Columns with different names, none of which begins with `_salus_`.
    pub fn new(columns: Vec<Column>) -> Result<Columns, TableError> {
        for (index, column) in columns.iter().enumerate() {
            if is_place(&column.name) {
                return Err(TableError::ReservedName(column.name.to_string()));
            }
            if columns[..index].iter().any(|other| other.name == column.name) {
                return Err(TableError::NameTwice(column.name.to_string()));
            }
        }
        Ok(Columns(columns))
    }

    /// The columns of an Arrow schema; those of the places are left out.
    pub fn of_schema(schema: &Schema) -> Result<Columns, TableError> {
        let fields = schema.fields().iter().filter(|field| !is_place(field.name()));
        let columns = fields.map(|field| match Type::of(field.data_type()) {
            Some(kind) => Ok(Column::new(field.name().as_str(), kind)),
            None => Err(TableError::UnknownType {
                column: field.name().clone(),
                data_type: field.data_type().to_string(),
            }),
        });
        Columns::new(columns.collect::<Result<_, _>>()?)
    }

    /// The column with a name.
    pub fn get(&self, name: &str) -> Option<&Column> {
        self.0.iter().find(|column| &*column.name == name)
    }

    /// Where the column with a name stands.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.0.iter().position(|column| &*column.name == name)
    }

    /// Adds a column, or gives one that is there another type.
    pub fn set(&mut self, name: &str, kind: Type) {
        match self.0.iter_mut().find(|column| &*column.name == name) {
            Some(column) => column.kind = kind,
            None => self.0.push(Column::new(name, kind)),
        }
    }

    /// Takes a column away.
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|column| &*column.name != name);
    }

    /// In order.
    pub fn iter(&self) -> std::slice::Iter<'_, Column> {
        self.0.iter()
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Names in order.
    pub fn names(&self) -> Vec<&str> {
        self.0.iter().map(|column| &*column.name).collect()
    }

    /// The Arrow schema of batches with these columns, all text as views, with the columns of the places at the end.
    pub fn schema(&self) -> SchemaRef {
        let own = self.0.iter().map(|column| Field::new(&*column.name, column.kind.data_type(), true));
        Arc::new(Schema::new(own.chain(place_fields()).collect::<Vec<_>>()))
    }
}

impl<'a> IntoIterator for &'a Columns {
    type Item = &'a Column;
    type IntoIter = std::slice::Iter<'a, Column>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}
