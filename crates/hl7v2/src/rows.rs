//! Messages as flat rows of text, for tables: each column is a path, and there is one row per message or per segment of a name.
//!
//! ```
//! use hl7v2::{Limits, Message, rows::{Column, Projection}};
//! let text = b"MSH|^~\\&|||||||ORU^R01|7\rPID|1||123\rOBR|1||A\rOBX|1|NM|K||4.1\rOBX|2|NM|NA||\"\"\rOBR|2||B\rOBX|1|NM|GLU||90\r";
//! let message = Message::parse(text, &Limits::default()).unwrap();
//! let columns = [("patient", "PID-3"), ("order", "OBR-3"), ("code", "OBX-3"), ("value", "OBX-5")];
//! let columns = columns.map(|(name, path)| Column::new(name, path)).to_vec();
//! let projection = Projection::new(columns, Some("OBX")).unwrap();
//! let rows: Vec<String> = projection.rows(&message).iter().map(|row| {
//!     row.values.iter().map(|value| value.as_deref().unwrap_or("-")).collect::<Vec<_>>().join(" ")
//! }).collect();
//! assert_eq!(rows, ["123 A K 4.1", "123 A NA -", "123 B GLU 90"]);
//! ```
//!
//! # Where a value comes from
//!
//! Without `per`, a path means what [`Message::at`] means: the first segment of its name, or the one it counts.
//!
//! With `per`, a path to that segment means the row's own. `NTE` and `PRT`, and what belongs to one segment (`IN2` and `IN3` to `IN1`, `PV2` to `PV1`,
//! `RXR` to `RXA`, `IAR` to `IAM`, `CTD` to `PRD`) are those directly after it. Any other segment is the first of its name, or the one that the path counts, in the
//! innermost [group](crate::groups) around the row that has one: its order, then its specimen, visit or patient, then the message. It is never taken from
//! another order or patient.
//!
//! # Absent, empty and null
//!
//! A column is `None` where the message says nothing (absent or empty). Of a null (`""`) it is `None` too, or the two quotation marks as they were written, as
//! [`Nulls`] chooses.

use crate::groups::Groups;
use crate::path::segment_id;
use crate::segment::Segment;
use crate::{Message, Path, PathError, Value};

/// A column of a projection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// The path to its value, such as `PID-3(2).4`.
    pub path: String,
    /// Puts all values together, with this text between them: of every repetition, and of every segment in reach, that the path does not count.
    /// `None` takes the first.
    pub join: Option<String>,
}

impl Column {
    /// A column of the first value at a path.
    pub fn new(name: impl Into<String>, path: impl Into<String>) -> Column {
        Column { name: name.into(), path: path.into(), join: None }
    }

    /// The column with all values at the path, `separator` between them.
    #[must_use]
    pub fn joined(self, separator: impl Into<String>) -> Column {
        Column { join: Some(separator.into()), ..self }
    }
}

/// What a null becomes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Nulls {
    /// `None`, as when nothing is said: there is no value.
    #[default]
    AsNone,
    /// The text `""`: for those who must tell a deletion from silence.
    AsWritten,
}

/// Why columns are no projection.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProjectionError {
    /// No column.
    #[error("name at least one column")]
    NoColumns,
    /// A column without a name, or two of one name.
    #[error("column {number} needs a name that no other has, not `{name}`")]
    Name {
        /// Its number, from 1.
        number: usize,
        /// The name.
        name: String,
    },
    /// A path that is none.
    #[error("column `{name}`: {error}")]
    Path {
        /// The column.
        name: String,
        /// What is wrong.
        error: PathError,
    },
    /// `per` is no segment.
    #[error("`per: {per}` must name a segment such as `OBX`")]
    Per {
        /// The text.
        per: String,
    },
    /// A path that counts the segment of which every row has its own.
    #[error(
        "column `{name}`: each row has its own `{per}`, so that the path cannot count them; leave out the number in parentheses"
    )]
    Counted {
        /// The column.
        name: String,
        /// The segment.
        per: String,
    },
}

/// Turns messages into rows.
#[derive(Clone, Debug)]
pub struct Projection {
    columns: Vec<(Column, Path)>,
    per: Option<String>,
    nulls: Nulls,
}

/// One row.
#[derive(Clone, PartialEq, Eq)]
pub struct Row {
    /// Number of the row's own segment in the message, from 1; `None` without `per`.
    pub segment: Option<usize>,
    /// A value for each column.
    pub values: Vec<Option<String>>,
}

/// Without contents.
impl std::fmt::Debug for Row {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let n_given = self.values.iter().flatten().count();
        write!(out, "Row(segment {:?}, {n_given} of {} values)", self.segment, self.values.len())
    }
}

