//! Splits the text of an expression into tokens.

use compact_str::CompactString;
use fhir::Decimal;

use super::literal;
use crate::error::{Problem, Result};
use crate::temporal::Temporal;

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Token {
    /// An identifier or keyword.
    Word(CompactString),
    /// An identifier in backticks: never a keyword.
    Quoted(CompactString),
    String(CompactString),
    Integer(i64),
    Decimal(Decimal),
    Temporal(Temporal),
    /// `$this`, `$index`, `$total`: the word.
    Dollar(CompactString),
    /// `%name`.
    Percent(CompactString),
    /// Operators and brackets.
    Sign(&'static str),
    End,
}

/// Longest sign first.
const SIGNS: [&str; 24] = [
    "<=", ">=", "!=", "!~", ".", ",", "(", ")", "[", "]", "{", "}", "+", "-", "*", "/", "&", "|", "<", ">",
    "=", "~", "$", "%",
];

pub(crate) struct Lexer<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Lexer<'t> {
    pub(crate) fn new(text: &'t str) -> Lexer<'t> {
        Lexer { text, at: 0 }
    }

    /// The next token and where it starts.
    pub(crate) fn next(&mut self) -> Result<(u32, Token)> {
        self.space()?;
        let start = self.at;
        let at = u32::try_from(start).expect("the length of the text is limited");
        let token = self.token().map_err(|problem| problem.at(at))?;
        Ok((at, token))
    }

    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn space(&mut self) -> Result<()> {
        loop {
            let rest = self.rest();
            let start = self.at;
            if rest.starts_with("//") {
                self.at += rest.find(['\n', '\r']).unwrap_or(rest.len());
            } else if let Some(comment) = rest.strip_prefix("/*") {
                let Some(end) = comment.find("*/") else {
                    let at = u32::try_from(start).expect("the length of the text is limited");
                    return Err(Problem::Expected("the end of the comment").at(at));
                };
                self.at += 2 + end + 2;
            } else {
                self.at += rest.len() - rest.trim_start().len();
            }
            if self.at == start {
                return Ok(());
            }
        }
    }

    fn token(&mut self) -> std::result::Result<Token, Problem> {
        let rest = self.rest();
        let Some(first) = rest.bytes().next() else { return Ok(Token::End) };
        match first {
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => Ok(Token::Word(self.word())),
            b'0'..=b'9' => self.number(),
            b'\'' => Ok(Token::String(self.quoted('\'')?)),
            b'`' => Ok(Token::Quoted(self.quoted('`')?)),
            b'@' => {
                let (temporal, length) = literal::temporal(&rest[1..])?;
                self.at += 1 + length;
                Ok(Token::Temporal(temporal))
            }
            b'$' => {
                self.at += 1;
                Ok(Token::Dollar(self.word()))
            }
            b'%' => self.percent(),
            _ => {
                let sign = SIGNS.iter().find(|sign| rest.starts_with(**sign));
                let sign = sign.ok_or(Problem::Expected("an operator or a value"))?;
                self.at += sign.len();
                Ok(Token::Sign(sign))
            }
        }
    }

    fn word(&mut self) -> CompactString {
        let rest = self.rest();
        let end = rest.bytes().position(|b| !(b.is_ascii_alphanumeric() || b == b'_')).unwrap_or(rest.len());
        self.at += end;
        rest[..end].into()
    }

    fn percent(&mut self) -> std::result::Result<Token, Problem> {
        self.at += 1;
        let name = match self.rest().bytes().next() {
            Some(b'`') => self.quoted('`')?,
            Some(b'\'') => self.quoted('\'')?,
            Some(b'a'..=b'z' | b'A'..=b'Z' | b'_') => self.word(),
            _ => return Err(Problem::Expected("the name of a variable")),
        };
        Ok(Token::Percent(name))
    }

    fn number(&mut self) -> std::result::Result<Token, Problem> {
        let rest = self.rest();
        let digits = |from: usize| rest[from..].bytes().take_while(u8::is_ascii_digit).count();
        let whole = digits(0);
        // `1.toString()` is a call, `1.5` a decimal.
        let fraction = if rest[whole..].starts_with('.') { digits(whole + 1) } else { 0 };
        let length = if fraction > 0 { whole + 1 + fraction } else { whole };
        let text = &rest[..length];
        self.at += length;
        if fraction > 0 {
            return Decimal::parse(text).map(Token::Decimal).ok_or(Problem::Literal("decimal"));
        }
        match text.parse::<i64>() {
            Ok(integer) => Ok(Token::Integer(integer)),
            Err(_) => Decimal::parse(text).map(Token::Decimal).ok_or(Problem::Literal("number")),
        }
    }

    fn quoted(&mut self, quote: char) -> std::result::Result<CompactString, Problem> {
        let (text, length) = literal::quoted(self.rest(), quote)?;
        self.at += length;
        Ok(text)
    }
}
