//! One check of the pipeline file: what all checks have in common, and the rule.

use std::sync::Arc;

use quality::Dimension;
use table::{Column, Columns};

use crate::check::missing::Tokens;
use crate::check::options::{DIMENSIONS, Kahn, MaxFail, OnFail, Severity};
use crate::check::rule::reference::Reference;
use crate::check::rule::{self, Arity, Kind, Rule};
use crate::report::RuleQuality;
use crate::yaml::Node;
use crate::{Point, Problems, Word};

/// One check.
#[derive(Debug)]
pub(crate) struct CheckSpec {
    /// Where it stands in the file.
    pub(super) at: Point,
    /// Its name in rejects and reports. Default: the rule and its columns, `not_null-patient_id`.
    pub(super) id: String,
    /// The columns it looks at.
    pub(super) columns: Vec<Word>,
    /// What must hold.
    pub(super) rule: Box<dyn Rule>,
    /// The entry of the rule in the table of rules.
    pub(super) kind: &'static Kind,
    /// What happens to rows that fail. Default: `warn`.
    pub(super) on_fail: OnFail,
    /// How many rows may fail before the source is not loaded. Default: none with `on_fail: fail`, else any number.
    pub(super) max_fail: Option<MaxFail>,
    /// The category of Kahn et al. Default: by rule.
    pub(super) kahn: Kahn,
    /// The dimension whose score it counts to. Default: by rule.
    pub(super) dimension: Dimension,
    /// How much it matters. Default: `fatal` with `on_fail: fail`, `characterization` for `drift`, else `convention`.
    pub(super) severity: Severity,
    /// A condition: rows for which it is not true are not assessed.
    pub(super) when: Option<Word>,
    /// Texts that mean "missing", instead of the usual ones.
    pub(super) tokens: Arc<Tokens>,
}

impl CheckSpec {
    /// One entry of the list of checks.
    pub(super) fn decode(node: &Node, problems: &mut Problems) -> Option<CheckSpec> {
        let mut fields = node.fields("the check", problems);
        let word = fields.required_text("rule", problems);
        let kind = word.as_ref().and_then(|word| rule::kind_of(word, problems));
        let id = fields.text("id", problems);
        let columns = columns_of(&mut fields, problems);
        let on_fail = fields.choice("on_fail", &OnFail::WORDS, problems).unwrap_or_default();
        let max_fail = fields.text("max_fail", problems).and_then(|word| {
            let max_fail = MaxFail::parse(&word);
            if max_fail.is_none() {
                problems
                    .add(word.at, "`max_fail` of the check must be a share such as `1%` or a number of rows");
            }
            max_fail
        });
        let kahn = fields.choice("kahn", &Kahn::WORDS, problems);
        let dimension = fields.choice("dimension", &DIMENSIONS, problems);
        let severity = fields.choice("severity", &Severity::WORDS, problems);
        let when = fields.text("when", problems);
        let tokens = fields.node("null_values").map(|node| {
            let texts = node.texts("`null_values` of the check", problems);
            Tokens::new(texts.into_iter().map(|word| word.text.into_boxed_str()).collect())
        });
        let Some(kind) = kind else {
            // The rule's own keys are not known then, and would all be called unknown.
            return None;
        };
        let rule = (kind.decode)(&mut fields, problems);
        let at = fields.at();
        fields.end(problems);
        let rule = rule?;
        let by_on_fail = match on_fail {
            OnFail::Fail => Severity::Fatal,
            // That something changed is not yet a fault.
            _ if kind.name == "drift" => Severity::Characterization,
            _ => Severity::Convention,
        };
        let id = id.map_or_else(|| id_of(kind.name, &columns), |word| word.text);
        let spec = CheckSpec {
            at,
            id,
            columns,
            rule,
            kind,
            on_fail,
            max_fail: max_fail.or((on_fail == OnFail::Fail).then_some(MaxFail::Rows(0))),
            kahn: kahn.unwrap_or(kind.kahn),
            dimension: dimension.unwrap_or(kind.dimension),
            severity: severity.unwrap_or(by_on_fail),
            when,
            tokens: Arc::new(tokens.unwrap_or_default()),
        };
        spec.check_form(problems);
        Some(spec)
    }

