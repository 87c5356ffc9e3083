//! Extracted rows become index rows: names, types and ids are replaced by numbers, texts by hashes.

use fhir::Kind;
use search::ParamId;
use search::query::Relation;
use search::rows::{CompositeRow, IndexRows, Part, QuantityValue, Target, TokenRow};

use super::part::{self, PackedPart};
use super::row::Row;
use crate::sqlite::catalog::Facet;
use crate::sqlite::hash::HashKey;

/// Gives numbers to what rows name.
pub(crate) trait Numbers {
    fn hash(&self) -> HashKey;
    fn p(&mut self, param: ParamId, facet: Facet) -> rusqlite::Result<u32>;
    fn relation(&mut self, relation: Relation) -> rusqlite::Result<u32>;
    fn name(&mut self, text: &str) -> rusqlite::Result<u32>;
    fn unit(&mut self, unit: &UnitName<'_>) -> rusqlite::Result<u32>;
    fn target(&mut self, kind: Kind, id: &str) -> rusqlite::Result<i64>;
}

/// What a unit is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct UnitName<'a> {
    pub(crate) system: &'a str,
    pub(crate) code: &'a str,
    pub(crate) text: &'a str,
    /// Is it the canonical unit that values were converted to.
    pub(crate) canonical: bool,
}

/// The index rows of a resource, sorted, each once.
pub(crate) fn pack(rows: &IndexRows, numbers: &mut impl Numbers) -> rusqlite::Result<Vec<Row>> {
    let mut out = Vec::with_capacity(rows.tokens.len() + rows.references.len() + rows.dates.len() + 16);
    let hash = numbers.hash();
    tokens(&rows.tokens, Facet::Value, numbers, &mut out)?;
    tokens(&rows.reference_identifiers, Facet::Identifier, numbers, &mut out)?;
    // Texts of codes repeat: they are names, and only their numbers are rows.
    for row in rows.token_texts.iter().filter(|row| is_kept(row.param)) {
        out.push(Row::Uri { p: numbers.p(row.param, Facet::Text)?, n: numbers.name(&row.text)? });
    }
    for row in &rows.of_types {
        let h = hash.texts(&[&row.system, &row.code, &row.value]);
        out.push(Row::Token { p: numbers.p(row.param, Facet::OfType)?, h, sys: 0 });
    }
    for row in &rows.strings {
        let p = numbers.p(row.param, Facet::Value)?;
        out.push(Row::Text { p, text: row.folded.clone(), exact: exact_of(&row.folded, &row.exact) });
    }
    for row in &rows.dates {
        out.push(Row::Date { p: numbers.p(row.param, Facet::Value)?, lo: row.low, hi: row.high });
    }
    for row in &rows.numbers {
        let p = numbers.p(row.param, Facet::Value)?;
        out.push(Row::Number { p, lo: row.low.clone(), hi: row.high.clone() });
    }
    for row in rows.quantities.iter().filter(|row| is_kept(row.param)) {
        let p = numbers.p(row.param, Facet::Value)?;
        for (u, lo, hi) in quantities(&row.value, numbers)? {
            out.push(Row::Quantity { p, u, lo, hi });
        }
    }
    for row in &rows.references {
        let p = numbers.p(row.param, Facet::Value)?;
        out.push(match &row.target {
            Target::Local { kind, id } => Row::Ref { p, target: numbers.target(*kind, id)? },
            Target::Url(url) => Row::Uri { p, n: numbers.name(url)? },
        });
    }
    for row in &rows.uris {
        out.push(Row::Uri { p: numbers.p(row.param, Facet::Value)?, n: numbers.name(&row.text)? });
    }
    for row in rows.composites.iter().filter(|row| is_kept(row.param)) {
        composite(row, numbers, &mut out)?;
    }
    for row in &rows.relations {
        let (p, patient) = (numbers.relation(row.relation)?, numbers.target(Kind::PATIENT, &row.patient)?);
        let sys = system(row.system.as_deref(), numbers)?;
        out.push(Row::Relation { p, patient, h: hash.text(&row.code), sys, lo: row.low, hi: row.high });
    }
    out.sort_unstable();
    out.dedup();
    Ok(out)
}

/// What the parts of a parameter have is not kept a second time: `combo-code` is searched as `code` or `component-code`.
fn is_kept(param: ParamId) -> bool {
    param.parts().is_empty()
}

