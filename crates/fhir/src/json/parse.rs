//! Parses JSON in one pass. Refuses what FHIR must not guess about: duplicate names, invalid UTF-8, lone surrogates, a second document.

use std::collections::HashSet;
use std::fmt;

use compact_str::CompactString;

use super::number::{Number, scan};
use super::{Limits, Object, Value};

/// From so many members on, duplicate names are found by hashing.
const MEMBERS_SCANNED_MAX: usize = 24;

/// Where and why a text is not JSON.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {problem}")]
pub struct JsonError {
    /// Byte, from 0.
    pub offset: usize,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong there.
    pub problem: JsonProblem,
}

/// What is wrong with a JSON text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JsonProblem {
    /// Something else was expected.
    Expected(&'static str),
    /// The text ends too early.
    Cut,
    /// Something stands behind the document.
    Trailing,
    /// A name comes twice in one object.
    Duplicate(String),
    /// A number that JSON does not know.
    Number,
    /// A number with too many characters.
    NumberTooLong(usize),
    /// An escape that JSON does not know, or half of a surrogate pair.
    Escape,
    /// A control character in a string.
    Control,
    /// Not UTF-8.
    Utf8,
    /// Nested too deep.
    Depth(usize),
    /// Too many values.
    Values(usize),
}

impl fmt::Display for JsonProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            JsonProblem::Expected(what) => write!(f, "{what} was expected"),
            JsonProblem::Cut => f.write_str("the document ends too early, it may be cut"),
            JsonProblem::Trailing => f.write_str("the document has ended, but more follows"),
            JsonProblem::Duplicate(key) => write!(f, "the name `{key}` comes twice in one object"),
            JsonProblem::Number => f.write_str("this is not a JSON number"),
            JsonProblem::NumberTooLong(max) => write!(f, "the number has more than {max} characters"),
            JsonProblem::Escape => f.write_str("this escape stands for no character"),
            JsonProblem::Control => f.write_str("a control character must be escaped"),
            JsonProblem::Utf8 => f.write_str("the text is not UTF-8"),
            JsonProblem::Depth(max) => write!(f, "nested deeper than {max} levels"),
            JsonProblem::Values(max) => write!(f, "more than {max} values"),
        }
    }
}

/// Parses one document.
pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Value, JsonError> {
    let text =
        std::str::from_utf8(bytes).map_err(|error| place(bytes, error.valid_up_to(), JsonProblem::Utf8))?;
    let mut parser = Parser { text, bytes, at: 0, depth: 0, n_values: 0, limits };
    // A byte order mark is no part of the document.
    parser.at = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let parsed = parser.document();
    parsed.map_err(|problem| place(bytes, parser.at, problem))
}

fn place(bytes: &[u8], at: usize, problem: JsonProblem) -> JsonError {
    let before = &bytes[..at.min(bytes.len())];
    let line_start = before.iter().rposition(|b| *b == b'\n').map_or(0, |newline| newline + 1);
    let line = 1 + before.iter().filter(|b| **b == b'\n').count();
    // Continuation bytes of UTF-8 are no characters of their own.
    let column = 1 + before[line_start..].iter().filter(|b| (**b & 0xC0) != 0x80).count();
    JsonError { offset: at, line, column, problem }
}

struct Parser<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    depth: usize,
    n_values: usize,
    limits: &'a Limits,
}

type Parsed<T> = Result<T, JsonProblem>;

