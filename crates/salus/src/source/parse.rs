//! Parses a raw piece into units and rejects. Pure: bytes in, values out, so that many threads do it side by side.

use std::sync::Arc;

use fhir::json::{self, Limits, Value};
use fhir::{Issue, Resource};

use super::bundle::{is_carrier, unit_of};
use super::read::{Piece, Raw};
use super::unit::{At, Change, Item, Place, Reject, Unit};

/// How to read what could be meant in two ways.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ParseOptions {
    /// Store every bundle as the resource it is, instead of loading what transactions, batches, collections and searchsets carry.
    pub(crate) keep_bundles: bool,
}

/// What a piece gave.
#[derive(Debug, Default)]
pub(crate) struct Parsed {
    pub(crate) units: Vec<Unit>,
    pub(crate) rejects: Vec<Reject>,
    pub(crate) skipped: Vec<Reject>,
}

/// Parses one piece.
pub(crate) fn parse_piece(raw: Raw, options: ParseOptions) -> Parsed {
    let mut parsed = Parsed::default();
    match raw.piece {
        Piece::Document(bytes) => {
            let place = Place::new(&raw.file, At::File);
            match parse_resource(&bytes, &place) {
                Ok(resource) => parsed.add(resource, place, bytes.len(), options),
                Err(reject) => parsed.rejects.push(reject),
            }
        }
        Piece::Lines(lines) => {
            parse_lines(&raw.file, &lines.bytes, lines.first, lines.open_end, options, &mut parsed);
        }
        Piece::Rejected(reject) => parsed.rejects.push(reject),
        Piece::Skipped(reject) => parsed.skipped.push(reject),
    }
    parsed
}

fn parse_lines(
    file: &Arc<str>,
    bytes: &[u8],
    first: u64,
    open_end: bool,
    options: ParseOptions,
    parsed: &mut Parsed,
) {
    let mut lines = bytes.split(|byte| *byte == b'\n').peekable();
    let mut number = first;
    while let Some(line) = lines.next() {
        let is_last = lines.peek().is_none();
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if !line.iter().all(u8::is_ascii_whitespace) {
            let place = Place::new(file, At::Line(number));
            match parse_resource(line, &place) {
                Ok(resource) => parsed.add(resource, place, line.len(), options),
                Err(mut reject) => {
                    if is_last && open_end && is_cut(line) {
                        reject.reason = format!("the file ends in the middle of the line: {}", reject.reason);
                    }
                    parsed.rejects.push(reject);
                }
            }
        }
        number += 1;
    }
}

// A line is cut when the parser wanted more where the text ends.
fn is_cut(line: &[u8]) -> bool {
    match json::parse(line, &Limits::default()) {
        Ok(_) => false,
        Err(error) => {
            error.offset >= line.len() || std::str::from_utf8(line).is_err_and(|e| e.error_len().is_none())
        }
    }
}

fn parse_resource(bytes: &[u8], place: &Place) -> Result<Resource, Reject> {
    // Some exporters write a byte order mark.
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let value = json::parse(bytes, &Limits::default())
        .map_err(|error| Reject::new(place.clone(), reason_of(&error, place)))?;
    if value.get("resourceType").is_none() {
        return Err(Reject::new(place.clone(), "not a FHIR resource: `resourceType` is missing"));
    }
    Resource::from_value(value).map_err(|issues| Reject::new(place.clone(), text_of(&issues)))
}

// On a line of its own, only the column says something.
fn reason_of(error: &json::JsonError, place: &Place) -> String {
    match place.at {
        At::Line(_) => format!("column {}: {}", error.column, error.problem),
        _ => error.to_string(),
    }
}

/// The issues as one line of text.
pub(crate) fn text_of(issues: &[Issue]) -> String {
    const SHOWN_MAX: usize = 5;
    let mut texts: Vec<String> = issues.iter().take(SHOWN_MAX).map(one_text).collect();
    if issues.len() > SHOWN_MAX {
        texts.push(format!("and {} more", issues.len() - SHOWN_MAX));
    }
    texts.join("; ")
}

fn one_text(issue: &Issue) -> String {
    match &issue.expression {
        Some(expression) => format!("{expression}: {}", issue.diagnostics),
        None => issue.diagnostics.clone(),
    }
}

impl Parsed {
    fn add(&mut self, resource: Resource, place: Place, bytes: usize, options: ParseOptions) {
        if !options.keep_bundles && is_carrier(&resource) {
            let (unit, rejects) = unit_of(resource.into_value(), &place, bytes);
            self.rejects.extend(rejects);
            self.units.extend(unit);
            return;
        }
        let item = single_of(resource, place);
        // Lines that follow each other go in one write; a transaction never shares one.
        match self.units.last_mut().filter(|unit| !unit.atomic) {
            Some(unit) => {
                unit.bytes += bytes;
                unit.items.push(item);
            }
            None => self.units.push(Unit { atomic: false, items: vec![item], bytes }),
        }
    }
}

/// A resource outside a bundle: put under its id, or created when it has none.
fn single_of(resource: Resource, place: Place) -> Item {
    let change = match resource.id() {
        Some(_) => Change::Put { resource, if_match: None },
        None => Change::Create { resource, if_none_exist: None },
    };
    Item { place, full_url: None, change }
}

/// A string member of a value.
pub(crate) fn text_at<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key).and_then(Value::as_str)
}
