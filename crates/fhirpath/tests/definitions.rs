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