impl Parser<'_> {
    fn document(&mut self) -> Parsed<Value> {
        self.space();
        let value = self.value()?;
        self.space();
        if self.at < self.bytes.len() { Err(JsonProblem::Trailing) } else { Ok(value) }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    fn expected(&self, what: &'static str) -> JsonProblem {
        if self.at >= self.bytes.len() { JsonProblem::Cut } else { JsonProblem::Expected(what) }
    }

    fn value(&mut self) -> Parsed<Value> {
        self.n_values += 1;
        if self.n_values > self.limits.values_max {
            return Err(JsonProblem::Values(self.limits.values_max));
        }
        match self.peek() {
            Some(b'"') => Ok(Value::String(self.string()?)),
            Some(b'{') => self.nested(Self::object),
            Some(b'[') => self.nested(Self::array),
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(b'n') => self.word("null", Value::Null),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => Err(self.expected("a value")),
        }
    }

    fn word(&mut self, word: &'static str, value: Value) -> Parsed<Value> {
        let rest = &self.bytes[self.at..];
        if rest.starts_with(word.as_bytes()) {
            self.at += word.len();
            return Ok(value);
        }
        Err(if word.as_bytes().starts_with(rest) {
            JsonProblem::Cut
        } else {
            JsonProblem::Expected("a value")
        })
    }

    fn number(&mut self) -> Parsed<Value> {
        let length = scan(&self.bytes[self.at..]);
        let end = self.at + length;
        // `1.5.2`, `01` and `1abc` are no numbers with something behind them.
        let follows =
            self.bytes.get(end).is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'+' | b'-'));
        if length == 0 || follows {
            return Err(JsonProblem::Number);
        }
        if length > self.limits.number_chars_max {
            return Err(JsonProblem::NumberTooLong(self.limits.number_chars_max));
        }
        let number = Number::of_scanned(&self.text[self.at..end]);
        self.at = end;
        Ok(Value::Number(number))
    }

    fn nested(&mut self, inner: fn(&mut Self) -> Parsed<Value>) -> Parsed<Value> {
        if self.depth == self.limits.depth_max {
            return Err(JsonProblem::Depth(self.limits.depth_max));
        }
        self.depth += 1;
        self.at += 1;
        self.space();
        let value = inner(self)?;
        self.depth -= 1;
        Ok(value)
    }

    /// Goes over `,` to the next item: `false` at the closing bracket.
    fn next(&mut self, close: u8, what: &'static str) -> Parsed<bool> {
        self.space();
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                self.space();
                Ok(true)
            }
            Some(byte) if byte == close => {
                self.at += 1;
                Ok(false)
            }
            _ => Err(self.expected(what)),
        }
    }

    fn array(&mut self) -> Parsed<Value> {
        let mut items = Vec::new();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Value::Array(items));
        }
        loop {
            items.push(self.value()?);
            if !self.next(b']', "`,` or `]`")? {
                return Ok(Value::Array(items));
            }
        }
    }

    fn object(&mut self) -> Parsed<Value> {
        let mut object = Object::new();
        let mut seen: HashSet<CompactString> = HashSet::new();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Value::Object(object));
        }
        loop {
            let start = self.at;
            if self.peek() != Some(b'"') {
                return Err(self.expected("a name in quotes"));
            }
            let key = self.string()?;
            if is_repeated(&object, &mut seen, &key) {
                self.at = start;
                return Err(JsonProblem::Duplicate(key.into()));
            }
            self.space();
            if self.peek() != Some(b':') {
                return Err(self.expected("`:`"));
            }
            self.at += 1;
            self.space();
            let value = self.value()?;
            object.push_unchecked(key, value);
            if !self.next(b'}', "`,` or `}`")? {
                return Ok(Value::Object(object));
            }
        }
    }

    fn string(&mut self) -> Parsed<CompactString> {
        self.at += 1;
        let start = self.at;
        loop {
            match self.peek() {
                Some(b'"') => {
                    let text = CompactString::from(&self.text[start..self.at]);
                    self.at += 1;
                    return Ok(text);
                }
                Some(b'\\') => return self.escaped(start),
                Some(0..=0x1F) => return Err(JsonProblem::Control),
                Some(_) => self.at += 1,
                None => return Err(JsonProblem::Cut),
            }
        }
    }

    fn escaped(&mut self, start: usize) -> Parsed<CompactString> {
        let mut out = String::from(&self.text[start..self.at]);
        loop {
            let plain = self.at;
            while matches!(self.peek(), Some(byte) if byte >= 0x20 && byte != b'"' && byte != b'\\') {
                self.at += 1;
            }
            out.push_str(&self.text[plain..self.at]);
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(out.into());
                }
                Some(b'\\') => out.push(self.escape()?),
                Some(_) => return Err(JsonProblem::Control),
                None => return Err(JsonProblem::Cut),
            }
        }
    }

    fn escape(&mut self) -> Parsed<char> {
        let Some(byte) = self.bytes.get(self.at + 1) else { return Err(JsonProblem::Cut) };
        let plain = match byte {
            b'"' | b'\\' | b'/' => char::from(*byte),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unicode(),
            _ => return Err(JsonProblem::Escape),
        };
        self.at += 2;
        Ok(plain)
    }

    fn unicode(&mut self) -> Parsed<char> {
        let first = self.hex(self.at + 2)?;
        if let Some(character) = char::from_u32(first) {
            self.at += 6;
            return Ok(character);
        }
        let pair = self.bytes.get(self.at + 6..self.at + 8) == Some(b"\\u");
        let second = if pair { self.hex(self.at + 8)? } else { 0 };
        if !(0xD800..0xDC00).contains(&first) || !(0xDC00..0xE000).contains(&second) {
            return Err(JsonProblem::Escape);
        }
        self.at += 12;
        char::from_u32(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00)).ok_or(JsonProblem::Escape)
    }

    fn hex(&self, at: usize) -> Parsed<u32> {
        let digits = self.bytes.get(at..at + 4).ok_or(JsonProblem::Cut)?;
        let mut code = 0;
        for digit in digits {
            code = code * 16 + char::from(*digit).to_digit(16).ok_or(JsonProblem::Escape)?;
        }
        Ok(code)
    }
}

