//! HL7 v2: messages as text with delimiters, their values by path, files and frames of them. Knows nothing of FHIR and does no I/O.
//!
//! A [`Message`] is one decoded buffer and the positions of its fields in it. Nothing is copied until a value is asked for, and what was
//! sent can be printed again as it came. Repetitions, components and subcomponents are found where they are needed.
//!
//! ```
//! use hl7v2::{Limits, Message, Value};
//! let text = b"MSH|^~\\&|LAB|NORTH|EHR|SOUTH|202406011230||ORU^R01^ORU_R01|17|P|2.5.1\r\
//!     PID|1||123^^^NORTH^MR~456^^^SOUTH^PI||DOE^JANE|\"\"\r\
//!     OBR|1|||24317-0^Hemogram\r\
//!     OBX|1|NM|718-7^Hemoglobin||13.4|g/dL\r\
//!     NTE|1||drawn \\T\\ sent\r";
//! let message = Message::parse(text, &Limits::default()).unwrap();
//! assert_eq!(message.code().as_deref(), Some("ORU"));
//! assert_eq!(message.get("PID-3(2).4").unwrap().text(), Some("SOUTH"));
//! assert_eq!(message.get("NTE-3").unwrap().text(), Some("drawn & sent"));
//! assert_eq!(message.get("PID-6").unwrap(), Value::Null); // `""`: the sender says that there is none
//! assert_eq!(message.get("PID-7").unwrap(), Value::Absent); // the sender says nothing
//! assert_eq!(format!("{message:?}"), "Message(ORU^R01, 5 segments)"); // patient data does not print
//! ```
//!
//! | part | what it does |
//! |---|---|
//! | [`Message`], [`Segment`], [`Path`], [`Value`] | parse, walk, ask by path |
//! | [`Timestamp`] | `TS`/`DTM` with the precision and zone that were sent, and no others |
//! | [`Writer`], [`ack`] | build messages, with values escaped, and acknowledgements of both modes |
//! | [`mllp`] | frames on a connection |
//! | [`files`] | messages of a file: batches, several in a row, one per line |
//! | [`groups`], [`rows`] | which order a result belongs to; flat rows for pipelines |
//!
//! **Lenient where senders differ harmlessly:** a segment may end with CR (the standard), LF or CRLF; blank lines and a UTF-8 byte order mark
//! are passed over; MSH-18 may name a character set in its common spellings, and without one UTF-8 is read, of which ASCII (the standard's
//! default) is a part; a position that is not there is no error. **Strict where a guess would change data:** an unknown character set, a byte
//! that is not of the set, a line that is no segment (as a raw line break inside a field makes it) are errors with their place. No error or
//! `Debug` text holds contents of a message.

pub mod ack;
pub mod files;
pub mod groups;
pub mod mllp;
pub mod rows;

mod charset;
mod delimiters;
mod error;
mod escape;
mod header;
mod limits;
mod message;
mod parse;
mod part;
mod path;
mod segment;
mod timestamp;
mod value;
mod write;

pub use charset::Charset;
pub use delimiters::Delimiters;
pub use error::{ParseError, Place, Problem};
pub use escape::{escape, unescape};
pub use limits::Limits;
pub use message::Message;
pub use part::{Component, Field, Repetition};
pub use path::{Path, PathError};
pub use segment::{Segment, SegmentGroup};
pub use timestamp::{Precision, Timestamp, TimestampError};
pub use value::Value;
pub use write::{EncodeError, Writer};
