//! How the pages of an API follow each other: which URL is next, and whether everything has come.

use std::hash::{DefaultHasher, Hash, Hasher};

use egress::header::LINK;
use egress::{HeaderMap, Url};
use fhir::Value;
use fhir::json::{Limits as JsonLimits, parse};

use crate::Problems;
use crate::yaml::{Fields, Kind};

/// What a pipeline file says under `paging`, `records` and `total`.
#[derive(Clone, Debug)]
pub(super) struct Paging {
    style: Style,
    /// The parameter that asks for a size, and the size.
    size: Option<(String, u64)>,
    /// Where the number of all records stands.
    total: Option<Vec<String>>,
    /// Where the array of records stands.
    records: Vec<String>,
}

/// How one page leads to the next.
#[derive(Clone, Debug)]
enum Style {
    /// There is one page.
    None,
    /// Pages are numbered.
    Page { parameter: String, first: u64 },
    /// Records are skipped.
    Offset { parameter: String },
    /// A page names the cursor of the next.
    Cursor { parameter: String, next: Vec<String> },
    /// A page names the URL of the next, in its `Link` header or its body.
    Link { next: Option<Vec<String>> },
}

/// A page, understood.
pub(super) struct Page {
    pub(super) records: Vec<Value>,
    total: Option<u64>,
    next: Option<String>,
    fingerprint: u64,
}

/// Why the pages do not fit together, and whether trying again may help.
pub(super) struct Wrong {
    pub(super) why: String,
    pub(super) is_transient: bool,
}

impl From<String> for Wrong {
    fn from(why: String) -> Wrong {
        Wrong { why, is_transient: false }
    }
}

/// How far the reading is.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    pub(super) n_pages: u64,
    pub(super) n_records: u64,
    last: Option<(u64, Option<String>)>,
}

impl Paging {
    pub(super) fn decode(fields: &mut Fields<'_>, problems: &mut Problems) -> Paging {
        let records = path_of("records", fields, problems).unwrap_or_default();
        let total = path_of("total", fields, problems);
        let none = |records, total| Paging { style: Style::None, size: None, total, records };
        let Some(node) = fields.required("paging", problems) else { return none(records, total) };
        if let Kind::Scalar { text, .. } = &node.kind {
            let style = style_of(text, None, None, None);
            if style.is_none() {
                problems.add(node.at, STYLES);
            }
            return Paging { style: style.unwrap_or(Style::None), ..none(records, total) };
        }
        let mut inner = node.fields("`paging`", problems);
        let style = inner.required_text("style", problems);
        let parameter = inner.text("parameter", problems).map(|word| word.text);
        let first = inner.whole("first", problems);
        let next = path_of("next", &mut inner, problems);
        let size = inner.whole("size", problems);
        let size_parameter = inner.text("size_parameter", problems).map(|word| word.text);
        inner.end(problems);
        if size == Some(0) {
            problems.add(node.at, "`size` must be at least 1");
        }
        let Some(style) = style else { return none(records, total) };
        let found = style_of(&style, parameter, first, next);
        if found.is_none() {
            problems.add(style.at, STYLES);
        }
        let found = found.unwrap_or(Style::None);
        let usual = if matches!(found, Style::Page { .. }) { "size" } else { "limit" };
        let size = size.map(|size| (size_parameter.unwrap_or_else(|| usual.to_owned()), size));
        Paging { style: found, size, total, records }
    }

    /// The URL of the first page.
    pub(super) fn first(&self, base: &Url, parameters: &[(String, String)]) -> Url {
        let mut url = base.clone();
        let mut add: Vec<(String, String)> = parameters.to_vec();
        add.extend(self.size.as_ref().map(|(name, size)| (name.clone(), size.to_string())));
        match &self.style {
            Style::Page { parameter, first } => add.push((parameter.clone(), first.to_string())),
            Style::Offset { parameter } => add.push((parameter.clone(), "0".to_owned())),
            Style::None | Style::Cursor { .. } | Style::Link { .. } => {}
        }
        if !add.is_empty() {
            url.query_pairs_mut().extend_pairs(&add);
        }
        url
    }

