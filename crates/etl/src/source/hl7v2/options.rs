//! What a pipeline file says of an `hl7v2` source.

use hl7v2::rows::{Nulls, Projection};
use hl7v2::{Charset, Limits};
use table::{Column, Columns, OnError, Reading, Type, TypedColumn, Typing};

use crate::source::declared::{reading_of, type_of};
use crate::storage::Location;
use crate::yaml::{Fields, Kind, Node};
use crate::{Problems, Word};

/// What a pipeline file says of the source.
#[derive(Debug)]
pub(super) struct Options {
    /// A file or a pattern, in a folder below the roots or in a bucket. `gzip` and `zstd` are seen in the content.
    pub(super) location: Location,
    /// The segment of which every row has one; one row per message without it.
    pub(super) per: Option<String>,
    /// Columns and where their values stand.
    pub(super) projection: Projection,
    /// What becomes of each column's text before it has its type.
    pub(super) forms: Vec<Form>,
    /// The table's columns.
    pub(super) columns: Columns,
    /// From the forms to the types; `None` where all are texts as they are.
    pub(super) typing: Option<Typing>,
    /// The character set of messages that name none: `utf-8` (default), `ascii`, `8859/1`.
    pub(super) charset: Charset,
    /// Whether messages without a segment of `per` are quarantined (default); else they give no row.
    pub(super) quarantines_rowless: bool,
    /// Whether a pattern may find nothing; `false` by default.
    pub(super) may_be_empty: bool,
    /// Limits of one message; `message_bytes_max` may be given.
    pub(super) limits: Limits,
    /// Most bytes of a file, uncompressed; 64 GiB by default.
    pub(super) file_bytes_max: u64,
}

/// What becomes of a column's text before it has its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// It stays.
    Text,
    /// An HL7 timestamp as ISO 8601, with the precision and zone that were sent.
    IsoTime,
    /// The day of an HL7 timestamp.
    Date,
    /// The beginning of the second or minute of an HL7 timestamp; the zone of one that says none.
    Instant(Option<i32>),
}

const FILE_BYTES_MAX: u64 = 64 << 30;

impl Options {
    pub(super) fn decode(fields: &mut Fields<'_>, problems: &mut Problems) -> Option<Options> {
        let (at, n_before) = (fields.at(), problems.len());
        let location = Location::decode("path", fields, problems);
        let per = fields.text("per", problems);
        let nulls = [("none", Nulls::AsNone), ("written", Nulls::AsWritten)];
        let nulls = fields.choice("nulls", &nulls, problems).unwrap_or_default();
        let charsets = [("utf-8", Charset::Utf8), ("ascii", Charset::Ascii), ("8859/1", Charset::Latin1)];
        let charset = fields.choice("charset", &charsets, problems).unwrap_or(Charset::Utf8);
        let rowless = [("quarantine", true), ("skip", false)];
        let quarantines_rowless = fields.choice("without_per", &rowless, problems).unwrap_or(true);
        let may_be_empty = fields.flag("may_be_empty", problems).unwrap_or(false);
        let mut limits = Limits::default();
        if let Some(max) = fields.size("message_bytes_max", problems) {
            limits.message_bytes_max = usize::try_from(max).unwrap_or(usize::MAX);
        }
        let file_bytes_max = fields.size("file_bytes_max", problems).unwrap_or(FILE_BYTES_MAX);
        let what = format!("`columns` of {}", fields.what());
        let columns = ColumnOptions::decode(fields.required("columns", problems)?, &what, problems);
        let location = location.filter(|_| problems.len() == n_before)?;
        let per_at = per.as_ref().map_or(at, |per| per.at);
        let per = per.map(|per| per.text);
        let paths = columns.iter().map(|column| column.path.clone()).collect();
        let projection = Projection::new(paths, per.as_deref());
        let projection = projection.map_err(|error| problems.add(per_at, error.to_string())).ok()?;
        let kinds = columns.iter().map(|column| Column::new(column.name(), column.reading.kind));
        let kinds = Columns::new(kinds.collect());
        Some(Options {
            location,
            per,
            projection: projection.with_nulls(nulls),
            forms: columns.iter().map(|column| column.form).collect(),
            columns: kinds.map_err(|error| problems.add(at, error.to_string())).ok()?,
            typing: typing_of(&columns),
            charset,
            quarantines_rowless,
            may_be_empty,
            limits,
            file_bytes_max,
        })
    }
}

fn typing_of(columns: &[ColumnOptions]) -> Option<Typing> {
    let is_read =
        |column: &ColumnOptions| column.form == Form::Text && column.reading != Reading::new(Type::Text);
    columns.iter().any(is_read).then(|| {
        let typed = columns.iter().map(|column| TypedColumn {
            name: column.name().into(),
            from: column.name().into(),
            reading: column.reading.clone(),
        });
        Typing::new(typed.collect())
    })
}

/// A column: its path alone, or a map with `path`, `join`, `type` and what says how the text is read.
struct ColumnOptions {
    path: hl7v2::rows::Column,
    form: Form,
    reading: Reading,
}

impl ColumnOptions {
    fn name(&self) -> &str {
        &self.path.name
    }

    fn decode(node: &Node, what: &str, problems: &mut Problems) -> Vec<ColumnOptions> {
        let entries = node.entries(what, problems);
        entries.iter().filter_map(|(name, node)| ColumnOptions::one(name, node, problems)).collect()
    }

    fn one(name: &Word, node: &Node, problems: &mut Problems) -> Option<ColumnOptions> {
        if let Kind::Scalar { text, .. } = &node.kind {
            let path = Word { text: text.clone(), at: node.at };
            check_path(&path, problems);
            let path = hl7v2::rows::Column::new(name.text.as_str(), path.text);
            return Some(ColumnOptions { path, form: Form::Text, reading: Reading::new(Type::Text) });
        }
        let mut fields = node.fields(format!("the column `{name}`"), problems);
        let path = fields.required_text("path", problems);
        let join = fields.text("join", problems);
        let written = fields.text("type", problems);
        let is_iso = written.as_ref().is_some_and(|written| written.text == "iso_time");
        let kind = match &written {
            Some(written) if !is_iso => type_of(written, problems).unwrap_or(Type::Text),
            _ => Type::Text,
        };
        let reading = reading_of(kind, Reading::new(kind), &mut fields, problems);
        if reading.on_error == OnError::Null {
            problems.add(node.at, format!("the column `{name}`: an `hl7v2` source quarantines rows, `on_error: null` is not supported"));
        }
        fields.end(problems);
        let form = match kind {
            _ if is_iso => Form::IsoTime,
            Type::Date if reading.formats.is_empty() => Form::Date,
            Type::Instant if reading.formats.is_empty() => Form::Instant(reading.zone_minutes),
            _ => Form::Text,
        };
        if let Some(join) = join.as_ref().filter(|_| kind != Type::Text || is_iso) {
            problems.add(join.at, format!("the column `{name}`: values that are joined are a text"));
        }
        let path = path?;
        check_path(&path, problems);
        let mut path = hl7v2::rows::Column::new(name.text.as_str(), path.text);
        path.join = join.map(|join| join.text);
        Some(ColumnOptions { path, form, reading })
    }
}

fn check_path(path: &Word, problems: &mut Problems) {
    if let Err(error) = hl7v2::Path::parse(path) {
        problems.add(path.at, error.to_string());
    }
}
