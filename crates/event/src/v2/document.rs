//! Documents: notes of MDM messages (TXA), and of results that are text (OBX of type `FT`, or `ED` with text).

use fhir::{Instant, Object, Value as Json};
use hl7v2::{Message, Repetition, Segment};

use super::embedded::{Content, content_of};
use super::header::Header;
use super::text;
use crate::{Data, Event, Kind, Note, Refusal, Why};

/// Longest text of a note.
const TEXT_BYTES_MAX: usize = 512 * 1024;
/// Longest name of something.
const NAME_CHARS_MAX: usize = 256;
const LOINC: &str = "http://loinc.org";
/// Types of documents of TXA-2.
const TYPES: &str = "http://terminology.hl7.org/CodeSystem/v2-0270";

/// What is known of a document beside its text.
#[derive(Default)]
pub(super) struct About {
    pub(super) document: Option<String>,
    pub(super) status: &'static str,
    pub(super) kind: Option<Json>,
    pub(super) title: Option<String>,
    pub(super) author: Option<String>,
}

/// Lines of text as they come; all of one format.
#[derive(Default)]
pub(super) struct Body {
    lines: Vec<String>,
    format: Option<&'static str>,
    /// Something is there that is no text, or of another format.
    pub(super) has_other: bool,
}

impl Body {
    /// Takes what an OBX says.
    pub(super) fn take(&mut self, obx: &Segment<'_>, place: impl Fn() -> String) -> Result<(), Refusal> {
        let (format, said) = match text(obx, 2, 1).as_deref() {
            Some("TX" | "FT" | "ST") => {
                let lines = obx
                    .field(5)
                    .repetitions()
                    .map(|one| one.value().into_text().map(std::borrow::Cow::into_owned).unwrap_or_default());
                ("text/plain", lines.collect::<Vec<_>>().join("\n"))
            }
            Some("ED") => match content_of(obx) {
                Content::Text(embedded) => (embedded.format, embedded.text),
                Content::Other => {
                    self.has_other = true;
                    return Ok(());
                }
                Content::Broken(expected) => return Err(Refusal::at(place(), Why::Expected(expected))),
            },
            _ => {
                self.has_other = true;
                return Ok(());
            }
        };
        if *self.format.get_or_insert(format) != format {
            self.has_other = true;
            return Ok(());
        }
        self.lines.push(said);
        Ok(())
    }

    fn text(&self) -> Option<String> {
        let text = self.lines.join("\n");
        (!text.trim().is_empty()).then_some(text)
    }
}

/// The event of a note; its patient and place are not said yet. `None` when there is no text and it is no retraction.
pub(super) fn event(
    header: &Header<'_>,
    at: Instant,
    about: &About,
    body: &Body,
    place: &str,
) -> Result<Option<Event>, Refusal> {
    let mut data = Object::new();
    let mut add = |name: &'static str, value: Option<&str>| {
        if let Some(value) = value {
            data.insert(name, value.into());
        }
    };
    add("document", about.document.as_deref());
    add("status", Some(about.status));
    add("title", about.title.as_deref());
    add("author", about.author.as_deref());
    let text = body.text();
    if about.status != "entered-in-error" {
        let Some(text) = &text else { return Ok(None) };
        if text.len() > TEXT_BYTES_MAX {
            return Err(Refusal::at(place, Why::TooLarge { max: TEXT_BYTES_MAX, of: "bytes" }));
        }
        add("format", body.format);
        add("text", Some(text));
    }
    if let Some(kind) = &about.kind {
        data.insert("type", kind.clone());
    }
    // As strict as the other door.
    Note::of(&data, place)?;
    Ok(Some(header.event(Kind::ClinicalNotes, at, Data::Json(data))))
}

