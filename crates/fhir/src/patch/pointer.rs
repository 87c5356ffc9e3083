//! JSON Pointer (RFC 6901): a path into a document.

/// A path into a document.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Pointer {
    text: String,
    tokens: Vec<String>,
}

impl Pointer {
    /// Reads `/name/0/given`; `None` when it is no pointer.
    pub(super) fn parse(text: &str) -> Option<Pointer> {
        let tokens = if text.is_empty() {
            Vec::new()
        } else {
            text.strip_prefix('/')?.split('/').map(unescaped).collect::<Option<Vec<String>>>()?
        };
        Some(Pointer { text: text.to_string(), tokens })
    }

    /// As it was written.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Its steps.
    pub(super) fn tokens(&self) -> &[String] {
        &self.tokens
    }

    /// The last step; empty for the whole document.
    pub(super) fn last(&self) -> &str {
        self.tokens.last().map_or("", String::as_str)
    }

    /// Does `other` lead into what this leads to.
    pub(super) fn is_above(&self, other: &Pointer) -> bool {
        other.tokens.len() > self.tokens.len() && other.tokens.starts_with(&self.tokens)
    }
}

fn unescaped(token: &str) -> Option<String> {
    let mut out = String::with_capacity(token.len());
    let mut rest = token.chars();
    while let Some(c) = rest.next() {
        match c {
            '~' => match rest.next()? {
                '0' => out.push('~'),
                '1' => out.push('/'),
                _ => return None,
            },
            c => out.push(c),
        }
    }
    Some(out)
}