    /// What can be said without knowing the source's columns.
    fn check_form(&self, problems: &mut Problems) {
        let name = self.kind.name;
        match (self.kind.arity, self.columns.len()) {
            (Arity::None, n) if n > 0 => {
                problems
                    .add(self.at, format!("the rule `{name}` looks at the whole table: leave `column` out"));
            }
            (Arity::One, n) if n != 1 => {
                problems
                    .add(self.at, format!("the rule `{name}` looks at one column: name it with `column`"));
            }
            (Arity::Some, 0) => {
                problems.add(self.at, format!("the rule `{name}` needs `column` or `columns`"));
            }
            _ => {}
        }
        if self.rule.is_of_table() && self.on_fail == OnFail::Quarantine {
            problems.add(
                self.at,
                format!("the check `{}` is of the whole table and cannot put rows into quarantine: use `on_fail: warn` or `fail`", self.id),
            );
        }
    }

    /// Reports columns that are not there and types that do not fit.
    pub(super) fn plan(&self, source: &str, columns: &Columns, problems: &mut Problems) {
        let mut found = Vec::new();
        for word in &self.columns {
            match columns.get(word) {
                Some(column) => found.push(column.clone()),
                None => problems.add(
                    word.at,
                    format!("there is no column `{word}` in `{source}`: it has {}", names(columns)),
                ),
            }
        }
        if found.len() == self.columns.len() {
            self.rule.plan(&Planned { check: self, columns: &found, all: columns }, problems);
        }
        if let Some(when) = &self.when {
            rule::expression::plan_condition(when, columns, problems);
        }
        if self.reference().is_some_and(|reference| reference.source.text == source) {
            problems.add(self.at, format!("the check `{}` refers to its own source", self.id));
        }
    }

    /// The other source it looks into.
    pub(super) fn reference(&self) -> Option<&Reference> {
        self.rule.reference()
    }

    /// Whether rows can only go on when all have come.
    pub(super) fn needs_all_rows(&self) -> bool {
        self.on_fail == OnFail::Quarantine && self.rule.needs_all_rows()
    }

    /// What the check found, before anything was.
    pub(super) fn quality(&self) -> RuleQuality {
        RuleQuality {
            id: self.id.clone(),
            rule: self.kind.name.to_owned(),
            columns: self.columns.iter().map(|word| word.text.clone()).collect(),
            dimension: self.dimension,
            kahn: self.kahn,
            severity: self.severity,
            on_fail: self.on_fail,
            is_of_table: self.rule.is_of_table(),
            must: self.rule.must(),
            hint: self.rule.hint(),
            when: self.when.as_ref().map(|word| word.text.clone()),
            n_assessed: 0,
            n_failed: 0,
            share: None,
            max_fail: self.max_fail,
            passed: None,
            not_assessed: None,
            detail: None,
            samples: Vec::new(),
        }
    }

    /// The columns as words for people: "`a` and `b`".
    pub(super) fn subject(&self) -> String {
        let names: Vec<String> = self.columns.iter().map(|column| format!("`{column}`")).collect();
        names.join(" and ")
    }
}

/// What a rule is given to see whether it fits.
pub(crate) struct Planned<'a> {
    pub(super) check: &'a CheckSpec,
    /// Its columns, in the order of the check.
    pub(super) columns: &'a [Column],
    /// All columns of the source.
    pub(super) all: &'a Columns,
}

impl Planned<'_> {
    /// Reports the columns that are not of a type that fits.
    pub(super) fn types(&self, fits: fn(table::Type) -> bool, wanted: &str, problems: &mut Problems) {
        for (column, word) in self.columns.iter().zip(&self.check.columns) {
            if !fits(column.kind) {
                let (rule, kind) = (self.check.kind.name, column.kind);
                problems.add(
                    word.at,
                    format!("the rule `{rule}` needs {wanted}, and `{word}` is {kind}: declare its type in the source's `columns`"),
                );
            }
        }
    }
}

fn columns_of(fields: &mut crate::yaml::Fields<'_>, problems: &mut Problems) -> Vec<Word> {
    let one = fields.text("column", problems);
    let many = fields.texts("columns", problems);
    match one {
        Some(one) if !many.is_empty() => {
            problems.add(one.at, "a check has `column` or `columns`, not both");
            many
        }
        Some(one) => vec![one],
        None => many,
    }
}

fn id_of(rule: &str, columns: &[Word]) -> String {
    let mut id = rule.to_owned();
    for column in columns {
        id.push('-');
        id.push_str(column);
    }
    id
}

fn names(columns: &Columns) -> String {
    const SHOWN_MAX: usize = 30;
    let names: Vec<String> =
        columns.iter().take(SHOWN_MAX).map(|column| format!("`{}`", column.name)).collect();
    let more = if columns.len() > SHOWN_MAX { ", …" } else { "" };
    format!("{}{more}", names.join(", "))
}