impl Projection {
    /// A projection with these columns; one row per message, or per segment of the name `per`. A message without such a segment gives no row.
    ///
    /// # Errors
    /// When a name, a path or `per` is not good.
    pub fn new(columns: Vec<Column>, per: Option<&str>) -> Result<Projection, ProjectionError> {
        if let Some(per) = per.filter(|per| segment_id(per.as_bytes()).is_none()) {
            return Err(ProjectionError::Per { per: per.to_owned() });
        }
        if columns.is_empty() {
            return Err(ProjectionError::NoColumns);
        }
        let mut parsed: Vec<(Column, Path)> = Vec::with_capacity(columns.len());
        for (number, column) in (1..).zip(columns) {
            let name = column.name.clone();
            if name.is_empty() || parsed.iter().any(|(other, _)| other.name == name) {
                return Err(ProjectionError::Name { number, name });
            }
            let path = match Path::parse(&column.path) {
                Ok(path) => path,
                Err(error) => return Err(ProjectionError::Path { name, error }),
            };
            if per == Some(path.segment()) && path.occurrence().is_some() {
                return Err(ProjectionError::Counted { name, per: path.segment().to_owned() });
            }
            parsed.push((column, path));
        }
        Ok(Projection { columns: parsed, per: per.map(str::to_owned), nulls: Nulls::default() })
    }

    /// The projection with another treatment of nulls.
    #[must_use]
    pub fn with_nulls(self, nulls: Nulls) -> Projection {
        Projection { nulls, ..self }
    }

    /// The names of the columns.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.columns.iter().map(|(column, _)| column.name.as_str())
    }

    /// The rows of a message.
    pub fn rows(&self, message: &Message) -> Vec<Row> {
        let Some(per) = &self.per else {
            let all: Vec<usize> = (0..message.n_segments()).collect();
            let values = self.columns.iter().map(|(column, path)| {
                self.value(message, &reached(message, &all, path), path, column.join.as_deref())
            });
            return vec![Row { segment: None, values: values.collect() }];
        };
        let groups = Groups::of(message);
        // Rows of one group find the same segments: each column keeps those of the last group.
        let mut last: Vec<(usize, Vec<usize>)> = vec![(usize::MAX, Vec::new()); self.columns.len()];
        let rows = message.segments(per).map(|own| {
            let values = self.columns.iter().zip(&mut last).map(|((column, path), last)| {
                let join = column.join.as_deref();
                if path.segment() == own.id() {
                    return self.value(message, &[own.index()], path, join);
                }
                let attached = attached_to(own.id());
                if ALWAYS_ATTACHED.contains(&path.segment()) || attached.contains(&path.segment()) {
                    let run = [ALWAYS_ATTACHED, attached].concat();
                    let after: Vec<usize> = own.followed_by(&run).map(|segment| segment.index()).collect();
                    return self.value(message, &reached(message, &after, path), path, join);
                }
                let group = groups.innermost(&own);
                if last.0 != group {
                    *last = (group, in_groups(message, &groups, group, path));
                }
                self.value(message, &last.1, path, join)
            });
            Row { segment: Some(own.index() + 1), values: values.collect() }
        });
        rows.collect()
    }

    /// The value of a path in the segments that it reaches.
    fn value(&self, message: &Message, reached: &[usize], path: &Path, join: Option<&str>) -> Option<String> {
        let segments = reached.iter().filter_map(|index| message.segment(*index));
        let Some(separator) = join else {
            let first = segments.into_iter().next()?;
            return self.text(first.at(path));
        };
        let texts: Vec<String> = segments.flat_map(|segment| self.repetitions(&segment, path)).collect();
        (!texts.is_empty()).then(|| texts.join(separator))
    }

    fn repetitions(&self, segment: &Segment<'_>, path: &Path) -> Vec<String> {
        if path.repetition().is_some() {
            return self.text(segment.at(path)).into_iter().collect();
        }
        let values = segment
            .field(path.field())
            .repetitions()
            .map(|repetition| repetition.component(path.component()).subcomponent(path.subcomponent()));
        values.filter_map(|value| self.text(value)).collect()
    }

    fn text(&self, value: Value<'_>) -> Option<String> {
        match value {
            Value::Absent | Value::Empty => None,
            Value::Null => (self.nulls == Nulls::AsWritten).then(|| "\"\"".to_owned()),
            Value::Text(text) => Some(text.into_owned()),
        }
    }
}

/// Belong to the segment before them, whatever it is.
const ALWAYS_ATTACHED: &[&str] = &["NTE", "PRT"];

/// What belongs to a segment when it stands directly after it.
fn attached_to(id: &str) -> &'static [&'static str] {
    match id {
        "IN1" => &["IN2", "IN3"],
        "PV1" => &["PV2"],
        "RXA" => &["RXR"],
        "IAM" => &["IAR"],
        "PRD" => &["CTD"],
        _ => &[],
    }
}

/// Those of `candidates` that have the path's name, or only the one that it counts.
fn reached(message: &Message, candidates: &[usize], path: &Path) -> Vec<usize> {
    let is_named = |index: &usize| message.segment(*index).is_some_and(|s| s.id() == path.segment());
    let mut named = candidates.iter().copied().filter(is_named);
    match path.occurrence() {
        Some(number) => named.nth(number - 1).into_iter().collect(),
        None => named.collect(),
    }
}

/// The segments of the path's name in the innermost group that has some.
fn in_groups(message: &Message, groups: &Groups, group: usize, path: &Path) -> Vec<usize> {
    groups
        .around(group)
        .map(|group| reached(message, &groups.all()[group].members, path))
        .find(|found| !found.is_empty())
        .unwrap_or_default()
}