/// The note of an MDM message. What is not text in it stays to be kept as it came: then the second is true.
pub(super) fn events(
    message: &Message,
    trigger: &str,
    header: &Header<'_>,
) -> Result<(Vec<Event>, bool), Refusal> {
    let Some(txa) = message.segments("TXA").next() else { return Ok((Vec::new(), true)) };
    let mut body = Body::default();
    let obxs: Vec<Segment<'_>> = message.segments("OBX").collect();
    for (number, obx) in (1..).zip(&obxs) {
        body.take(obx, || format!("OBX({number})-5"))?;
    }
    let about = About {
        document: identifier(&txa, 12),
        status: status_of(&txa, trigger),
        kind: obxs.iter().find_map(loinc_of).or_else(|| kind_of(&txa)),
        title: text(&txa, 25, 1)
            .or_else(|| obxs.iter().find_map(|obx| text(obx, 3, 2)))
            .map(|name| named(&name)),
        author: txa.field(9).repetitions().find_map(|one| person(&one)),
    };
    if about.status == "entered-in-error" && about.document.is_none() {
        return Err(Refusal::at("TXA-12", Why::Missing));
    }
    // When it was written, else when what it is about was done.
    let mut at = None;
    for field in [6, 4] {
        at = match at {
            None => header.time(&txa, field, || format!("TXA-{field}"))?,
            found => found,
        };
    }
    let Some(mut event) = event(header, at.unwrap_or(header.sent_at), &about, &body, "OBX-5")? else {
        return Ok((Vec::new(), true));
    };
    let (pid, pv1) = (message.segments("PID").next(), message.segments("PV1").next());
    header.about(&mut event, pid.as_ref(), pv1.as_ref())?;
    // Restricted, very restricted: the labels of HL7's own vocabulary have the same codes.
    event.privacy.extend(text(&txa, 18, 1).filter(|label| matches!(label.as_str(), "R" | "V")));
    Ok((vec![event], body.has_other))
}

/// Completion (TXA-17) and availability (TXA-19) of a document, and what the trigger does to it.
fn status_of(txa: &Segment<'_>, trigger: &str) -> &'static str {
    let is_cancelled = trigger == "T11" || text(txa, 19, 1).as_deref() == Some("CA");
    let is_signed = matches!(text(txa, 17, 1).as_deref(), Some("AU" | "LA"));
    match (is_cancelled, is_signed, trigger) {
        (true, ..) => "entered-in-error",
        // An edit, a replacement.
        (false, true, "T08" | "T10") => "amended",
        (false, true, _) => "final",
        (false, false, _) => "preliminary",
    }
}

/// A code of LOINC in OBX-3, which says what kind of document it is.
pub(super) fn loinc_of(obx: &Segment<'_>) -> Option<Json> {
    let triplet = |first: usize| (text(obx, 3, first), text(obx, 3, first + 1), text(obx, 3, first + 2));
    [triplet(1), triplet(4)].into_iter().find_map(|(code, name, system)| {
        let is_loinc = system.is_some_and(|system| super::result::LOINC.contains(&system.as_str()));
        let code = code.filter(|code| is_loinc && clinical::code::check_loinc(code).is_ok())?;
        Some(coding(LOINC, &code, name.as_deref()))
    })
}

/// TXA-2, a code of table 0270 unless another system is named.
fn kind_of(txa: &Segment<'_>) -> Option<Json> {
    let code = text(txa, 2, 1).filter(|code| !code.contains(char::is_whitespace))?;
    let is_own = text(txa, 2, 3).is_none_or(|system| matches!(system.as_str(), "HL70270" | "0270"));
    is_own.then(|| coding(TYPES, &code, text(txa, 2, 2).as_deref()))
}

fn coding(system: &str, code: &str, name: Option<&str>) -> Json {
    let mut coding = Object::new();
    coding.insert("system", system.into());
    coding.insert("code", code.into());
    if let Some(name) = name {
        coding.insert("display", named(name).into());
    }
    coding.into()
}

/// An entity identifier: `NAMESPACE:ID`, or the identifier alone.
fn identifier(segment: &Segment<'_>, field: usize) -> Option<String> {
    let id = text(segment, field, 1)?;
    let space = text(segment, field, 2).or_else(|| text(segment, field, 3));
    Some(named(&space.map_or(id.clone(), |space| format!("{space}:{id}"))))
}

/// A person (`XCN`): given and family name, else the identifier.
fn person(one: &Repetition<'_>) -> Option<String> {
    let part = |number: usize| one.component(number).value().into_text().map(|text| text.trim().to_owned());
    let part = |number: usize| part(number).filter(|text| !text.is_empty());
    let name = [part(3), part(2)].into_iter().flatten().collect::<Vec<_>>().join(" ");
    let name = if name.is_empty() { part(1)? } else { name };
    // With these marks it would be a reference or an identifier.
    Some(named(&name.replace(['|', '/'], " ")))
}

/// A name on one line, no longer than names are.
pub(super) fn named(name: &str) -> String {
    let name: String = name.trim().chars().take(NAME_CHARS_MAX).collect();
    name.replace(char::is_control, " ").trim().to_owned()
}
