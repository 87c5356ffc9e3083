//! Options of `derive`.

use super::Derived;
use super::calendar::Calendar;
use super::expression::Written;
use super::formula::Formula;
use super::score::Score;
use crate::Problems;
use crate::yaml::{Kind, Node};

const KNOWN: &str = "`bmi`, `egfr`, `meld3`, `fib4`, `day_of_week`, `month`, `quarter`, `expression`";

/// Options of the step `derive`: a list of maps of one key, the name of what is derived.
#[derive(Debug)]
pub(crate) struct Derive {
    /// In the order of the file; each may use the columns of those before it.
    pub(crate) outputs: Vec<Derived>,
}

/// Decodes the options.
pub(super) fn decode(options: &Node, problems: &mut Problems) -> Option<Derive> {
    let before = problems.len();
    let items = options.items("the step `derive`", problems);
    if items.is_empty() && problems.len() == before {
        problems.add(options.at, format!("the step `derive` is empty: list what to derive, one of {KNOWN}"));
    }
    let outputs = items.iter().filter_map(|item| output_of(item, problems)).collect();
    (problems.len() == before).then_some(Derive { outputs })
}

fn output_of(item: &Node, problems: &mut Problems) -> Option<Derived> {
    let name = if let Kind::Map(entries) = &item.kind
        && let [(name, options)] = &entries[..]
    {
        Some((name, options))
    } else {
        None
    };
    let Some((name, options)) = name else {
        problems.add(item.at, format!("an item of the step `derive` is a map of one key: {KNOWN}"));
        return None;
    };
    let mut fields = options.fields(format!("`{name}` of the step `derive`"), problems);
    let output = match name.text.as_str() {
        "bmi" => Score::decode(Formula::Bmi, &mut fields, problems).map(Derived::Score),
        "egfr" => Score::decode(Formula::Egfr, &mut fields, problems).map(Derived::Score),
        "meld3" => Score::decode(Formula::Meld3, &mut fields, problems).map(Derived::Score),
        "fib4" => Score::decode(Formula::Fib4, &mut fields, problems).map(Derived::Score),
        "day_of_week" => Calendar::decode("day_of_week", &mut fields, problems).map(Derived::Calendar),
        "month" => Calendar::decode("month", &mut fields, problems).map(Derived::Calendar),
        "quarter" => Calendar::decode("quarter", &mut fields, problems).map(Derived::Calendar),
        "expression" => Written::decode(&mut fields, problems).map(Derived::Expression),
        _ => {
            problems.add(name.at, format!("the step `derive` cannot derive `{name}`: it knows {KNOWN}"));
            return None;
        }
    };
    fields.end(problems);
    output
}
