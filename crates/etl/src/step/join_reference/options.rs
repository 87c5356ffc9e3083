//! Options of `join_reference`.

use std::path::Path;

use table::{Columns, Type};

use crate::step::StepSpec;
use crate::step::shared::Renamed;
use crate::yaml::{Kind, Node};
use crate::{Problems, Word};

use super::area::Geography;

/// Options of `join_reference`.
#[derive(Debug)]
pub(super) struct JoinReference {
    /// `reference` (a CSV, TSV or Parquet file) or `source` (another source).
    pub(super) origin: Origin,
    /// Column of the rows and column of the reference that must be equal.
    pub(super) by: Vec<(Word, Word)>,
    /// Columns of the reference that are added; `a as b` gives them another name.
    pub(super) take: Vec<Renamed>,
    /// Types of columns of the reference; text where nothing is said.
    pub(super) columns: Vec<(Word, Type)>,
    /// Texts and numbers that mean "no data" in taken columns.
    pub(super) null_values: Vec<Word>,
    /// Of when the reference is. Recorded.
    pub(super) vintage: Option<String>,
    /// What the key is, when it is a US area: explains what finds no row.
    pub(super) geography: Option<Geography>,
    /// What becomes of rows that find nothing.
    pub(super) unmatched: Unmatched,
    /// The run fails when a smaller share of rows finds a row.
    pub(super) match_rate_min: Option<f64>,
    /// Name in the run's record. The file's or source's name where nothing is said.
    pub(super) name: String,
}

/// Where the reference comes from.
#[derive(Debug)]
pub(super) enum Origin {
    /// A file below one of the roots.
    File(Word),
    /// Another source of the pipeline.
    Source(Word),
}

/// What becomes of rows that find nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unmatched {
    /// They stay, the taken columns are missing.
    Keep,
    /// They are quarantined.
    Quarantine,
}

const STEP: &str = "the step `join_reference`";

/// Reads the options.
pub(in crate::step) fn decode(options: &Node, problems: &mut Problems) -> Option<Box<dyn StepSpec>> {
    let mut fields = options.fields(STEP, problems);
    let at = fields.at();
    let file = fields.text("reference", problems);
    let source = fields.text("source", problems);
    let by = fields.required("by", problems).map(|node| by(node, problems));
    fields.required("take", problems);
    let take: Vec<Renamed> = fields.texts("take", problems).iter().map(Renamed::of).collect();
    let columns = fields.node("columns").map(|node| types(node, problems)).unwrap_or_default();
    let null_values = fields.texts("null_values", problems);
    let vintage = fields.text("vintage", problems);
    let geography = fields.choice("geography", Geography::NAMES, problems);
    let choices = [("keep", Unmatched::Keep), ("quarantine", Unmatched::Quarantine)];
    let unmatched = fields.choice("unmatched", &choices, problems).unwrap_or(Unmatched::Keep);
    let match_rate_min = fields.share("match_rate_min", problems);
    let name = fields.text("name", problems);
    fields.end(problems);
    let origin = match (file, source) {
        (Some(file), None) => Origin::File(file),
        (None, Some(source)) => Origin::Source(source),
        _ => {
            problems.add(
                at,
                format!("{STEP} needs `reference` (a file) or `source` (another source), one of them"),
            );
            return None;
        }
    };
    let by = by?;
    if take.is_empty() || by.is_empty() {
        problems.add(at, format!("{STEP} needs columns in `by` and in `take`"));
        return None;
    }
    if geography.is_some() && by.len() != 1 {
        problems.add(at, format!("`geography` of {STEP} is about a key of one column"));
    }
    let name = name.map_or_else(|| origin.name(), |word| word.text);
    let vintage = vintage.map(|word| word.text);
    let step = JoinReference {
        origin,
        by,
        take,
        columns,
        null_values,
        vintage,
        geography,
        unmatched,
        match_rate_min,
        name,
    };
    step.check_columns(problems);
    Some(Box::new(step))
}

/// `column`, `[a, b]` or `{own: theirs}`.
fn by(node: &Node, problems: &mut Problems) -> Vec<(Word, Word)> {
    let what = format!("`by` of {STEP}");
    if let Kind::Map(entries) = &node.kind {
        let theirs = |(own, node): &(Word, Node)| Some((own.clone(), node.text(&what, problems)?));
        return entries.iter().filter_map(theirs).collect();
    }
    node.texts(&what, problems).into_iter().map(|word| (word.clone(), word)).collect()
}

fn types(node: &Node, problems: &mut Problems) -> Vec<(Word, Type)> {
    let what = format!("`columns` of {STEP}");
    let mut columns = Vec::new();
    for (name, kind) in node.entries(&what, problems) {
        let Some(kind) = kind.text(&what, problems) else { continue };
        match Type::parse(&kind) {
            Some(kind) => columns.push((name.clone(), kind)),
            None => problems.add(kind.at, format!("`{kind}` is no type: use one of {}", Type::NAMES)),
        }
    }
    columns
}

impl Origin {
    fn name(&self) -> String {
        match self {
            Origin::Source(source) => source.text.clone(),
            Origin::File(path) => {
                let file = Path::new(&path.text).file_name().map(|name| name.to_string_lossy().into_owned());
                let file = file.unwrap_or_else(|| path.text.clone());
                file.split('.').next().unwrap_or(&file).to_owned()
            }
        }
    }
}

impl JoinReference {
    /// The type of a column of the reference: as declared, else as the source has it, else text.
    pub(super) fn kind_of(&self, theirs: &str, source: Option<&Columns>) -> Type {
        let declared = self.columns.iter().find(|(name, _)| name.text == theirs).map(|(_, kind)| *kind);
        let found = || source.and_then(|columns| columns.get(theirs)).map(|column| column.kind);
        declared.or_else(found).unwrap_or(Type::Text)
    }

    /// The columns of the reference that are needed: the key's, then those that are taken.
    pub(super) fn their_columns(&self) -> Vec<Word> {
        let mut names: Vec<Word> = self.by.iter().map(|(_, theirs)| theirs.clone()).collect();
        for taken in &self.take {
            if !names.iter().any(|name| **name == *taken.from) {
                names.push(taken.from.clone());
            }
        }
        names
    }

    fn check_columns(&self, problems: &mut Problems) {
        let needed = self.their_columns();
        for (name, _) in self.columns.iter().filter(|(name, _)| !needed.iter().any(|word| **word == **name)) {
            problems.add(
                name.at,
                format!("`columns` of {STEP} names `{name}`, which neither `by` nor `take` uses"),
            );
        }
    }
}
