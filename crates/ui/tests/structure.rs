//! Every page keeps the rules that make it readable by everybody and safe under the strictest content policy.

mod html;
mod samples;

use std::collections::HashSet;

use html::{Tag, tags_of};

/// Runs a check on every page and names the pages that fail it.
fn check(rule: impl Fn(&str, &[Tag]) -> Vec<String>) {
    let mut broken = Vec::new();
    for (name, page) in samples::all() {
        let page = page.into_string();
        let tags = tags_of(&page);
        broken.extend(rule(&page, &tags).into_iter().map(|what| format!("{name}: {what}")));
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

fn when(condition: bool, what: impl Into<String>) -> Vec<String> {
    if condition { vec![what.into()] } else { Vec::new() }
}

#[test]
fn elements_are_closed_in_order() {
    check(|page, tags| {
        let mut open: Vec<&str> = Vec::new();
        for tag in tags {
            if tag.is_end {
                if open.pop() != Some(&tag.name) {
                    return vec![format!("</{}> closes another element", tag.name)];
                }
            } else if !tag.is_void() {
                open.push(&tag.name);
            }
        }
        when(
            !open.is_empty() || !page.starts_with("<!DOCTYPE html>"),
            "an element stays open, or there is no doctype",
        )
    });
}

#[test]
fn one_main_heading_and_no_level_left_out() {
    check(|_, tags| {
        let levels: Vec<u32> = tags
            .iter()
            .filter(|tag| !tag.is_end)
            .filter_map(|tag| tag.name.strip_prefix('h').and_then(|level| level.parse().ok()))
            .collect();
        let mut found = when(levels.iter().filter(|level| **level == 1).count() != 1, "not exactly one h1");
        found
            .extend(when(levels.windows(2).any(|pair| pair[1] > pair[0] + 1), "a heading level is left out"));
        let mains = tags.iter().filter(|tag| !tag.is_end && tag.name == "main").count();
        found.extend(when(mains != 1, "not exactly one main"));
        found
    });
}

#[test]
fn nothing_is_inline_and_nothing_comes_from_elsewhere() {
    check(|page, tags| {
        let mut found = when(tags.iter().any(|tag| tag.name == "style"), "a style element");
        for tag in tags.iter().filter(|tag| !tag.is_end) {
            found.extend(when(tag.get("style").is_some(), format!("<{}> has an inline style", tag.name)));
            let handler = tag.attributes.iter().find(|(name, _)| name.starts_with("on"));
            found.extend(handler.map(|(name, _)| format!("<{}> has an inline handler {name}", tag.name)));
            found.extend(when(tag.name == "script" && tag.get("src").is_none(), "an inline script"));
            for name in ["href", "src", "action", "formaction"] {
                let leads_away = |target: &str| !target.starts_with(['/', '#']) || target.starts_with("//");
                found.extend(
                    tag.get(name)
                        .filter(|target| leads_away(target))
                        .map(|target| format!("`{target}` leads elsewhere")),
                );
            }
        }
        found.extend(when(
            page.contains("</script>") && !page.contains("></script>"),
            "a script with content",
        ));
        found
    });
}

#[test]
fn every_field_has_a_label() {
    check(|_, tags| {
        let labelled: HashSet<&str> =
            tags.iter().filter(|tag| tag.name == "label").filter_map(|tag| tag.get("for")).collect();
        let fields = tags
            .iter()
            .filter(|tag| !tag.is_end && ["input", "select", "textarea"].contains(&tag.name.as_str()));
        fields
            .filter(|tag| tag.get("type") != Some("hidden"))
            .filter(|tag| {
                tag.get("aria-label").is_none() && !tag.get("id").is_some_and(|id| labelled.contains(id))
            })
            .map(|tag| format!("a field without a label: {:?}", tag.get("name")))
            .collect()
    });
}

#[test]
fn identifiers_are_unique_and_lead_somewhere() {
    check(|_, tags| {
        let mut found = Vec::new();
        let mut ids = HashSet::new();
        for tag in tags.iter().filter(|tag| !tag.is_end) {
            found.extend(
                tag.get("id")
                    .filter(|id| !ids.insert(*id))
                    .map(|id| format!("two elements have the id `{id}`")),
            );
        }
        for tag in tags.iter().filter(|tag| !tag.is_end) {
            let refers = ["for", "aria-labelledby", "aria-describedby", "list", "data-from"]
                .into_iter()
                .filter_map(|name| tag.get(name));
            let jumps = tag.get("href").and_then(|href| href.strip_prefix('#'));
            let missing = refers.chain(jumps).filter(|id| !ids.contains(id));
            found.extend(missing.map(|id| format!("nothing has the id `{id}`")));
        }
        found
    });
}

#[test]
fn every_table_has_a_caption_and_every_form_its_token() {
    check(|page, tags| {
        let count = |name: &str| tags.iter().filter(|tag| !tag.is_end && tag.name == name).count();
        let mut found = when(count("table") != count("caption"), "a table without a caption");
        let forms = page.split("<form").skip(1).filter(|form| form.contains("method=\"post\""));
        for form in forms.map(|form| form.split("</form>").next().unwrap_or(form)) {
            let carries = form.contains("name=\"csrf\"") || form.contains("name=\"token\"");
            found.extend(when(!carries, "a form without the session's token"));
        }
        found.extend(when(
            !page.contains("name=\"referrer\" content=\"no-referrer\""),
            "pages may be told to others",
        ));
        found
    });
}

#[test]
fn links_lead_to_pages_that_exist() {
    let known = [
        "/patients",
        "/search",
        "/pipelines",
        "/runs",
        "/quarantine",
        "/api/v1/runs/",
        "/ward",
        "/alerts",
        "/surveillance",
        "/streams",
        "/rules",
        "/audit",
        "/settings",
        "/resources/",
        "/find",
        "/purpose",
        "/auth/",
        "/assets/",
    ];
    check(|_, tags| {
        let targets =
            tags.iter().flat_map(|tag| ["href", "action"].into_iter().filter_map(|name| tag.get(name)));
        targets
            .filter(|target| {
                *target != "/"
                    && !target.starts_with('#')
                    && !known.iter().any(|prefix| target.starts_with(prefix))
            })
            .map(|target| format!("`{target}` is no page"))
            .collect()
    });
}

#[test]
fn what_people_write_stays_text() {
    let pages: String = samples::all().into_iter().map(|(_, page)| page.into_string()).collect();
    for written in ["<script>alert", "<b>not bold", "<b>42", "href=\"javascript:"] {
        assert!(!pages.contains(written), "{written}");
    }
    for shown in [
        "Okafor&lt;script&gt;alert(1)&lt;/script&gt;",
        "&lt;b&gt;not bold&lt;/b&gt;",
        "&lt;b&gt;42&lt;/b&gt;",
    ] {
        assert!(pages.contains(shown), "{shown}");
    }
}

#[test]
fn titles_name_nobody() {
    check(|page, _| {
        let title =
            page.split("<title>").nth(1).and_then(|rest| rest.split("</title>").next()).unwrap_or_default();
        when(title.contains("Abara") || title.is_empty(), "browsers remember titles")
    });
}
