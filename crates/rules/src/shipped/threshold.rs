//! Every number of a pack that decides something, for the test that moves them.

use clinical::Number;

use crate::model::{Body, Condition, Pack, Row};
use crate::span::{Age, Span};

/// Every number of a pack that decides something, with its place: `founding/heart-rate above 120`.
pub(crate) fn numbers(pack: &mut Pack, visit: &mut dyn FnMut(&str, Threshold<'_>)) {
    for measure in &mut pack.measures {
        let name = measure.name.clone();
        if let Some((low, high)) = &mut measure.plausible {
            visit(&format!("{name} plausible from"), Threshold::Number(low));
            visit(&format!("{name} plausible to"), Threshold::Number(high));
        }
        span(&format!("{name} inputs_within"), &mut measure.inputs_within, visit);
    }
    for rule in &mut pack.rules {
        let name = rule.name.clone();
        for (what, age) in [("from", &mut rule.applies.from), ("below", &mut rule.applies.below)] {
            if let Some(age) = age {
                visit(&format!("{name} age {what}"), Threshold::Age(age));
            }
        }
        span(&format!("{name} refractory"), &mut rule.refractory, visit);
        match &mut rule.body {
            Body::Limits { rows, .. } => rows.iter_mut().for_each(|row| numbers_of(&name, row, visit)),
            Body::When(row) => numbers_of(&name, row, visit),
            Body::Order { respond_within, .. } => {
                span(&format!("{name} respond_within"), respond_within, visit);
            }
        }
    }
}

/// A number that decides something.
pub(crate) enum Threshold<'a> {
    /// A limit.
    Number(&'a mut Number),
    /// A time.
    Span(&'a mut Span),
    /// An age.
    Age(&'a mut Age),
}

fn span(place: &str, span: &mut Option<Span>, visit: &mut dyn FnMut(&str, Threshold<'_>)) {
    if let Some(span) = span {
        visit(place, Threshold::Span(span));
    }
}

fn numbers_of(rule: &str, row: &mut Row, visit: &mut dyn FnMut(&str, Threshold<'_>)) {
    let severity = row.severity.name();
    if let Condition::Limit(limit) = &mut row.raise {
        visit(&format!("{rule} {severity} {}", limit.op.name()), Threshold::Number(&mut limit.number));
    }
    if let Condition::Limit(limit) = &mut row.clear {
        visit(&format!("{rule} {severity} clear {}", limit.op.name()), Threshold::Number(&mut limit.number));
    }
    span(&format!("{rule} {severity} for"), &mut row.sustained, visit);
    span(&format!("{rule} {severity} clear for"), &mut row.clear_for, visit);
    span(&format!("{rule} {severity} respond_within"), &mut row.respond_within, visit);
}
