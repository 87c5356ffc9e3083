//! Random queries: any parameter of a type with any modifier, values from the vocabulary of the resources, chains, sorting, includes.

use std::collections::{BTreeMap, BTreeSet};

use fhir::Kind;
use fhir::definitions::SearchType;
use search::{IndexRows, ParamId, Target, World};

use crate::draw::Draw;
use crate::resources::{CODES, DATES, IDS, KINDS, NUMBERS, SYSTEMS, UNITS, URLS, WORDS};

const PREFIXES: [&str; 10] = ["", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"];

/// What a world has, so that most queries find something.
#[derive(Default)]
pub(crate) struct Queries {
    /// Parameters that some resource has a value of, with some of the values as a query writes them.
    alive: BTreeMap<ParamId, Vec<String>>,
}

impl Queries {
    pub(crate) fn new(world: &dyn World) -> Queries {
        let mut queries = Queries::default();
        let kinds: BTreeSet<&str> = KINDS.iter().copied().collect();
        for known in kinds.iter().flat_map(|kind| world.all(Kind::named(kind))) {
            queries.note(&known.rows);
        }
        queries
    }

    fn note(&mut self, rows: &IndexRows) {
        let mut add =
            |param: ParamId, text: Option<String>| self.alive.entry(param).or_default().extend(text);
        for row in &rows.tokens {
            let (system, code) = (row.system.as_deref(), row.code.as_deref().unwrap_or(""));
            add(row.param, Some(code.into()).filter(|_| !code.is_empty()));
            add(row.param, system.map(|system| format!("{system}|{code}")));
        }
        for row in &rows.references {
            let text = match &row.target {
                Target::Local { kind, id } => format!("{kind}/{id}"),
                Target::Url(url) => url.to_string(),
            };
            add(row.param, Some(text));
        }
        rows.strings.iter().for_each(|row| add(row.param, Some(encode(&row.exact))));
        rows.uris.iter().for_each(|row| add(row.param, Some(row.text.to_string())));
        rows.dates.iter().for_each(|row| add(row.param, None));
        rows.numbers.iter().for_each(|row| add(row.param, None));
        rows.quantities.iter().for_each(|row| add(row.param, None));
        rows.composites.iter().for_each(|row| add(row.param, None));
    }

    /// A value that is there.
    fn known(&self, draw: &mut Draw, param: ParamId) -> Option<String> {
        let values = self.alive.get(&param).filter(|values| !values.is_empty())?;
        Some(values[draw.below(values.len())].clone())
    }
}

/// A type and a query text; it may be one that the parser refuses.
pub(crate) fn query(draw: &mut Draw, world: &Queries) -> (Option<Kind>, String) {
    if draw.percent(5) {
        let (a, b) = (draw.of(&KINDS), draw.of(&KINDS));
        return (None, format!("_type={a},{b}&{}", common(draw)));
    }
    let kind = Kind::named(draw.of(&KINDS));
    let mut parts: Vec<String> = (0..=draw.below(2)).map(|_| filter(draw, world, kind, 0)).collect();
    if draw.percent(25) {
        let keys: Vec<String> = (0..=draw.below(2)).map(|_| sort_key(draw, world, kind)).collect();
        parts.push(format!("_sort={}", keys.join(",")));
    }
    if draw.percent(25) {
        parts.push(include(draw, world, kind));
    }
    if draw.percent(50) {
        parts.push("_total=accurate".into());
    }
    (Some(kind), parts.join("&"))
}

fn common(draw: &mut Draw) -> String {
    match draw.below(3) {
        0 => format!("_id={}", ids(draw)),
        1 => format!("_tag={}", token(draw)),
        _ => "_sort=-_id".into(),
    }
}

fn ids(draw: &mut Draw) -> String {
    format!("{},{}", draw.of(&IDS), draw.of(&IDS))
}

fn filter(draw: &mut Draw, world: &Queries, kind: Kind, depth: usize) -> String {
    match draw.below(20) {
        0 => format!("_id{}={}", draw.of(&["", ":not"]), ids(draw)),
        1 => format!("_list={}", ids(draw)),
        2 => format!(
            "_lastUpdated={}{}",
            draw.of(&PREFIXES),
            draw.of(&["2024", "2024-06-15", "2024-06-15T12:00:02Z", "2023"])
        ),
        3..6 if depth < 2 => chain(draw, world, kind, depth).unwrap_or_else(|| value(draw, world, kind)),
        6 | 7 if depth < 2 => has(draw, world, kind, depth).unwrap_or_else(|| value(draw, world, kind)),
        8 if of_patient(kind) => {
            let text = draw.of(&["state|TX", "MA", "county|48201", "zip3|770", "state|CA,state|TX"]);
            format!("region{}={text}", draw.of(&["", ":not"]))
        }
        9 | 10 if of_patient(kind) => {
            format!("{}{}={}", draw.of(&["population", "risk"]), draw.of(&["", ":not"]), population(draw))
        }
        _ => value(draw, world, kind),
    }
}

fn of_patient(kind: Kind) -> bool {
    kind == Kind::PATIENT || !search::patient_params(kind).is_empty()
}

fn population(draw: &mut Draw) -> String {
    match draw.below(3) {
        0 => format!("Group/{}", draw.of(&IDS)),
        1 => draw.of(&CODES).into(),
        _ => format!("{}|{}", draw.of(&SYSTEMS), draw.of(&CODES)),
    }
}

/// Parameters of a type, mostly those that some resource has a value of.
fn params(draw: &mut Draw, world: &Queries, kind: Kind, wanted: impl Fn(ParamId) -> bool) -> Vec<ParamId> {
    let all: Vec<ParamId> =
        ParamId::of_kind(kind).filter(|param| param.def().is_supported() && wanted(*param)).collect();
    let alive: Vec<ParamId> = all.iter().copied().filter(|param| world.alive.contains_key(param)).collect();
    if alive.is_empty() || draw.percent(10) { all } else { alive }
}

fn chain(draw: &mut Draw, world: &Queries, kind: Kind, depth: usize) -> Option<String> {
    let references = params(draw, world, kind, |param| param.def().ty == SearchType::Reference);
    let param = *references.get(draw.below(references.len().max(1)))?;
    let known: Vec<Kind> =
        KINDS.iter().map(|name| Kind::named(name)).filter(|kind| param.def().leads_to(*kind)).collect();
    let target = *known.get(draw.below(known.len().max(1)))?;
    let rest = filter(draw, world, target, depth + 1);
    let ty = if draw.percent(70) { format!(":{target}") } else { String::new() };
    Some(format!("{}{ty}.{rest}", param.def().code))
}

fn has(draw: &mut Draw, world: &Queries, kind: Kind, depth: usize) -> Option<String> {
    let source = Kind::named(draw.of(&KINDS));
    let references = params(draw, world, source, |param| param.def().leads_to(kind));
    let param = *references.get(draw.below(references.len().max(1)))?;
    Some(format!("_has:{source}:{}:{}", param.def().code, filter(draw, world, source, depth + 1)))
}

/// Parameters that resources of this vocabulary have, mostly.
fn value(draw: &mut Draw, world: &Queries, kind: Kind) -> String {
    let all = params(draw, world, kind, |param| !["_id", "_lastUpdated"].contains(&param.def().code));
    let param = all[draw.below(all.len())];
    let def = param.def();
    let code = def.code;
    if draw.percent(10) {
        return format!("{code}:missing={}", draw.percent(50));
    }
    let many = |draw: &mut Draw, one: &dyn Fn(&mut Draw) -> String| {
        let known = |draw: &mut Draw| if draw.percent(60) { world.known(draw, param) } else { None };
        let all: Vec<String> =
            (0..=draw.below(2)).map(|_| known(draw).unwrap_or_else(|| one(draw))).collect();
        all.join(",")
    };
    match def.ty {
        SearchType::Token => match draw.below(6) {
            0 => format!("{code}:not={}", many(draw, &token)),
            1 => format!("{code}:text={}", encode(draw.of(&WORDS))),
            2 => format!("{code}:of-type={}|{}|{}", draw.of(&SYSTEMS), draw.of(&CODES), draw.of(&CODES)),
            _ => format!("{code}={}", many(draw, &token)),
        },
        SearchType::String => {
            let modifier = draw.of(&["", "", ":exact", ":contains"]);
            format!("{code}{modifier}={}", many(draw, &|draw| encode(draw.of(&WORDS))))
        }
        SearchType::Reference => match draw.below(8) {
            0 => format!("{code}:identifier={}", token(draw)),
            1..4 if def.targets.iter().any(|kind| ParamId::hierarchy_of(*kind).is_some()) => {
                format!("{code}:{}={}", draw.of(&["above", "below"]), draw.of(&IDS))
            }
            4 => format!("{code}:not={}", reference(draw)),
            _ => format!("{code}={}", many(draw, &reference)),
        },
        SearchType::Uri => format!(
            "{code}{}={}",
            draw.of(&["", ":below", ":above", ":not"]),
            many(draw, &|draw| draw.of(&URLS).into())
        ),
        SearchType::Date => format!("{code}={}", many(draw, &date)),
        SearchType::Number => format!("{code}={}", many(draw, &number)),
        SearchType::Quantity => format!("{code}={}", many(draw, &quantity)),
        SearchType::Composite => {
            let parts: Vec<String> = def.components.iter().map(|part| part_of(draw, part.ty)).collect();
            format!("{code}={}", parts.join("$"))
        }
        SearchType::Special => format!("{code}=x"),
    }
}

fn part_of(draw: &mut Draw, ty: SearchType) -> String {
    match ty {
        SearchType::Token => token(draw),
        SearchType::String => encode(draw.of(&WORDS)),
        SearchType::Date => date(draw),
        SearchType::Number => number(draw),
        SearchType::Quantity => quantity(draw),
        SearchType::Reference => reference(draw),
        SearchType::Uri | SearchType::Composite | SearchType::Special => draw.of(&URLS).into(),
    }
}

fn token(draw: &mut Draw) -> String {
    let code = if draw.percent(30) {
        draw.of(&["final", "male", "female", "true", "false", "person", "replaces", "Z59.41", "usd"])
    } else {
        draw.of(&CODES)
    };
    match draw.below(6) {
        0 => format!("{}|{code}", draw.of(&SYSTEMS)),
        1 => format!("|{code}"),
        2 => format!("{}|", draw.of(&SYSTEMS)),
        _ => code.into(),
    }
}

fn reference(draw: &mut Draw) -> String {
    let (kind, id) = (draw.of(&KINDS), draw.of(&IDS));
    match draw.below(6) {
        0 => format!("http://other.org/fhir/{kind}/{id}"),
        1 => format!("http://h/fhir/Patient/{id}"),
        2 => format!("Patient/{id}"),
        3 => format!("{kind}/{id}"),
        _ => id.into(),
    }
}

fn date(draw: &mut Draw) -> String {
    format!("{}{}", draw.of(&PREFIXES), encode(draw.of(&DATES)))
}

fn number(draw: &mut Draw) -> String {
    format!("{}{}", draw.of(&PREFIXES), draw.of(&NUMBERS))
}

fn quantity(draw: &mut Draw) -> String {
    let number = number(draw);
    match draw.below(5) {
        0 => format!("{number}||{}", encode(draw.of(&UNITS))),
        1 | 2 => format!("{number}|http://unitsofmeasure.org|{}", encode(draw.of(&UNITS))),
        3 => format!("{number}|urn:iso:std:iso:4217|{}", draw.of(&["USD", "EUR"])),
        _ => number,
    }
}

fn sort_key(draw: &mut Draw, world: &Queries, kind: Kind) -> String {
    let all = params(draw, world, kind, |param| {
        !matches!(param.def().ty, SearchType::Composite | SearchType::Special | SearchType::Reference)
            && !["region", "population", "risk"].contains(&param.def().code)
    });
    let code = if draw.percent(30) {
        draw.of(&["_id", "_lastUpdated"])
    } else {
        all[draw.below(all.len())].def().code
    };
    format!("{}{code}", draw.of(&["", "-"]))
}

fn include(draw: &mut Draw, world: &Queries, kind: Kind) -> String {
    let mut one = |iterate: bool, reverse: bool| -> Option<String> {
        let source = if reverse || iterate { Kind::named(draw.of(&KINDS)) } else { kind };
        let references = params(draw, world, source, |param| param.def().ty == SearchType::Reference);
        let param = references.get(draw.below(references.len().max(1)))?.def().code;
        let param = if draw.percent(15) { "*" } else { param };
        let name = if reverse { "_revinclude" } else { "_include" };
        Some(format!("{name}{}={source}:{param}", if iterate { ":iterate" } else { "" }))
    };
    let parts: Vec<String> = [(false, false), (false, true), (true, false), (true, true)]
        .into_iter()
        .filter_map(|(iterate, reverse)| one(iterate, reverse))
        .collect();
    if parts.is_empty() {
        return "_summary=false".into();
    }
    let n = 1 + draw.below(2);
    let start = draw.below(parts.len());
    parts.iter().cycle().skip(start).take(n).cloned().collect::<Vec<_>>().join("&")
}

fn encode(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}
