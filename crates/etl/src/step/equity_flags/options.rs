//! Options of `equity_flags`.

use super::rule::{Condition, Rule};
use crate::yaml::{Kind, Node};
use crate::{Problems, Word};

/// Below this a count is suppressed by default: cell size suppression of CMS.
const SUPPRESS_BELOW: u64 = 11;

/// Options of the step `equity_flags`.
#[derive(Debug)]
pub(crate) struct EquityFlags {
    /// `flags`: a rule for each new boolean column: `any` or `all` of `{column: .., in: [codes]}` and of nested `any` and `all`.
    pub flags: Vec<Flag>,
    /// The conditions of all rules.
    pub(crate) conditions: Vec<Condition>,
    /// `strata`: columns with the codes by which flags are counted.
    pub strata: Vec<Stratum>,
    /// `suppress_below`: counts from 1 to below this are not shown, nor what would give them away; 11 by default, at least 2.
    pub suppress_below: u64,
}

/// A flag.
#[derive(Clone, Debug)]
pub(crate) struct Flag {
    /// The new column.
    pub name: Word,
    pub(super) rule: Rule,
}

/// A column by which flags are counted.
#[derive(Clone, Debug)]
pub(crate) struct Stratum {
    /// The column.
    pub column: Word,
    /// The codes that are counted each on their own; the others are counted as `other`, several as `multiple`, none as `missing`.
    pub codes: Vec<String>,
}

/// Decodes the options.
pub(super) fn decode(options: &Node, problems: &mut Problems) -> Option<EquityFlags> {
    let before = problems.len();
    let mut fields = options.fields("the step `equity_flags`", problems);
    let flags_node = fields.required("flags", problems);
    let strata_node = fields.node("strata");
    let suppress_below = fields.whole("suppress_below", problems).unwrap_or(SUPPRESS_BELOW);
    if suppress_below < 2 {
        problems.add(fields.at(), "`suppress_below` of the step `equity_flags` is at least 2");
    }
    fields.end(problems);
    let mut conditions = Vec::new();
    let entries = flags_node?.entries("`flags` of the step `equity_flags`", problems);
    if entries.is_empty() && problems.len() == before {
        problems.add(options.at, "`flags` of the step `equity_flags` is empty: name a flag and its rule");
    }
    let flags = entries
        .iter()
        .filter_map(|(name, node)| {
            let rule = rule_of(node, &format!("the flag `{name}`"), &mut conditions, problems)?;
            Some(Flag { name: name.clone(), rule })
        })
        .collect();
    let strata = strata_node
        .map(|node| node.entries("`strata` of the step `equity_flags`", problems))
        .unwrap_or_default();
    let strata = strata
        .iter()
        .map(|(column, node)| {
            let what = format!("the codes of the stratum `{column}`");
            let codes = codes_of(node, &what, problems);
            Stratum { column: column.clone(), codes }
        })
        .collect();
    (problems.len() == before).then_some(EquityFlags { flags, conditions, strata, suppress_below })
}

fn codes_of(node: &Node, what: &str, problems: &mut Problems) -> Vec<String> {
    let words = node.texts(what, problems);
    if words.is_empty() {
        problems.add(node.at, format!("{what} are missing: give a list of codes"));
    }
    for word in words.iter().filter(|word| word.contains('|')) {
        problems.add(word.at, format!("{what} are single codes: `{word}` joins several"));
    }
    words.into_iter().map(|word| word.text).collect()
}

fn rule_of(
    node: &Node,
    what: &str,
    conditions: &mut Vec<Condition>,
    problems: &mut Problems,
) -> Option<Rule> {
    let Kind::Map(entries) = &node.kind else {
        problems.add(node.at, format!("{what} must be a map with `any`, `all`, or `column` and `in`"));
        return None;
    };
    let mut fields = node.fields(what, problems);
    if entries.iter().any(|(key, _)| key.text == "column" || key.text == "in") {
        let column = fields.required_text("column", problems);
        let codes = fields.required("in", problems);
        let codes = codes.map(|node| codes_of(node, &format!("the codes of {what}"), problems));
        fields.end(problems);
        conditions.push(Condition { column: column?, codes: codes? });
        return Some(Rule::Condition(conditions.len() - 1));
    }
    let (any, all) = (fields.node("any"), fields.node("all"));
    fields.end(problems);
    let (list, is_any) = match (any, all) {
        (Some(list), None) => (list, true),
        (None, Some(list)) => (list, false),
        _ => {
            problems.add(node.at, format!("{what} needs one of `any`, `all`, or `column` and `in`"));
            return None;
        }
    };
    let items = list.items(&format!("the conditions of {what}"), problems);
    if items.is_empty() {
        problems.add(list.at, format!("{what} has no condition"));
    }
    let rules = items.iter().filter_map(|item| rule_of(item, what, conditions, problems)).collect();
    Some(if is_any { Rule::Any(rules) } else { Rule::All(rules) })
}
