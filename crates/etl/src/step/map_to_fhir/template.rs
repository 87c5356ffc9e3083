//! The template of a resource: YAML in the shape of the resource, whose leaves are constants, columns, expressions, ids and references.

use fhir::json::Number;
use fhir::{Kind as ResourceKind, Value as Fhir};
use table::{Columns, Type};

use crate::engine::Expression;
use crate::step::shared::{need_column, predicate};
use crate::yaml::{Kind, Node};
use crate::{Problems, Word};

const WHAT: &str = "`resource` of the step `map_to_fhir`";

/// A template as it is written.
#[derive(Debug)]
pub(super) struct Template {
    kind: ResourceKind,
    root: Part,
}

/// Part of a template. `S` is what a dynamic leaf names: its text, or the number of the cells it reads.
#[derive(Clone, Debug)]
pub(super) enum Shape<S> {
    /// Always the same.
    Constant(Fhir),
    /// A value of the row, as this JSON type.
    Cell(S, Form),
    /// A code made of values of the row: the same values give the same id of a type.
    Hash(String, Vec<S>),
    /// A reference to a resource of this type; the part gives its id.
    Reference(String, Box<Shape<S>>),
    /// One part or the other.
    If(S, Box<Shape<S>>, Option<Box<Shape<S>>>),
    Object(Vec<(String, Shape<S>)>),
    Array(Vec<Shape<S>>),
}

pub(super) type Part = Shape<Source>;

/// Where the value of a leaf comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Column(Word),
    Sql(Word),
    Condition(Word),
}

/// The JSON type of a leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// As the column's type says: numbers and truth values as such, all else as strings.
    Own,
    String,
    Number,
    Boolean,
}

impl Template {
    /// Reads a template.
    pub(super) fn decode(node: &Node, problems: &mut Problems) -> Option<Template> {
        let entries = node.entries(WHAT, problems);
        let kind = entries.iter().find(|(name, _)| name.text == "resourceType");
        let Some((_, kind)) = kind else {
            problems.add(node.at, format!("{WHAT} needs `resourceType`: the type, such as `Patient`"));
            return None;
        };
        let word = kind.text(WHAT, problems)?;
        let Some(kind) = ResourceKind::parse(&word) else {
            problems.add(word.at, format!("`{word}` is not a resource type of R4"));
            return None;
        };
        if !entries.iter().any(|(name, _)| name.text == "id") {
            problems.add(node.at, format!("{WHAT} needs `id`: a column, or `{{hash: [column]}}`"));
            return None;
        }
        let root = part(node, kind.name(), problems)?;
        Some(Template { kind, root })
    }

    /// The template with its columns and expressions checked.
    pub(super) fn bind(&self, input: &Columns, problems: &mut Problems) -> Option<Bound> {
        let mut slots = Slots { input, list: Vec::new(), is_complete: true };
        let root = slots.bind(&self.root, problems);
        let Slots { list, is_complete, .. } = slots;
        is_complete.then(|| Bound {
            kind: self.kind.name(),
            root,
            slots: list.into_iter().map(|(_, slot)| slot).collect(),
        })
    }
}

/// The forms that stand for values: maps of these keys are no elements.
fn part(node: &Node, kind: &str, problems: &mut Problems) -> Option<Part> {
    let entries = match &node.kind {
        Kind::Null => {
            problems.add(
                node.at,
                format!("{WHAT}: an element that is always missing is left out of the template"),
            );
            return None;
        }
        Kind::Scalar { text, plain } => return Some(Shape::Constant(constant(text, *plain))),
        Kind::List(items) => {
            let parts = items.iter().map(|item| part(item, kind, problems)).collect::<Vec<_>>();
            return Some(Shape::Array(parts.into_iter().collect::<Option<_>>()?));
        }
        Kind::Map(entries) => entries,
    };
    let value_of = |key: &str| entries.iter().find(|(name, _)| name.text == key).map(|(_, node)| node);
    let has_only = |keys: &[&str]| entries.iter().all(|(name, _)| keys.contains(&&*name.text));
    if let Some(column) = value_of("column").filter(|_| has_only(&["column", "as"])) {
        return cell(Source::Column(column.text(WHAT, problems)?), value_of("as"), problems);
    }
    if let Some(sql) = value_of("sql").filter(|_| has_only(&["sql", "as"])) {
        return cell(Source::Sql(sql.text(WHAT, problems)?), value_of("as"), problems);
    }
    if let Some(columns) =
        value_of("hash").filter(|node| has_only(&["hash"]) && matches!(node.kind, Kind::List(_)))
    {
        let columns = columns.texts(WHAT, problems).into_iter().map(Source::Column).collect();
        return Some(Shape::Hash(kind.to_owned(), columns));
    }
    if let Some(to) = value_of("reference_to") {
        return reference(to, value_of("id"), entries, problems);
    }
    if let Some(condition) = value_of("if").filter(|_| has_only(&["if", "then", "else"])) {
        let Some(then) = value_of("then") else {
            problems.add(node.at, format!("{WHAT}: `if` needs `then`"));
            return None;
        };
        let condition = Source::Condition(condition.text(WHAT, problems)?);
        let then = part(then, kind, problems);
        let other = value_of("else").map(|node| part(node, kind, problems).map(Box::new));
        return Some(Shape::If(condition, Box::new(then?), other.transpose_some()?));
    }
    let mut members = Vec::with_capacity(entries.len());
    let mut is_complete = true;
    for (name, node) in entries {
        match part(node, kind, problems) {
            Some(part) => members.push((name.text.clone(), part)),
            None => is_complete = false,
        }
    }
    is_complete.then_some(Shape::Object(members))
}