    /// Understands an answer.
    pub(super) fn page(&self, headers: &HeaderMap, body: &[u8]) -> Result<Page, String> {
        let limits = JsonLimits { values_max: 100_000_000, ..JsonLimits::default() };
        // What is wrong could name a key of a record: the place must do.
        let mut document = parse(body, &limits)
            .map_err(|error| format!("the answer is not JSON: {}:{}", error.line, error.column))?;
        let total = match &self.total {
            None => None,
            Some(path) => Some(
                find(&document, path)
                    .and_then(Value::as_number)
                    .and_then(|number| number.as_str().parse().ok())
                    .ok_or_else(|| {
                        format!("`total: {}` leads to no whole number in the answer", path.join("."))
                    })?,
            ),
        };
        let next = match &self.style {
            Style::Cursor { next, .. } | Style::Link { next: Some(next) } => next_of(&document, next)?,
            Style::Link { next: None } => linked(headers),
            _ => None,
        };
        let mut hasher = DefaultHasher::new();
        body.hash(&mut hasher);
        let mut at = &mut document;
        for name in &self.records {
            at = at.get_mut(name).ok_or_else(|| {
                format!("`records: {}` leads nowhere: there is no `{name}`", self.records.join("."))
            })?;
        }
        match at.take() {
            Value::Array(records) => Ok(Page { records, total, next, fingerprint: hasher.finish() }),
            other => Err(format!(
                "the records are {}, not an array: set `records` to where the array is",
                other.type_name()
            )),
        }
    }

    /// The URL after a page that was asked for at `asked`, or nothing when it was the last.
    pub(super) fn after(
        &self,
        base: &Url,
        parameters: &[(String, String)],
        asked: &Url,
        page: &Page,
        n_records: u64,
        state: &mut State,
    ) -> Result<Option<Url>, Wrong> {
        state.n_pages += 1;
        state.n_records += n_records;
        let replaced = |name: &str, value: &str| {
            let mut url = self.first(base, parameters);
            let others: Vec<(String, String)> =
                url.query_pairs().filter(|(key, _)| key != name).map(|(k, v)| (k.into(), v.into())).collect();
            url.query_pairs_mut().clear().extend_pairs(others).append_pair(name, value);
            url
        };
        let all_there = page.total.is_some_and(|total| state.n_records >= total);
        let is_end = n_records == 0 || all_there;
        let next = match &self.style {
            Style::None => None,
            Style::Page { parameter, first } => {
                (!is_end).then(|| replaced(parameter, &(first + state.n_pages).to_string()))
            }
            Style::Offset { parameter } => {
                (!is_end).then(|| replaced(parameter, &state.n_records.to_string()))
            }
            Style::Cursor { parameter, .. } => page.next.as_deref().map(|next| replaced(parameter, next)),
            Style::Link { .. } => {
                page.next.as_deref().map(|next| same_server(base, asked, next)).transpose()?
            }
        };
        let is_repeated = match &state.last {
            Some((fingerprint, cursor)) if n_records > 0 || page.next.is_some() => {
                *fingerprint == page.fingerprint || (page.next.is_some() && *cursor == page.next)
            }
            _ => false,
        };
        if is_repeated && next.is_some() {
            let why = "the server gives the same page again and again: check the parameters of `paging`";
            return Err(why.to_owned().into());
        }
        state.last = Some((page.fingerprint, page.next.clone()));
        match page.total {
            Some(total) if next.is_none() && total != state.n_records => Err(Wrong {
                why: format!(
                    "{} records came, and the server says that there are {total}: they changed while they were read, or `paging` is not what the server means",
                    state.n_records
                ),
                is_transient: true,
            }),
            _ => Ok(next),
        }
    }
}

const STYLES: &str = "`paging` must be one of `page`, `offset`, `cursor`, `link`, `none`";

