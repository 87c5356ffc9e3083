//! Just enough of HTML to check what the pages write: tags with their attributes, in order.

/// One tag.
pub(crate) struct Tag {
    pub(crate) name: String,
    pub(crate) is_end: bool,
    pub(crate) attributes: Vec<(String, String)>,
    closes_itself: bool,
}

impl Tag {
    /// The value of an attribute.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// Has it no end tag.
    pub(crate) fn is_void(&self) -> bool {
        self.closes_itself || ["meta", "link", "input", "br", "hr", "img"].contains(&self.name.as_str())
    }
}

/// The tags of a page. Relies on text and values being escaped, and fails when they are not.
pub(crate) fn tags_of(page: &str) -> Vec<Tag> {
    let mut tags = Vec::new();
    for piece in page.split('<').skip(1) {
        if piece.starts_with('!') {
            continue;
        }
        let end = end_of(piece)
            .unwrap_or_else(|| panic!("a tag without an end: <{}", &piece[..piece.len().min(40)]));
        let inside = &piece[..end];
        let closes_itself = inside.ends_with('/');
        let inside = inside.trim_end_matches('/');
        let is_end = inside.starts_with('/');
        let inside = inside.trim_start_matches('/');
        let (name, rest) = inside.split_once(' ').unwrap_or((inside, ""));
        assert!(name.bytes().all(|b| b.is_ascii_alphanumeric()), "`{name}` is no element");
        tags.push(Tag { name: name.to_string(), is_end, attributes: attributes_of(rest), closes_itself });
    }
    tags
}

/// Position of the `>` that ends a tag: the first outside quotes.
fn end_of(piece: &str) -> Option<usize> {
    let mut is_quoted = false;
    piece.bytes().position(|byte| {
        is_quoted ^= byte == b'"';
        byte == b'>' && !is_quoted
    })
}

fn attributes_of(mut text: &str) -> Vec<(String, String)> {
    let mut attributes = Vec::new();
    loop {
        text = text.trim_start();
        if text.is_empty() {
            return attributes;
        }
        let name_end = text.find(['=', ' ']).unwrap_or(text.len());
        let name = text[..name_end].to_string();
        text = &text[name_end..];
        let Some(quoted) = text.strip_prefix("=\"") else {
            attributes.push((name, String::new()));
            continue;
        };
        let (value, rest) = quoted.split_once('"').expect("a value ends with a quote");
        attributes.push((name, value.replace("&amp;", "&")));
        text = rest;
    }
}
