//! Reads one row of a decision table: limit, severity, how long, and when it is over.

use std::sync::Arc;

use clinical::Number;
use yaml::{Fields, Node, Point, Problems, Word};

use crate::Severity;
use crate::expression::Expression;
use crate::limit::{Limit, Op};
use crate::model::{Condition, Row};
use crate::span::Span;

pub(super) const SEVERITIES: [(&str, Severity); 5] = [
    ("critical", Severity::Critical),
    ("high", Severity::High),
    ("medium", Severity::Medium),
    ("low", Severity::Low),
    ("info", Severity::Info),
];
pub(super) const SPAN: &str = "a time span such as `90s`, `15m`, `48h` or `7d`";

/// A limit is written in the words of its measure or as a number; words become numbers when the measures are known.
pub(super) fn limit(fields: &mut Fields<'_>, problems: &mut Problems) -> Option<(Limit, Option<Word>)> {
    let mut found = Vec::new();
    for op in Op::ALL {
        if let Some(word) = fields.text(op.name(), problems) {
            found.push((op, word));
        }
    }
    let Some((op, word)) = found.pop().filter(|_| found.is_empty()) else {
        let keys = Op::ALL.map(|op| format!("`{}`", op.name())).join(", ");
        problems.add(fields.at(), format!("{} needs exactly one of {keys}", fields.what()));
        return None;
    };
    match Number::parse(&word) {
        Some(number) => Some((Limit { op, number }, None)),
        None => Some((Limit { op, number: Number::from(0) }, Some(word))),
    }
}

/// The row, and the words that stand for its numbers (raise, clear).
pub(super) fn parse(node: &Node, problems: &mut Problems) -> Option<(Row, [Option<Word>; 2])> {
    let mut fields = node.fields("a limit", problems);
    let raise = limit(&mut fields, problems);
    let severity =
        fields.required("severity", problems).and_then(|_| fields.choice("severity", &SEVERITIES, problems));
    let says = fields.text("says", problems);
    let sustained: Option<Span> = fields.value("for", SPAN, problems);
    let respond_within = fields.value("respond_within", SPAN, problems);
    let immediate = fields.flag("immediate", problems).unwrap_or(false);
    let clear = fields.required("clear", problems);
    let at = fields.at();
    fields.end(problems);
    let mut clear = clear?.fields("`clear`", problems);
    let over = limit(&mut clear, problems);
    let clear_for = clear.value("for", SPAN, problems);
    clear.end(problems);
    let ((raise, raise_word), (over, over_word)) = (raise?, over?);
    check_times(at, immediate, sustained, problems);
    if raise_word.is_none() && over_word.is_none() && !hysteresis(raise, over) {
        problems.add(
            at,
            "`clear` must lie on the other side of the limit: else the alert is raised and over at once",
        );
    }
    let row = Row {
        raise: Condition::Limit(raise),
        severity: severity?,
        says: says.map(|word| word.text),
        sustained,
        clear: Condition::Limit(over),
        clear_for,
        respond_within,
        immediate,
    };
    Some((row, [raise_word, over_word]))
}

pub(super) fn check_times(at: Point, immediate: bool, sustained: Option<Span>, problems: &mut Problems) {
    if immediate && sustained.is_some() {
        problems.add(at, "an `immediate` limit has no `for`: an arrest-range value is never delayed");
    }
}

/// No value meets both.
pub(crate) fn hysteresis(raise: Limit, clear: Limit) -> bool {
    let touching = raise.number == clear.number
        && matches!(
            (raise.op, clear.op),
            (Op::Above, Op::AtMost)
                | (Op::AtLeast, Op::Below)
                | (Op::Below, Op::AtLeast)
                | (Op::AtMost, Op::Above)
        );
    let (lower, upper) = (raise.number.min(clear.number), raise.number.max(clear.number));
    let apart = match raise.direction() {
        crate::limit::Direction::Up => clear.number == lower && lower < upper,
        crate::limit::Direction::Down => clear.number == upper && lower < upper,
    };
    raise.direction() != clear.direction() && (touching || apart)
}

/// Compiles the expression of a key; a problem gets its line and column in the file.
pub(super) fn expression(word: &Word, problems: &mut Problems) -> Option<Arc<Expression>> {
    match Expression::compile(word) {
        Ok(expression) => Some(Arc::new(expression)),
        Err((line, column, message)) => {
            let column = if line == 1 { word.at.column + column - 1 } else { column };
            problems.add(Point { line: word.at.line + line - 1, column }, message);
            None
        }
    }
}
