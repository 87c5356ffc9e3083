//! Golden cases: query texts, index rows, and what matches. The match cases are run on the store too.
#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod show;

use fhir::json::Limits;
use fhir::{Instant, Kind, Resource};
use search::{EquityRules, Extractor, Memory, Options, ParamId, Restriction, Restrictions, search_all};

/// What "now" is in all cases: 2024-06-15T12:00:00Z.
const NOW: Instant = Instant(1_718_452_800_000_000);
const BASE: &str = "http://h/fhir";

fn options(strict: bool) -> Options {
    Options::new(strict, vec![BASE.into()], NOW)
}

fn rules() -> EquityRules {
    EquityRules::parse([
        ("food", "Observation?code=http://loinc.org|88124-3&value-concept=http://loinc.org|LA19952-3"),
        ("interpreter", "Patient?language:not=en,en-US&language:missing=false"),
    ])
    .unwrap()
}

/// `Patient?name=x`, or `?_type=Patient&_id=x` for several types.
fn split(text: &str) -> (Option<Kind>, &str) {
    let (kind, rest) = text.split_once('?').unwrap_or((text, ""));
    (if kind.is_empty() { None } else { Some(Kind::named(kind)) }, rest)
}

#[test]
fn query_texts() {
    let n_cases = testkit::cases("cases/parse", |input| {
        let (strict, text) = input.strip_prefix("lenient ").map_or((true, input), |text| (false, text));
        let (kind, text) = split(text);
        match search::parse(kind, text, &options(strict)) {
            Ok(parsed) => {
                let ignored = parsed.ignored.iter().map(|issue| format!("\nignored: {}", issue.diagnostics));
                format!("{}{}", show::query::query(&parsed.query), ignored.collect::<String>())
            }
            Err(issues) => {
                let lines = issues.iter().map(|issue| {
                    let place = issue.expression.as_deref().unwrap_or("-");
                    format!("{} {} {place}: {}", issue.code.code(), issue.slug, issue.diagnostics)
                });
                lines.collect::<Vec<_>>().join("\n")
            }
        }
    });
    assert!(n_cases > 100, "only {n_cases} cases");
}

#[test]
fn index_rows() {
    let extractor = Extractor::new(vec![BASE.into()], rules());
    let n_cases = testkit::cases("cases/extract", |input| {
        let resource =
            Resource::parse(input.as_bytes(), &Limits::default()).expect("a case holds a resource");
        show::rows::rows(&extractor.extract(&resource, NOW))
    });
    assert!(n_cases > 20, "only {n_cases} cases");
}

/// A case is a world (a resource a line), or queries on the last world, a query a line: `Patient?name=x`, or
/// `as Patient/a,b: Observation?code=x` for a caller who may see the compartments of some patients only.
#[test]
fn what_matches() {
    let mut world = Memory::new(Extractor::new(vec![BASE.into()], rules()));
    let mut covered = Coverage::default();
    let n_cases = testkit::cases("cases/match", |input| {
        if input.starts_with('{') {
            world = Memory::new(Extractor::new(vec![BASE.into()], rules()));
            for line in input.lines() {
                let resource =
                    Resource::parse(line.as_bytes(), &Limits::default()).expect("a line is a resource");
                world.put(&resource, NOW);
            }
            return format!("{} resources", world.len());
        }
        let answers = input.lines().map(|line| {
            let answer = answer(&world, line);
            covered.note(&world, line, &answer);
            format!("{line} => {answer}\n")
        });
        answers.collect()
    });
    assert!(n_cases > 20, "only {n_cases} cases");
    assert_eq!(covered.missing(), Vec::<String>::new(), "each has a query that finds some and not all");
}

