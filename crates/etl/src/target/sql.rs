//! Options that targets which are databases share: which table, how rows meet what is there, what may be changed about the table.

use std::time::Duration;

use table::{Batch, Columns, Reject, Type};

use crate::source::{Division, sql};
use crate::sql::{TableName, row_json};
use crate::target::{AUDIT, Load, Mode};
use crate::yaml::Fields;
use crate::{Problems, Word};

/// The table that says what was committed, beside the target table.
pub(crate) const LEDGER: &str = "salus_etl";

/// What every target that is a database knows.
#[derive(Clone, Debug)]
pub(crate) struct SqlTarget {
    /// The target's name in the pipeline.
    pub(crate) name: String,
    /// The table.
    pub(crate) table: TableName,
    /// How rows meet what is there.
    pub(crate) mode: Mode,
    /// Key columns of a merge.
    pub(crate) key: Vec<Word>,
    /// Whether the table (and the index of its key) is created when it is absent.
    pub(crate) create: bool,
    /// Whether columns that the table lacks are added.
    pub(crate) adds_columns: bool,
    /// How long one answer of the server may take.
    pub(crate) timeout: Duration,
    /// New attempts after the first.
    pub(crate) retries: u32,
}

impl SqlTarget {
    /// Reads the options.
    pub(crate) fn decode(name: &Word, fields: &mut Fields<'_>, problems: &mut Problems) -> Option<SqlTarget> {
        let table = fields.required_text("table", problems);
        let modes = [("append", Mode::Append), ("merge", Mode::Merge), ("replace", Mode::Replace)];
        let mode = fields.choice("mode", &modes, problems).unwrap_or(Mode::Append);
        let key = fields.texts("key", problems);
        if (mode == Mode::Merge) == key.is_empty() {
            let what = if key.is_empty() {
                "merges and needs `key: [column, ...]`"
            } else {
                "has a `key`, which only `mode: merge` uses"
            };
            problems.add(fields.at(), format!("the target `{name}` {what}"));
        }
        let drift = [("fail", false), ("add", true)];
        let table = table.and_then(|table| TableName::parse(&table, problems));
        if let Some(table) = table.as_ref().filter(|table| table.table == LEDGER) {
            problems.add(table.at, format!("`{LEDGER}` is where loads are recorded: take another table"));
        }
        let target = SqlTarget {
            name: name.text.clone(),
            table: table?,
            mode,
            key,
            create: fields.flag("create", problems).unwrap_or(true),
            adds_columns: fields.choice("drift", &drift, problems).unwrap_or(false),
            timeout: sql::timeout(fields, problems),
            retries: sql::retries(fields, problems),
        };
        Some(target)
    }

    /// Reports what does not fit the columns or the source.
    pub(crate) fn plan(&self, input: &Columns, division: Division, problems: &mut Problems) {
        for (index, word) in self.key.iter().enumerate() {
            let wrong = match input.get(word).map(|column| column.kind) {
                None => format!("the target `{}` needs the column `{word}`, which is not there", self.name),
                Some(Type::Number) => format!(
                    "`{word}` is a floating point number, which is no key: make it an integer, a decimal or text"
                ),
                Some(_) if AUDIT.contains(&word.text.as_str()) => {
                    format!("`{word}` is an audit column, which is no key")
                }
                Some(_) => String::new(),
            };
            if !wrong.is_empty() {
                problems.add(word.at, wrong);
            }
            if self.key[..index].iter().any(|other| other.text == word.text) {
                problems.add(word.at, format!("the column `{word}` stands here twice"));
            }
        }
        let why = match (self.mode, division) {
            (Mode::Append, Division::Window) => {
                "appends what changed since the last run, so a row that changes twice comes twice: use `mode: merge` with a `key`"
            }
            (Mode::Append, Division::Snapshot) => {
                "appends a source that is read as a whole each time, so every run adds all rows again: use `mode: replace`, or `merge` with a `key`"
            }
            (Mode::Replace, Division::Window) => {
                "replaces everything by what changed since the last run: use `mode: merge` with a `key`"
            }
            _ => return,
        };
        problems.add(self.table.at, format!("the target `{}` {why}", self.name));
    }

    /// Whether a column is part of the key.
    pub(crate) fn is_key(&self, column: &str) -> bool {
        self.key.iter().any(|key| key.text == column)
    }
}

/// What a commit makes the ledger forget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Forgets {
    /// Nothing.
    Nothing,
    /// The units: their rows were replaced.
    Units,
    /// Units and watermark: they speak of a former table.
    Everything,
}

