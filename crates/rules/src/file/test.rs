//! Reads a test that stands in a rule file.

use clinical::{Number, Pregnancy};
use yaml::{Fields, Kind, Node, Problems, Word};

use super::limits::{SEVERITIES, SPAN};
use crate::Severity;
use crate::span::{Age, Span};
use crate::test::{
    ClearTest, Expected, RefractoryTest, Step, StepData, SustainedTest, Test, TestPatient, TestValue,
};

pub(super) fn parse(node: &Node, problems: &mut Problems) -> Option<Test> {
    let mut fields = node.fields("a test", problems);
    let rule = fields.required_text("rule", problems);
    let name = fields.text("name", problems);
    let patient =
        fields.node("patient").map_or_else(TestPatient::default, |node| parse_patient(node, problems));
    let levels = fields.node("levels").map_or_else(Vec::new, |node| parse_levels(node, problems));
    let ages = fields.node("ages").map_or_else(Vec::new, |node| parse_ages(node, problems));
    let respond = fields.node("respond").map_or_else(Vec::new, |node| parse_respond(node, problems));
    let list = |fields: &mut Fields<'_>, key: &'static str| fields.node(key).cloned();
    let (clears, sustained, refractory) =
        (list(&mut fields, "clears"), list(&mut fields, "sustained"), list(&mut fields, "refractory"));
    let events = list(&mut fields, "events");
    let until = fields.value("until", SPAN, problems);
    let respond_last: Option<Span> = fields.value("respond_last", SPAN, problems);
    let expect = fields.node("expect").map(|node| parse_expected(node, problems));
    let at = fields.at();
    fields.end(problems);
    if events.is_some() != expect.is_some() {
        problems.add(at, "`events` and `expect` belong together");
    }
    let each = |node: Option<Node>, what: &str, problems: &mut Problems| -> Vec<Node> {
        node.map_or_else(Vec::new, |node| node.items(what, problems).to_vec())
    };
    let rule = rule?;
    Some(Test {
        name: name.map_or_else(|| rule.text.clone(), |word| word.text),
        rule: rule.text,
        patient,
        levels,
        ages,
        respond,
        clears: each(clears, "`clears`", problems)
            .iter()
            .filter_map(|node| parse_clears(node, problems))
            .collect(),
        sustained: each(sustained, "`sustained`", problems)
            .iter()
            .filter_map(|node| parse_sustained(node, problems))
            .collect(),
        refractory: each(refractory, "`refractory`", problems)
            .iter()
            .filter_map(|node| parse_refractory(node, problems))
            .collect(),
        steps: each(events, "`events`", problems)
            .iter()
            .filter_map(|node| parse_step(node, problems))
            .collect(),
        until,
        respond_last: respond_last.map(Span::minutes),
        expect,
        at,
    })
}

fn parse_patient(node: &Node, problems: &mut Problems) -> TestPatient {
    let mut fields = node.fields("`patient`", problems);
    let age = fields.text("age", problems);
    let pregnant = fields.flag("pregnant", problems).unwrap_or(false);
    let spo2_target_88_92 = fields.flag("spo2_target_88_92", problems).unwrap_or(false);
    let dialysis = fields.flag("dialysis", problems).unwrap_or(false);
    let medications = fields.texts("medications", problems);
    let allergies = fields.texts("allergies", problems);
    let ward = fields.text("ward", problems).map(|word| word.text);
    fields.end(problems);
    let texts = |words: Vec<Word>| words.into_iter().map(|word| word.text).collect();
    TestPatient {
        age: match age {
            None => TestPatient::default().age,
            Some(word) if word.text == "unknown" => None,
            Some(word) => parse_age(&word, problems),
        },
        pregnancy: if pregnant { Pregnancy::PregnantOrPostPartum } else { Pregnancy::NotStated },
        spo2_target_88_92,
        dialysis,
        medications: texts(medications),
        allergies: texts(allergies),
        ward,
    }
}

