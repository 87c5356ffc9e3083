//! Where in a resource something is, kept on the stack and written out only when there is an issue.

use std::fmt;

/// A step below another place.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    parent: Option<&'a Place<'a>>,
    name: &'a str,
    index: Option<usize>,
}

/// At most so many characters of an unknown name are repeated.
const NAME_CHARS_MAX: usize = 64;

impl<'a> Place<'a> {
    pub(crate) fn root(name: &'a str) -> Place<'a> {
        Place { parent: None, name, index: None }
    }

    pub(crate) fn member(&'a self, name: &'a str) -> Place<'a> {
        Place { parent: Some(self), name, index: None }
    }

    /// The same element at a position of its list.
    pub(crate) fn item(&self, index: usize) -> Place<'a> {
        Place { index: Some(index), ..*self }
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            write!(f, "{parent}.")?;
        }
        let end = self.name.char_indices().nth(NAME_CHARS_MAX).map_or(self.name.len(), |(end, _)| end);
        f.write_str(&self.name[..end])?;
        if let Some(index) = self.index {
            write!(f, "[{index}]")?;
        }
        Ok(())
    }
}
