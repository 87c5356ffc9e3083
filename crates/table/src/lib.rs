//! Tables in motion: batches of typed columns in which every row knows where it came from, and readers of delimited text that lose
//! nothing.
//!
//! A [`Batch`] is an Arrow record batch whose last three columns say the place of each row ([`Place`]). Steps that filter, sort or
//! join therefore carry the places along without doing anything for it. Text columns are Arrow views or dictionaries;
//! [`Batch::text`] reads both, and [`Text::map`] evaluates a function once per distinct value where there is a dictionary.
//!
//! ```
//! use table::{Batch, Column, Columns, Type, Value};
//! let columns = Columns::new(vec![Column::new("id", Type::Text), Column::new("n", Type::Integer)]).unwrap();
//! let batch = Batch::from_rows(&columns, &[vec![Value::from("a"), Value::Integer(1)], vec![Value::Null, Value::Null]]).unwrap();
//! assert_eq!(batch.n_rows(), 2);
//! assert_eq!(batch.text("id").unwrap().get(0), Some("a"));
//! assert_eq!(batch.place(1).line, 2);
//! ```
//!
//! This crate knows no pipeline, no check and no database.

mod batch;
mod columns;
pub mod csv;
mod error;
mod kind;
mod place;
mod reject;
mod text;
mod typing;
mod value;

pub use batch::{Batch, Places};
pub use columns::{Column, Columns};
pub use error::TableError;
pub use kind::Type;
pub use place::{LINE, OFFSET, Place, UNIT, is_place, place_fields};
pub use reject::Reject;
pub use text::Text;
pub use typing::{
    Fault, Format, Nulled, OnError, Reading, Typed, TypedColumn, Typing, check_widening, parse_zone,
};
pub use value::Value;