/// `None` for nothing written, an error for something wrong.
trait TransposeSome<T> {
    fn transpose_some(self) -> Option<Option<T>>;
}

impl<T> TransposeSome<T> for Option<Option<T>> {
    fn transpose_some(self) -> Option<Option<T>> {
        match self {
            None => Some(None),
            Some(Some(value)) => Some(Some(value)),
            Some(None) => None,
        }
    }
}

fn cell(source: Source, form: Option<&Node>, problems: &mut Problems) -> Option<Part> {
    let forms = [("string", Form::String), ("number", Form::Number), ("boolean", Form::Boolean)];
    let Some(node) = form else { return Some(Shape::Cell(source, Form::Own)) };
    let word = node.text(WHAT, problems)?;
    let found = forms.iter().find(|(name, _)| *name == word.text);
    if found.is_none() {
        problems.add(word.at, format!("{WHAT}: `as` must be one of `string`, `number`, `boolean`"));
    }
    found.map(|(_, form)| Shape::Cell(source, *form))
}

/// `{reference_to: Patient, id: .., display: ..}`.
fn reference(
    to: &Node,
    id: Option<&Node>,
    entries: &[(Word, Node)],
    problems: &mut Problems,
) -> Option<Part> {
    let word = to.text(WHAT, problems)?;
    let Some(target) = ResourceKind::parse(&word) else {
        problems.add(word.at, format!("`{word}` is not a resource type of R4"));
        return None;
    };
    let Some(id) = id else {
        problems
            .add(word.at, format!("{WHAT}: `reference_to` needs `id`: a column, or `{{hash: [column]}}`"));
        return None;
    };
    let id = part(id, target.name(), problems)?;
    let mut members =
        vec![("reference".to_owned(), Shape::Reference(target.name().to_owned(), Box::new(id)))];
    for (name, node) in entries.iter().filter(|(name, _)| !matches!(&*name.text, "reference_to" | "id")) {
        members.push((name.text.clone(), part(node, target.name(), problems)?));
    }
    Some(Shape::Object(members))
}

fn constant(text: &str, plain: bool) -> Fhir {
    match text {
        "true" if plain => Fhir::Bool(true),
        "false" if plain => Fhir::Bool(false),
        _ if plain => Number::parse(text).map_or_else(|| Fhir::String(text.into()), Fhir::Number),
        _ => Fhir::String(text.into()),
    }
}

/// A template whose leaves are numbers of slots.
pub(super) struct Bound {
    kind: &'static str,
    pub(super) root: Shape<usize>,
    pub(super) slots: Vec<Slot>,
}

/// What fills a leaf.
pub(super) enum Slot {
    Column(String),
    Sql(Expression),
}

impl Bound {
    pub(super) fn kind(&self) -> &'static str {
        self.kind
    }

    /// The columns that are looked at.
    pub(super) fn columns(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for slot in &self.slots {
            let used = match slot {
                Slot::Column(name) => std::slice::from_ref(name),
                Slot::Sql(expression) => expression.columns(),
            };
            for name in used.iter().filter(|name| !names.contains(name)).collect::<Vec<_>>() {
                names.push(name.clone());
            }
        }
        names
    }
}

struct Slots<'a> {
    input: &'a Columns,
    list: Vec<(Source, Slot)>,
    is_complete: bool,
}

impl Slots<'_> {
    fn bind(&mut self, part: &Part, problems: &mut Problems) -> Shape<usize> {
        match part {
            Shape::Constant(value) => Shape::Constant(value.clone()),
            Shape::Cell(source, form) => Shape::Cell(self.slot(source, problems), *form),
            Shape::Hash(kind, sources) => {
                Shape::Hash(kind.clone(), sources.iter().map(|source| self.slot(source, problems)).collect())
            }
            Shape::Reference(kind, id) => Shape::Reference(kind.clone(), Box::new(self.bind(id, problems))),
            Shape::If(condition, then, other) => {
                let condition = self.slot(condition, problems);
                let then = Box::new(self.bind(then, problems));
                Shape::If(condition, then, other.as_ref().map(|other| Box::new(self.bind(other, problems))))
            }
            Shape::Object(members) => Shape::Object(
                members.iter().map(|(name, part)| (name.clone(), self.bind(part, problems))).collect(),
            ),
            Shape::Array(items) => Shape::Array(items.iter().map(|part| self.bind(part, problems)).collect()),
        }
    }

    /// The number of the slot of a leaf. The same leaf is evaluated once.
    fn slot(&mut self, source: &Source, problems: &mut Problems) -> usize {
        let same = |other: &Source| match (source, other) {
            (Source::Column(a), Source::Column(b))
            | (Source::Sql(a), Source::Sql(b))
            | (Source::Condition(a), Source::Condition(b)) => a.text == b.text,
            _ => false,
        };
        if let Some(number) = self.list.iter().position(|(other, _)| same(other)) {
            return number;
        }
        let slot = match source {
            Source::Column(word) => need_column(self.input, word, "map_to_fhir", problems)
                .map(|_: Type| Slot::Column(word.text.clone())),
            Source::Sql(word) => crate::engine::expression(word, self.input)
                .map_err(|message| problems.add(word.at, message))
                .ok()
                .map(Slot::Sql),
            Source::Condition(word) => predicate(word, self.input, problems).map(Slot::Sql),
        };
        match slot {
            Some(slot) => self.list.push((source.clone(), slot)),
            None => {
                self.is_complete = false;
                return 0;
            }
        }
        self.list.len() - 1
    }
}
