//! Reads a rule.

use event::Kind as EventKind;
use uuid::Uuid;
use yaml::{Fields, Node, Problems, Word};

use super::canonical;
use super::limits::{self, SEVERITIES, SPAN};
use crate::message::Template;
use crate::model::{Applies, Body, Condition, OrderCheck, Row, Rule};

/// Namespace of the hashes of rules.
const HASHES: Uuid = Uuid::from_u128(0x6f1d_33a8_5b0f_4c5e_9d0a_7a52_9c3e_21b4);
const ROWS_MAX: usize = 16;
const NAME_BYTES_MAX: usize = 100;

pub(super) fn parse(node: &Node, pack: &str, version: &str, problems: &mut Problems) -> Option<Rule> {
    let mut fields = node.fields("a rule", problems);
    let name = fields.required_text("name", problems);
    let own_version = fields.text("version", problems);
    let about = fields.text("about", problems);
    let source = fields.required_text("source", problems);
    let topic = fields.text("topic", problems);
    let kinds = fields.texts("kind", problems);
    let applies = fields.node("applies").map_or_else(Applies::default, |node| parse_applies(node, problems));
    let body = parse_body(&mut fields, problems);
    let refractory = fields.value("refractory", SPAN, problems);
    let message = fields.text("message", problems);
    let context = fields.texts("context", problems);
    let reads_all = fields.choice("reads", &[("usable", false), ("all", true)], problems).unwrap_or(false);
    let enabled = fields.flag("enabled", problems).unwrap_or(true);
    let at = fields.at();
    fields.end(problems);
    let name = name.filter(|name| is_name(name, pack, problems))?;
    let kinds = kinds.iter().filter_map(|word| known_kind(word, problems)).collect();
    let message = message.and_then(|word| match Template::parse(&word) {
        Ok(template) => Some(template),
        Err(message) => {
            problems.add(word.at, message);
            None
        }
    });
    Some(Rule {
        version: own_version.map_or_else(|| version.to_owned(), |word| word.text),
        hash: Uuid::new_v5(&HASHES, canonical(node).as_bytes()),
        about: about.map_or_else(String::new, |word| word.text),
        source: source?.text,
        topic: topic.map_or_else(|| name.text.clone(), |word| word.text),
        kinds,
        applies,
        body: body?,
        refractory,
        message,
        context: context.into_iter().map(|word| word.text).collect(),
        reads_all,
        enabled,
        at,
        name: name.text,
    })
}

fn is_name(name: &Word, pack: &str, problems: &mut Problems) -> bool {
    let fits = name.strip_prefix(pack).and_then(|rest| rest.strip_prefix('/')).is_some_and(|rest| {
        !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    });
    if !fits || name.len() > NAME_BYTES_MAX {
        problems.add(
            name.at,
            format!("the name `{name}` must be `{pack}/` and lower-case letters, digits and `-`"),
        );
    }
    fits
}

fn known_kind(word: &Word, problems: &mut Problems) -> Option<EventKind> {
    let kind = EventKind::named(word);
    if matches!(kind, EventKind::Other(_)) {
        problems.add(word.at, format!("`{word}` is no kind of event"));
        return None;
    }
    Some(kind)
}

fn parse_applies(node: &Node, problems: &mut Problems) -> Applies {
    const AGE: &str = "an age such as `28d`, `3mo` or `16y`";
    let mut fields = node.fields("`applies`", problems);
    let pregnant = fields.choice("pregnancy", &[("yes", true), ("no", false)], problems);
    let target = fields.choice("spo2_target", &[("88-92", true), ("usual", false)], problems);
    let dialysis = fields.choice("dialysis", &[("yes", true), ("no", false)], problems);
    let units = fields.texts("units", problems);
    let not_units = fields.texts("not_units", problems);
    let age = fields.node("age");
    fields.end(problems);
    let texts = |words: Vec<Word>| words.into_iter().map(|word| word.text).collect();
    let mut applies = Applies {
        pregnant,
        spo2_target_88_92: target,
        dialysis,
        units: texts(units),
        not_units: texts(not_units),
        ..Applies::default()
    };
    if let Some(age) = age {
        let mut fields = age.fields("`age`", problems);
        applies.from = fields.value("from", AGE, problems);
        applies.below = fields.value("below", AGE, problems);
        let unknown = fields.choice("unknown", &[("applies", true), ("not_evaluated", false)], problems);
        applies.unknown_age = unknown.unwrap_or(false);
        fields.end(problems);
    }
    applies
}

/// Exactly one of `limits`, `when`, `order`.
fn parse_body(fields: &mut Fields<'_>, problems: &mut Problems) -> Option<Body> {
    let (limits, when) = (fields.node("limits"), fields.text("when", problems));
    let order = fields.choice(
        "order",
        &[("duplicate", OrderCheck::Duplicate), ("allergy", OrderCheck::Allergy)],
        problems,
    );
    let measure = fields.text("measure", problems);
    let unit = fields.text("unit", problems);
    let severity = fields.choice("severity", &SEVERITIES, problems);
    let sustained = fields.value("for", SPAN, problems);
    let clear = fields.node("clear");
    let respond_within = fields.value("respond_within", SPAN, problems);
    let says = fields.text("says", problems);
    let at = fields.at();
    match (limits, when, order) {
        (Some(limits), None, None) => parse_limits(limits, measure, unit, problems),
        (None, Some(when), None) => {
            let raise = limits::expression(&when, problems);
            let Some(clear) = clear else {
                problems.add(at, "a rule with `when` needs `clear: {when: ..., for: ...}`");
                return None;
            };
            let mut over = clear.fields("`clear`", problems);
            let over_when = over.required_text("when", problems);
            let clear_for = over.value("for", SPAN, problems);
            over.end(problems);
            let clear = limits::expression(&over_when?, problems);
            let Some(severity) = severity else {
                problems.add(at, "a rule with `when` needs a `severity`");
                return None;
            };
            let says = says.map(|word| word.text);
            let row = Row {
                raise: Condition::When(raise?),
                severity,
                says,
                sustained,
                clear: Condition::When(clear?),
                clear_for,
                respond_within,
                immediate: false,
            };
            Some(Body::When(row))
        }
        (None, None, Some(check)) => {
            let Some(severity) = severity else {
                problems.add(at, "a rule with `order` needs a `severity`");
                return None;
            };
            Some(Body::Order { check, severity, respond_within })
        }
        _ => {
            problems.add(at, "a rule needs exactly one of `limits`, `when` and `order`");
            None
        }
    }
}

fn parse_limits(
    node: &Node,
    measure: Option<Word>,
    unit: Option<Word>,
    problems: &mut Problems,
) -> Option<Body> {
    let Some(measure) = measure else {
        problems.add(node.at, "`limits` need a `measure`");
        return None;
    };
    let items = node.items("`limits`", problems);
    if items.is_empty() || items.len() > ROWS_MAX {
        problems.add(node.at, format!("`limits` must be 1 to {ROWS_MAX} rows"));
    }
    let (mut rows, mut all_words): (Vec<Row>, Vec<_>) = (Vec::new(), Vec::new());
    for item in items {
        let Some((row, words)) = limits::parse(item, problems) else { continue };
        if rows.iter().any(|other| other.key() == row.key()) {
            problems.add(
                item.at,
                "a limit in this direction with this severity stands here already: make it another rule",
            );
        }
        rows.push(row);
        all_words.push(words);
    }
    Some(Body::Limits { measure: measure.text, unit: unit.map(|word| word.text), rows, words: all_words })
}