fn parse_age(word: &Word, problems: &mut Problems) -> Option<Age> {
    let age = word.parse().ok();
    if age.is_none() {
        problems.add(word.at, "an age is written `28d`, `3mo`, `16y` or `unknown`");
    }
    age
}

/// `critical`, ... or `none`.
fn parse_level(node: &Node, problems: &mut Problems) -> Option<Option<Severity>> {
    let word = node.text("a level", problems)?;
    if word.text == "none" {
        return Some(None);
    }
    let found = SEVERITIES.iter().find(|(name, _)| *name == word.text).map(|(_, severity)| Some(*severity));
    if found.is_none() {
        problems.add(word.at, "a level is a severity or `none`");
    }
    found
}

fn parse_levels(node: &Node, problems: &mut Problems) -> Vec<(TestValue, Option<Severity>)> {
    let entries = node.entries("`levels`", problems);
    entries
        .iter()
        .filter_map(|(key, node)| Some((TestValue::of(key), parse_level(node, problems)?)))
        .collect()
}

fn parse_ages(node: &Node, problems: &mut Problems) -> Vec<(TestValue, Age, Option<Severity>)> {
    let mut found = Vec::new();
    for item in node.items("`ages`", problems) {
        let mut fields = item.fields("an age", problems);
        let (age, value) = (fields.required_text("age", problems), fields.required_text("value", problems));
        let level = fields.required("level", problems).and_then(|node| parse_level(node, problems));
        fields.end(problems);
        let (Some(age), Some(value), Some(level)) = (age, value, level) else { continue };
        found.extend(parse_age(&age, problems).map(|age| (TestValue::of(&value), age, level)));
    }
    found
}

fn parse_respond(node: &Node, problems: &mut Problems) -> Vec<(TestValue, u32)> {
    let entries = node.entries("`respond`", problems);
    let mut found = Vec::new();
    for (key, node) in entries {
        let Some(word) = node.text("a time", problems) else { continue };
        match word.parse::<Span>() {
            Ok(span) => found.push((TestValue::of(key), span.minutes())),
            Err(()) => problems.add(word.at, format!("this must be {SPAN}")),
        }
    }
    found
}

fn value(fields: &mut Fields<'_>, key: &'static str, problems: &mut Problems) -> Option<TestValue> {
    fields.required_text(key, problems).map(|word| TestValue::of(&word))
}

fn span(fields: &mut Fields<'_>, key: &'static str, problems: &mut Problems) -> Option<Span> {
    fields.required(key, problems).and_then(|_| fields.value(key, SPAN, problems))
}

fn parse_clears(node: &Node, problems: &mut Problems) -> Option<ClearTest> {
    let mut fields = node.fields("`clears`", problems);
    let (from, not_at, over) = (
        value(&mut fields, "from", problems),
        value(&mut fields, "not_at", problems),
        value(&mut fields, "at", problems),
    );
    let after = span(&mut fields, "after", problems);
    fields.end(problems);
    Some(ClearTest { from: from?, not_at: not_at?, at: over?, after: after? })
}

fn parse_sustained(node: &Node, problems: &mut Problems) -> Option<SustainedTest> {
    let mut fields = node.fields("`sustained`", problems);
    let of = value(&mut fields, "value", problems);
    let after = span(&mut fields, "after", problems);
    let level = fields.required("level", problems).and_then(|node| parse_level(node, problems));
    fields.end(problems);
    Some(SustainedTest { value: of?, after: after?, level: level?? })
}

fn parse_refractory(node: &Node, problems: &mut Problems) -> Option<RefractoryTest> {
    let mut fields = node.fields("`refractory`", problems);
    let (from, over, worse) = (
        value(&mut fields, "from", problems),
        value(&mut fields, "clear", problems),
        fields.text("worse", problems),
    );
    let after = span(&mut fields, "after", problems);
    fields.end(problems);
    Some(RefractoryTest {
        from: from?,
        clear: over?,
        after: after?,
        worse: worse.map(|word| TestValue::of(&word)),
    })
}

