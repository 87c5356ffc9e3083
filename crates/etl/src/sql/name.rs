//! Names of tables and columns: read from a pipeline file, quoted for a database. A name is never SQL.

use std::fmt;

use crate::{Point, Problems, Word};

/// How a database quotes names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// `"name"`: PostgreSQL, SQLite.
    Standard,
    /// `` `name` ``: MySQL, MariaDB.
    Mysql,
}

/// A name in the quotes of a database.
pub(crate) fn quoted(dialect: Dialect, name: &str) -> String {
    let quote = match dialect {
        Dialect::Standard => '"',
        Dialect::Mysql => '`',
    };
    let mut text = String::with_capacity(name.len() + 2);
    text.push(quote);
    for letter in name.chars() {
        if letter == quote {
            text.push(quote);
        }
        text.push(letter);
    }
    text.push(quote);
    text
}

/// The longest table name that all databases keep whole (PostgreSQL: 63 bytes).
const NAME_BYTES_MAX: usize = 63;

/// The name of a table, perhaps with its schema: `patients`, `public.patients`, `"odd.name"."Patients"`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TableName {
    /// The schema (PostgreSQL) or database (MySQL), when it is named.
    pub(crate) schema: Option<String>,
    /// The table.
    pub(crate) table: String,
    /// Where it stands in the pipeline file.
    pub(crate) at: Point,
}

impl TableName {
    /// Reads a name: parts are separated by points; a part in double quotes may hold anything.
    pub(crate) fn parse(word: &Word, problems: &mut Problems) -> Option<TableName> {
        let parts = parts_of(word);
        let fits = |part: &String| !part.is_empty() && part.len() <= NAME_BYTES_MAX && !part.contains('\0');
        let parts = parts.filter(|parts| parts.iter().all(fits) && (1..=2).contains(&parts.len()));
        let Some(mut parts) = parts else {
            let form = "write `table` or `schema.table`, a part with points or quotes in double quotes, \
                        no part longer than 63 bytes";
            problems.add(word.at, format!("`{word}` is not the name of a table: {form}"));
            return None;
        };
        let table = parts.pop()?;
        Some(TableName { schema: parts.pop(), table, at: word.at })
    }

    /// The name in quotes.
    pub(crate) fn quoted(&self, dialect: Dialect) -> String {
        self.beside(dialect, &self.table)
    }

    /// Another table in the same schema, in quotes.
    pub(crate) fn beside(&self, dialect: Dialect, table: &str) -> String {
        match &self.schema {
            Some(schema) => format!("{}.{}", quoted(dialect, schema), quoted(dialect, table)),
            None => quoted(dialect, table),
        }
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.schema {
            Some(schema) => write!(f, "{schema}.{}", self.table),
            None => f.write_str(&self.table),
        }
    }
}

fn parts_of(text: &str) -> Option<Vec<String>> {
    let (mut parts, mut rest) = (Vec::new(), text);
    loop {
        let (part, after) = match rest.strip_prefix('"') {
            Some(inner) => quoted_part(inner)?,
            None => {
                let end = rest.find('.').unwrap_or(rest.len());
                (rest[..end].to_owned(), &rest[end..])
            }
        };
        parts.push(part);
        if after.is_empty() {
            return Some(parts);
        }
        rest = after.strip_prefix('.')?;
    }
}

/// The part up to its closing quote, and what follows. Two quotes stand for one.
fn quoted_part(text: &str) -> Option<(String, &str)> {
    let (mut part, mut rest) = (String::new(), text);
    loop {
        let end = rest.find('"')?;
        part.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix('"') {
            Some(more) => {
                part.push('"');
                rest = more;
            }
            None => return Some((part, rest)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, standard: Option<&str>, mysql: &str) {
        let mut problems = Problems::default();
        let name = TableName::parse(&Word { text: text.to_owned(), at: Point::default() }, &mut problems);
        assert_eq!(name.as_ref().map(|name| name.quoted(Dialect::Standard)).as_deref(), standard, "{text}");
        assert_eq!(problems.is_empty(), standard.is_some());
        if let Some(name) = name {
            assert_eq!(name.quoted(Dialect::Mysql), mysql);
        }
    }

    #[test]
    fn a_name_is_never_sql() {
        check("patients", Some("\"patients\""), "`patients`");
        check("public.Patients", Some("\"public\".\"Patients\""), "`public`.`Patients`");
        check("x\"; DROP TABLE y; --", Some("\"x\"\"; DROP TABLE y; --\""), "`x\"; DROP TABLE y; --`");
        check("x`; DROP TABLE y", Some("\"x`; DROP TABLE y\""), "`x``; DROP TABLE y`");
        check("\"a.b\".\"c\"\"d\"", Some("\"a.b\".\"c\"\"d\""), "`a.b`.`c\"d`");
        check("", None, "");
        check("a.b.c", None, "");
        check("a.", None, "");
        check("\"open", None, "");
        check("\"a\"b", None, "");
        check(&"x".repeat(64), None, "");
    }
}