/// What is kept beside the folded text: nothing when it is the same.
pub(crate) fn exact_of(folded: &str, exact: &str) -> compact_str::CompactString {
    if folded == exact { compact_str::CompactString::default() } else { exact.into() }
}

/// What stands in place of the code when only a system is stated.
pub(crate) const NO_CODE: i64 = 0;

fn tokens(
    rows: &[TokenRow],
    facet: Facet,
    numbers: &mut impl Numbers,
    out: &mut Vec<Row>,
) -> rusqlite::Result<()> {
    for row in rows.iter().filter(|row| is_kept(row.param)) {
        let p = numbers.p(row.param, facet)?;
        let h = row.code.as_deref().map_or(NO_CODE, |code| numbers.hash().text(code));
        out.push(Row::Token { p, h, sys: system(row.system.as_deref(), numbers)? });
    }
    Ok(())
}

fn system(system: Option<&str>, numbers: &mut impl Numbers) -> rusqlite::Result<u32> {
    match system {
        None => Ok(0),
        Some(text) => numbers.name(text),
    }
}

/// Unit and ends of a quantity as stated, and in canonical units.
type Ends = (u32, Vec<u8>, Vec<u8>);

fn quantities(value: &QuantityValue, numbers: &mut impl Numbers) -> rusqlite::Result<Vec<Ends>> {
    let name = UnitName {
        system: value.system.as_deref().unwrap_or(""),
        code: value.code.as_deref().unwrap_or(""),
        text: value.unit.as_deref().unwrap_or(""),
        canonical: false,
    };
    let mut ends = vec![(numbers.unit(&name)?, value.low.clone(), value.high.clone())];
    if let Some(canonical) = &value.canonical {
        let name = UnitName { system: "", code: &canonical.unit, text: "", canonical: true };
        ends.push((numbers.unit(&name)?, canonical.low.clone(), canonical.high.clone()));
    }
    Ok(ends)
}

fn composite(row: &CompositeRow, numbers: &mut impl Numbers, out: &mut Vec<Row>) -> rusqlite::Result<()> {
    let p = numbers.p(row.param, Facet::Value)?;
    let Some((first, others)) = row.parts.split_first() else { return Ok(()) };
    let (mut h, firsts) = (0, forms(first, numbers)?);
    let mut tails: Vec<Vec<u8>> = vec![Vec::new()];
    for other in others {
        let forms = forms(other, numbers)?;
        let longer = |tail: &Vec<u8>| {
            let tail = tail.clone();
            forms.iter().map(move |form| with_part(tail.clone(), form)).collect::<Vec<_>>()
        };
        tails = tails.iter().flat_map(longer).collect();
    }
    for form in firsts {
        let last = match form {
            PackedPart::Token { h: code, sys } => {
                h = code;
                PackedPart::System(sys)
            }
            other => other,
        };
        out.extend(tails.iter().map(|tail| Row::Composite { p, h, parts: with_part(tail.clone(), &last) }));
    }
    Ok(())
}

fn with_part(mut bytes: Vec<u8>, form: &PackedPart) -> Vec<u8> {
    part::put(form, &mut bytes);
    bytes
}

/// The forms of a part: a quantity has one in canonical units, too.
fn forms(part: &Part, numbers: &mut impl Numbers) -> rusqlite::Result<Vec<PackedPart>> {
    Ok(vec![match part {
        Part::Token { system: of, code } => {
            let h = code.as_deref().map_or(NO_CODE, |code| numbers.hash().text(code));
            PackedPart::Token { h, sys: system(of.as_deref(), numbers)? }
        }
        Part::String { folded, exact } => {
            PackedPart::Text { folded: folded.clone(), exact: exact_of(folded, exact) }
        }
        Part::Date { low, high } => PackedPart::Date { lo: *low, hi: *high },
        Part::Number { low, high } => PackedPart::Number { lo: low.clone(), hi: high.clone() },
        Part::Quantity(value) => {
            let ends = quantities(value, numbers)?;
            return Ok(ends.into_iter().map(|(u, lo, hi)| PackedPart::Quantity { u, lo, hi }).collect());
        }
        Part::Reference(Target::Local { kind, id }) => PackedPart::Ref(numbers.target(*kind, id)?),
        Part::Reference(Target::Url(url)) => PackedPart::Uri(numbers.name(url)?),
        Part::Uri(text) => PackedPart::Uri(numbers.name(text)?),
    }])
}