fn answer(world: &Memory, line: &str) -> String {
    let (restrictions, text) = match line.strip_prefix("as Patient/") {
        None => (Restrictions::all(), line),
        Some(rest) => {
            let (ids, text) = rest.split_once(": ").expect("a restriction ends with `: `");
            (restricted(ids), text)
        }
    };
    let (kind, text) = split(text);
    let query =
        search::parse(kind, text, &options(true)).unwrap_or_else(|issues| panic!("{line}: {issues:?}")).query;
    let found = search_all(world, &query, &restrictions);
    let name = |(found, id): &(Kind, compact_str::CompactString)| {
        if kind == Some(*found) { id.to_string() } else { format!("{found}/{id}") }
    };
    let mut names: Vec<String> = found.matches.iter().map(name).collect();
    if query.sort.is_empty() {
        names.sort();
    }
    let mut included: Vec<String> = found.included.iter().map(name).collect();
    included.sort();
    names.extend(included.into_iter().map(|name| format!("+{name}")));
    names.join(" ")
}

/// Everything that is in a patient compartment for these patients only; the rest is open.
fn restricted(ids: &str) -> Restrictions {
    let ids: Vec<_> = ids.split(',').map(compact_str::CompactString::from).collect();
    let mut restrictions = Restrictions::all();
    for kind in Kind::all() {
        if kind == Kind::PATIENT || !fhir::definitions::compartment(Kind::PATIENT, kind).is_empty() {
            let restriction = Restriction::Compartment { of: Kind::PATIENT, ids: ids.clone() };
            restrictions.by_kind.insert(kind, restriction);
        }
    }
    restrictions
}

/// Which combinations of parameter type, modifier and prefix have a query that some resources match and others do not.
#[derive(Default)]
struct Coverage {
    seen: Vec<String>,
}

impl Coverage {
    fn note(&mut self, world: &Memory, line: &str, answer: &str) {
        if line.starts_with("as ") {
            return;
        }
        let (Some(kind), text) = split(line) else { return };
        let Some((name, value)) =
            text.split_once('=').filter(|(name, _)| !name.contains('.') && !text.contains('&'))
        else {
            return;
        };
        let n_found = answer.split_whitespace().filter(|name| !name.starts_with('+')).count();
        if n_found == 0 || n_found == search::World::all(world, kind).len() {
            return;
        }
        let (code, modifier) = name.split_once(':').unwrap_or((name, ""));
        let ty = match code {
            "_has" | "_list" => code.to_string(),
            _ => ParamId::find(kind, code).map_or(String::new(), |param| format!("{:?}", param.def().ty)),
        };
        let modifier = if code == "_has" {
            ""
        } else if Kind::parse(modifier).is_some() {
            "[type]"
        } else {
            modifier
        };
        let value = if ty == "Composite" { value.rsplit('$').next().unwrap_or("") } else { value };
        let prefixed = ["Date", "Number", "Quantity", "Composite"].contains(&ty.as_str());
        let prefix = value.get(..2).filter(|prefix| prefixed && PREFIXES.contains(prefix)).unwrap_or("");
        self.seen.push(format!("{ty}:{modifier} {prefix}"));
    }

    fn missing(&self) -> Vec<String> {
        let mut wanted: Vec<String> = Vec::new();
        let modifiers = [
            ("Token", "not text in not-in of-type missing"),
            ("String", "exact contains missing"),
            ("Reference", "[type] identifier not missing above below"),
            ("Uri", "below above not missing"),
            ("Date", "missing"),
            ("Number", "missing"),
            ("Quantity", "missing"),
            ("Composite", "missing"),
            ("_has", ""),
            ("_list", ""),
        ];
        for (ty, names) in modifiers {
            wanted.push(format!("{ty}: "));
            wanted.extend(names.split_whitespace().map(|name| format!("{ty}:{name} ")));
        }
        for ty in ["Date", "Number", "Quantity", "Composite"] {
            wanted.extend(PREFIXES.iter().map(|prefix| format!("{ty}: {prefix}")));
        }
        wanted.retain(|one| !self.seen.contains(one));
        wanted
    }
}

const PREFIXES: [&str; 9] = ["eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"];
