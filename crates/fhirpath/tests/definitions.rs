//! Every search parameter and every invariant of R4 is read, printed and read again; search expressions run on any resource.

use fhir::definitions::{TypeId, invariants, search_params};
use fhir::{Kind, Resource, json};
use fhirpath::{Context, Expression};

fn check(text: &str) -> Expression {
    let expression = Expression::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    let printed = expression.to_string();
    let again = Expression::parse(&printed).unwrap_or_else(|error| panic!("{printed}: {error}"));
    assert_eq!(again, expression, "{text} was printed as {printed}");
    expression
}

#[test]
fn every_search_expression_parses_and_runs() {
    let mut n_expressions = 0;
    for kind in Kind::all() {
        let text = format!(r#"{{"resourceType":"{kind}","id":"x","meta":{{"profile":["http://p"]}}}}"#);
        let resource = Resource::parse(text.as_bytes(), &json::Limits::default()).unwrap();
        for param in search_params(kind).iter().filter(|param| !param.expression.is_empty()) {
            let expression = check(param.expression);
            let items = expression.evaluate(&Context::new(&resource));
            let items = items.unwrap_or_else(|error| panic!("{}: {error}", param.expression));
            // A composite starts at the resource, or at its components.
            let composite =
                !param.components.is_empty() && param.expression.split(" | ").any(|term| term == kind.name());
            let expected = usize::from(composite || ["_id", "_profile"].contains(&param.code));
            // `deceased` and others compute an answer from nothing.
            let computed = param.expression.contains("exists()");
            assert!(computed || items.len() == expected, "{kind} {}: {}", param.code, items.len());
            for component in param.components {
                check(component.expression);
            }
            n_expressions += 1;
        }
    }
    assert!(n_expressions > 2000, "{n_expressions}");
}

#[test]
fn every_invariant_parses() {
    let mut n_rules = 0;
    for ty in TypeId::all() {
        for rule in invariants(ty.name()) {
            check(rule.expression);
            Expression::parse_for(rule.expression, ty).unwrap();
            n_rules += 1;
        }
    }
    assert!(n_rules > 200, "{n_rules}");
}

/// Search expressions and rules of the type and its bases run on the official examples; rules whose breach is an error hold there.
#[test]
fn expressions_run_on_official_examples() {
    let Some(folder) = testkit::shared_data("fhirpath-r4-tests.tar.zst") else { return };
    let (mut n_resources, mut n_found, mut n_true) = (0, 0, 0);
    for file in std::fs::read_dir(folder.join("r4/examples")).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let resource = Resource::parse(&std::fs::read(&path).unwrap(), &json::Limits::default()).unwrap();
        let context = Context::new(&resource);
        n_resources += 1;
        for param in search_params(resource.kind()).iter().filter(|param| !param.expression.is_empty()) {
            let items = check(param.expression).evaluate(&context);
            n_found += items.unwrap_or_else(|error| panic!("{}: {error}", param.expression)).len();
        }
        let mut ty = Some(TypeId::of_kind(resource.kind()));
        while let Some(of) = ty {
            // The suite's code system has a code twice, on purpose: its test `testCombine1` says so.
            for rule in invariants(of.name()).iter().filter(|rule| rule.is_error && rule.key != "csd-1") {
                let truth =
                    Expression::parse_for(rule.expression, of).and_then(|rule| rule.is_true(&context));
                assert_eq!(truth, Ok(true), "{} of {resource:?}", rule.key);
                n_true += 1;
            }
            ty = of.base();
        }
    }
    assert!(n_resources > 60 && n_found > 500 && n_true > 300, "{n_resources} {n_found} {n_true}");
}
