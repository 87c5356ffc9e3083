//! How a file of delimited text is written, and how much of it is taken at once.

use std::sync::Arc;

use crate::TableError;
use crate::csv::Encoding;

/// How a file of delimited text is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dialect {
    /// Between two fields: an ASCII character.
    pub delimiter: u8,
    /// Around a field that holds delimiters, quotes or line ends. `None`: there is no quoting.
    pub quote: Option<u8>,
    /// How a quote stands inside of a quoted field.
    pub escape: Escape,
    /// A line that begins with it is no record.
    pub comment: Option<u8>,
    /// Where the names of the columns come from.
    pub header: Header,
    /// Every record ends with a delimiter.
    pub trailing_delimiter: bool,
    /// Lines before the header, whatever is in them.
    pub skip_lines: u64,
}

/// How a quote stands inside of a quoted field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Escape {
    /// Twice.
    Doubled,
    /// Behind a backslash; a backslash behind another.
    Backslash,
}

/// Where the names of the columns come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Header {
    /// The first record.
    First,
    /// They are given; the first record is data.
    Names(Vec<Arc<str>>),
    /// Nowhere: `column_1`, `column_2`; the first record says how many.
    Numbered,
}

impl Default for Dialect {
    fn default() -> Dialect {
        Dialect {
            delimiter: b',',
            quote: Some(b'"'),
            escape: Escape::Doubled,
            comment: None,
            header: Header::First,
            trailing_delimiter: false,
            skip_lines: 0,
        }
    }
}

impl Dialect {
    /// What is wrong with it, in words.
    pub fn check(&self) -> Result<(), String> {
        let special = [Some(self.delimiter), self.quote, self.comment];
        let given: Vec<u8> = special.into_iter().flatten().collect();
        if given.iter().any(|byte| !byte.is_ascii() || matches!(byte, b'\n' | b'\r' | 0)) {
            return Err(
                "`delimiter`, `quote` and `comment` must be ASCII characters, and no line ends".to_owned()
            );
        }
        let is_twice = |(index, byte): (usize, &u8)| given[..index].contains(byte);
        if given.iter().enumerate().any(is_twice)
            || (self.escape == Escape::Backslash && given.contains(&b'\\'))
        {
            return Err(
                "`delimiter`, `quote`, `comment` and the escape must be different characters".to_owned()
            );
        }
        Ok(())
    }

    /// Whether [`super::scan`] knows it; otherwise record by record.
    pub(crate) fn is_plain(&self) -> bool {
        self.comment.is_none() && (self.escape == Escape::Doubled || self.quote.is_none())
    }
}

/// How a file is packed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compression {
    /// As its first bytes say: gzip, zstd or none.
    #[default]
    Detect,
    /// Not at all, whatever the first bytes are.
    None,
    /// gzip, one member or several.
    Gzip,
    /// zstd, one frame or several.
    Zstd,
}

/// What a reader refuses to hold or to unpack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// A longer record is a reject, and is skipped without being held.
    pub record_bytes_max: usize,
    /// Of a reject, this much of the record is kept.
    pub raw_bytes_max: usize,
    /// A packed file that unpacks to more is an error.
    pub unpacked_bytes_max: u64,
    /// A packed file of which more than 64 MiB were unpacked is an error when a byte became more bytes than this.
    pub unpacked_ratio_max: u64,
    /// Rows of a batch, about.
    pub batch_rows: usize,
    /// Bytes that are read at once.
    pub block_bytes: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            record_bytes_max: 4 << 20,
            raw_bytes_max: 16 << 10,
            unpacked_bytes_max: 1 << 40,
            unpacked_ratio_max: 250,
            batch_rows: 16_384,
            block_bytes: 1 << 20,
        }
    }
}

/// Everything that a reader must be told about a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// How it is written.
    pub dialect: Dialect,
    /// Its characters.
    pub encoding: Encoding,
    /// Its packing.
    pub compression: Compression,
    /// How much of it is taken.
    pub limits: Limits,
}

impl Options {
    /// What is wrong with the options.
    pub(crate) fn check(&self) -> Result<(), TableError> {
        self.dialect.check().map_err(TableError::Malformed)?;
        let limits = &self.limits;
        if !(1_024..=(1 << 30)).contains(&limits.record_bytes_max) {
            return Err(TableError::Limit("`record_bytes_max` must be between 1 KiB and 1 GiB".to_owned()));
        }
        if !(1..=64 << 20).contains(&limits.block_bytes) {
            return Err(TableError::Limit("`block_bytes` must be between 1 and 64 MiB".to_owned()));
        }
        if !(1..=1 << 20).contains(&limits.batch_rows) {
            return Err(TableError::Limit("`batch_rows` must be between 1 and 1048576".to_owned()));
        }
        Ok(())
    }
}
