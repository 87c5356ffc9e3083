//! What several steps share: rejects of rows, columns that must be there, names with another name behind `as`.

use table::{Batch, Columns, Reject, Type};

use crate::engine::{BadRow, Expression};
use crate::{Problems, RowError, Word};

/// The reject of a row of a batch. `rule` names the step, or the rule that the user named.
pub(crate) fn reject(batch: &Batch, row: usize, rule: &str, error: RowError) -> Reject {
    Reject {
        place: batch.place(row),
        rule: rule.to_owned().into(),
        column: error.column,
        reason: error.reason.into(),
        message: error.message,
        raw: Vec::new(),
    }
}

/// The rejects of rows for which an expression cannot be computed.
pub(crate) fn rejects(batch: &Batch, rule: &str, bad: Vec<BadRow>) -> Vec<Reject> {
    bad.into_iter().map(|bad| reject(batch, bad.row, rule, bad.error)).collect()
}

/// The type of a column that must be there.
pub(crate) fn need_column(
    columns: &Columns,
    word: &Word,
    step: &str,
    problems: &mut Problems,
) -> Option<Type> {
    let found = columns.get(word).map(|column| column.kind);
    if found.is_none() {
        problems.add(
            word.at,
            format!("the step `{step}` needs the column `{word}`: there are {}", listed(columns)),
        );
    }
    found
}

/// The names of columns, in backticks.
pub(crate) fn listed(columns: &Columns) -> String {
    let names: Vec<String> = columns.names().iter().map(|name| format!("`{name}`")).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

/// A checked expression that must be boolean, or a problem at its place.
pub(crate) fn predicate(word: &Word, columns: &Columns, problems: &mut Problems) -> Option<Expression> {
    let found = crate::engine::expression(word, columns);
    let checked = found.and_then(|found| {
        if found.kind() == Type::Boolean {
            Ok(found)
        } else {
            Err(format!("`{word}` is {}: a condition must be boolean", found.kind()))
        }
    });
    checked.map_err(|message| problems.add(word.at, message)).ok()
}

/// A name, and the name that it gets: `RPL_THEMES as svi`, or `svi` for both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Renamed {
    /// As it is called now.
    pub(crate) from: Word,
    /// As it will be called.
    pub(crate) to: Word,
}

impl Renamed {
    /// Reads `a as b` or `a`.
    pub(crate) fn of(word: &Word) -> Renamed {
        let part = |text: &str| Word { text: text.trim().to_owned(), at: word.at };
        match word.split_once(" as ") {
            Some((from, to)) => Renamed { from: part(from), to: part(to) },
            None => Renamed { from: word.clone(), to: word.clone() },
        }
    }
}

/// A name that a column may get.
pub(crate) fn check_name(name: &Word, problems: &mut Problems) {
    if name.is_empty() {
        problems.add(name.at, "a column needs a name");
    } else if table::is_place(name) {
        problems.add(
            name.at,
            format!("the column name `{name}` is reserved: names must not begin with `_salus_`"),
        );
    }
}
