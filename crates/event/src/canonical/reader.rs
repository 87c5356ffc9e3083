//! Walks JSON without building a tree: names and texts are borrowed from the bytes, numbers are handed out as they stand.

use std::borrow::Cow;

use fhir::json::{self, Limits};

use crate::{Refusal, Why};

/// Deepest nesting that is skipped over.
const DEPTH_MAX: u32 = 32;

/// Boxed, so that what goes well is small and stays in registers.
pub(super) type Bad = Box<Refusal>;

/// Bytes that are searched without a call.
const SHORT: usize = 24;

/// A place in a JSON text.
pub(super) struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Result<Reader<'a>, Bad> {
        let text = std::str::from_utf8(bytes).map_err(|error| {
            Box::new(Refusal::at(format!("byte {}", error.valid_up_to()), Why::Expected("UTF-8")))
        })?;
        Ok(Reader { text, at: 0 })
    }

    pub(super) fn wrong(&self, expected: &'static str) -> Bad {
        Box::new(Refusal::at(format!("byte {}", self.at), Why::Expected(expected)))
    }

    #[inline]
    fn next(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        // Nothing stands between the parts of what was written here.
        if let Some(byte) = bytes.get(self.at).filter(|byte| **byte > b' ') {
            return Some(*byte);
        }
        while bytes.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
        bytes.get(self.at).copied()
    }

    fn take(&mut self, byte: u8, expected: &'static str) -> Result<(), Bad> {
        if self.next() != Some(byte) {
            return Err(self.wrong(expected));
        }
        self.at += 1;
        Ok(())
    }

    /// Each member of an object; `member` reads its value.
    pub(super) fn object(
        &mut self,
        mut member: impl FnMut(&mut Reader<'a>, &str) -> Result<(), Bad>,
    ) -> Result<(), Bad> {
        self.take(b'{', "an object")?;
        if self.next() == Some(b'}') {
            self.at += 1;
            return Ok(());
        }
        loop {
            let key = self.string()?;
            self.take(b':', "`:`")?;
            member(self, &key)?;
            match self.next() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    return Ok(());
                }
                _ => return Err(self.wrong("`,` or `}`")),
            }
        }
    }

    /// Each item of a list.
    pub(super) fn list(
        &mut self,
        mut item: impl FnMut(&mut Reader<'a>) -> Result<(), Bad>,
    ) -> Result<(), Bad> {
        self.take(b'[', "a list")?;
        if self.next() == Some(b']') {
            self.at += 1;
            return Ok(());
        }
        loop {
            item(self)?;
            match self.next() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    return Ok(());
                }
                _ => return Err(self.wrong("`,` or `]`")),
            }
        }
    }

    /// A string; borrowed when nothing in it is escaped.
    #[inline]
    pub(super) fn string(&mut self) -> Result<Cow<'a, str>, Bad> {
        self.take(b'"', "a string")?;
        let start = self.at;
        let rest = &self.text.as_bytes()[start..];
        // Most are so short that a call to search them costs more than the search.
        let end = match rest.iter().take(SHORT).position(|byte| matches!(byte, b'"' | b'\\')) {
            Some(end) => Some(end),
            None => memchr::memchr2(b'"', b'\\', rest),
        };
        match end {
            Some(end) if rest[end] == b'"' => {
                self.at = start + end + 1;
                Ok(Cow::Borrowed(&self.text[start..start + end]))
            }
            Some(_) => self.escaped(start - 1),
            None => Err(self.wrong("the end of the string")),
        }
    }

    /// A string in which something is escaped, from its quotation mark on.
    #[cold]
    fn escaped(&mut self, start: usize) -> Result<Cow<'a, str>, Bad> {
        self.at = start;
        match json::parse(self.raw()?.as_bytes(), &Limits::default()) {
            Ok(json::Value::String(text)) => Ok(Cow::Owned(text.into())),
            _ => Err(self.wrong("a string")),
        }
    }

    /// A number as it stands.
    pub(super) fn number(&mut self) -> Result<&'a str, Bad> {
        self.next();
        let start = self.at;
        let is_part = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E');
        let n = self.text.as_bytes()[start..].iter().take_while(|byte| is_part(byte)).count();
        self.at += n;
        if n == 0 { Err(self.wrong("a number")) } else { Ok(&self.text[start..start + n]) }
    }

    /// A value of any type as it stands.
    pub(super) fn raw(&mut self) -> Result<&'a str, Bad> {
        self.next();
        let start = self.at;
        self.skip()?;
        Ok(&self.text[start..self.at])
    }

    fn skip(&mut self) -> Result<(), Bad> {
        let bytes = self.text.as_bytes();
        let mut depth = 0_u32;
        loop {
            match self.next().ok_or_else(|| self.wrong("a value"))? {
                b'"' => self.skip_string()?,
                b'{' | b'[' => {
                    depth += 1;
                    self.at += 1;
                }
                b'}' | b']' => {
                    depth = depth.checked_sub(1).ok_or_else(|| self.wrong("a value"))?;
                    self.at += 1;
                }
                b',' | b':' if depth > 0 => self.at += 1,
                b',' | b':' => return Err(self.wrong("a value")),
                _ => {
                    let is_end =
                        |byte: &u8| matches!(byte, b',' | b'}' | b']' | b':') || byte.is_ascii_whitespace();
                    let n = bytes[self.at..].iter().take_while(|byte| !is_end(byte)).count();
                    self.at += n;
                }
            }
            if depth > DEPTH_MAX {
                return Err(self.wrong("less nesting"));
            }
            if depth == 0 {
                return Ok(());
            }
        }
    }

    fn skip_string(&mut self) -> Result<(), Bad> {
        let bytes = self.text.as_bytes();
        self.at += 1;
        loop {
            let Some(n) = memchr::memchr2(b'"', b'\\', &bytes[self.at..]) else {
                return Err(self.wrong("the end of the string"));
            };
            self.at += n;
            if bytes[self.at] == b'"' {
                self.at += 1;
                return Ok(());
            }
            // The escaped character is ASCII in what is JSON; in what is not, the parser says so.
            self.at = (self.at + 2).min(bytes.len());
        }
    }

    /// Nothing but white space follows.
    pub(super) fn end(&mut self) -> Result<(), Bad> {
        match self.next() {
            None => Ok(()),
            Some(_) => Err(self.wrong("the end")),
        }
    }
}
