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
