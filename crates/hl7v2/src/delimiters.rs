//! The delimiters that a message declares in MSH-1 and MSH-2.

/// The characters between fields, components, repetitions and subcomponents, and those that escape and mark truncation.
/// All are ASCII punctuation and differ from each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delimiters {
    pub(crate) field: u8,
    pub(crate) component: u8,
    pub(crate) repetition: Option<u8>,
    pub(crate) escape: Option<u8>,
    pub(crate) subcomponent: Option<u8>,
    pub(crate) truncation: Option<u8>,
}

impl Default for Delimiters {
    /// The recommended ones, `|^~\&`, without a truncation character.
    fn default() -> Delimiters {
        Delimiters {
            field: b'|',
            component: b'^',
            repetition: Some(b'~'),
            escape: Some(b'\\'),
            subcomponent: Some(b'&'),
            truncation: None,
        }
    }
}

impl Delimiters {
    /// Those of a field separator (MSH-1) and encoding characters (MSH-2): component, repetition, escape, subcomponent, truncation. Later ones
    /// may be left out: the message then has no such parts. `None` when one is no ASCII punctuation, is `"` (which marks a null), or stands twice.
    pub fn new(field: u8, encoding: &[u8]) -> Option<Delimiters> {
        let mut all = [0; 6];
        let n_all = 1 + encoding.len();
        if encoding.is_empty() || n_all > all.len() {
            return None;
        }
        all[0] = field;
        all[1..n_all].copy_from_slice(encoding);
        let used = &all[..n_all];
        let good = |at: usize| {
            used[at].is_ascii_punctuation() && used[at] != b'"' && !used[..at].contains(&used[at])
        };
        if !(0..n_all).all(good) {
            return None;
        }
        let at = |index: usize| encoding.get(index).copied();
        Some(Delimiters {
            field,
            component: encoding[0],
            repetition: at(1),
            escape: at(2),
            subcomponent: at(3),
            truncation: at(4),
        })
    }

    /// The field separator, as in MSH-1.
    pub fn field(&self) -> char {
        self.field.into()
    }

    /// The truncation character of version 2.7 and later, if one is declared.
    pub fn truncation(&self) -> Option<char> {
        self.truncation.map(char::from)
    }

    /// The encoding characters, as in MSH-2.
    pub fn encoding(&self) -> String {
        let more = [self.repetition, self.escape, self.subcomponent, self.truncation];
        std::iter::once(self.component).chain(more.into_iter().flatten()).map(char::from).collect()
    }

    /// The letter that stands for a delimiter in an escape sequence.
    pub(crate) fn letter_of(&self, byte: u8) -> Option<u8> {
        match Some(byte) {
            is if is == Some(self.field) => Some(b'F'),
            is if is == Some(self.component) => Some(b'S'),
            is if is == self.repetition => Some(b'R'),
            is if is == self.escape => Some(b'E'),
            is if is == self.subcomponent => Some(b'T'),
            is if is == self.truncation => Some(b'P'),
            _ => None,
        }
    }

    /// The delimiter of a letter in an escape sequence.
    pub(crate) fn byte_of(&self, letter: &str) -> Option<u8> {
        match letter {
            "F" => Some(self.field),
            "S" => Some(self.component),
            "R" => self.repetition,
            "E" => self.escape,
            "T" => self.subcomponent,
            "P" => self.truncation,
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_declared_is_printed_again() {
        for encoding in ["^", "^~", "^~\\", "^~\\&", "^~\\&#", "@$%*"] {
            assert_eq!(Delimiters::new(b'|', encoding.as_bytes()).unwrap().encoding(), encoding);
        }
        assert_eq!(Delimiters::new(b'|', b"^~\\&"), Some(Delimiters::default()));
        assert_eq!(Delimiters::new(b'|', b"^~\\&#").unwrap().truncation(), Some('#'));
    }

    #[test]
    fn what_cannot_be_told_apart_is_refused() {
        for encoding in ["", "^^", "^~\\|", "^~\\&#!", "a~\\&", "^ \\&", "^~\\\"", "^~\\\u{e9}"] {
            assert_eq!(Delimiters::new(b'|', encoding.as_bytes()), None, "{encoding}");
        }
        assert_eq!(Delimiters::new(b'A', b"^~\\&"), None);
    }
}