fn parse_step(node: &Node, problems: &mut Problems) -> Option<Step> {
    let entries = node.entries("an event", problems);
    let mut step =
        Step { at: Span { count: 0, unit: 's' }, id: None, unit: None, quality: None, data: Vec::new() };
    for (key, node) in entries {
        match key.text.as_str() {
            "at" => match node.text("`at`", problems).map(|word| word.parse()) {
                Some(Ok(span)) => step.at = span,
                _ => problems.add(node.at, format!("`at` must be {SPAN}")),
            },
            "id" => step.id = node.text("`id`", problems).map(|word| word.text),
            "unit" => step.unit = node.text("`unit`", problems).map(|word| word.text),
            "quality" => step.quality = node.text("`quality`", problems).and_then(|word| word.parse().ok()),
            "order" => step.data.extend(parse_order(node, problems)),
            measure => step.data.extend(parse_measured(measure, node, problems)),
        }
    }
    Some(step)
}

fn parse_order(node: &Node, problems: &mut Problems) -> Option<StepData> {
    let mut fields = node.fields("`order`", problems);
    let rxnorm = fields.text("rxnorm", problems).map(|word| word.text);
    let ingredients = fields.texts("ingredients", problems).into_iter().map(|word| word.text).collect();
    let status = fields.text("status", problems).map_or_else(|| "active".to_owned(), |word| word.text);
    fields.end(problems);
    Some(StepData::Order { rxnorm, ingredients, status })
}

fn parse_measured(measure: &str, node: &Node, problems: &mut Problems) -> Option<StepData> {
    let measure = measure.to_owned();
    if let Kind::Scalar { text, .. } = &node.kind {
        let value = TestValue::of(text);
        return Some(StepData::Measured {
            measure,
            value,
            unit: None,
            status: None,
            result: None,
            flags: Vec::new(),
        });
    }
    let mut fields = node.fields(format!("`{measure}`"), problems);
    let value = fields.required_text("value", problems);
    let unit = fields.text("unit", problems).map(|word| word.text);
    const STATUSES: [(&str, event::Status); 5] = [
        ("preliminary", event::Status::Preliminary),
        ("final", event::Status::Final),
        ("corrected", event::Status::Corrected),
        ("cancelled", event::Status::Cancelled),
        ("entered_in_error", event::Status::EnteredInError),
    ];
    let status = fields.choice("status", &STATUSES, problems);
    let result = fields.text("result", problems).map(|word| word.text);
    let flags = fields.texts("flags", problems).into_iter().map(|word| word.text).collect();
    fields.end(problems);
    Some(StepData::Measured { measure, value: TestValue::of(&value?), unit, status, result, flags })
}

fn parse_expected(node: &Node, problems: &mut Problems) -> Vec<Expected> {
    let mut found = Vec::new();
    for word in node.texts("`expect`", problems) {
        let expected = match word.split_once(' ') {
            Some(("raise", severity)) => Severity::named(severity).map(Expected::Raise),
            None if word.text == "clear" => Some(Expected::Clear),
            None if word.text == "retract" => Some(Expected::Retract),
            _ if word.text == "not evaluated" => Some(Expected::NotEvaluated),
            _ => None,
        };
        if expected.is_none() {
            problems.add(word.at, "write `raise SEVERITY`, `clear`, `retract` or `not evaluated`");
        }
        found.extend(expected);
    }
    found
}

impl TestValue {
    /// `121`, `>10`, `air`, `none`.
    pub(crate) fn of(text: &str) -> TestValue {
        use event::Comparator::{Greater, GreaterOrEqual, Less, LessOrEqual};
        let signs = [(">=", GreaterOrEqual), ("<=", LessOrEqual), (">", Greater), ("<", Less)];
        let (comparator, rest) = signs
            .iter()
            .find_map(|(sign, comparator)| text.strip_prefix(sign).map(|rest| (Some(*comparator), rest)))
            .unwrap_or((None, text));
        match Number::parse(rest.trim()) {
            Some(number) => TestValue::Number(number, comparator),
            None => TestValue::Text(text.to_owned()),
        }
    }
}
