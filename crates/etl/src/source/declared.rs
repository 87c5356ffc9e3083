//! Columns as a pipeline declares them, and how they meet the columns that a source has: missing ones, additional ones, renamed ones.
//! Every kind of source reads these options the same way.

use std::sync::Arc;

use table::{
    Column, Columns, Format, OnError, Reading, Type, TypedColumn, Typing, check_widening, parse_zone,
};

use crate::yaml::{Fields, Kind, Node};
use crate::{Problems, Word};

/// The columns that a pipeline declares for a source, and what becomes of others.
///
/// `columns:` is a map of name → type, or name → map with `type`, `formats`, `null_values`, `on_error`, `from`, `decimal_comma`,
/// `zone`. `null_values:` holds for all columns that have none of their own. `drift: {columns: fail|add|ignore, types:
/// quarantine|null}`.
#[derive(Clone, Debug, Default)]
pub struct Declared {
    columns: Vec<DeclaredColumn>,
    null_values: Option<Vec<String>>,
    drift: Drift,
}

/// What becomes of columns that are not declared, when some are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Drift {
    /// The source fails: nothing new passes unseen.
    #[default]
    Fail,
    /// They are read as they are: as text where the source has no types.
    Add,
    /// They are left out.
    Ignore,
}

/// A column as it is declared.
#[derive(Clone, Debug)]
struct DeclaredColumn {
    name: Word,
    /// Its name in the source.
    from: String,
    reading: Reading,
    has_type: bool,
}

/// A column of the source that is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound {
    /// Its name in the pipeline.
    pub name: Arc<str>,
    /// Where it stands among the columns of the source.
    pub found: usize,
    /// How it is read.
    pub reading: Reading,
}

impl Declared {
    /// Reads `columns`, `null_values` and `drift`.
    pub fn decode(fields: &mut Fields<'_>, problems: &mut Problems) -> Declared {
        let null_values = null_values_of(fields, problems);
        Declared::decode_rest(null_values, fields, problems)
    }

    /// [`Declared::decode`] for sources that know missing values, as databases do: an empty text is a text there, unless
    /// `null_values` says otherwise.
    pub fn decode_with_nulls(fields: &mut Fields<'_>, problems: &mut Problems) -> Declared {
        let null_values = null_values_of(fields, problems).unwrap_or_default();
        Declared::decode_rest(Some(null_values), fields, problems)
    }

    fn decode_rest(
        null_values: Option<Vec<String>>,
        fields: &mut Fields<'_>,
        problems: &mut Problems,
    ) -> Declared {
        let (mut drift, mut on_error) = (Drift::Fail, OnError::Quarantine);
        if let Some(node) = fields.node("drift") {
            let mut inner = node.fields("`drift`", problems);
            let choices = [("fail", Drift::Fail), ("add", Drift::Add), ("ignore", Drift::Ignore)];
            drift = inner.choice("columns", &choices, problems).unwrap_or_default();
            on_error = on_error_of("types", &mut inner, problems).unwrap_or(on_error);
            inner.end(problems);
        }
        let mut declared = Declared { columns: Vec::new(), null_values, drift };
        let Some(node) = fields.node("columns") else { return declared };
        for (name, node) in node.entries("`columns`", problems) {
            if let Some(column) = declared.column(name, node, on_error, problems) {
                declared.columns.push(column);
            }
        }
        declared.check_names(problems);
        declared
    }

    fn column(
        &self,
        name: &Word,
        node: &Node,
        on_error: OnError,
        problems: &mut Problems,
    ) -> Option<DeclaredColumn> {
        let base = Reading { on_error, ..self.base_reading(Type::Text) };
        if let Kind::Scalar { .. } | Kind::Null = node.kind {
            let written = node.text(&format!("the type of the column `{name}`"), problems)?;
            let kind = type_of(&written, problems)?;
            let reading = Reading { kind, ..base };
            return Some(DeclaredColumn {
                name: name.clone(),
                from: name.text.clone(),
                reading,
                has_type: true,
            });
        }
        let mut fields = node.fields(format!("the column `{name}`"), problems);
        let written = fields.text("type", problems);
        let kind = written.as_ref().map_or(Some(Type::Text), |written| type_of(written, problems));
        let reading = reading_of(kind.unwrap_or(Type::Text), base, &mut fields, problems);
        let from = fields.text("from", problems).map_or_else(|| name.text.clone(), |from| from.text);
        fields.end(problems);
        Some(DeclaredColumn { name: name.clone(), from, reading, has_type: written.is_some() })
    }

