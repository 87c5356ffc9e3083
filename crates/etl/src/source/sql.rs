//! Options that sources which are databases share: what is read, since when, with which declared types.

use std::cmp::Ordering;
use std::sync::Arc;
use std::time::Duration;

use table::{Batch, Column, Columns, Reject, Type, Typing};

use crate::source::declared::{self, Declared};
use crate::source::{Division, Piece, Unit};
use crate::sql::{Failure, TableName, Template, fill_raw};
use crate::yaml::{Fields, Node, parse_span};
use crate::{EtlError, Problems, Secret, Word, world::World};

/// Rows per batch.
const FETCH_ROWS: u64 = 16_384;
const FETCH_ROWS_MAX: u64 = 1 << 20;
const TIMEOUT: Duration = Duration::from_secs(300);
const RETRIES: u64 = 3;
const RETRIES_MAX: u64 = 20;
const PARTITIONS_MAX: u64 = 16;
/// The name of the parameter that holds the lower bound of the window.
pub(crate) const WATERMARK: &str = "watermark";

/// What every source that is a database knows.
#[derive(Debug)]
pub(crate) struct SqlSource {
    /// The source's name in the pipeline.
    pub(crate) name: String,
    /// What is read.
    pub(crate) relation: Relation,
    /// Declared columns.
    pub(crate) declared: Declared,
    /// The column that says when a row changed.
    pub(crate) cursor: Option<Cursor>,
    /// Columns that rows are ordered by, after the cursor.
    pub(crate) key: Vec<Word>,
    /// Ranges of a column that are read side by side.
    pub(crate) partition: Option<Partition>,
    /// Rows per batch.
    pub(crate) fetch_rows: usize,
    /// How long one answer of the server may take.
    pub(crate) timeout: Duration,
    /// New attempts after the first.
    pub(crate) retries: u32,
    /// The zone of moments that are stored without one.
    pub(crate) time_zone: Option<Word>,
    /// Values of the query's parameters.
    pub(crate) parameters: Vec<(String, Secret)>,
}

/// What is read.
#[derive(Clone, Debug)]
pub(crate) enum Relation {
    /// A table or view.
    Table(TableName),
    /// A query.
    Query(Template),
}

/// The column that says when a row changed.
#[derive(Clone, Debug)]
pub(crate) struct Cursor {
    /// The column.
    pub(crate) column: Word,
    /// How far before the watermark is read again.
    pub(crate) lookback: Lookback,
}

/// How far before the watermark is read again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Lookback {
    /// Only rows at the watermark itself.
    #[default]
    None,
    /// A time span, for cursors that are dates or moments.
    Span(Duration),
    /// A number, for cursors that are numbers.
    Count(u64),
}

/// Ranges of a column.
#[derive(Clone, Debug)]
pub(crate) struct Partition {
    /// The column.
    pub(crate) column: Word,
    /// How many ranges.
    pub(crate) n: u32,
}

impl SqlSource {
    /// Reads the options. `has_partitions`: whether ranges can be read side by side.
    pub(crate) fn decode(
        name: &Word,
        fields: &mut Fields<'_>,
        has_partitions: bool,
        problems: &mut Problems,
    ) -> Option<SqlSource> {
        let cursor = fields.node("cursor").and_then(|node| Cursor::decode(node, problems));
        let parameters = parameters(fields.node("parameters"), problems);
        let relation = relation(fields, cursor.is_some(), &parameters, problems);
        let declared = Declared::decode_with_nulls(fields, problems);
        let key = fields.texts("key", problems);
        let partition = fields.node("partition").and_then(|node| Partition::decode(node, problems));
        if let Some(partition) = &partition {
            if !has_partitions {
                problems
                    .add(partition.column.at, "`partition` is supported for PostgreSQL only: leave it out");
            } else if !key.is_empty() && !key.iter().any(|column| column.text == partition.column.text) {
                problems.add(
                    partition.column.at,
                    "`partition` must name a column of the `key`, so that rows with the same key keep their order",
                );
            }
        }
        let fetch_rows = fields.whole("fetch_rows", problems).unwrap_or(FETCH_ROWS);
        if !(1..=FETCH_ROWS_MAX).contains(&fetch_rows) {
            problems.add(fields.at(), format!("`fetch_rows` must be within 1 and {FETCH_ROWS_MAX}"));
        }
        Some(SqlSource {
            name: name.text.clone(),
            relation: relation?,
            declared,
            cursor,
            key,
            partition,
            fetch_rows: usize::try_from(fetch_rows).unwrap_or(1),
            timeout: timeout(fields, problems),
            retries: retries(fields, problems),
            time_zone: fields.text("time_zone", problems),
            parameters,
        })
    }

