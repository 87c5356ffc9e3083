//! Pieces of SQL with their bound values kept beside them: no value is ever written into the text, so one shape is one prepared statement.

use rusqlite::types::Value;

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

    /// A condition that never holds.
    pub(super) fn never() -> Sql {
        Sql::text("0")
    }

    /// A condition that always holds.
    pub(super) fn always() -> Sql {
        Sql::text("1")
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

    /// `?, ?, ?` for the values.
    pub(super) fn list(args: impl IntoIterator<Item = impl Into<Value>>) -> Sql {
        let args: Vec<Value> = args.into_iter().map(Into::into).collect();
        Sql { text: vec!["?"; args.len()].join(", "), args }
    }

    /// `(a OR b OR c)`; never when there is none.
    pub(super) fn any(parts: impl IntoIterator<Item = Sql>) -> Sql {
        Sql::joined(parts, " OR ").unwrap_or_else(Sql::never)
    }

    /// `(a AND b AND c)`; always when there is none.
    pub(super) fn all(parts: impl IntoIterator<Item = Sql>) -> Sql {
        Sql::joined(parts, " AND ").unwrap_or_else(Sql::always)
    }

    /// `NOT (self)`.
    pub(super) fn negated(self) -> Sql {
        Sql::text("NOT (").and_sql(self).and_text(")")
    }

    /// The parts with `between` between them, without parentheses; none when there is no part.
    pub(super) fn chain(parts: impl IntoIterator<Item = Sql>, between: &str) -> Option<Sql> {
        parts.into_iter().reduce(|left, right| left.and_text(between).and_sql(right))
    }

    fn joined(parts: impl IntoIterator<Item = Sql>, between: &str) -> Option<Sql> {
        let mut parts = parts.into_iter();
        let first = parts.next()?;
        let Some(second) = parts.next() else { return Some(first) };
        let start = Sql::text("(").and_sql(first).and_text(between).and_sql(second);
        Some(parts.fold(start, |sum, part| sum.and_text(between).and_sql(part)).and_text(")"))
    }

    /// The text, for `prepare_cached`.
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// The values, in the order of the marks.
    pub(super) fn args(&self) -> &[Value] {
        &self.args
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
        let sql = Sql::with("a = ?", [1i64]).and(Sql::text("b IN (").and_sql(Sql::list([2i64, 3])).and_text(")"));
        check(&sql, "a = ? AND b IN (?, ?)", 3);
        assert_eq!(sql.args(), [1i64.into(), 2i64.into(), 3i64.into()]);
    }

    #[test]
    fn an_empty_choice_never_holds_and_an_empty_conjunction_always_does() {
        check(&Sql::any([]), "0", 0);
        check(&Sql::all([]), "1", 0);
        check(&Sql::any([Sql::text("x")]), "x", 0);
        check(&Sql::any([Sql::text("x"), Sql::with("y = ?", [1i64])]), "(x OR y = ?)", 1);
        check(&Sql::all([Sql::text("x"), Sql::text("y"), Sql::text("z")]).negated(), "NOT ((x AND y AND z))", 0);
    }
}
