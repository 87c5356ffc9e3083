//! Parameters that say how to answer: `_sort`, `_count`, `_total`, `_summary`, `_elements`, includes, page links.

use fhir::{IssueType, Kind, definitions};

use super::elements::elements;
use super::text::{Pair, split};
use super::{Parser, Refusal, hint, include, problem, shown, wrong};
use crate::ParamId;
use crate::query::{SortBy, SortKey, Summary, Total};

/// Most sort keys.
const SORT_KEYS_MAX: usize = 5;
/// Most includes.
const INCLUDES_MAX: usize = 30;

impl Parser<'_> {
    /// Takes a control parameter in: `Some(true)` when it belongs into the canonical text, `None` when it is none.
    pub(super) fn control(&mut self, pair: &Pair) -> Result<Option<bool>, Refusal> {
        let value = pair.value.as_str();
        let (base, modifier) =
            pair.name.split_once(':').map_or((pair.name.as_str(), None), |(b, m)| (b, Some(m)));
        match base {
            "_include" | "_revinclude" => {
                for text in split(value, b',') {
                    let include = include::parse(&pair.name, modifier, text, base == "_revinclude")?;
                    self.include(&pair.name, include)?;
                }
                return Ok(Some(true));
            }
            "_count" | "_cursor" | "_total" | "_summary" | "_elements" | "_sort" | "_format" | "_pretty"
            | "_contained" | "_type" => {}
            _ => return Ok(None),
        }
        if modifier.is_some() {
            let text = format!("`{base}` takes no modifier");
            return Err(Refusal::Wrong(problem(IssueType::NotSupported, "bad-modifier", &pair.name, text)));
        }
        self.once(base)?;
        match base {
            "_count" => self.query.count = Some(count(value)?),
            "_cursor" if value.is_empty() => {
                return Err(wrong(base, "is empty: use the page link as it was given"));
            }
            "_cursor" => self.query.cursor = Some(value.into()),
            "_total" => self.query.total = total(value)?,
            "_summary" => self.query.summary = summary(value)?,
            "_elements" => {
                let kinds: Vec<Kind> = self.query.branches.iter().map(|branch| branch.kind).collect();
                self.query.elements = elements(value, &kinds).map_err(Refusal::Wrong)?;
            }
            "_sort" => self.query.sort = self.sort(value)?,
            "_contained" if value != "false" => {
                let text = "contained resources are not searched: only `_contained=false` is supported";
                return Err(Refusal::Unknown(problem(IssueType::NotSupported, "not-supported", base, text)));
            }
            "_type" => {
                let text = "`_type` is for a search over several types, at the base of the server";
                return Err(Refusal::Wrong(problem(IssueType::Value, "bad-value", base, text)));
            }
            // The form of the answer is no part of the question.
            _ => return Ok(Some(false)),
        }
        Ok(Some(!matches!(base, "_count" | "_cursor")))
    }

    fn once(&mut self, name: &str) -> Result<(), Refusal> {
        const ONCE: [&str; 10] = [
            "_count",
            "_cursor",
            "_total",
            "_summary",
            "_elements",
            "_sort",
            "_format",
            "_pretty",
            "_contained",
            "_type",
        ];
        let Some(known) = ONCE.iter().find(|known| **known == name) else { return Ok(()) };
        if self.seen.contains(known) {
            let text = format!("`{name}` is given twice");
            return Err(Refusal::Wrong(problem(IssueType::Value, "bad-value", name, text)));
        }
        self.seen.push(known);
        Ok(())
    }

    fn include(&mut self, name: &str, include: crate::Include) -> Result<(), Refusal> {
        if self.query.includes.len() == INCLUDES_MAX {
            let text = format!("more than {INCLUDES_MAX} includes");
            return Err(Refusal::Wrong(problem(IssueType::TooLong, "too-many-includes", name, text)));
        }
        let found = |kind: Kind| self.query.branches.iter().any(|branch| branch.kind == kind);
        if let Some(source) = include.source
            && !include.reverse
            && !include.iterate
            && !found(source)
        {
            let text = format!(
                "no `{source}` is among the results, so nothing can be included from it: search `{source}`, or \
                 write `_include:iterate` to follow what was included"
            );
            return Err(Refusal::Unknown(problem(IssueType::Value, "bad-value", name, text)));
        }
        self.query.includes.push(include);
        Ok(())
    }

    fn sort(&self, value: &str) -> Result<Vec<SortKey>, Refusal> {
        let keys = split(value, b',');
        if keys.len() > SORT_KEYS_MAX {
            return Err(wrong("_sort", format_args!("has more than {SORT_KEYS_MAX} keys")));
        }
        keys.into_iter().map(|key| self.sort_key(key.trim())).collect()
    }

    fn sort_key(&self, key: &str) -> Result<SortKey, Refusal> {
        let (name, descending) = key.strip_prefix('-').map_or((key, false), |name| (name, true));
        let by = match (name, self.query.branches.as_slice()) {
            ("_id", _) => SortBy::Id,
            ("_lastUpdated", _) => SortBy::LastUpdated,
            (_, [one]) => match ParamId::find(one.kind, name) {
                Some(param) if is_sortable(param) => SortBy::Param(param),
                Some(_) => {
                    let text = format!("sorting by `{}` is not supported", shown(name));
                    return Err(Refusal::Unknown(problem(
                        IssueType::NotSupported,
                        "not-supported",
                        "_sort",
                        text,
                    )));
                }
                None => {
                    let hint = hint::param(one.kind, name);
                    let text = format!(
                        "cannot sort by `{}`: `{}` has no such parameter{hint}",
                        shown(name),
                        one.kind
                    );
                    return Err(Refusal::Unknown(problem(
                        IssueType::NotSupported,
                        "unknown-parameter",
                        "_sort",
                        text,
                    )));
                }
            },
            _ => {
                let text = "results of several types can be sorted by `_id` and `_lastUpdated` only";
                return Err(Refusal::Unknown(problem(
                    IssueType::NotSupported,
                    "not-supported",
                    "_sort",
                    text,
                )));
            }
        };
        Ok(SortKey { by, descending })
    }
}

/// Is there one order of a parameter's values. References, composites and what is joined from the patient have none.
fn is_sortable(param: ParamId) -> bool {
    use crate::param::{Derived, Source};
    use definitions::SearchType;
    let def = param.def();
    let joined = match def.source {
        Source::Derived(Derived::Region | Derived::Population | Derived::Risk) | Source::Unsupported => true,
        Source::Derived(_) | Source::Expression(_) | Source::Store => false,
    };
    !joined && !matches!(def.ty, SearchType::Composite | SearchType::Special | SearchType::Reference)
}

fn count(value: &str) -> Result<u32, Refusal> {
    let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    // More than fits is as good as all; the server has its own limit.
    if digits {
        Ok(value.parse().unwrap_or(u32::MAX))
    } else {
        Err(wrong("_count", "is not a number from 0 on"))
    }
}

fn total(value: &str) -> Result<Total, Refusal> {
    match value {
        "none" => Ok(Total::None),
        "estimate" => Ok(Total::Estimate),
        "accurate" => Ok(Total::Accurate),
        _ => Err(wrong("_total", "is none of `none`, `estimate`, `accurate`")),
    }
}

fn summary(value: &str) -> Result<Summary, Refusal> {
    match value {
        "false" => Ok(Summary::False),
        "true" => Ok(Summary::True),
        "text" => Ok(Summary::Text),
        "data" => Ok(Summary::Data),
        "count" => Ok(Summary::Count),
        _ => Err(wrong("_summary", "is none of `true`, `text`, `data`, `count`, `false`")),
    }
}