    fn base_reading(&self, kind: Type) -> Reading {
        let mut reading = Reading::new(kind);
        if let Some(values) = &self.null_values {
            reading.null_values.clone_from(values);
        }
        reading
    }

    fn check_names(&self, problems: &mut Problems) {
        for (index, column) in self.columns.iter().enumerate() {
            if table::is_place(&column.name) {
                problems.add(column.name.at, "names that begin with `_salus_` are reserved");
            }
            if self.columns[..index].iter().any(|other| other.from == column.from) {
                problems.add(
                    column.name.at,
                    format!("the column `{}` of the source is declared twice", column.from),
                );
            }
        }
    }

    /// The type that a column of the source is declared to have.
    pub fn kind_of(&self, from: &str) -> Option<Type> {
        self.columns
            .iter()
            .find(|column| column.has_type && column.from == from)
            .map(|column| column.reading.kind)
    }

    /// Whether any column is declared.
    pub fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    /// What becomes of columns that are not declared.
    pub fn drift(&self) -> Drift {
        self.drift
    }

    /// The columns that the source will give, when the declaration says all of them.
    pub fn columns(&self) -> Option<Columns> {
        if self.is_empty() || self.drift == Drift::Add {
            return None;
        }
        let columns =
            self.columns.iter().map(|column| Column::new(column.name.text.as_str(), column.reading.kind));
        Columns::new(columns.collect()).ok()
    }

    /// The names that must be there in the source, in the order of the declaration.
    pub fn wanted(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|column| column.from.as_str())
    }

    /// Whether a column of the source with this name would be read, if it is there.
    pub(crate) fn wants(&self, name: &str) -> bool {
        self.is_empty() || self.drift != Drift::Ignore || self.wanted().any(|wanted| wanted == name)
    }

    /// The words for a column that is not there, with those that could be meant.
    pub(crate) fn missing(&self, wanted: &str, found: &[Column]) -> String {
        missing(wanted, found)
    }

    /// Which columns of the source are read, how, and as what: the declared ones in their order, then the others as `drift` says.
    /// What does not fit comes back in words.
    pub fn bind(&self, found: &[Column]) -> Result<Vec<Bound>, String> {
        let mut bound = Vec::with_capacity(found.len());
        for column in &self.columns {
            let Some(at) = found.iter().position(|other| *other.name == *column.from) else {
                return Err(missing(&column.from, found));
            };
            let mut reading = column.reading.clone();
            if !column.has_type {
                reading.kind = found[at].kind;
            }
            check_widening(found[at].kind, reading.kind)
                .map_err(|why| format!("the column `{}`: {why}", column.from))?;
            bound.push(Bound { name: column.name.text.as_str().into(), found: at, reading });
        }
        let is_new = |name: &str| !self.columns.iter().any(|column| column.from == name);
        for (at, column) in found.iter().enumerate().filter(|(_, column)| is_new(&column.name)) {
            if !self.is_empty() && self.drift == Drift::Ignore {
                continue;
            }
            if !self.is_empty() && self.drift == Drift::Fail {
                return Err(format!(
                    "the source has a column `{}` that is not declared: declare it, or say `drift: {{columns: add}}` or `ignore`",
                    column.name
                ));
            }
            bound.push(Bound {
                name: column.name.clone(),
                found: at,
                reading: self.base_reading(column.kind),
            });
        }
        let columns = bound.iter().map(|column| Column::new(column.name.clone(), column.reading.kind));
        Columns::new(columns.collect()).map_err(|error| error.to_string())?;
        Ok(bound)
    }

    /// [`Declared::bind`] as a conversion of batches that have all the columns that were found.
    pub fn typing(&self, found: &[Column]) -> Result<Typing, String> {
        let columns = self.bind(found)?.into_iter().map(|bound| TypedColumn {
            name: bound.name,
            from: found[bound.found].name.clone(),
            reading: bound.reading,
        });
        Ok(Typing::new(columns.collect()))
    }
}

/// The columns that bound columns give.
pub fn columns_of(bound: &[Bound]) -> Result<Columns, table::TableError> {
    Columns::new(bound.iter().map(|bound| Column::new(bound.name.clone(), bound.reading.kind)).collect())
}

/// The type that a text names.
pub(super) fn type_of(written: &Word, problems: &mut Problems) -> Option<Type> {
    let kind = Type::parse(written);
    if kind.is_none() {
        problems.add(written.at, format!("unknown type `{written}`: there are {}", Type::NAMES));
    }
    kind
}