fn is_repeated(object: &Object, seen: &mut HashSet<CompactString>, key: &CompactString) -> bool {
    if object.len() < MEMBERS_SCANNED_MAX {
        return object.contains_key(key);
    }
    if seen.is_empty() {
        seen.extend(object.keys().map(CompactString::from));
    }
    !seen.insert(key.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let limits = Limits { depth_max: 4, values_max: 40, number_chars_max: 10 };
        let answer = match parse(text.as_bytes(), &limits) {
            Ok(value) => value.to_text(),
            Err(error) => error.to_string(),
        };
        assert_eq!(answer, expected, "{text}");
    }

    #[test]
    fn documents_come_back_as_they_were() {
        check(r#" {"b" : [1.50, -0e1, true,null ], "a":{}} "#, r#"{"b":[1.50,-0e1,true,null],"a":{}}"#);
        check(r#""\u00e9\ud83d\ude00\n\/\"""#, "\"é😀\\n/\\\"\"");
        check("\u{feff}[]", "[]");
    }

    #[test]
    fn errors_have_their_place() {
        check("", "line 1, column 1: the document ends too early, it may be cut");
        check("{\"a\":1,\n \"a\":2}", "line 2, column 2: the name `a` comes twice in one object");
        check("{\"é\":tru", "line 1, column 6: the document ends too early, it may be cut");
        check("[1,]", "line 1, column 4: a value was expected");
        check("{a:1}", "line 1, column 2: a name in quotes was expected");
        check("[01]", "line 1, column 2: this is not a JSON number");
        check("[1] 2", "line 1, column 5: the document has ended, but more follows");
        check("\"a\tb\"", "line 1, column 3: a control character must be escaped");
        check(r#""\ud800x""#, "line 1, column 2: this escape stands for no character");
        check(r#""\q""#, "line 1, column 2: this escape stands for no character");
        check("[[[[[1]]]]]", "line 1, column 5: nested deeper than 4 levels");
        check("12345678901", "line 1, column 1: the number has more than 10 characters");
        check(&format!("[{}1]", "1,".repeat(40)), "line 1, column 80: more than 40 values");
    }

    #[test]
    fn bytes_that_are_no_text_are_refused() {
        let error = parse(b"{\"a\":\"\xff\"}", &Limits::default()).unwrap_err();
        assert_eq!(error.to_string(), "line 1, column 7: the text is not UTF-8");
    }

    #[test]
    fn duplicates_are_found_in_large_objects() {
        let members: Vec<String> = (0..100).map(|i| format!("\"k{i}\":{i}")).collect();
        let text = format!("{{{},\"k7\":0}}", members.join(","));
        let error = parse(text.as_bytes(), &Limits::default()).unwrap_err();
        assert_eq!(error.problem, JsonProblem::Duplicate("k7".into()));
        let fine = format!("{{{}}}", members.join(","));
        assert!(parse(fine.as_bytes(), &Limits::default()).is_ok());
    }

    proptest::proptest! {
        /// What serde_json takes we take with the same meaning; what it refuses we refuse.
        #[test]
        fn agrees_with_another_parser(text in r#"[\[\]{}:,"a-c0-2.eE+\\untrfs \-]{0,24}"#) {
            let ours = parse(text.as_bytes(), &Limits::default());
            let theirs = serde_json::from_str::<serde_json::Value>(&text);
            match (&ours, &theirs) {
                (Ok(value), Ok(other)) => {
                    let back: serde_json::Value = serde_json::from_slice(&value.to_bytes()).unwrap();
                    proptest::prop_assert_eq!(&back, other);
                }
                (Err(error), Ok(_)) => {
                    proptest::prop_assert!(matches!(error.problem, JsonProblem::Duplicate(_)), "{}", error);
                }
                // The other parser refuses numbers that a double cannot hold.
                (Ok(_), Err(error)) => proptest::prop_assert!(error.to_string().contains("out of range"), "{}", error),
                (Err(_), Err(_)) => {}
            }
        }

        #[test]
        fn never_panics(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..64)) {
            let _ = parse(&bytes, &Limits::default());
        }
    }
}