    /// How the source is divided.
    pub(crate) fn division(&self) -> Division {
        if self.cursor.is_some() { Division::Window } else { Division::Snapshot }
    }

    /// The name of the data set for lineage: the table, or the source's own name for a query.
    pub(crate) fn dataset_name(&self, database: &str) -> String {
        match &self.relation {
            Relation::Table(table) => within(database, table),
            Relation::Query(_) => within(database, &self.name),
        }
    }

    /// The values of the parameters.
    pub(crate) fn parameter_values(&self, world: &World) -> Result<Vec<(String, String)>, Failure> {
        let reveal = |secret: &Secret| secret.reveal(&*world.secrets).map_err(Failure::lasting);
        self.parameters.iter().map(|(name, secret)| Ok((name.clone(), reveal(secret)?))).collect()
    }

    /// The declared columns over those that the database gives. Columns that are not there, that are new, and types that would lose
    /// something are failures. `None`: all columns stay as they are.
    pub(crate) fn typing(&self, found: &Columns) -> Result<(Columns, Option<Typing>), Failure> {
        for wanted in self.named() {
            if found.get(wanted).is_none() {
                let names: Vec<String> = found.iter().map(|column| format!("`{}`", column.name)).collect();
                let why = format!("there is no column `{wanted}`: the columns are {}", names.join(", "));
                return Err(Failure::lasting(why));
            }
        }
        if self.declared.is_empty() {
            return Ok((found.clone(), None));
        }
        let found: Vec<Column> = found.iter().cloned().collect();
        let bound = self.declared.bind(&found).map_err(Failure::lasting)?;
        let columns = declared::columns_of(&bound).map_err(|error| Failure::lasting(error.to_string()))?;
        let typing = self.declared.typing(&found).map_err(Failure::lasting)?;
        Ok((columns, Some(typing)))
    }

    /// Columns that other options name.
    fn named(&self) -> impl Iterator<Item = &str> {
        let words = self.cursor.iter().map(|cursor| &cursor.column).chain(&self.key);
        words.chain(self.partition.iter().map(|partition| &partition.column)).map(|word| word.text.as_str())
    }
}

fn relation(
    fields: &mut Fields<'_>,
    has_cursor: bool,
    parameters: &[(String, Secret)],
    problems: &mut Problems,
) -> Option<Relation> {
    let (table, query) = (fields.text("table", problems), fields.text("query", problems));
    match (table, query) {
        (Some(table), None) => {
            if !parameters.is_empty() {
                problems.add(table.at, "`parameters` belong to a `query`");
            }
            TableName::parse(&table, problems).map(Relation::Table)
        }
        (None, Some(query)) => {
            let mut known: Vec<&str> = parameters.iter().map(|(name, _)| name.as_str()).collect();
            if has_cursor {
                known.push(WATERMARK);
            }
            Some(Relation::Query(Template::parse(&query, &known, problems)))
        }
        _ => {
            let what = fields.what().to_owned();
            problems.add(fields.at(), format!("{what} needs either `table` or `query`"));
            None
        }
    }
}

fn parameters(node: Option<&Node>, problems: &mut Problems) -> Vec<(String, Secret)> {
    let entries = node.map(|node| node.entries("`parameters`", problems)).unwrap_or_default();
    let mut found = Vec::new();
    for (name, node) in entries {
        let is_word =
            name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
        if !is_word || name.is_empty() || name.len() > 40 || name.text == WATERMARK {
            problems.add(name.at, format!("the parameter `{name}` needs another name: lower-case letters, digits and `_`, not `{WATERMARK}`"));
        }
        if let Some(value) = node.text(&format!("the parameter `{name}`"), problems) {
            found.push((name.text.clone(), Secret::new(value.text, value.at)));
        }
    }
    found
}

/// `timeout_secs` of sources and targets.
pub(crate) fn timeout(fields: &mut Fields<'_>, problems: &mut Problems) -> Duration {
    fields.whole("timeout_secs", problems).map_or(TIMEOUT, |secs| Duration::from_secs(secs.max(1)))
}

