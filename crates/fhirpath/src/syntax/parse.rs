//! Parses tokens into a tree, by the binding power of the operators.

use compact_str::CompactString;

use super::ast::{Literal, Node, Op, POWER_PATH, POWER_SIGN, POWER_TYPE, Term, TypeName};
use super::lex::{Lexer, Token};
use crate::error::{PathError, Problem, Result};

/// Longest text of an expression.
const TEXT_BYTES_MAX: usize = 65_536;
/// Deepest tree: it bounds the stack of everything that walks it.
const TREE_DEPTH_MAX: usize = 200;

/// The words that make a number a duration.
const CALENDAR_UNITS: [&str; 16] = [
    "year",
    "years",
    "month",
    "months",
    "week",
    "weeks",
    "day",
    "days",
    "hour",
    "hours",
    "minute",
    "minutes",
    "second",
    "seconds",
    "millisecond",
    "milliseconds",
];

/// Parses a whole expression.
pub(crate) fn parse(text: &str) -> Result<Node> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(Problem::TooLarge("more than 65536 bytes").at(0));
    }
    let mut lexer = Lexer::new(text);
    let (at, token) = lexer.next()?;
    let mut parser = Parser { lexer, at, token, nested: 0 };
    let (node, _) = parser.expression(0)?;
    match parser.token {
        Token::End => Ok(node),
        _ => Err(parser.expected("an operator or the end of the expression")),
    }
}

struct Parser<'t> {
    lexer: Lexer<'t>,
    at: u32,
    token: Token,
    nested: usize,
}

/// A tree and its depth.
type Tree = (Node, usize);

