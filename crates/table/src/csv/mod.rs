//! Delimited text to batches and rejects, fast and without loss: every record becomes a row or a reject with line and byte offset.
//!
//! A thread reads, unpacks and decodes blocks of text ([`feed`]); the reader finds records 64 bytes at a time ([`scan`], with
//! [`record`] for everything unusual), and builds only the columns that are asked for ([`column`]).
//!
//! ```
//! use table::{Reading, Type, csv};
//! let file = std::io::Cursor::new("id,n\na,1\nb,x\nc\n");
//! let opened = csv::open(Box::new(file), csv::Options::default()).unwrap();
//! assert_eq!(opened.names(), ["id", "n"]);
//! let columns = vec![csv::Wanted { name: "n".into(), at: 1, reading: Reading::new(Type::Integer) }];
//! let mut pieces = opened.read(0, columns);
//! let piece = pieces.next().unwrap().unwrap();
//! assert_eq!(piece.batch.unwrap().n_rows(), 1);
//! let reasons: Vec<_> = piece.rejects.iter().map(|reject| (&*reject.reason, reject.place.line)).collect();
//! assert_eq!(reasons, [("bad_integer", 3), ("ragged", 4)]);
//! ```

mod build;
mod column;
mod dialect;
mod encoding;
mod feed;
mod intern;
mod lines;
mod open;
mod reader;
mod record;
mod rows;
mod scan;
mod unpack;
mod window;

pub use dialect::{Compression, Dialect, Escape, Header, Limits, Options};
pub use encoding::Encoding;
pub use lines::{Line, Lines, read_whole};
pub use open::{Opened, Wanted, open};
pub use reader::{Piece, Reader};
