//! Narrative: one well-formed `<div>` with the elements and attributes that R4 allows, and something to read in it.

use crate::primitive::Problem;

/// Deepest nesting of elements.
const DEPTH_MAX: usize = 64;

#[rustfmt::skip]
const ELEMENTS: &[&str] = &[
    "a", "abbr", "acronym", "b", "big", "blockquote", "br", "caption", "cite", "code", "col", "colgroup", "dd", "dfn", "div", "dl",
    "dt", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "li", "ol", "p", "pre", "q", "samp", "small", "span",
    "strong", "sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "tt", "ul", "var",
];

#[rustfmt::skip]
const ATTRIBUTES: &[&str] = &[
    "abbr", "accesskey", "align", "alt", "axis", "bgcolor", "border", "cellhalign", "cellpadding", "cellspacing", "cellvalign",
    "char", "charoff", "charset", "cite", "class", "colspan", "compact", "coords", "dir", "frame", "headers", "height", "href",
    "hreflang", "hspace", "id", "lang", "longdesc", "name", "nowrap", "rel", "rev", "rowspan", "rules", "scope", "shape", "span",
    "src", "start", "style", "summary", "tabindex", "title", "type", "valign", "value", "vspace", "width", "xml:lang", "xml:space",
    "xmlns",
];

/// Is it a narrative.
pub(crate) fn check_xhtml(text: &str) -> Result<(), Problem> {
    let mut scan = Scan { rest: text.trim(), open: [""; DEPTH_MAX], depth: 0, says_something: false };
    if !scan.rest.starts_with("<div") {
        return Err(wrong("a narrative is one `<div>` element"));
    }
    loop {
        scan.step()?;
        if scan.depth == 0 {
            break;
        }
    }
    if !scan.rest.is_empty() {
        return Err(wrong("nothing stands behind the closing `</div>` of a narrative"));
    }
    if !scan.says_something {
        return Err(wrong("a narrative has some text or an image"));
    }
    Ok(())
}

fn wrong(needed: &'static str) -> Problem {
    Problem::Format("bad-xhtml", needed)
}

struct Scan<'a> {
    rest: &'a str,
    open: [&'a str; DEPTH_MAX],
    depth: usize,
    says_something: bool,
}

impl<'a> Scan<'a> {
    /// One text, tag or comment.
    fn step(&mut self) -> Result<(), Problem> {
        let at = self.rest.find('<').ok_or(wrong("an element of the narrative is not closed"))?;
        let (text, rest) = self.rest.split_at(at);
        check_entities(text)?;
        self.says_something |= text.bytes().any(|byte| byte > b' ');
        self.rest = rest;
        if let Some(comment) = rest.strip_prefix("<!--") {
            let end = comment.find("-->").ok_or(wrong("a comment of the narrative is not closed"))?;
            self.rest = &comment[end + 3..];
            Ok(())
        } else if let Some(closing) = rest.strip_prefix("</") {
            self.close(closing)
        } else {
            self.open(&rest[1..])
        }
    }

    fn close(&mut self, tag: &'a str) -> Result<(), Problem> {
        let end = tag.find('>').ok_or(wrong("a tag of the narrative is not closed"))?;
        let name = tag[..end].trim_end();
        if self.depth == 0 || self.open[self.depth - 1] != name {
            return Err(wrong("a closing tag of the narrative does not match the opening one"));
        }
        self.depth -= 1;
        self.rest = &tag[end + 1..];
        Ok(())
    }

    fn open(&mut self, tag: &'a str) -> Result<(), Problem> {
        let end = tag.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(tag.len());
        let name = &tag[..end];
        if !ELEMENTS.contains(&name) {
            return Err(wrong(
                "the narrative has an element that R4 does not allow (text-level and table elements only, no scripts, forms or styles)",
            ));
        }
        self.says_something |= name == "img";
        let mut rest = &tag[end..];
        loop {
            let trimmed = rest.trim_start();
            if let Some(after) = trimmed.strip_prefix("/>") {
                self.rest = after;
                return Ok(());
            }
            if let Some(after) = trimmed.strip_prefix('>') {
                if self.depth == DEPTH_MAX {
                    return Err(wrong("the narrative is nested deeper than 64 elements"));
                }
                self.open[self.depth] = name;
                self.depth += 1;
                self.rest = after;
                return Ok(());
            }
            if trimmed.len() == rest.len() {
                return Err(wrong("a tag of the narrative is not well-formed"));
            }
            rest = attribute(trimmed)?;
        }
    }
}

