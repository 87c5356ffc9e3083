//! A query as text: a line per filter.

use std::fmt::Write;

use search::query::*;
use search::{Include, Query};

use super::{number, time};

pub(crate) fn query(query: &Query) -> String {
    let mut text = String::new();
    if query.branches.len() > 5 {
        let first = &query.branches[0];
        write!(text, "all {} types", query.branches.len()).unwrap();
        first.filters.iter().for_each(|one| write!(text, "\n  {}", filter(one)).unwrap());
    } else {
        let branches: Vec<String> = query.branches.iter().map(|one| branch(one, "\n  ")).collect();
        text.push_str(&branches.join("\n"));
    }
    if !query.sort.is_empty() {
        let keys: Vec<String> = query.sort.iter().map(key).collect();
        write!(text, "\nsort {}", keys.join(", ")).unwrap();
    }
    query.includes.iter().for_each(|one| write!(text, "\n{}", include(one)).unwrap());
    if let Some(count) = query.count {
        write!(text, "\ncount {count}").unwrap();
    }
    if let Some(cursor) = &query.cursor {
        write!(text, "\ncursor {cursor}").unwrap();
    }
    if query.total != Total::None {
        write!(text, "\ntotal {:?}", query.total).unwrap();
    }
    if query.summary != Summary::False {
        write!(text, "\nsummary {:?}", query.summary).unwrap();
    }
    if !query.elements.is_empty() {
        write!(text, "\nelements {}", query.elements.join(", ")).unwrap();
    }
    write!(text, "\n?{}", query.canonical).unwrap();
    text
}

fn branch(branch: &Branch, between: &str) -> String {
    let mut text = branch.kind.to_string();
    for one in &branch.filters {
        text.push_str(between);
        text.push_str(&filter(one));
    }
    text
}

fn filter(one: &Filter) -> String {
    match one {
        Filter::Id { any_of, negated } => format!("_id {}{}", not(*negated), any_of.join(" or ")),
        Filter::LastUpdated(any_of) => format!("_lastUpdated {}", or(any_of, date)),
        Filter::Value { param, test } => format!("{} {}", param.def().code, value(test)),
        Filter::Missing { param, missing } => {
            format!("{} {}", param.def().code, if *missing { "missing" } else { "present" })
        }
        Filter::Chain { param, any_of } => {
            format!("{} -> {}", param.def().code, or(any_of, |one| format!("({})", branch(one, ": "))))
        }
        Filter::Has { param, branch: one } => format!("<- {} of ({})", param.def().code, branch(one, ": ")),
        Filter::List(ids) => format!("in list {}", ids.join(" or ")),
        Filter::Relation { relation, any_of, negated } => {
            let operand =
                |one: &RelationOperand| format!("{}|{}", one.system.as_deref().unwrap_or("*"), one.code);
            format!("{relation:?} {}{}", not(*negated), or(any_of, operand))
        }
        Filter::Any(any) => format!("({})", or(any, filter)),
    }
}

fn value(test: &Test) -> String {
    match test {
        Test::Token { any_of, negated } if any_of.len() > 6 => format!(
            "{}{} codes, {} to {}",
            not(*negated),
            any_of.len(),
            token(&any_of[0]),
            token(&any_of[any_of.len() - 1])
        ),
        Test::Token { any_of, negated } => format!("{}{}", not(*negated), or(any_of, token)),
        Test::TokenText(texts) => format!("text contains {}", texts.join(" or ")),
        Test::OfType(any_of) => {
            or(any_of, |one| format!("of type {}|{} is {}", one.system, one.code, one.value))
        }
        Test::String { mode, any_of } => format!("{mode:?} `{}`", any_of.join("` or `")),
        Test::Date(any_of) => or(any_of, date),
        Test::Number(any_of) => or(any_of, decimal),
        Test::Quantity(any_of) => or(any_of, quantity),
        Test::Reference { any_of, negated } if any_of.len() > 6 => {
            format!("{}{} types, {}", not(*negated), any_of.len(), reference(&any_of[0]))
        }
        Test::Reference { any_of, negated } => format!("{}{}", not(*negated), or(any_of, reference)),
        Test::ReferenceIdentifier(any_of) => format!("identifier {}", or(any_of, token)),
        Test::ReferenceHierarchy { any_of, below } => {
            format!(
                "{} {}",
                if *below { "below" } else { "above" },
                or(any_of, |(kind, id)| format!("{kind}/{id}"))
            )
        }
        Test::Uri { mode, any_of, negated } => format!("{}{mode:?} {}", not(*negated), any_of.join(" or ")),
        Test::Composite(any_of) => {
            or(any_of, |one| format!("({})", one.parts.iter().map(value).collect::<Vec<_>>().join(" $ ")))
        }
    }
}

fn not(negated: bool) -> &'static str {
    if negated { "not " } else { "" }
}

fn or<T>(all: &[T], show: impl Fn(&T) -> String) -> String {
    all.iter().map(show).collect::<Vec<_>>().join(" or ")
}

fn token(one: &TokenOperand) -> String {
    let system = match &one.system {
        SystemMatch::Any => "",
        SystemMatch::Absent => "|",
        SystemMatch::Is(system) => &format!("{system}|"),
    };
    format!("{system}{}", one.code.as_deref().unwrap_or(""))
}

fn date(one: &DateOperand) -> String {
    format!("{:?} [{}, {})", one.prefix, time(one.low), time(one.high))
}

fn decimal(one: &NumberOperand) -> String {
    format!("{:?} {} [{}, {})", one.prefix, number(&one.value), number(&one.low), number(&one.high))
}

fn quantity(one: &QuantityOperand) -> String {
    let unit = match &one.unit {
        UnitMatch::Any => String::new(),
        UnitMatch::Text(text) => format!(" unit {text}"),
        UnitMatch::Coded { system, code } => format!(" {system}|{code}"),
    };
    let canonical =
        one.canonical.as_ref().map_or(String::new(), |(one, unit)| format!(" = {} {unit}", decimal(one)));
    format!("{}{unit}{canonical}", decimal(&one.number))
}

fn reference(one: &ReferenceOperand) -> String {
    match one {
        ReferenceOperand::Local { kind, id } => format!("{kind}/{id}"),
        ReferenceOperand::Url(url) => format!("<{url}>"),
    }
}

fn key(key: &SortKey) -> String {
    let by = match key.by {
        SortBy::Id => "_id".into(),
        SortBy::LastUpdated => "_lastUpdated".into(),
        SortBy::Param(param) => param.to_string(),
    };
    format!("{by}{}", if key.descending { " falling" } else { "" })
}

fn include(one: &Include) -> String {
    let source = one.source.map_or("*".into(), |kind| kind.to_string());
    let param = one.param.map_or("*", |param| param.def().code);
    let target = one.target.map_or(String::new(), |kind| format!(":{kind}"));
    let (reverse, iterate) =
        (if one.reverse { "rev" } else { "" }, if one.iterate { " iterated" } else { "" });
    format!("{reverse}include {source}:{param}{target}{iterate}")
}
