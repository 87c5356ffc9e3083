//! Query text → [`Query`]. Everything that is not understood is an error with the parameter's name, or, when the caller asked to be treated
//! leniently, is left out and reported.

mod chain;
mod composite;
mod control;
mod date;
mod elements;
mod filter;
mod hint;
mod include;
mod modifier;
mod number;
mod options;
mod quantity;
mod reference;
mod relation;
mod special;
mod string;
mod text;
mod token;
mod types;
mod uri;

use fhir::{Issue, IssueType, Kind};

pub use elements::elements;
pub use options::Options;

use crate::query::{Branch, Query, Summary, Total};
use filter::Context;
use text::Pair;

/// A query, and what was left out of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Parsed {
    /// The query.
    pub query: Query,
    /// Parameters that are unknown or not supported, when the options are lenient; empty otherwise.
    pub ignored: Vec<Issue>,
}

/// Why a parameter cannot be used.
#[derive(Debug)]
enum Refusal {
    /// It is not known here, or known and not supported: lenient handling leaves it out.
    Unknown(Issue),
    /// It is wrong: always an error.
    Wrong(Issue),
}

/// An error at a parameter.
fn problem(code: IssueType, slug: &'static str, name: &str, text: impl Into<String>) -> Issue {
    Issue::error(code, slug, text).at(shown(name))
}

/// A wrong value of a parameter.
fn wrong(name: &str, text: impl std::fmt::Display) -> Refusal {
    let text = format!("the value of `{}` {text}", shown(name));
    Refusal::Wrong(problem(IssueType::Value, "bad-value", name, text))
}

/// In a search over several types, each of them must know the parameter.
fn of_several(refusal: Refusal, n_kinds: usize) -> Refusal {
    match refusal {
        Refusal::Unknown(mut issue) if n_kinds > 1 && issue.slug == "unknown-parameter" => {
            issue.diagnostics.push_str("; each of the types must have it: name the types with `_type`");
            Refusal::Unknown(issue)
        }
        other => other,
    }
}

/// At most so much of a name is repeated in a message.
fn shown(name: &str) -> &str {
    name.char_indices().nth(64).map_or(name, |(end, _)| &name[..end])
}

/// Parses the still encoded text of a query (`a=b&c=d`) over one type, or over those that `_type` names, or over all.
pub fn parse(kind: Option<Kind>, text: &str, options: &Options) -> Result<Parsed, Vec<Issue>> {
    let pairs = bounded_pairs(text, options).map_err(|issue| vec![issue])?;
    let mut parser = Parser::new(options);
    let kinds = match kind {
        Some(kind) => vec![kind],
        None => match types::kinds_of(&pairs) {
            Ok(kinds) => kinds,
            Err(issue) => return Err(vec![issue]),
        },
    };
    parser.query.branches = kinds.iter().map(|kind| Branch { kind: *kind, filters: Vec::new() }).collect();
    for pair in &pairs {
        if kind.is_none() && pair.name == "_type" {
            parser.keep(pair);
            continue;
        }
        match parser.pair(pair) {
            Ok(true) => parser.keep(pair),
            Ok(false) => {}
            Err(Refusal::Unknown(mut issue)) if !options.strict => {
                issue.severity = fhir::Severity::Warning;
                parser.ignored.push(issue);
            }
            Err(Refusal::Unknown(issue) | Refusal::Wrong(issue)) => parser.errors.push(issue),
        }
    }
    parser.finish()
}

fn bounded_pairs(text: &str, options: &Options) -> Result<Vec<Pair>, Issue> {
    if text.len() > options.text_bytes_max {
        let text = format!(
            "the query has {} bytes, {} are allowed: ask for less at once",
            text.len(),
            options.text_bytes_max
        );
        return Err(Issue::error(IssueType::TooLong, "query-too-long", text));
    }
    let n_pairs = text.split('&').filter(|part| !part.is_empty()).count();
    if n_pairs > options.parameters_max {
        let text = format!("the query has {n_pairs} parameters, {} are allowed", options.parameters_max);
        return Err(Issue::error(IssueType::TooLong, "too-many-parameters", text));
    }
    text::pairs(text)
}

/// A query while it is built.
struct Parser<'o> {
    options: &'o Options,
    query: Query,
    seen: Vec<&'static str>,
    n_values: usize,
    n_branches: usize,
    errors: Vec<Issue>,
    ignored: Vec<Issue>,
}

impl<'o> Parser<'o> {
    fn new(options: &'o Options) -> Parser<'o> {
        let query = Query {
            branches: Vec::new(),
            sort: Vec::new(),
            includes: Vec::new(),
            count: None,
            cursor: None,
            total: Total::None,
            summary: Summary::False,
            elements: Vec::new(),
            canonical: String::new(),
            now: options.now,
        };
        Parser {
            options,
            query,
            seen: Vec::new(),
            n_values: 0,
            n_branches: 0,
            errors: Vec::new(),
            ignored: Vec::new(),
        }
    }

    /// Takes one parameter in; `false` when it does not belong into the canonical text.
    fn pair(&mut self, pair: &Pair) -> Result<bool, Refusal> {
        if let Some(kept) = self.control(pair)? {
            return Ok(kept);
        }
        if pair.value.is_empty() {
            return Err(wrong(&pair.name, "is empty: give one, or leave the parameter out"));
        }
        let mut filters = Vec::with_capacity(self.query.branches.len());
        let mut context = Context {
            options: self.options,
            name: &pair.name,
            n_values: self.n_values,
            n_branches: self.n_branches,
        };
        for branch in &self.query.branches {
            let filter = context.filter(branch.kind, &pair.name, &pair.value, 0);
            filters.push(filter.map_err(|refusal| of_several(refusal, self.query.branches.len()))?);
            // Values count once, however many types are searched.
            context.n_values = context.n_values.min(self.n_values + text::split(&pair.value, b',').len());
        }
        (self.n_values, self.n_branches) = (context.n_values, context.n_branches);
        for (branch, filter) in self.query.branches.iter_mut().zip(filters) {
            branch.filters.push(filter);
        }
        Ok(true)
    }

    fn keep(&mut self, pair: &Pair) {
        let canonical = &mut self.query.canonical;
        if !canonical.is_empty() {
            canonical.push('&');
        }
        text::encode(&pair.name, canonical);
        canonical.push('=');
        text::encode(&pair.value, canonical);
    }

    /// The canonical text has no `_count`: what it meant is said in another way.
    fn keep_count_only(&mut self) {
        let canonical = &mut self.query.canonical;
        let mut kept: Vec<&str> =
            canonical.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with("_summary=")).collect();
        kept.push("_summary=count");
        *canonical = kept.join("&");
    }

    fn finish(mut self) -> Result<Parsed, Vec<Issue>> {
        // R4: `_count=0` asks for the count.
        if self.query.count == Some(0) && self.query.summary == Summary::False {
            self.query.summary = Summary::Count;
            self.keep_count_only();
        }
        if !self.query.elements.is_empty()
            && matches!(self.query.summary, Summary::True | Summary::Text | Summary::Data)
        {
            let text = "`_summary` and `_elements` are two ways to ask for a part: give one of them";
            self.errors.push(problem(IssueType::Value, "bad-value", "_elements", text));
        }
        if self.errors.is_empty() {
            Ok(Parsed { query: self.query, ignored: self.ignored })
        } else {
            Err(self.errors)
        }
    }
}