fn on_error_of(key: &'static str, fields: &mut Fields<'_>, problems: &mut Problems) -> Option<OnError> {
    // `on_error: null` is YAML's null, and means the word.
    if matches!(fields.node(key), Some(Node { kind: Kind::Null, .. })) {
        return Some(OnError::Null);
    }
    fields.choice(key, &[("quarantine", OnError::Quarantine), ("null", OnError::Null)], problems)
}

/// A list of texts; YAML's null among them means an empty text.
fn null_values_of(fields: &mut Fields<'_>, problems: &mut Problems) -> Option<Vec<String>> {
    let node = fields.node("null_values")?;
    let text = |node: &Node, problems: &mut Problems| match node.kind {
        Kind::Null => Some(String::new()),
        _ => node.text("a value of `null_values`", problems).map(|word| word.text),
    };
    Some(match &node.kind {
        Kind::List(items) => items.iter().filter_map(|item| text(item, problems)).collect(),
        _ => text(node, problems).into_iter().collect(),
    })
}

/// The options of a column that say how its text is read.
pub(super) fn reading_of(
    kind: Type,
    base: Reading,
    fields: &mut Fields<'_>,
    problems: &mut Problems,
) -> Reading {
    let mut reading = Reading { kind, ..base };
    let forms = fields.texts("formats", problems);
    let has_forms = matches!(kind, Type::Date | Type::Instant);
    for word in &forms {
        if !has_forms {
            problems.add(word.at, format!("`formats` goes with `date` and `instant`, not with `{kind}`"));
            break;
        }
        match Format::parse(word, kind) {
            Ok(format) => {
                if let Some(other) = reading.formats.iter().find(|other| other.is_confused_with(&format)) {
                    let other = other.written();
                    problems.add(
                        word.at,
                        format!("`{word}` and `{other}` read the same text as different days: keep one"),
                    );
                }
                reading.formats.push(format);
            }
            Err(why) => problems.add(word.at, why),
        }
    }
    if let Some(values) = null_values_of(fields, problems) {
        reading.null_values = values;
    }
    if let Some(on_error) = on_error_of("on_error", fields, problems) {
        reading.on_error = on_error;
    }
    reading.decimal_comma = fields.flag("decimal_comma", problems).unwrap_or(false);
    if let Some(word) = fields.text("zone", problems) {
        reading.zone_minutes = parse_zone(&word);
        if reading.zone_minutes.is_none() {
            problems.add(
                word.at,
                "`zone` must be `UTC` or an offset such as `-06:00`: a region's time is not known here",
            );
        }
    }
    reading
}

/// A column that is not there, with those that could be meant.
fn missing(wanted: &str, found: &[Column]) -> String {
    let mut close: Vec<(usize, &str)> = found
        .iter()
        .map(|column| (distance(&plain(wanted), &plain(&column.name)), &*column.name))
        .filter(|(distance, name)| *distance <= 1 + name.chars().count().min(wanted.chars().count()) / 4)
        .collect();
    close.sort_unstable();
    let hint = match close.as_slice() {
        [] if found.len() <= 12 => {
            let names: Vec<String> = found.iter().map(|column| format!("`{}`", column.name)).collect();
            format!("it has {}", names.join(", "))
        }
        [] => format!("it has {} other columns", found.len()),
        close => {
            let names: Vec<String> = close.iter().take(3).map(|(_, name)| format!("`{name}`")).collect();
            format!("did it become {}? Then write `from`", names.join(" or "))
        }
    };
    format!("the source has no column `{wanted}`: {hint}")
}

