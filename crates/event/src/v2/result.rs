//! Results: each OBX is a measurement; those of one order, time and class are one event. What is a text of its own (`FT`, `ED` with text) is a note.

use clinical::code::check_loinc;
use fhir::Instant;
use hl7v2::{Message, Segment, Value};

use super::document::{self, About, Body};
use super::embedded::{Content, content_of};
use super::header::Header;
use super::text;
use crate::door::{Collected, Raw, Reading};
use crate::{Comparator, Device, Event, Kind, Refusal, Status, Why, measure_named, measure_of_loinc};

/// Names of LOINC as a coding system.
pub(super) const LOINC: [&str; 5] = ["LN", "LNC", "LOINC", "http://loinc.org", "2.16.840.1.113883.6.1"];

/// An order with its results.
#[derive(Default)]
struct Group<'m> {
    pid: Option<Segment<'m>>,
    pv1: Option<Segment<'m>>,
    obr: Option<Segment<'m>>,
    obxs: Vec<Obx<'m>>,
    specimens: Vec<Segment<'m>>,
}

/// A result, its number among all of the message, and its comments.
struct Obx<'m> {
    segment: Segment<'m>,
    number: usize,
    notes: Vec<Segment<'m>>,
}

/// What could be read of a message so far.
#[derive(Default)]
struct Found {
    events: Vec<Event>,
    first_refusal: Option<Refusal>,
    n_readable: usize,
}

pub(super) fn events(message: &Message, header: &Header<'_>) -> Result<Vec<Event>, Refusal> {
    let mut found = Found::default();
    for group in groups(message) {
        if !group.obxs.is_empty() {
            group_events(&group, header, &mut found)?;
        }
    }
    match found.first_refusal {
        Some(refusal) if found.n_readable == 0 => Err(refusal),
        _ => Ok(found.events),
    }
}

/// By the order of segments: a specimen belongs to the order before it, in `OUL` to those after it.
fn groups(message: &Message) -> Vec<Group<'_>> {
    let specimen_first = message.code().as_deref() == Some("OUL");
    let mut groups: Vec<Group<'_>> = vec![Group::default()];
    let mut specimens = Vec::new();
    let mut n_obx = 0;
    for segment in message.all_segments() {
        let current = groups.last_mut().expect("there is one from the start");
        match segment.id() {
            "PID" => groups.push(Group { pid: Some(segment), ..Group::default() }),
            "PV1" => current.pv1 = Some(segment),
            "OBR" => {
                let (pid, pv1) = (current.pid, current.pv1);
                groups.push(Group {
                    pid,
                    pv1,
                    obr: Some(segment),
                    obxs: Vec::new(),
                    specimens: specimens.clone(),
                });
            }
            "SPM" if specimen_first => specimens = vec![segment],
            "SPM" => current.specimens.push(segment),
            "OBX" => {
                n_obx += 1;
                current.obxs.push(Obx { segment, number: n_obx, notes: Vec::new() });
            }
            "NTE" => {
                if let Some(obx) = current.obxs.last_mut() {
                    obx.notes.push(segment);
                }
            }
            _ => {}
        }
    }
    groups
}

