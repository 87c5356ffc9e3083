//! As much of an XML reader as the suite needs: elements, attributes, text, comments, entities.

/// An element, or text when it has no name.
#[derive(Debug, Default)]
pub(crate) struct Xml {
    pub(crate) name: String,
    pub(crate) attributes: Vec<(String, String)>,
    pub(crate) children: Vec<Xml>,
    pub(crate) text: String,
    /// The element as it stood in the file, for XHTML.
    pub(crate) source: String,
}

impl Xml {
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn elements<'x>(&'x self, name: &'x str) -> impl Iterator<Item = &'x Xml> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The text directly inside.
    pub(crate) fn own_text(&self) -> String {
        self.children.iter().filter(|child| child.name.is_empty()).map(|child| child.text.as_str()).collect()
    }
}

/// The root element of a document.
pub(crate) fn parse(text: &str) -> Xml {
    let mut stack = vec![(Xml::default(), 0)];
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        if let Some(comment) = rest.strip_prefix("<!--") {
            at += 4 + comment.find("-->").expect("comments end") + 3;
        } else if let Some(data) = rest.strip_prefix("<![CDATA[") {
            let end = data.find("]]>").expect("data ends");
            push_text(&mut stack, &data[..end]);
            at += 9 + end + 3;
        } else if rest.starts_with("<?") || rest.starts_with("<!") {
            at += rest.find('>').expect("instructions end") + 1;
        } else if rest.starts_with("</") {
            at += rest.find('>').expect("tags end") + 1;
            let (mut element, start) = stack.pop().expect("tags are nested");
            element.source = text[start..at].to_string();
            stack.last_mut().expect("tags are nested").0.children.push(element);
        } else if rest.starts_with('<') {
            let end = rest.find('>').expect("tags end");
            let start = at;
            at += end + 1;
            let body = &rest[1..end];
            let closed = body.ends_with('/');
            let mut element = start_tag(body.trim_end_matches('/'));
            if closed {
                element.source = text[start..at].to_string();
                stack.last_mut().expect("tags are nested").0.children.push(element);
            } else {
                stack.push((element, start));
            }
        } else {
            let end = rest.find('<').unwrap_or(rest.len());
            push_text(&mut stack, &decoded(&rest[..end]));
            at += end;
        }
    }
    let (document, _) = stack.pop().expect("the document is the bottom");
    document.children.into_iter().find(|child| !child.name.is_empty()).expect("a document has a root")
}

fn push_text(stack: &mut [(Xml, usize)], text: &str) {
    let element = Xml { text: text.to_string(), ..Xml::default() };
    stack.last_mut().expect("tags are nested").0.children.push(element);
}

fn start_tag(body: &str) -> Xml {
    let end = body.find(char::is_whitespace).unwrap_or(body.len());
    let mut element = Xml { name: body[..end].to_string(), ..Xml::default() };
    let mut rest = body[end..].trim();
    while let Some((name, after)) = rest.split_once('=') {
        let after = after.trim_start();
        let quote = after.chars().next().expect("attributes have values");
        let close = after[1..].find(quote).expect("quotes are closed") + 1;
        element.attributes.push((name.trim().to_string(), decoded(&after[1..close])));
        rest = after[close + 1..].trim_start();
    }
    element
}

fn decoded(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        let end = at + rest[at..].find(';').expect("entities end");
        let entity = &rest[at + 1..end];
        let code = entity.strip_prefix("#x").map(|hex| u32::from_str_radix(hex, 16));
        let code = code.or_else(|| entity.strip_prefix('#').map(str::parse));
        out.push(match entity {
            "lt" => '<',
            "gt" => '>',
            "amp" => '&',
            "quot" => '"',
            "apos" => '\'',
            _ => char::from_u32(code.expect("a known entity").expect("a number")).expect("a character"),
        });
        rest = &rest[end + 1..];
    }
    out + rest
}