impl Forgets {
    /// For a mode and a table that was created, or was not.
    pub(crate) fn of(mode: Mode, is_new_table: bool) -> Forgets {
        match (mode, is_new_table) {
            (_, true) => Forgets::Everything,
            (Mode::Replace, false) => Forgets::Units,
            (Mode::Append | Mode::Merge, false) => Forgets::Nothing,
        }
    }
}

/// Columns that make a row another row: neither key nor audit.
pub(crate) fn is_compared(target: &SqlTarget, column: &str) -> bool {
    !target.is_key(column) && !AUDIT.contains(&column)
}

/// What a lock of this load is called: two runs of the same pipeline exclude each other, other pipelines do not.
pub(crate) fn lock_name(load: &Load, table: &TableName) -> String {
    format!("salus_etl/{}/{}/{table}", load.pipeline, load.source)
}

/// Somebody else loads the same.
pub(crate) fn is_locked(load: &Load, table: &TableName) -> String {
    format!(
        "another run of the pipeline `{}` is loading `{}` into `{table}`: try again when it has ended",
        load.pipeline, load.source
    )
}

/// Somebody else loaded the same since this run looked.
pub(crate) fn is_overtaken(load: &Load, table: &TableName) -> String {
    format!(
        "another run of the pipeline `{}` has loaded `{}` into `{table}` since this one began: run it again",
        load.pipeline, load.source
    )
}

/// Columns of a load beside those of an existing table: how each is written, and which the table lacks.
pub(crate) struct Matched<E> {
    /// How each column of the load is written.
    pub(crate) written: Vec<E>,
    /// Numbers of the columns that the table lacks.
    pub(crate) missing: Vec<usize>,
}

/// Compares the columns of a load with those of a table; all that does not fit is said at once.
pub(crate) fn compare<C, E>(
    target: &SqlTarget,
    columns: &Columns,
    existing: &[C],
    name_of: impl Fn(&C) -> &str,
    written_as: impl Fn(&C, Type) -> Result<E, String>,
    created_as: impl Fn(&str, Type) -> E,
    must_be_given: impl Fn(&C) -> bool,
) -> Result<Matched<E>, String> {
    let (mut wrong, mut written, mut missing) = (Vec::new(), Vec::new(), Vec::new());
    for (index, column) in columns.iter().enumerate() {
        match existing.iter().find(|existing| name_of(existing) == &*column.name) {
            Some(found) => match written_as(found, column.kind) {
                Ok(encode) => written.push(encode),
                Err(why) => wrong.push(format!("the column `{}` {why}", column.name)),
            },
            None => {
                if !target.adds_columns {
                    wrong.push(format!("it has no column `{}`: add it, or write `drift: add`", column.name));
                }
                missing.push(index);
                written.push(created_as(&column.name, column.kind));
            }
        }
    }
    for found in existing.iter().filter(|found| must_be_given(found) && columns.get(name_of(found)).is_none())
    {
        wrong.push(format!(
            "its column `{}` must have a value, which the pipeline does not give",
            name_of(found)
        ));
    }
    if wrong.is_empty() {
        Ok(Matched { written, missing })
    } else {
        Err(format!("the table `{}` does not fit: {}", target.table, wrong.join("; ")))
    }
}

/// A row that the database cannot hold.
pub(crate) fn refusal(batch: &Batch, row: usize, column: &str, why: Unwritable) -> Reject {
    Reject {
        place: batch.place(row),
        rule: "target".into(),
        column: Some(column.to_owned()),
        reason: why.reason.into(),
        message: format!("`{column}` {}", why.message),
        raw: as_written(batch, row),
    }
}

/// The row as it was to be written, in a list: what the steps made is not what the source gave, so it cannot be run again as if it were.
fn as_written(batch: &Batch, row: usize) -> Vec<u8> {
    [b"[".as_slice(), &row_json(batch, row), b"]"].concat()
}

/// Why a value cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unwritable {
    /// A word for machines.
    pub(crate) reason: &'static str,
    /// Behind the column's name in a sentence.
    pub(crate) message: &'static str,
}

/// A text with a NUL character.
pub(crate) const NUL: Unwritable =
    Unwritable { reason: "nul_character", message: "holds a NUL character, which the database cannot store" };
/// A text that is too long for its column.
pub(crate) const TOO_LONG: Unwritable =
    Unwritable { reason: "too_long", message: "is longer than the column of the target allows" };
/// A number or date that is too large for its column.
pub(crate) const OUT_OF_RANGE: Unwritable =
    Unwritable { reason: "out_of_range", message: "is outside of the range of the target's column" };
