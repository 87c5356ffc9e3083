//! Prints a tree as text that parses back into the same tree.

use std::fmt;

use super::ast::{Literal, Node, POWER_PATH, POWER_SIGN, POWER_TYPE, Term, TypeName};
use super::literal::quote;

/// Words that stand for something else unless they are in backticks.
const RESERVED: [&str; 8] = ["true", "false", "and", "or", "xor", "implies", "div", "mod"];

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write(self, 0, f)
    }
}

/// Writes a tree, in brackets when it binds less tightly than `power_min`.
fn write(node: &Node, power_min: u8, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let power = match &node.term {
        Term::Binary(op, ..) => op.power(),
        Term::Is(..) | Term::As(..) => POWER_TYPE,
        Term::Negative(_) | Term::Positive(_) => POWER_SIGN,
        _ => POWER_PATH,
    };
    if power >= power_min {
        return write_bare(node, power, f);
    }
    f.write_str("(")?;
    write_bare(node, power, f)?;
    f.write_str(")")
}

fn write_bare(node: &Node, power: u8, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match &node.term {
        Term::Literal(literal) => write_literal(literal, f),
        Term::Name(name) => write_name(name, f),
        Term::This => f.write_str("$this"),
        Term::Index => f.write_str("$index"),
        Term::Total => f.write_str("$total"),
        Term::Variable(name) => {
            f.write_str("%")?;
            let plain = is_plain(name);
            if plain { f.write_str(name) } else { quote(name, '`', f) }
        }
        Term::Call(name, arguments) => {
            write_name(name, f)?;
            f.write_str("(")?;
            for (i, argument) in arguments.iter().enumerate() {
                f.write_str(if i > 0 { ", " } else { "" })?;
                write(argument, 0, f)?;
            }
            f.write_str(")")
        }
        Term::Dot(left, right) => {
            write(left, power, f)?;
            f.write_str(".")?;
            write(right, power, f)
        }
        Term::At(left, index) => {
            write(left, power, f)?;
            write!(f, "[{index}]")
        }
        Term::Negative(inner) => {
            f.write_str("-")?;
            write(inner, power, f)
        }
        Term::Positive(inner) => {
            f.write_str("+")?;
            write(inner, power, f)
        }
        Term::Binary(op, left, right) => {
            write(left, power, f)?;
            write!(f, " {} ", op.text())?;
            write(right, power + 1, f)
        }
        Term::Is(value, name) => write_typed(value, "is", name, f),
        Term::As(value, name) => write_typed(value, "as", name, f),
    }
}

fn write_typed(value: &Node, word: &str, name: &TypeName, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write(value, POWER_TYPE, f)?;
    write!(f, " {word} ")?;
    if let Some(namespace) = &name.namespace {
        write_name(namespace, f)?;
        f.write_str(".")?;
    }
    write_name(&name.name, f)
}