fn group_events(group: &Group<'_>, header: &Header<'_>, found: &mut Found) -> Result<(), Refusal> {
    let mut parts: Vec<(Instant, bool, Collected<'_>)> = Vec::new();
    let told = notes(group, header, found)?;
    for obx in group.obxs.iter().filter(|obx| !told.contains(&obx.number)) {
        let at = time_of(obx, group, header)?;
        let code = Code::of(&obx.segment, header);
        let is_vital = code.is_vital(header);
        let index = parts.iter().position(|part| part.0 == at && part.1 == is_vital);
        let index = index.unwrap_or_else(|| {
            parts.push((at, is_vital, Collected::new(header.source, true)));
            parts.len() - 1
        });
        add(obx, group, &code, &mut parts[index].2)?;
    }
    let device = group.obxs.iter().find_map(|obx| text(&obx.segment, 18, 1));
    for (at, is_vital, collected) in parts {
        let (data, refusal, n_readable) = collected.parts();
        found.n_readable += n_readable;
        found.first_refusal = found.first_refusal.take().or(refusal);
        let kind = if is_vital { Kind::VitalSigns } else { Kind::LabResults };
        let mut event = header.event(kind, at, data);
        header.about(&mut event, group.pid.as_ref(), group.pv1.as_ref())?;
        event.device = device.clone().map(|id| Device { id, calibrated_at: None });
        found.events.push(event);
    }
    Ok(())
}

/// A text of its own, and not a word that is the value of a measure.
fn is_text(obx: &Obx<'_>, header: &Header<'_>) -> bool {
    let is_text = match text(&obx.segment, 2, 1).as_deref() {
        Some("FT") => true,
        Some("ED") => !matches!(content_of(&obx.segment), Content::Other),
        _ => false,
    };
    is_text && !Code::of(&obx.segment, header).is_measure(header)
}

/// One note of each code and type, its lines in the order in which they stand. Gives the numbers of what is told: a text that makes no note is read as
/// a value, so that it is seen.
fn notes(group: &Group<'_>, header: &Header<'_>, found: &mut Found) -> Result<Vec<usize>, Refusal> {
    let texts: Vec<&Obx<'_>> = group.obxs.iter().filter(|obx| is_text(obx, header)).collect();
    let name = |obx: &Obx<'_>| (text(&obx.segment, 3, 1), text(&obx.segment, 2, 1));
    let (mut told, mut seen) = (Vec::new(), Vec::new());
    for first in &texts {
        if seen.contains(&name(first)) {
            continue;
        }
        seen.push(name(first));
        let lines: Vec<&Obx<'_>> = texts.iter().copied().filter(|obx| name(obx) == name(first)).collect();
        if let Some(mut event) = note(&lines, group, header)? {
            header.about(&mut event, group.pid.as_ref(), group.pv1.as_ref())?;
            found.n_readable += lines.len();
            found.events.push(event);
            told.extend(lines.iter().map(|obx| obx.number));
        }
    }
    Ok(told)
}

/// The note of some lines; an error only where the time is wrong, as with values.
fn note(lines: &[&Obx<'_>], group: &Group<'_>, header: &Header<'_>) -> Result<Option<Event>, Refusal> {
    let first = lines[0];
    let place = || format!("OBX({})-5", first.number);
    let mut body = Body::default();
    for obx in lines {
        if body.take(&obx.segment, place).is_err() || body.has_other {
            return Ok(None);
        }
    }
    let status = match status_of(text(&first.segment, 11, 1).as_deref()) {
        Status::Final => "final",
        Status::Corrected => "amended",
        Status::EnteredInError | Status::Cancelled => "entered-in-error",
        Status::Preliminary => "preliminary",
    };
    let title = text(&first.segment, 3, 2).or_else(|| text(group.obr.as_ref()?, 4, 2));
    let about = About {
        document: result_of(first, group).map(|id| document::named(&id)),
        status,
        kind: document::loinc_of(&first.segment),
        title: title.map(|name| document::named(&name)),
        author: None,
    };
    if status == "entered-in-error" && about.document.is_none() {
        return Ok(None);
    }
    let at = time_of(first, group, header)?;
    Ok(document::event(header, at, &about, &body, &place()).unwrap_or_default())
}

/// When it was observed: OBX-14, else the order's OBR-7 or OBR-22, else the message's time.
fn time_of(obx: &Obx<'_>, group: &Group<'_>, header: &Header<'_>) -> Result<Instant, Refusal> {
    if let Some(at) = header.time(&obx.segment, 14, || format!("OBX({})-14", obx.number))? {
        return Ok(at);
    }
    if let Some(obr) = &group.obr {
        for field in [7, 22] {
            if let Some(at) = header.time(obr, field, || format!("OBR-{field}"))? {
                return Ok(at);
            }
        }
    }
    Ok(header.sent_at)
}

/// What OBX-3 says.
struct Code {
    loinc: Option<String>,
    /// The sender's code, or `SYSTEM|CODE` where the code alone is not configured.
    name: Option<String>,
}

impl Code {
    fn of(obx: &Segment<'_>, header: &Header<'_>) -> Code {
        let triplet = |first: usize| (text(obx, 3, first), text(obx, 3, first + 2));
        for (code, system) in [triplet(1), triplet(4)] {
            let is_loinc = system.is_some_and(|system| LOINC.contains(&system.as_str()));
            if let Some(code) = code.filter(|code| is_loinc && check_loinc(code).is_ok()) {
                return Code { loinc: Some(code), name: None };
            }
        }
        let (Some(code), system) = triplet(1) else { return Code { loinc: None, name: None } };
        let known = |name: &str| header.source.codes.contains_key(name);
        let whole = format!("{}|{code}", system.unwrap_or_else(|| "local".to_owned()));
        let name = if known(&code) && !known(&whole) { code } else { whole };
        Code { loinc: None, name: Some(name) }
    }

    fn measure(&self, header: &Header<'_>) -> Option<&'static crate::Measure> {
        let mapped = self.name.as_ref().and_then(|name| header.source.codes.get(name));
        let code = self.loinc.as_ref().or(mapped)?;
        measure_of_loinc(code).or_else(|| measure_named(code))
    }

    fn is_measure(&self, header: &Header<'_>) -> bool {
        self.measure(header).is_some()
    }

    fn is_vital(&self, header: &Header<'_>) -> bool {
        self.measure(header).is_some_and(|measure| measure.is_vital)
    }
}

fn add(obx: &Obx<'_>, group: &Group<'_>, code: &Code, collected: &mut Collected<'_>) -> Result<(), Refusal> {
    let segment = &obx.segment;
    let (value, comparator) = value_of(segment);
    // The first part of a document is its source, which is mostly empty.
    let written = segment.field(5).as_written().unwrap_or_default();
    let raw = match &value {
        Some(value) => Raw::Text(value),
        None => Raw::Absent(match segment.field(5).value() {
            Value::Null => "null",
            _ if written.contains(char::is_alphanumeric) => "not a value: a document or a reference",
            _ => "empty",
        }),
    };
    let unit = text(segment, 6, 1);
    let mut reading = Reading::of("", raw);
    reading.name = code.name.as_deref();
    reading.loinc = code.loinc.as_deref();
    reading.unit = unit.as_deref();
    reading.status = status_of(text(segment, 11, 1).as_deref());
    reading.result = result_of(obx, group);
    reading.flags = flags_of(obx, group);
    match comparator {
        Ok(comparator) => {
            reading.comparator = comparator;
            collected.add(&reading, || format!("OBX({})-5", obx.number))
        }
        Err(why) => {
            collected.refuse(&reading, Refusal::at(format!("OBX({})-5.1", obx.number), why));
            Ok(())
        }
    }
}

type Sent = (Option<String>, Result<Option<Comparator>, Why>);

/// The value of OBX-5 by its type in OBX-2, and the comparator of an SN.
fn value_of(obx: &Segment<'_>) -> Sent {
    let kind = text(obx, 2, 1).unwrap_or_default();
    let first = obx.field(5).repetition(1);
    let part = |number: usize| first.component(number).value().into_text().map(|text| text.trim().to_owned());
    match kind.as_str() {
        "ED" | "RP" => (None, Ok(None)),
        "SN" => {
            let comparator = match part(1).as_deref() {
                None | Some("" | "=") => Ok(None),
                Some(sign) => {
                    Comparator::of_sign(sign).map(Some).ok_or(Why::Expected("`<`, `<=`, `>=` or `>`"))
                }
            };
            let number = part(2).map(|number| match (part(3), part(4)) {
                (None, None) => number,
                (between, second) => {
                    format!("{number}{}{}", between.unwrap_or_default(), second.unwrap_or_default())
                }
            });
            (number, comparator)
        }
        "CE" | "CWE" | "CNE" | "CF" => (part(2).or_else(|| part(1)), Ok(None)),
        _ => {
            // Several values are no number, and the first alone is not what was sent.
            let all: Vec<String> = obx
                .field(5)
                .repetitions()
                .filter_map(|one| one.value().into_text().map(|text| text.trim().to_owned()))
                .collect();
            (Some(all.join("~")).filter(|text| !text.is_empty()), Ok(None))
        }
    }
}

/// Table 0085.
fn status_of(code: Option<&str>) -> Status {
    match code {
        Some("F" | "U" | "B" | "V") | None => Status::Final,
        Some("C") => Status::Corrected,
        Some("D" | "W") => Status::EnteredInError,
        Some("X" | "N" | "O") => Status::Cancelled,
        Some(_) => Status::Preliminary,
    }
}

/// What a correction has in common with what it corrects: the order's filler (or placer) number, the code, the sub-id.
fn result_of(obx: &Obx<'_>, group: &Group<'_>) -> Option<String> {
    let obr = group.obr.as_ref()?;
    let order = text(obr, 3, 1).or_else(|| text(obr, 2, 1))?;
    let code = text(&obx.segment, 3, 1)?;
    let sub = text(&obx.segment, 4, 1).map(|sub| format!("|{sub}")).unwrap_or_default();
    Some(format!("{order}|{code}{sub}"))
}

/// Interpretation (OBX-8), condition of the specimen (SPM-24), and what comments say of it.
fn flags_of(obx: &Obx<'_>, group: &Group<'_>) -> Vec<String> {
    let mut flags = Vec::new();
    for flag in obx.segment.field(8).repetitions() {
        if let Some(flag) = flag.value().into_text().filter(|flag| *flag != "N" && flag.len() <= 8) {
            flags.push(format!("interpretation:{flag}"));
        }
    }
    let mut add = |flag: &str| {
        if !flags.iter().any(|known| known == flag) {
            flags.push(flag.to_owned());
        }
    };
    for specimen in &group.specimens {
        for condition in specimen.field(24).repetitions() {
            match condition.value().text() {
                Some("HEM") => add("haemolysed"),
                Some("CLOT") => add("clotted"),
                _ => {}
            }
        }
    }
    for note in &obx.notes {
        let comment = note.field(3).repetitions().filter_map(|one| one.value().into_text());
        for flag in comment.flat_map(|comment| said_of_specimen(&comment)) {
            add(flag);
        }
    }
    flags
}

/// Words of a comment that speak of a bad specimen, unless they are denied: `not haemolysed`, `no clots`.
fn said_of_specimen(comment: &str) -> Vec<&'static str> {
    let words: Vec<String> = comment
        .split(|c: char| !c.is_alphabetic())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    let mut flags = Vec::new();
    for (index, word) in words.iter().enumerate() {
        let flag = match word.as_str() {
            word if word.starts_with("haemoly") || word.starts_with("hemoly") => "haemolysed",
            word if word.starts_with("clot") => "clotted",
            word if word.starts_with("dilut") => "diluted",
            _ => continue,
        };
        let is_denied = words[index.saturating_sub(2)..index]
            .iter()
            .any(|word| matches!(word.as_str(), "no" | "not" | "non" | "without"));
        if !is_denied {
            flags.push(flag);
        }
    }
    flags
}
