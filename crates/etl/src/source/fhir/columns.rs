//! Columns as FHIRPath expressions on a resource, and the texts that they give.

use std::sync::Arc;

use ::fhir::{Instant, Value};
use fhirpath::{Context, Expression, Item, System};
use table::{Column, Columns, Place, Reading, Type, TypedColumn};

use crate::source::api::rows::{Rows, text_of};
use crate::source::declared::{reading_of, type_of};
use crate::yaml::{Fields, Kind, Node};
use crate::{Problems, Word};

/// Columns that every row has.
const ALWAYS: [&str; 3] = ["resource_type", "resource_id", "resource"];

/// The columns of a source of resources.
#[derive(Debug)]
pub(super) struct PathColumns {
    paths: Vec<PathColumn>,
    columns: Columns,
}

#[derive(Debug)]
struct PathColumn {
    name: Arc<str>,
    expression: Expression,
    /// Stands between several values.
    join: Option<String>,
    reading: Reading,
}

impl PathColumns {
    /// Reads `columns`: name → FHIRPath, or name → map with `path`, `join`, `type` and how its text is read.
    pub(super) fn decode(fields: &mut Fields<'_>, problems: &mut Problems) -> PathColumns {
        let mut paths = Vec::new();
        if let Some(node) = fields.node("columns") {
            for (name, node) in node.entries("`columns`", problems) {
                if table::is_place(name) || ALWAYS.contains(&name.text.as_str()) {
                    let why = format!("a column `{name}` is there already: give this one another name");
                    problems.add(name.at, why);
                }
                paths.extend(PathColumn::decode(name, node, problems));
            }
        }
        let always = ALWAYS.iter().map(|name| Column::new(*name, Type::Text));
        let own = paths.iter().map(|path| Column::new(path.name.clone(), path.reading.kind));
        // Names that stand twice were reported where they stand.
        let columns = Columns::new(always.chain(own).collect()).unwrap_or_default();
        PathColumns { paths, columns }
    }

    pub(super) fn columns(&self) -> &Columns {
        &self.columns
    }

    /// Where the cells go.
    pub(super) fn rows(&self) -> Rows {
        let always = ALWAYS.iter().map(|name| (Arc::from(*name), Reading::new(Type::Text)));
        let own = self.paths.iter().map(|path| (path.name.clone(), path.reading.clone()));
        let typed = always.chain(own).map(|(name, reading): (Arc<str>, Reading)| TypedColumn {
            from: name.clone(),
            name,
            reading,
        });
        Rows::new(typed.collect(), None)
    }
}

impl PathColumn {
    fn decode(name: &Word, node: &Node, problems: &mut Problems) -> Option<PathColumn> {
        let (path, join, reading) = if let Kind::Scalar { .. } = node.kind {
            let path = node.text(&format!("the path of the column `{name}`"), problems)?;
            (path, None, Reading::new(Type::Text))
        } else {
            let mut fields = node.fields(format!("the column `{name}`"), problems);
            let path = fields.required_text("path", problems);
            let join = fields.text("join", problems).map(|word| word.text);
            let kind = fields.text("type", problems).and_then(|written| type_of(&written, problems));
            let kind = kind.unwrap_or(Type::Text);
            let reading = reading_of(kind, Reading::new(kind), &mut fields, problems);
            fields.end(problems);
            (path?, join, reading)
        };
        match Expression::parse(&path) {
            Ok(expression) => Some(PathColumn { name: name.text.as_str().into(), expression, join, reading }),
            Err(error) => {
                problems.add(path.at, format!("the path of the column `{name}`: {error}"));
                None
            }
        }
    }
}

/// Turns resources into cells.
pub(super) struct Cells {
    columns: Arc<PathColumns>,
    now: Instant,
}

/// Why a resource gives no row.
struct Refused {
    reason: &'static str,
    message: String,
}

impl Cells {
    pub(super) fn new(columns: Arc<PathColumns>, now: Instant) -> Cells {
        Cells { columns, now }
    }

    /// Adds a resource to the rows, or a reject.
    pub(super) fn push(&self, resource: &Value, place: Place, rows: &mut Rows) {
        match self.cells(resource) {
            Ok(cells) => rows.push(cells.into_iter(), place),
            Err(refused) => rows.reject(place, refused.reason, refused.message, resource.to_bytes()),
        }
    }

    fn cells(&self, resource: &Value) -> Result<Vec<Option<String>>, Refused> {
        let (Some(kind), Some(id)) = (resource.text("resourceType"), resource.text("id")) else {
            let message = "the entry has no resource with a type and an id".to_owned();
            return Err(Refused { reason: "not_a_resource", message });
        };
        let mut cells = vec![Some(kind.to_owned()), Some(id.to_owned()), Some(resource.to_text())];
        let context = Context::of(Item::resource(resource)).now(self.now);
        for column in &self.columns.paths {
            cells.push(column.cell(&context)?);
        }
        Ok(cells)
    }
}

impl PathColumn {
    fn cell(&self, context: &Context<'_>) -> Result<Option<String>, Refused> {
        let name = &self.name;
        let refused = |reason, why: &str| Refused { reason, message: format!("`{name}`: {why}") };
        let items = self
            .expression
            .evaluate(context)
            .map_err(|_| refused("bad_path", "its path cannot be evaluated on this resource"))?;
        let mut text: Option<String> = None;
        for item in &items {
            let Some(value) = written(item).map_err(|why| refused("no_text", why))? else { continue };
            text = Some(match (text, &self.join) {
                (None, _) => value,
                (Some(before), Some(between)) => before + between + &value,
                (Some(_), None) => {
                    let why = "its path gives several values: pick one, as with `.first()`, or say `join`";
                    return Err(refused("many_values", why));
                }
            });
        }
        Ok(text)
    }
}

/// An item as text: elements as they are written, objects as JSON; nothing for a primitive that has only extensions.
fn written(item: &Item<'_>) -> Result<Option<String>, &'static str> {
    if let Some(value) = item.value() {
        return Ok(text_of(value));
    }
    match item.system() {
        None => Ok(None),
        Some(System::Boolean(yes)) => Ok(Some(yes.to_string())),
        Some(System::Integer(number)) => Ok(Some(number.to_string())),
        Some(System::Decimal(number)) => Ok(Some(number.to_string())),
        Some(System::String(text)) => Ok(Some(text.to_owned())),
        Some(System::Temporal(_) | System::Quantity(_)) => {
            Err("its path gives a computed time or quantity: write `.toString()` behind it")
        }
    }
}