fn is_plain(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

fn write_name(name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let plain = is_plain(name) && !RESERVED.contains(&name);
    if plain { f.write_str(name) } else { quote(name, '`', f) }
}

fn write_literal(literal: &Literal, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match literal {
        Literal::Empty => f.write_str("{}"),
        Literal::Boolean(truth) => write!(f, "{truth}"),
        Literal::String(text) => quote(text, '\'', f),
        Literal::Integer(integer) => write!(f, "{integer}"),
        Literal::Decimal(decimal) => write!(f, "{decimal}"),
        Literal::Temporal(temporal) => write!(f, "@{}", temporal.literal()),
        Literal::Quantity { value, unit, calendar: true } => write!(f, "{value} {unit}"),
        Literal::Quantity { value, unit, calendar: false } => {
            write!(f, "{value} ")?;
            quote(unit, '\'', f)
        }
    }
}

#[cfg(test)]
mod tests {
    use fhir::Decimal;
    use proptest::prelude::*;

    use super::*;
    use crate::syntax::{Op, parse};
    use crate::temporal::Temporal;

    fn check(text: &str, expected: &str) {
        let tree = parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(tree.to_string(), expected, "{text}");
        assert_eq!(parse(expected).unwrap(), tree, "{expected}");
    }

    #[test]
    fn brackets_stand_where_they_are_needed() {
        check("a.b [ 0 ] . c( d,1 )", "a.b[0].c(d, 1)");
        check("(a | b).c", "(a | b).c");
        check("((1+2)*3)", "(1 + 2) * 3");
        check("1-(2-3)-4", "1 - (2 - 3) - 4");
        check("-1.abs() + (-1).abs()", "-1.abs() + (-1).abs()");
        check(
            "a is FHIR.Patient and (b as Quantity).value>5 'mg'",
            "a is FHIR.Patient and (b as Quantity).value > 5 'mg'",
        );
        check("a implies (b implies c)", "a implies (b implies c)");
        check("text.`div` // comment", "text.`div`");
        check("contains.contains('it\\'s')", "contains.contains('it\\'s')");
        check("4 days + @2015-02T + @T10:30", "4 days + @2015-02T + @T10:30");
        check("%`vs-a` & %ucum & '\\u0041\\n'", "%`vs-a` & %ucum & 'A\\n'");
        check("{} = $this.where($index > 1)", "{} = $this.where($index > 1)");
    }

    fn name() -> impl Strategy<Value = compact_str::CompactString> + Clone {
        prop_oneof![
            "[a-z]{1,6}",
            "[a-zA-Z0-9 `'\\\\.é\n]{1,6}",
            "is|as|in|contains|and|div|true|days|Patient"
        ]
        .prop_map(Into::into)
    }

    fn literal() -> impl Strategy<Value = Literal> {
        let decimal = "[0-9]{1,12}\\.[0-9]{1,12}".prop_map(|text| Decimal::parse(&text).unwrap());
        let whole = any::<u32>().prop_map(|number| Decimal::from(i64::from(number)));
        let unit = prop_oneof![Just("mg"), Just("[lb_av]"), Just("it's"), Just("")];
        let calendar = prop_oneof![Just("day"), Just("milliseconds")];
        let temporal = prop_oneof![
            Just("2015"),
            Just("2015-02"),
            Just("2015-02-04"),
            Just("2015-02-04T14"),
            Just("2015-02-04T14:34:28.12+10:00"),
        ];
        prop_oneof![
            Just(Literal::Empty),
            any::<bool>().prop_map(Literal::Boolean),
            any::<String>().prop_map(|text| Literal::String(text.into())),
            (0..i64::MAX).prop_map(Literal::Integer),
            decimal.clone().prop_map(Literal::Decimal),
            (decimal, unit).prop_map(|(value, unit)| Literal::Quantity {
                value,
                unit: unit.into(),
                calendar: false
            }),
            (whole, calendar).prop_map(|(value, unit)| Literal::Quantity {
                value,
                unit: unit.into(),
                calendar: true
            }),
            temporal.prop_map(|text| Literal::Temporal(Temporal::parse_date_time(text).unwrap())),
        ]
    }

    fn node(term: Term) -> Node {
        Node { at: 0, term }
    }

    fn op() -> impl Strategy<Value = Op> {
        prop_oneof![
            Just(Op::Times),
            Just(Op::Mod),
            Just(Op::Minus),
            Just(Op::Concat),
            Just(Op::Union),
            Just(Op::LessOrEqual),
            Just(Op::NotEquivalent),
            Just(Op::Contains),
            Just(Op::And),
            Just(Op::Xor),
            Just(Op::Implies),
        ]
    }

    fn tree() -> impl Strategy<Value = Node> {
        let leaf = prop_oneof![
            literal().prop_map(Term::Literal),
            name().prop_map(Term::Name),
            Just(Term::This),
            Just(Term::Total),
            name().prop_map(Term::Variable),
        ];
        leaf.prop_map(node).prop_recursive(5, 40, 3, |inner| {
            let boxed = inner.clone().prop_map(Box::new);
            let call =
                (name(), prop::collection::vec(inner, 0..3)).prop_map(|(name, list)| Term::Call(name, list));
            let member =
                prop_oneof![name().prop_map(Term::Name), call.clone(), Just(Term::Index)].prop_map(node);
            let ty =
                (prop::option::of(name()), name()).prop_map(|(namespace, name)| TypeName { namespace, name });
            prop_oneof![
                call,
                (boxed.clone(), member).prop_map(|(left, right)| Term::Dot(left, Box::new(right))),
                (boxed.clone(), boxed.clone()).prop_map(|(left, right)| Term::At(left, right)),
                boxed.clone().prop_map(Term::Negative),
                (op(), boxed.clone(), boxed.clone())
                    .prop_map(|(op, left, right)| Term::Binary(op, left, right)),
                (boxed.clone(), ty.clone()).prop_map(|(value, name)| Term::Is(value, name)),
                (boxed, ty).prop_map(|(value, name)| Term::As(value, name)),
            ]
            .prop_map(node)
        })
    }

    proptest! {
        /// What is printed is read as the same tree.
        #[test]
        fn printing_and_parsing_are_inverse(tree in tree()) {
            let text = tree.to_string();
            match parse(&text) {
                Ok(again) => prop_assert_eq!(again, tree, "{}", text),
                Err(error) => prop_assert!(false, "{}: {}", text, error),
            }
        }
    }
}