/// Reads `name="value"`; gives what stands behind.
fn attribute(text: &str) -> Result<&str, Problem> {
    let malformed = wrong("an attribute of the narrative is not `name=\"value\"`");
    let (name, rest) = text.split_once('=').ok_or(malformed)?;
    let name = name.trim_end();
    let rest = rest.trim_start();
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\'')).ok_or(malformed)?;
    let (value, rest) = rest[1..].split_once(quote).ok_or(malformed)?;
    if !ATTRIBUTES.contains(&name) && !name.starts_with("xmlns:") {
        return Err(wrong("the narrative has an attribute that R4 does not allow (no event handlers)"));
    }
    if value.contains('<') {
        return Err(malformed);
    }
    if matches!(name, "href" | "src")
        && value.trim_start().get(..11).is_some_and(|start| start.eq_ignore_ascii_case("javascript:"))
    {
        return Err(wrong("the narrative has a link that runs a script"));
    }
    check_entities(value)?;
    Ok(rest)
}

/// `&amp;`, `&#160;`, `&#xA0;`; names that only HTML knows (`&nbsp;`) are no XML.
fn check_entities(text: &str) -> Result<(), Problem> {
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        rest = &rest[at + 1..];
        let end = rest.find(';').unwrap_or(0);
        let right = match rest[..end].strip_prefix('#') {
            Some(number) => match number.strip_prefix('x') {
                Some(hex) => !hex.is_empty() && hex.bytes().all(|byte| byte.is_ascii_hexdigit()),
                None => !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()),
            },
            None => ["amp", "lt", "gt", "quot", "apos"].contains(&&rest[..end]),
        };
        if !right {
            return Err(wrong(
                "`&` in a narrative is written `&amp;`, and characters as themselves or by number: `&#160;`, not `&nbsp;`",
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let answer = match check_xhtml(text) {
            Ok(()) => "fine",
            Err(Problem::Format(_, needed) | Problem::JsonType(needed)) => needed,
        };
        assert!(answer.starts_with(expected), "{text}: {answer}");
    }

    #[test]
    fn narratives_are_well_formed() {
        check(
            r#"<div xmlns="http://www.w3.org/1999/xhtml">a <b>b</b><br/>&quot;&#160;&#xA0;<!-- c --></div>"#,
            "fine",
        );
        check(r#" <div><img src='a.png' alt="x"/></div > "#, "fine");
        check("<div>a", "an element of the narrative is not closed");
        check("<div><p>a</div>", "a closing tag");
        check("<p>a</p>", "a narrative is one `<div>`");
        check("<div>a</div><div>b</div>", "nothing stands behind");
        check("<div> <br/> </div>", "a narrative has some text");
        check("<div/>", "a narrative has some text");
        check("<div><script>a</script></div>", "the narrative has an element");
        check("<div onclick=\"a\">a</div>", "the narrative has an attribute");
        check("<div class=a>a</div>", "an attribute");
        check("<div class=\"a\"id=\"b\">a</div>", "a tag of the narrative is not well-formed");
        check("<div>a & b</div>", "`&` in a narrative");
        check("<div>a&nbsp;b</div>", "`&` in a narrative");
        check("<div><a href=\" JavaScript:x\">a</a></div>", "the narrative has a link");
        check("<div><!DOCTYPE a></div>", "the narrative has an element");
        check(&format!("{}a{}", "<div>".repeat(65), "</div>".repeat(65)), "the narrative is nested");
        check("<diva>x</diva>", "the narrative has an element");
    }
}