impl Parser<'_> {
    fn expected(&self, what: &'static str) -> PathError {
        Problem::Expected(what).at(self.at)
    }

    /// Takes the token and moves on.
    fn take(&mut self) -> Result<Token> {
        let (at, token) = self.lexer.next()?;
        self.at = at;
        Ok(std::mem::replace(&mut self.token, token))
    }

    fn is_sign(&self, sign: &str) -> bool {
        matches!(&self.token, Token::Sign(found) if *found == sign)
    }

    fn sign(&mut self, sign: &str, what: &'static str) -> Result<()> {
        if !self.is_sign(sign) {
            return Err(self.expected(what));
        }
        self.take().map(drop)
    }

    fn grown(&self, at: u32, depth: usize, term: Term) -> Result<Tree> {
        if depth >= TREE_DEPTH_MAX {
            return Err(Problem::TooLarge("nested deeper than 200 levels").at(at));
        }
        Ok((Node { at, term }, depth + 1))
    }

    fn expression(&mut self, power_min: u8) -> Result<Tree> {
        self.nested += 1;
        if self.nested > TREE_DEPTH_MAX {
            return Err(Problem::TooLarge("nested deeper than 200 levels").at(self.at));
        }
        let mut left = self.operand()?;
        loop {
            left = match self.infix() {
                Some(Infix::Dot) if POWER_PATH >= power_min => self.dot(left)?,
                Some(Infix::At) if POWER_PATH >= power_min => self.item(left)?,
                Some(Infix::Type(is)) if POWER_TYPE >= power_min => self.typed(left, is)?,
                Some(Infix::Op(op)) if op.power() >= power_min => self.binary(left, op)?,
                _ => break,
            };
        }
        self.nested -= 1;
        Ok(left)
    }

    fn infix(&self) -> Option<Infix> {
        match &self.token {
            Token::Sign(sign) => Some(match *sign {
                "." => Infix::Dot,
                "[" => Infix::At,
                "*" => Infix::Op(Op::Times),
                "/" => Infix::Op(Op::Over),
                "+" => Infix::Op(Op::Plus),
                "-" => Infix::Op(Op::Minus),
                "&" => Infix::Op(Op::Concat),
                "|" => Infix::Op(Op::Union),
                "<" => Infix::Op(Op::Less),
                ">" => Infix::Op(Op::Greater),
                "<=" => Infix::Op(Op::LessOrEqual),
                ">=" => Infix::Op(Op::GreaterOrEqual),
                "=" => Infix::Op(Op::Equal),
                "~" => Infix::Op(Op::Equivalent),
                "!=" => Infix::Op(Op::NotEqual),
                "!~" => Infix::Op(Op::NotEquivalent),
                _ => return None,
            }),
            Token::Word(word) => Some(match word.as_str() {
                "is" => Infix::Type(true),
                "as" => Infix::Type(false),
                "div" => Infix::Op(Op::Div),
                "mod" => Infix::Op(Op::Mod),
                "in" => Infix::Op(Op::In),
                "contains" => Infix::Op(Op::Contains),
                "and" => Infix::Op(Op::And),
                "or" => Infix::Op(Op::Or),
                "xor" => Infix::Op(Op::Xor),
                "implies" => Infix::Op(Op::Implies),
                _ => return None,
            }),
            _ => None,
        }
    }

    fn binary(&mut self, left: Tree, op: Op) -> Result<Tree> {
        let at = self.at;
        self.take()?;
        let right = self.expression(op.power() + 1)?;
        self.grown(at, left.1.max(right.1), Term::Binary(op, Box::new(left.0), Box::new(right.0)))
    }

    fn typed(&mut self, left: Tree, is: bool) -> Result<Tree> {
        let at = self.at;
        self.take()?;
        let name = self.type_name()?;
        let value = Box::new(left.0);
        self.grown(at, left.1, if is { Term::Is(value, name) } else { Term::As(value, name) })
    }

    fn type_name(&mut self) -> Result<TypeName> {
        let first = self.identifier()?;
        if !self.is_sign(".") {
            return Ok(TypeName { namespace: None, name: first });
        }
        self.take()?;
        Ok(TypeName { namespace: Some(first), name: self.identifier()? })
    }

    fn identifier(&mut self) -> Result<CompactString> {
        match &self.token {
            Token::Word(_) | Token::Quoted(_) => match self.take()? {
                Token::Word(word) | Token::Quoted(word) => Ok(word),
                _ => unreachable!("the token was looked at"),
            },
            _ => Err(self.expected("a name")),
        }
    }

    fn dot(&mut self, left: Tree) -> Result<Tree> {
        let dot = self.at;
        self.take()?;
        let at = self.at;
        let (right, depth) = match &self.token {
            Token::Dollar(_) => self.dollar()?,
            Token::Word(_) | Token::Quoted(_) => {
                let name = self.identifier()?;
                self.named(at, name)?
            }
            _ => return Err(self.expected("a name behind the `.`")),
        };
        self.grown(dot, left.1.max(depth), Term::Dot(Box::new(left.0), Box::new(right)))
    }

    fn item(&mut self, left: Tree) -> Result<Tree> {
        let at = self.at;
        self.take()?;
        let index = self.expression(0)?;
        self.sign("]", "`]`")?;
        self.grown(at, left.1.max(index.1), Term::At(Box::new(left.0), Box::new(index.0)))
    }

    /// An element, or a call when `(` follows.
    fn named(&mut self, at: u32, name: CompactString) -> Result<Tree> {
        if !self.is_sign("(") {
            return self.grown(at, 0, Term::Name(name));
        }
        self.take()?;
        let (mut arguments, mut depth) = (Vec::new(), 0);
        if !self.is_sign(")") {
            loop {
                let (argument, below) = self.expression(0)?;
                arguments.push(argument);
                depth = depth.max(below);
                if !self.is_sign(",") {
                    break;
                }
                self.take()?;
            }
        }
        self.sign(")", "`)`")?;
        self.grown(at, depth, Term::Call(name, arguments))
    }

    fn dollar(&mut self) -> Result<Tree> {
        let at = self.at;
        let term = match &self.token {
            Token::Dollar(word) if word == "this" => Term::This,
            Token::Dollar(word) if word == "index" => Term::Index,
            Token::Dollar(word) if word == "total" => Term::Total,
            _ => return Err(self.expected("`$this`, `$index` or `$total`")),
        };
        self.take()?;
        self.grown(at, 0, term)
    }

    fn operand(&mut self) -> Result<Tree> {
        let at = self.at;
        match &self.token {
            Token::Sign("(") => {
                self.take()?;
                let inner = self.expression(0)?;
                self.sign(")", "`)`")?;
                Ok(inner)
            }
            Token::Sign("{") => {
                self.take()?;
                self.sign("}", "`}`")?;
                self.grown(at, 0, Term::Literal(Literal::Empty))
            }
            Token::Sign(sign @ ("+" | "-")) => {
                let negative = *sign == "-";
                self.take()?;
                let (inner, depth) = self.expression(POWER_SIGN)?;
                let inner = Box::new(inner);
                self.grown(at, depth, if negative { Term::Negative(inner) } else { Term::Positive(inner) })
            }
            Token::Dollar(_) => self.dollar(),
            Token::Word(_) | Token::Quoted(_) => self.word(),
            Token::Integer(_) | Token::Decimal(_) => self.number(),
            Token::String(_) | Token::Temporal(_) | Token::Percent(_) => {
                let term = match self.take()? {
                    Token::String(text) => Term::Literal(Literal::String(text)),
                    Token::Temporal(temporal) => Term::Literal(Literal::Temporal(temporal)),
                    Token::Percent(name) => Term::Variable(name),
                    _ => unreachable!("the token was looked at"),
                };
                self.grown(at, 0, term)
            }
            Token::Sign(_) | Token::End => Err(self.expected("a value")),
        }
    }

    fn word(&mut self) -> Result<Tree> {
        let at = self.at;
        let keyword = match &self.token {
            Token::Word(word) => word.clone(),
            _ => CompactString::default(),
        };
        match keyword.as_str() {
            "true" | "false" => {
                self.take()?;
                self.grown(at, 0, Term::Literal(Literal::Boolean(keyword == "true")))
            }
            "and" | "or" | "xor" | "implies" | "div" | "mod" => Err(self.expected("a value")),
            _ => {
                let name = self.identifier()?;
                self.named(at, name)
            }
        }
    }

    fn number(&mut self) -> Result<Tree> {
        let at = self.at;
        let number = self.take()?;
        let unit = match &self.token {
            Token::String(unit) => Some((unit.clone(), false)),
            Token::Word(word) if CALENDAR_UNITS.contains(&word.as_str()) => Some((word.clone(), true)),
            _ => None,
        };
        let literal = match (unit, number) {
            (Some((unit, calendar)), number) => {
                self.take()?;
                let value = match number {
                    Token::Integer(integer) => integer.into(),
                    Token::Decimal(decimal) => decimal,
                    _ => unreachable!("the token was looked at"),
                };
                Literal::Quantity { value, unit, calendar }
            }
            (None, Token::Integer(integer)) => Literal::Integer(integer),
            (None, Token::Decimal(decimal)) => Literal::Decimal(decimal),
            _ => unreachable!("the token was looked at"),
        };
        self.grown(at, 0, Term::Literal(literal))
    }
}

enum Infix {
    Dot,
    At,
    /// `is` when true, else `as`.
    Type(bool),
    Op(Op),
}
