//! What can be wrong with a table.

/// What can be wrong with a table.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// Two columns with one name.
    #[error("two columns are named `{0}`: give one another name")]
    NameTwice(String),
    /// Names that belong to the places.
    #[error("the column name `{0}` is reserved: names must not begin with `_salus_`")]
    ReservedName(String),
    /// A column that is not there.
    #[error("there is no column `{0}`")]
    NoSuchColumn(String),
    /// A column of another type than asked for.
    #[error("the column `{column}` is {found}, not {wanted}")]
    WrongType {
        /// The column.
        column: String,
        /// Its type.
        found: String,
        /// The type that was asked for.
        wanted: String,
    },
    /// An Arrow type without a type of ours.
    #[error(
        "the column `{column}` has the type {data_type}, which pipelines do not know: cast it in the query"
    )]
    UnknownType {
        /// The column.
        column: String,
        /// Its Arrow type.
        data_type: String,
    },
    /// Arrow refused.
    #[error("the table cannot be built: {0}")]
    Arrow(#[from] arrow::error::ArrowError),
    /// Reading failed.
    #[error("cannot read: {0}")]
    Io(#[from] std::io::Error),
    /// A limit of the reader.
    #[error("{0}")]
    Limit(String),
    /// Bytes that are not of the declared encoding, compression or form.
    #[error("{0}")]
    Malformed(String),
}
