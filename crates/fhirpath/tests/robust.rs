//! No text makes the engine panic, hang or overflow its stack.

use std::time::{Duration, Instant};

use fhir::definitions::{TypeId, invariants};
use fhir::{Resource, json};
use fhirpath::{Context, Expression, Limits, Problem};
use proptest::prelude::*;

const PATIENT: &[u8] = br##"{"resourceType":"Patient","id":"p","active":true,"birthDate":"1974-12-25",
    "contained":[{"resourceType":"Organization","id":"o","name":"n"}],"managingOrganization":{"reference":"#o"},
    "multipleBirthInteger":2,"name":[{"given":["A","B"],"family":"C"},{"given":["D"]}],
    "telecom":[{"system":"phone","value":"1","rank":1}],"extension":[{"url":"u","valueQuantity":{"value":1.5,"code":"mg"}}]}"##;

fn patient() -> Resource {
    Resource::parse(PATIENT, &json::Limits::default()).expect("this is a patient")
}

/// Reads and, when it can be read, evaluates, within a small allowance.
fn try_out(text: &str) {
    let Ok(expression) = Expression::parse(text) else { return };
    let resource = patient();
    let mut context = Context::new(&resource).now(fhir::Instant(0));
    context.limits = Limits { steps_max: 100_000, items_max: 10_000, text_bytes_max: 100_000 };
    let _ = expression.evaluate(&context);
    let _ = expression.is_true(&context);
    let _ = expression.check(TypeId::of_kind(fhir::Kind::PATIENT));
    assert_eq!(Expression::parse(&expression.to_string()).as_ref(), Ok(&expression), "{text}");
}

/// Texts that mean something, to be cut and joined.
fn pieces() -> Vec<&'static str> {
    let mut pieces: Vec<&'static str> =
        TypeId::all().flat_map(|ty| invariants(ty.name())).map(|rule| rule.expression).collect();
    pieces.extend([
        "name.given.first().substring(1, 2).toChars().join(',')",
        "(1 | 2 | 3).aggregate($this + $total, 0).power(70).sqrt()",
        "repeat($this | name | extension).sort(-id).take(3)",
        "birthDate + 7 days > today() - 3.5 'wk'",
        "extension('u').value * 2 'm' / 3 > 1 'g.m-1'",
        "descendants().combine(children()).distinct().count() div 0.1",
        "managingOrganization.resolve().name.matches('(a|b)*c').not()",
        "1.587.lowBoundary(3).round(2).toString().encode('hex').decode('base64').replaceMatches('.', '$1x')",
        "iif(active, name, {}).select($index + $this.given.count()).all($this is Integer)",
    ]);
    pieces
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn random_text_never_panics(text in "[\\PC]{0,40}") {
        try_out(&text);
    }

    #[test]
    fn random_signs_never_panic(text in r"[a-c0-9.()\[\]{}'`@%$+*/|&=!~<> T:\-]{0,40}") {
        try_out(&text);
    }

    #[test]
    fn spliced_expressions_never_panic(a in any::<prop::sample::Index>(), b in any::<prop::sample::Index>(), cut in 0..80usize, from in 0..80usize) {
        let pieces = pieces();
        let (a, b) = (a.get(&pieces), b.get(&pieces));
        let head: String = a.chars().take(cut).collect();
        let tail: String = b.chars().skip(from).collect();
        try_out(&format!("{head}{tail}"));
        try_out(&format!("({a}).select({b})"));
        try_out(&format!("({a}) | ({b})"));
    }
}

/// Deep nesting ends in an error, or is evaluated, on the stack of an ordinary thread.
#[test]
fn deep_nesting_is_refused_or_survived() {
    let nest = |open: &str, core: &str, close: &str, n: usize| {
        format!("{}{core}{}", open.repeat(n), close.repeat(n))
    };
    for n in [10, 60, 150, 190, 199, 250, 5_000] {
        for (open, core, close) in [
            ("(", "1", ")"),
            ("-", "1", ""),
            ("1 + ", "1", ""),
            ("", "name", ".first()"),
            ("", "a", "[0]"),
            ("", "1", " + 1"),
            ("", "name", " | name"),
            ("", "true", " and true"),
            ("name.select(", "given", ")"),
            ("name.where(", "true", ")"),
            ("name.exists(", "true", ")"),
            ("iif(true, ", "1", ")"),
            ("repeat(", "name", ")"),
            ("name.all(", "true", ")"),
            ("name.aggregate(", "1", ")"),
            ("(1).combine(", "2", ")"),
            ("name.sort(", "1", ")"),
            ("", "name", ".select($this | $this)"),
            ("", "name", ".repeat($this | given)"),
            ("true implies (", "true", ")"),
            ("1 in (", "1", ")"),
            ("{", "", "}"),
            ("[", "", "]"),
            ("/*", "", ""),
        ] {
            try_out(&nest(open, core, close, n));
        }
    }
}

#[test]
fn work_is_bounded() {
    let check = |text: &str, expected: fn(&Problem) -> bool| {
        let resource = patient();
        let mut context = Context::new(&resource);
        context.limits = Limits { steps_max: 1_000_000, items_max: 100_000, text_bytes_max: 1_000_000 };
        let started = Instant::now();
        let error = Expression::parse(text).and_then(|expression| expression.evaluate(&context)).unwrap_err();
        assert!(expected(&error.problem), "{text}: {error}");
        assert!(started.elapsed() < Duration::from_secs(120), "{text} took {:?}", started.elapsed());
    };
    let many = format!("name{}.count()", ".select(%resource.descendants())".repeat(6));
    check(&many, |p| matches!(p, Problem::Steps(_) | Problem::Items(_)));
    check("'a'.repeat($this & 'a')", |p| {
        matches!(p, Problem::Steps(_) | Problem::Items(_) | Problem::Overflow)
    });
    check("1.repeat($this + 1)", |p| matches!(p, Problem::Steps(_) | Problem::Items(_)));
    check("2.repeat($this * $this)", |p| matches!(p, Problem::Overflow));
    check("2.5.repeat($this * $this)", |p| matches!(p, Problem::Overflow));
    let doubling = format!("'ab'{}", ".replace('', 'abcdefgh')".repeat(12));
    check(&doubling, |p| matches!(p, Problem::Overflow));
    check("'a'.matches('(((a{1,100}){1,100}){1,100}){1,100}')", |p| matches!(p, Problem::Regex(_)));
    check(&format!("{}1{}", "(".repeat(1000), ")".repeat(1000)), |p| matches!(p, Problem::TooLarge(_)));
    check(&" ".repeat(70_000), |p| matches!(p, Problem::TooLarge(_)));
}

/// Thousands of different texts are told apart without comparing each with each.
#[test]
fn long_lists_of_texts_are_cheap() {
    let entries: Vec<String> = (0..30_000).map(|i| format!(r#"{{"fullUrl":"urn:uuid:{i}"}}"#)).collect();
    let text = format!(r#"{{"resourceType":"Bundle","type":"batch","entry":[{}]}}"#, entries.join(","));
    let bundle = Resource::parse(text.as_bytes(), &json::Limits::default()).unwrap();
    let context = Context::new(&bundle);
    for text in ["entry.fullUrl.isDistinct()", "(entry.fullUrl | entry.fullUrl).count() = 30000"] {
        assert_eq!(Expression::parse(text).unwrap().is_true(&context), Ok(true), "{text}");
    }
}