/// `retries` of sources and targets.
pub(crate) fn retries(fields: &mut Fields<'_>, problems: &mut Problems) -> u32 {
    let n = fields.whole("retries", problems).unwrap_or(RETRIES);
    if n > RETRIES_MAX {
        problems.add(fields.at(), format!("`retries` must be at most {RETRIES_MAX}"));
    }
    u32::try_from(n.min(RETRIES_MAX)).unwrap_or(0)
}

impl Cursor {
    fn decode(node: &Node, problems: &mut Problems) -> Option<Cursor> {
        let mut fields = node.fields("`cursor`", problems);
        let column = fields.required_text("column", problems);
        let lookback = fields.text("lookback", problems);
        fields.end(problems);
        let lookback = match lookback {
            None => Lookback::None,
            Some(word) => match (word.parse(), parse_span(&word)) {
                (Ok(count), _) => Lookback::Count(count),
                (_, Some(span)) => Lookback::Span(span),
                _ => {
                    problems.add(
                        word.at,
                        "`lookback` must be a time span such as `12h` or `3d`, or a whole number for a cursor of numbers",
                    );
                    return None;
                }
            },
        };
        Some(Cursor { column: column?, lookback })
    }
}

impl Partition {
    fn decode(node: &Node, problems: &mut Problems) -> Option<Partition> {
        let mut fields = node.fields("`partition`", problems);
        let column = fields.required_text("column", problems);
        let n = fields.whole("n", problems).unwrap_or(2);
        if !(2..=PARTITIONS_MAX).contains(&n) {
            problems.add(fields.at(), format!("`n` of `partition` must be within 2 and {PARTITIONS_MAX}"));
        }
        fields.end(problems);
        Some(Partition { column: column?, n: u32::try_from(n).unwrap_or(2) })
    }
}

/// Whether a column of a type can be a cursor, and whether its look-back fits. For databases that compare texts and integers only.
pub(crate) fn check_cursor(cursor: &Cursor, kind: Type) -> Result<(), Failure> {
    let name = &cursor.column;
    if matches!(kind, Type::Number | Type::Decimal { .. } | Type::Boolean) {
        let why = format!(
            "the column `{name}` is {kind}, which cannot be a cursor: take a date, a moment or an integer"
        );
        return Err(Failure::lasting(why));
    }
    let fits = match cursor.lookback {
        Lookback::None => true,
        Lookback::Span(_) => matches!(kind, Type::Date | Type::Instant | Type::Text),
        Lookback::Count(_) => kind == Type::Integer,
    };
    if fits {
        return Ok(());
    }
    Err(Failure::lasting(format!(
        "`lookback` does not fit the cursor `{name}`, which is {kind}: a time span goes with dates and moments, a number with integers"
    )))
}

/// The bounds of a window and what was in it, as texts of the database.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Window {
    /// Rows from here on, and rows at it; `None`: from the beginning.
    pub(crate) from: Option<String>,
    /// Rows up to here, and rows at it; `None`: no row has a cursor value.
    pub(crate) to: Option<String>,
    /// Whether there is no row.
    pub(crate) is_empty: bool,
    /// Rows in the window, and a checksum of their cursor values, so that a row that came late makes it another window. `None` for a
    /// window from the beginning: that of the next run begins elsewhere.
    pub(crate) content: Option<(u64, String)>,
}

impl Window {
    /// The unit, if there are rows. Its id says the bounds and what was in between.
    pub(crate) fn units(&self, since: Option<&str>) -> Vec<Unit> {
        if self.is_empty {
            return Vec::new();
        }
        let (from, to) = (self.from.as_deref().unwrap_or("-"), self.to.as_deref().unwrap_or("-"));
        let content =
            self.content.as_ref().map_or_else(String::new, |(n, checksum)| format!(" {n} {checksum}"));
        vec![Unit {
            id: format!("({from}, {to}]{content}"),
            name: format!("{from} to {to}"),
            watermark: self.to.clone().or(since.map(str::to_owned)),
            n_bytes: None,
            n_rows: self.content.as_ref().map(|(n, _)| *n),
        }]
    }
}

/// Windows can only be chosen of what says when it changed.
pub(crate) fn need_cursor(has_cursor: bool) -> Result<(), String> {
    if has_cursor { Ok(()) } else { Err("it has no `cursor`, so that there are no windows of it".to_owned()) }
}

