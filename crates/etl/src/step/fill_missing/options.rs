//! Options of `fill_missing`.

use crate::yaml::{Fields, Node};
use crate::{Problems, Word};

/// Options of the step `fill_missing`.
#[derive(Debug)]
pub(crate) struct FillMissing {
    /// `columns`: a strategy for each column.
    pub(crate) fills: Vec<Fill>,
    /// `partition_by`: columns whose values must agree: the patient, the test, the unit. Needed by `forward_fill` and `interpolate`.
    pub(crate) partition_by: Vec<Word>,
    /// `order_by`: a column of the type `date` or `instant`. Needed by `forward_fill` and `interpolate`.
    pub(crate) order_by: Option<Word>,
}

/// A column with its strategy.
#[derive(Clone, Debug)]
pub(crate) struct Fill {
    /// The column.
    pub(crate) column: Word,
    /// How missing values are filled.
    pub(crate) strategy: Strategy,
}

/// How missing values are filled.
#[derive(Clone, Debug)]
pub(crate) enum Strategy {
    /// `clinical_default`: with `value`. The flag is `<column>_was_missing`.
    ClinicalDefault {
        /// As it is written in the file.
        value: Word,
    },
    /// `forward_fill`: with the last value that is not older than `max_gap`. The flag is `<column>_imputed`.
    ForwardFill {
        /// The longest time since the value.
        max_gap_micros: i64,
    },
    /// `interpolate`: weighted by time between two values that are not further apart than `max_gap`. The flag is `<column>_imputed`.
    Interpolate {
        /// The longest time between the two values.
        max_gap_micros: i64,
    },
}

impl Fill {
    /// The name of the flag.
    pub(crate) fn flag(&self) -> String {
        match self.strategy {
            Strategy::ClinicalDefault { .. } => format!("{}_was_missing", self.column),
            Strategy::ForwardFill { .. } | Strategy::Interpolate { .. } => format!("{}_imputed", self.column),
        }
    }
}

/// The name of a strategy.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Named {
    ClinicalDefault,
    ForwardFill,
    Interpolate,
}

const STRATEGIES: [(&str, Named); 3] = [
    ("clinical_default", Named::ClinicalDefault),
    ("forward_fill", Named::ForwardFill),
    ("interpolate", Named::Interpolate),
];

/// Decodes the options.
pub(super) fn decode(options: &Node, problems: &mut Problems) -> Option<FillMissing> {
    let before = problems.len();
    let mut fields = options.fields("the step `fill_missing`", problems);
    let list = fields.required("columns", problems);
    let partition_by = fields.texts("partition_by", problems);
    let order_by = fields.text("order_by", problems);
    let max_gap = gap_of(&mut fields, problems);
    fields.end(problems);
    let entries = list?.entries("`columns` of the step `fill_missing`", problems);
    if entries.is_empty() && problems.len() == before {
        problems
            .add(options.at, "`columns` of the step `fill_missing` is empty: name a column and its strategy");
    }
    let is_ordered = !partition_by.is_empty() && order_by.is_some();
    let fills: Vec<Fill> = entries
        .iter()
        .filter_map(|(column, node)| {
            let strategy = strategy_of(column, node, is_ordered, max_gap, problems)?;
            Some(Fill { column: column.clone(), strategy })
        })
        .collect();
    let is_alone = fills.iter().all(|fill| matches!(fill.strategy, Strategy::ClinicalDefault { .. }));
    if problems.len() == before && is_alone && (is_ordered || max_gap.is_some()) {
        problems.add(options.at, "`partition_by`, `order_by` and `max_gap` of the step `fill_missing` are for `forward_fill` and `interpolate`");
    }
    (problems.len() == before).then_some(FillMissing { fills, partition_by, order_by })
}

fn gap_of(fields: &mut Fields<'_>, problems: &mut Problems) -> Option<i64> {
    fields.span("max_gap", problems).and_then(|span| i64::try_from(span.as_micros()).ok())
}

fn strategy_of(
    column: &Word,
    node: &Node,
    is_ordered: bool,
    max_gap: Option<i64>,
    problems: &mut Problems,
) -> Option<Strategy> {
    let mut fields = node.fields(format!("the column `{column}` of the step `fill_missing`"), problems);
    fields.required("strategy", problems);
    let named = fields.choice("strategy", &STRATEGIES, problems);
    let strategy = match named {
        None => {
            fields.text("value", problems);
            fields.span("max_gap", problems);
            None
        }
        Some(Named::ClinicalDefault) => {
            fields.required_text("value", problems).map(|value| Strategy::ClinicalDefault { value })
        }
        Some(named) => {
            let own = gap_of(&mut fields, problems).or(max_gap);
            if !is_ordered || own.is_none() {
                let message = "`forward_fill` and `interpolate` need `partition_by`, `order_by` and `max_gap`: without them the values of one patient or test would fill those of another";
                problems.add(node.at, message);
            }
            own.map(|max_gap_micros| match named {
                Named::Interpolate => Strategy::Interpolate { max_gap_micros },
                _ => Strategy::ForwardFill { max_gap_micros },
            })
        }
    };
    fields.end(problems);
    strategy
}
