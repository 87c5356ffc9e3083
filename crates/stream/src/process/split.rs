//! One event, an array or NDJSON as they are sent: cut into the bytes of each event, without reading them.

use bytes::Bytes;

/// Why a body is no list of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SplitError {
    /// There is nothing in it.
    #[error("the body is empty: send one event, an array of events, or one event a line")]
    Empty,
    /// The array does not end, or something follows it.
    #[error("the body is no JSON array: a bracket is missing, or something stands after it")]
    Array,
    /// Too many at once.
    #[error("a request may have at most {0} events: send several")]
    TooMany(usize),
}

/// The events of a body. In an array, each element as it stands; else each line, or the whole when it is one object over several lines.
///
/// # Errors
/// The body is empty, an array that does not end, or has too many.
pub fn split(body: &Bytes, events_max: usize) -> Result<Vec<Bytes>, SplitError> {
    let start = body.iter().position(|byte| !byte.is_ascii_whitespace()).ok_or(SplitError::Empty)?;
    let parts = match body[start] {
        b'[' => array(body, start)?,
        _ => lines(body),
    };
    if parts.len() > events_max {
        return Err(SplitError::TooMany(events_max));
    }
    Ok(parts)
}

/// Where a JSON text is: how deep, and whether in a string.
#[derive(Default)]
struct Scan {
    depth: usize,
    in_string: bool,
    is_escaped: bool,
}

impl Scan {
    fn step(&mut self, byte: u8) {
        if self.in_string {
            match byte {
                _ if self.is_escaped => self.is_escaped = false,
                b'\\' => self.is_escaped = true,
                b'"' => self.in_string = false,
                _ => {}
            }
            return;
        }
        match byte {
            b'"' => self.in_string = true,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
    }
}

fn array(body: &Bytes, start: usize) -> Result<Vec<Bytes>, SplitError> {
    let (mut parts, mut scan, mut from) = (Vec::new(), Scan::default(), start + 1);
    for at in start..body.len() {
        let (byte, in_string) = (body[at], scan.in_string);
        scan.step(byte);
        let is_end = scan.depth == 0 && !in_string;
        let is_comma = byte == b',' && scan.depth == 1 && !in_string;
        if !is_end && !is_comma {
            continue;
        }
        let part = trimmed(body, from, at);
        // `[]` and `[ ]` have no event; `[,]` has two that cannot be read.
        if is_comma || !part.is_empty() || !parts.is_empty() {
            parts.push(part);
        }
        if is_end {
            let rest = trimmed(body, at + 1, body.len());
            return if byte == b']' && rest.is_empty() { Ok(parts) } else { Err(SplitError::Array) };
        }
        from = at + 1;
    }
    Err(SplitError::Array)
}

/// Each line, when each line is whole; one event may be written over several lines.
fn lines(body: &Bytes) -> Vec<Bytes> {
    let (mut parts, mut scan, mut from) = (Vec::new(), Scan::default(), 0);
    let whole = || vec![trimmed(body, 0, body.len())];
    for at in 0..=body.len() {
        match body.get(at) {
            Some(b'\n') | None => {
                if scan.depth > 0 && body.get(at).is_some() && parts.is_empty() {
                    continue;
                }
                let part = trimmed(body, from, at);
                if !part.is_empty() {
                    parts.push(part);
                }
                (scan, from) = (Scan::default(), at + 1);
            }
            Some(byte) => scan.step(*byte),
        }
    }
    if parts.is_empty() { whole() } else { parts }
}

fn trimmed(body: &Bytes, from: usize, to: usize) -> Bytes {
    let part = &body[from.min(to)..to];
    body.slice_ref(part.trim_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        let found = split(&Bytes::copy_from_slice(text.as_bytes()), 5).unwrap();
        let found: Vec<&str> = found.iter().map(|part| std::str::from_utf8(part).unwrap()).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn bodies_are_cut_into_events() {
        check(r#" {"a":1} "#, &[r#"{"a":1}"#]);
        check("{\n  \"a\": [1,\n 2]\n}\n", &["{\n  \"a\": [1,\n 2]\n}"]);
        check("{\"a\":1}\n\n{\"b\":2}\r\n", &[r#"{"a":1}"#, r#"{"b":2}"#]);
        check("[]", &[]);
        check(r#"[{"a":"],\"{"}, {"b":[1,2]} ]"#, &[r#"{"a":"],\"{"}"#, r#"{"b":[1,2]}"#]);
        check("[1,NaN]", &["1", "NaN"]);
        // A line that is broken is one event that cannot be read; the others go on.
        check("{\"a\":1}\n{\"b\":\n{\"c\":3}", &[r#"{"a":1}"#, r#"{"b":"#, r#"{"c":3}"#]);
    }

    #[test]
    fn what_is_no_list_is_refused() {
        let check = |text: &'static str, expected| {
            assert_eq!(split(&Bytes::from_static(text.as_bytes()), 2), Err(expected), "{text}");
        };
        check("", SplitError::Empty);
        check(" \n", SplitError::Empty);
        check("[{\"a\":1}", SplitError::Array);
        check("[1] 2", SplitError::Array);
        check("[1,2,3]", SplitError::TooMany(2));
    }
}