#[allow(clippy::needless_pass_by_value, reason = "handed on by value where it is called")]
fn style_of(
    name: &str,
    parameter: Option<String>,
    first: Option<u64>,
    next: Option<Vec<String>>,
) -> Option<Style> {
    let named = |usual: &str| parameter.clone().unwrap_or_else(|| usual.to_owned());
    Some(match name {
        "none" => Style::None,
        "page" => Style::Page { parameter: named("page"), first: first.unwrap_or(1) },
        "offset" => Style::Offset { parameter: named("offset") },
        "cursor" => Style::Cursor {
            parameter: named("cursor"),
            next: next.unwrap_or_else(|| vec!["next".to_owned()]),
        },
        "link" => Style::Link { next },
        _ => return None,
    })
}

fn path_of(key: &'static str, fields: &mut Fields<'_>, problems: &mut Problems) -> Option<Vec<String>> {
    fields.text(key, problems).map(|word| word.text.split('.').map(str::to_owned).collect())
}

fn find<'v>(document: &'v Value, path: &[String]) -> Option<&'v Value> {
    path.iter().try_fold(document, |value, name| value.get(name))
}

/// What a page says of the next one. Only the last name of the path may be absent: a wrong path must not look like the end.
fn next_of(document: &Value, path: &[String]) -> Result<Option<String>, String> {
    let parents = path.len().saturating_sub(1);
    let parent = find(document, &path[..parents]).filter(|parent| parent.as_object().is_some());
    let Some(parent) = parent else {
        return Err(format!("`next: {}` leads nowhere in the answer", path.join(".")));
    };
    match path.last().and_then(|name| parent.get(name)) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.to_string()).filter(|text| !text.is_empty())),
        Some(Value::Number(number)) => Ok(Some(number.as_str().to_owned())),
        Some(other) => Err(format!("`next: {}` is {}, not a text", path.join("."), other.type_name())),
    }
}

/// The target of `rel="next"` in the `Link` headers (RFC 8288).
fn linked(headers: &HeaderMap) -> Option<String> {
    let values = headers.get_all(LINK).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split('<').skip(1)).find_map(|part| {
        let (target, parameters) = part.split_once('>')?;
        let is_next = parameters.split([';', ',']).any(|parameter| {
            let (name, value) = parameter.split_once('=').unwrap_or_default();
            let words = value.trim().trim_matches('"');
            name.trim().eq_ignore_ascii_case("rel")
                && words.split(' ').any(|word| word.eq_ignore_ascii_case("next"))
        });
        is_next.then(|| target.to_owned())
    })
}

/// A link of the same server. Another server must not see the credential.
pub(in crate::source) fn same_server(base: &Url, asked: &Url, link: &str) -> Result<Url, String> {
    let url = asked.join(link).map_err(|_| "the link to the next page is not a URL".to_owned())?;
    if url.origin() == base.origin() {
        Ok(url)
    } else {
        Err("the link to the next page leads to another server, which must not see the credential".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_link_is_found_among_others() {
        let check = |value: &str, expected: Option<&str>| {
            let mut headers = HeaderMap::new();
            headers.insert(LINK, value.parse().unwrap());
            assert_eq!(linked(&headers).as_deref(), expected, "{value}");
        };
        check("</a?x=1,2>; rel=\"first\", </b?y=3>; rel=\"next\"", Some("/b?y=3"));
        check("</a>; title=x; rel=next", Some("/a"));
        check("</a>; rel=\"last next\"", Some("/a"));
        check("</a>; rel=\"prev\"; title=\"next\"", None);
    }

    #[test]
    fn a_credential_does_not_leave_its_server() {
        let base = Url::parse("https://api.example.org/v1/rows").unwrap();
        assert_eq!(
            same_server(&base, &base, "?cursor=2").unwrap().as_str(),
            "https://api.example.org/v1/rows?cursor=2"
        );
        assert!(same_server(&base, &base, "https://evil.example.org/v1/rows").is_err());
        assert!(same_server(&base, &base, "http://api.example.org/v1/rows").is_err());
    }

    #[test]
    fn a_wrong_path_does_not_look_like_the_end() {
        let document = parse(br#"{"meta":{"next":null},"rows":[]}"#, &JsonLimits::default()).unwrap();
        let path = |text: &str| text.split('.').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(next_of(&document, &path("meta.next")), Ok(None));
        assert!(next_of(&document, &path("metadata.next")).is_err());
    }
}
