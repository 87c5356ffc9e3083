//! `htmlChecks()`: is a narrative well-formed XHTML with only the elements and attributes that FHIR allows, and not empty.

const ELEMENTS: [&str; 58] = [
    "a",
    "abbr",
    "acronym",
    "b",
    "big",
    "blockquote",
    "br",
    "caption",
    "cite",
    "code",
    "col",
    "colgroup",
    "dd",
    "dfn",
    "div",
    "dl",
    "dt",
    "em",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "i",
    "img",
    "li",
    "map",
    "area",
    "ol",
    "p",
    "pre",
    "q",
    "samp",
    "small",
    "span",
    "strong",
    "sub",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "tr",
    "tt",
    "u",
    "ul",
    "var",
    "kbd",
    "del",
    "ins",
    "bdo",
    "address",
    "font",
    "center",
];

const ATTRIBUTES: [&str; 46] = [
    "abbr",
    "accesskey",
    "align",
    "alt",
    "axis",
    "bgcolor",
    "border",
    "cellhalign",
    "cellpadding",
    "cellspacing",
    "cellvalign",
    "char",
    "charoff",
    "charset",
    "cite",
    "class",
    "colspan",
    "compact",
    "coords",
    "dir",
    "frame",
    "headers",
    "height",
    "href",
    "hreflang",
    "hspace",
    "id",
    "lang",
    "longdesc",
    "name",
    "nowrap",
    "rel",
    "rev",
    "rowspan",
    "rules",
    "scope",
    "shape",
    "span",
    "src",
    "start",
    "style",
    "summary",
    "tabindex",
    "title",
    "type",
    "valign",
];

const MORE_ATTRIBUTES: [&str; 6] = ["value", "vspace", "width", "xml:lang", "xmlns", "usemap"];

/// Is it one `div` with allowed content that shows something.
pub(super) fn is_narrative(text: &str) -> bool {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = text.trim();
    let mut shows = false;
    let mut n_roots = 0;
    while !rest.is_empty() {
        let Some(body) = rest.strip_prefix('<') else {
            let end = rest.find('<').unwrap_or(rest.len());
            let visible = !rest[..end].trim().is_empty();
            if open.is_empty() && visible {
                return false;
            }
            shows |= visible;
            rest = &rest[end..];
            continue;
        };
        if let Some(comment) = body.strip_prefix("!--") {
            let Some(end) = comment.find("-->") else { return false };
            rest = &comment[end + 3..];
            continue;
        }
        let Some(end) = end_of_tag(body) else { return false };
        let tag = &body[..end];
        rest = &body[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            if open.pop() != Some(name.trim_end()) {
                return false;
            }
            continue;
        }
        let Some((name, closed)) = start_tag(tag) else { return false };
        if open.is_empty() {
            n_roots += 1;
            if name != "div" || n_roots > 1 {
                return false;
            }
        }
        shows |= name == "img";
        if !closed {
            open.push(name);
        }
    }
    open.is_empty() && shows && n_roots == 1
}

/// Where the `>` of a tag stands, not one inside quotes.
fn end_of_tag(body: &str) -> Option<usize> {
    let mut quote = None;
    for (at, byte) in body.bytes().enumerate() {
        match (quote, byte) {
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), byte) if open == byte => quote = None,
            (None, b'>') => return Some(at),
            _ => {}
        }
    }
    None
}

/// The name of an allowed element with allowed attributes, and whether it closes itself.
fn start_tag(tag: &str) -> Option<(&str, bool)> {
    let (tag, closed) = tag.strip_suffix('/').map_or((tag, false), |tag| (tag, true));
    let end = tag.find(|c: char| c.is_whitespace()).unwrap_or(tag.len());
    let name = &tag[..end];
    if !ELEMENTS.contains(&name) {
        return None;
    }
    let mut rest = tag[end..].trim();
    while !rest.is_empty() {
        let (attribute, value) = rest.split_once('=')?;
        let attribute = attribute.trim_end();
        if !ATTRIBUTES.contains(&attribute) && !MORE_ATTRIBUTES.contains(&attribute) {
            return None;
        }
        let value = value.trim_start();
        let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let close = value[1..].find(quote)?;
        rest = value[close + 2..].trim_start();
    }
    Some((name, closed))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: bool) {
        assert_eq!(is_narrative(text), expected, "{text}");
    }

    #[test]
    fn only_plain_html_is_narrative() {
        check(r#"<div xmlns="http://www.w3.org/1999/xhtml"><p class='a'>x<br/></p><!-- y --></div>"#, true);
        check(r#"<div><img src="a" alt="b > c"/></div>"#, true);
        check("<div>  </div>", false);
        check("<p>x</p>", false);
        check("<div>x</div><div>y</div>", false);
        check("<div>x", false);
        check("<div><p>x</div></p>", false);
        check("<div><script>x</script></div>", false);
        check(r#"<div onclick="x">y</div>"#, false);
        check("<div id=a>y</div>", false);
        check("x <div>y</div>", false);
        check("", false);
    }
}