/// The order of two numbers that are written as text, however many digits they have. What is no number comes first.
pub(crate) fn compare_numbers(a: &str, b: &str) -> Ordering {
    match (Digits::of(a), Digits::of(b)) {
        (Some(a), Some(b)) => a.compare(&b),
        (a, b) => a.is_some().cmp(&b.is_some()),
    }
}

/// A written number: its sign, the digits before the point without zeros in front, those behind without zeros at the end.
struct Digits<'a> {
    is_negative: bool,
    whole: &'a str,
    part: &'a str,
}

impl<'a> Digits<'a> {
    fn of(text: &'a str) -> Option<Digits<'a>> {
        let (is_negative, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !are_digits(whole) || !are_digits(part) {
            return None;
        }
        let (whole, part) = (whole.trim_start_matches('0'), part.trim_end_matches('0'));
        Some(Digits { is_negative: is_negative && !(whole.is_empty() && part.is_empty()), whole, part })
    }

    fn compare(&self, other: &Digits<'_>) -> Ordering {
        let size = |a: &Digits<'_>, b: &Digits<'_>| {
            a.whole
                .len()
                .cmp(&b.whole.len())
                .then_with(|| a.whole.cmp(b.whole))
                .then_with(|| a.part.cmp(b.part))
        };
        match (self.is_negative, other.is_negative) {
            (false, false) => size(self, other),
            (true, true) => size(other, self),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
        }
    }
}

/// The only unit of a source without a cursor: the state at a moment.
pub(crate) fn snapshot_unit(now: fhir::Instant) -> Unit {
    Unit {
        id: format!("snapshot {}", now.0),
        name: "all rows".to_owned(),
        watermark: None,
        n_bytes: None,
        n_rows: None,
    }
}

/// A shared name for columns.
pub(crate) fn columns_of(columns: Vec<(Arc<str>, Type)>) -> Result<Columns, Failure> {
    let columns = columns.into_iter().map(|(name, kind)| Column::new(name, kind)).collect();
    Columns::new(columns).map_err(|error| Failure::lasting(error.to_string()))
}

/// A name within a database, whose own name may be hidden in a secret.
pub(crate) fn within(database: &str, name: &dyn std::fmt::Display) -> String {
    if database.is_empty() { name.to_string() } else { format!("{database}.{name}") }
}

/// Gives rows their declared types: what goes out.
pub(crate) fn pieces_of(
    mut batch: Batch,
    mut rejects: Vec<Reject>,
    typing: Option<&Typing>,
) -> Result<Vec<Piece>, EtlError> {
    let mut pieces = Vec::new();
    if let Some(typing) = typing {
        let mut typed = typing.apply(&batch)?;
        if !typed.nulled.is_empty() {
            pieces.push(Piece::Nulled(std::mem::take(&mut typed.nulled)));
        }
        fill_raw(&mut typed.rejects, &batch);
        rejects.extend(typed.rejects);
        rejects.sort_by_key(|reject| reject.place);
        batch = typed.batch;
    }
    if !rejects.is_empty() {
        pieces.push(Piece::Rejects(rejects));
    }
    if batch.n_rows() > 0 {
        pieces.push(Piece::Rows(batch));
    }
    Ok(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_in_order_whatever_their_length_and_sign() {
        let sorted = [
            "none",
            "-9223372036854775808",
            "-100",
            "-20",
            "-3.25",
            "-3",
            "-0.5",
            "0",
            "0.05",
            "0.5",
            "9",
            "9.75",
            "10",
            "0000000000000000011",
            "9223372036854775807",
            "99999999999999999999999999999999999999.1",
        ];
        for (i, a) in sorted.iter().enumerate() {
            for (j, b) in sorted.iter().enumerate() {
                assert_eq!(compare_numbers(a, b), i.cmp(&j), "{a} {b}");
            }
        }
        assert_eq!(compare_numbers("-0", "0.00"), Ordering::Equal);
        assert_eq!(compare_numbers("7", "0000000000000000007.0"), Ordering::Equal);
    }

    #[test]
    fn the_watermark_is_the_end_of_the_window_as_it_is_written() {
        let window = Window { to: Some("-7".to_owned()), ..Window::default() };
        assert_eq!(window.units(None)[0].watermark.as_deref(), Some("-7"));
        let nothing_new = Window { to: None, ..Window::default() };
        assert_eq!(nothing_new.units(Some("-9"))[0].watermark.as_deref(), Some("-9"));
    }
}
