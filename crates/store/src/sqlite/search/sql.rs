//! Pieces of SQL with their bound values kept beside them: no value is ever written into the text, so one shape is one prepared statement.

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

/// A piece of SQL text and the values of its `?` marks, in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Sql {
    text: String,
    args: Vec<Value>,
}

impl Sql {
    /// A piece without values.
    pub(super) fn text(text: &str) -> Sql {
        Sql { text: text.to_owned(), args: Vec::new() }
    }

    /// A piece with its values; there are as many `?` in `text` as `args`.
    pub(super) fn with(text: &str, args: impl IntoIterator<Item = impl Into<Value>>) -> Sql {
        let args: Vec<Value> = args.into_iter().map(Into::into).collect();
        debug_assert_eq!(text.matches('?').count(), args.len(), "one value for each mark in `{text}`");
        Sql { text: text.to_owned(), args }
    }

    /// The same piece with plain text behind it.
    pub(super) fn and_text(mut self, text: &str) -> Sql {
        self.text.push_str(text);
        self
    }

    /// The same piece with another one behind it.
    pub(super) fn and_sql(mut self, other: Sql) -> Sql {
        self.text.push_str(&other.text);
        self.args.extend(other.args);
        self
    }

    /// The same piece with ` AND other` behind it.
    pub(super) fn and(self, other: Sql) -> Sql {
        self.and_text(" AND ").and_sql(other)
    }

    /// The text, for `prepare_cached`.
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// The values, in the order of the marks.
    pub(super) fn args(&self) -> &[Value] {
        &self.args
    }

    /// The one number that it selects.
    pub(super) fn number(&self, conn: &Connection) -> rusqlite::Result<i64> {
        conn.prepare_cached(&self.text)?.query_row(params_from_iter(&self.args), |row| row.get(0))
    }
}

#[cfg(test)]
mod tests {
    use super::Sql;

    fn check(sql: &Sql, text: &str, n_args: usize) {
        assert_eq!(sql.as_str(), text);
        assert_eq!(sql.args().len(), n_args);
    }

    #[test]
    fn pieces_keep_their_values_in_order() {
        let sql = Sql::with("a = ?", [1i64])
            .and(Sql::text("b IN (").and_sql(Sql::with("?, ?", [2i64, 3])).and_text(")"));
        check(&sql, "a = ? AND b IN (?, ?)", 3);
        assert_eq!(sql.args(), [1i64.into(), 2i64.into(), 3i64.into()]);
    }
}
