//! Links in a narrative: `href` and `src` whose address is the name of an entry.

use compact_str::CompactString;

/// The text with its links replaced; `None` when none is.
pub(crate) fn relinked(text: &str, target: &dyn Fn(&str) -> Option<CompactString>) -> Option<CompactString> {
    let mut out = CompactString::default();
    let mut rest = text;
    let mut changed = false;
    while let Some((at, length)) = next_link(rest) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let quote = rest.as_bytes()[length - 1] as char;
        out.push_str(&rest[..length]);
        rest = &rest[length..];
        let end = rest.find(quote).unwrap_or(rest.len());
        match target(&rest[..end]) {
            Some(target) => {
                out.push_str(&target);
                changed = true;
            }
            None => out.push_str(&rest[..end]),
        }
        rest = &rest[end..];
    }
    out.push_str(rest);
    changed.then_some(out)
}

/// Where the next `href="` or `src='` begins, and how long it is.
fn next_link(text: &str) -> Option<(usize, usize)> {
    const OPENINGS: [&str; 4] = ["href=\"", "href='", "src=\"", "src='"];
    OPENINGS.iter().filter_map(|opening| Some((text.find(opening)?, opening.len()))).min()
}

#[cfg(test)]
mod tests {
    use super::relinked;

    fn check(text: &str, expected: Option<&str>) {
        let target = |link: &str| (link == "urn:uuid:a").then(|| "Patient/1".into());
        assert_eq!(relinked(text, &target).as_deref(), expected);
    }

    #[test]
    fn links_change_and_nothing_else() {
        check("<a href=\"urn:uuid:a\">x</a>", Some("<a href=\"Patient/1\">x</a>"));
        check(
            "<img src='urn:uuid:a'/><a href=\"urn:uuid:b\"/>",
            Some("<img src='Patient/1'/><a href=\"urn:uuid:b\"/>"),
        );
        check("urn:uuid:a <a href=\"é", None);
        check("", None);
    }
}