/// Lower-case letters and digits only: `Birth Date` is close to `birth_date`.
fn plain(name: &str) -> Vec<char> {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Letters to change, add or remove.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let changed = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::parse;

    fn decode(text: &str) -> (Declared, Vec<String>) {
        let mut problems = Problems::default();
        let node = parse(text, &mut problems).unwrap();
        let mut fields = node.fields("the source `x`", &mut problems);
        let declared = Declared::decode(&mut fields, &mut problems);
        fields.end(&mut problems);
        (declared, problems.into_sorted().iter().map(ToString::to_string).collect())
    }

    fn found(names: &[&str]) -> Vec<Column> {
        names.iter().map(|name| Column::new(*name, Type::Text)).collect()
    }

    #[test]
    fn columns_are_declared_shortly_or_at_length() {
        let text = "null_values: ['', NA]\ncolumns:\n  id: text\n  born: {type: date, formats: ['%m/%d/%Y'], from: DOB, on_error: null}\n  n: {type: 'decimal(9,2)', null_values: [~, '-'], decimal_comma: true}\n";
        let (declared, problems) = decode(text);
        assert_eq!(problems, [""; 0]);
        let bound = declared.bind(&found(&["DOB", "n", "id"])).unwrap();
        let shape: Vec<_> =
            bound.iter().map(|bound| (&*bound.name, bound.found, bound.reading.kind)).collect();
        let decimal = Type::Decimal { precision: 9, scale: 2 };
        assert_eq!(shape, [("id", 2, Type::Text), ("born", 0, Type::Date), ("n", 1, decimal)]);
        assert_eq!(bound[0].reading.null_values, ["", "NA"]);
        assert_eq!(bound[2].reading.null_values, ["", "-"]);
        assert_eq!(
            (bound[1].reading.on_error, bound[0].reading.on_error),
            (OnError::Null, OnError::Quarantine)
        );
        assert_eq!(declared.columns().unwrap().names(), ["id", "born", "n"]);
    }

    #[test]
    fn what_is_wrong_in_a_declaration_is_said_with_its_place() {
        let text = "columns:\n  a: string\n  b: {type: date, formats: ['%m/%d/%Y', '%d/%m/%Y', '%y']}\n  c: {formats: ['%Y-%m-%d']}\n  d: {zone: CET, form: 1}\n  e: {from: b}\n";
        let expected = [
            "2:6: unknown type `string`: there are `text`, `integer`, `decimal(p,s)`, `number`, `date`, `instant`, `boolean`",
            "3:41: `%d/%m/%Y` and `%m/%d/%Y` read the same text as different days: keep one",
            "3:53: `%y`: a year of two digits does not say its century: use `%Y`, or read the column as text",
            "4:17: `formats` goes with `date` and `instant`, not with `text`",
            "5:13: `zone` must be `UTC` or an offset such as `-06:00`: a region's time is not known here",
            "5:18: unknown key `form` in the column `d`: it knows `type`, `formats`, `null_values`, `on_error`, `decimal_comma`, `zone`, `from`",
            "6:3: the column `b` of the source is declared twice",
        ];
        assert_eq!(decode(text).1, expected);
    }

    #[test]
    fn a_column_that_is_missing_or_new_stops_the_source() {
        let check = |text: &str, names: &[&str], expected: Result<&[&str], &str>| {
            let bound = decode(text).0.bind(&found(names));
            let bound =
                bound.map(|bound| bound.iter().map(|bound| bound.name.to_string()).collect::<Vec<_>>());
            let expected = expected.map(|names| names.iter().map(ToString::to_string).collect());
            assert_eq!(bound, expected.map_err(str::to_owned));
        };
        let two = "columns: {birth_date: text, zip: text}\n";
        check(two, &["zip", "birth_date"], Ok(&["birth_date", "zip"]));
        check(
            two,
            &["zip", "BirthDate"],
            Err("the source has no column `birth_date`: did it become `BirthDate`? Then write `from`"),
        );
        check(two, &["zip", "x"], Err("the source has no column `birth_date`: it has `zip`, `x`"));
        check(
            two,
            &["zip", "birth_date", "ssn"],
            Err(
                "the source has a column `ssn` that is not declared: declare it, or say `drift: {columns: add}` or `ignore`",
            ),
        );
        check(
            &format!("{two}drift: {{columns: add}}\n"),
            &["ssn", "zip", "birth_date"],
            Ok(&["birth_date", "zip", "ssn"]),
        );
        check(
            &format!("{two}drift: {{columns: ignore}}\n"),
            &["ssn", "zip", "birth_date"],
            Ok(&["birth_date", "zip"]),
        );
        check("drift: {types: null}\n", &["a", "b"], Ok(&["a", "b"]));
        check("drift: {types: null}\n", &["a", "a"], Err("two columns are named `a`: give one another name"));
    }

    #[test]
    fn a_typed_source_is_only_widened() {
        let (declared, _) = decode("columns: {n: 'decimal(9,2)', id: {from: code}}\n");
        let of = |kind| [Column::new("n", kind), Column::new("code", Type::Integer)];
        let bound = declared.bind(&of(Type::Integer)).unwrap();
        assert_eq!(bound[1].reading.kind, Type::Integer);
        assert!(declared.bind(&of(Type::Number)).unwrap_err().contains("the column `n`: it is number"));
    }
}
