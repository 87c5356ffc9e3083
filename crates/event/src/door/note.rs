//! A clinical note: what kind of document, whose, how final, its coded findings, and a text that nobody here looks into.

use fhir::{Object, Value as Json};

use super::coding::{coding_of, codings_of};
use super::member::{below, one_of, only, text};
use crate::{Coding, Data, Event, Kind, Refusal, Why};

const DOCUMENT: &[&str] = &["document", "document_id"];
const STATUS: &[&str] = &["status"];
const TYPE: &[&str] = &["type", "note_type"];
const TITLE: &[&str] = &["title"];
const AUTHOR: &[&str] = &["author"];
const LANGUAGE: &[&str] = &["language"];
const FORMAT: &[&str] = &["format", "content_type"];
const TEXT: &[&str] = &["text", "note", "note_text"];
const CODES: &[&str] = &["codes"];
/// What a text may be; the first when it is not said.
const FORMATS: [&str; 3] = ["text/plain", "text/markdown", "text/html"];

/// How final a note is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum NoteStatus {
    /// Not signed.
    Preliminary,
    /// Signed.
    #[default]
    Final,
    /// Changed after it was signed.
    Amended,
    /// It is of another patient, or was never meant.
    EnteredInError,
}

impl NoteStatus {
    /// Its name in FHIR's `CompositionStatus`.
    pub fn name(self) -> &'static str {
        match self {
            NoteStatus::Preliminary => "preliminary",
            NoteStatus::Final => "final",
            NoteStatus::Amended => "amended",
            NoteStatus::EnteredInError => "entered-in-error",
        }
    }

    fn named(name: &str) -> Option<NoteStatus> {
        match name {
            "preliminary" | "draft" => Some(NoteStatus::Preliminary),
            "final" => Some(NoteStatus::Final),
            "amended" | "corrected" | "appended" => Some(NoteStatus::Amended),
            "entered-in-error" => Some(NoteStatus::EnteredInError),
            _ => None,
        }
    }
}

/// A clinical note. Does not print.
#[derive(Clone, PartialEq, Eq)]
pub struct Note {
    /// The sender's identifier of the document: what amends it has the same.
    pub document: Option<String>,
    /// How final.
    pub status: NoteStatus,
    /// What kind of document, mostly of LOINC.
    pub kind: Option<Coding>,
    /// Its title.
    pub title: Option<String>,
    /// `Practitioner/ID`, `SYSTEM|VALUE`, or a name.
    pub author: Option<String>,
    /// BCP 47.
    pub language: Option<String>,
    /// Media type of the text.
    pub format: String,
    /// The text; only what was entered in error may have none.
    pub text: Option<String>,
    /// Coded findings.
    pub codes: Vec<Coding>,
}

/// Does not print.
impl std::fmt::Debug for Note {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Note")
    }
}

impl Note {
    /// The note of an event's data.
    ///
    /// # Errors
    /// A member is missing, unknown or of another form; with its place, never with its content.
    pub fn of(data: &Object, place: &str) -> Result<Note, Refusal> {
        let all = [DOCUMENT, STATUS, TYPE, TITLE, AUTHOR, LANGUAGE, FORMAT, TEXT, CODES];
        only(data, &all, place)?;
        let member = |names: &[&str]| match one_of(data, names, place)? {
            Some((place, value)) => text(value, &place),
            None => Ok(None),
        };
        let status = match member(STATUS)? {
            None => NoteStatus::default(),
            Some(name) => NoteStatus::named(&name).ok_or_else(|| {
                let expected = "`preliminary`, `final`, `amended` or `entered-in-error`";
                Refusal::at(below(place, "status"), Why::Expected(expected))
            })?,
        };
        let format = member(FORMAT)?.unwrap_or_else(|| FORMATS[0].to_owned());
        if !FORMATS.contains(&format.as_str()) {
            let expected = "`text/plain`, `text/markdown` or `text/html`";
            return Err(Refusal::at(below(place, "format"), Why::Expected(expected)));
        }
        let language = member(LANGUAGE)?;
        let is_tag = |tag: &String| tag.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if !language.as_ref().is_none_or(is_tag) {
            return Err(Refusal::at(
                below(place, "language"),
                Why::Expected("a language such as `de` or `en-US`"),
            ));
        }
        let body = match one_of(data, TEXT, place)? {
            None | Some((_, Json::Null)) => None,
            Some((_, Json::String(body))) if !body.trim().is_empty() => Some(body.to_string()),
            Some((place, Json::String(_))) => return Err(Refusal::at(place, Why::Missing)),
            Some((place, _)) => return Err(Refusal::at(place, Why::Expected("a text"))),
        };
        if body.is_none() && status != NoteStatus::EnteredInError {
            return Err(Refusal::at(below(place, "text"), Why::Missing));
        }
        let kind = match one_of(data, TYPE, place)? {
            None | Some((_, Json::Null)) => None,
            Some((place, value)) => Some(coding_of(value, &place)?),
        };
        let codes = match one_of(data, CODES, place)? {
            None | Some((_, Json::Null)) => Vec::new(),
            Some((place, value)) => codings_of(value, &place)?,
        };
        Ok(Note {
            document: member(DOCUMENT)?,
            status,
            kind,
            title: member(TITLE)?,
            author: member(AUTHOR)?,
            language,
            format,
            text: body,
            codes,
        })
    }
}

impl Event {
    /// The note of an event of this kind.
    pub fn note(&self) -> Option<Note> {
        match (&self.kind, &self.data) {
            (Kind::ClinicalNotes, Data::Json(data)) => Note::of(data, "/data").ok(),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Note, String> {
        let data = fhir::json::parse(text.as_bytes(), &fhir::json::Limits::default()).unwrap();
        let note = Note::of(data.as_object().unwrap(), "/data");
        note.map_err(|refusal| format!("{} {}", refusal.place, refusal.slug()))
    }

    #[test]
    fn a_note_is_read() {
        let note = read(
            r#"{"document":"N-7","type":"34117-2","author":"Practitioner/7","text":"He says:\n\"no pain\"","codes":["snomed|22253000"]}"#,
        )
        .unwrap();
        assert_eq!(note.kind.as_ref().map(|kind| kind.code.as_str()), Some("34117-2"));
        assert_eq!((note.status, note.format.as_str()), (NoteStatus::Final, "text/plain"));
        assert!(note.text.as_deref().unwrap().contains('\n') && note.codes.len() == 1);
        assert_eq!(format!("{note:?} {:?}", note.codes), "Note [Coding]");
        assert_eq!(read(r#"{"status":"entered-in-error","document":"N-7"}"#).unwrap().text, None);
    }

    #[test]
    fn what_is_wrong_is_said_by_its_place() {
        let check = |text: &str, expected: &str| assert_eq!(read(text), Err(expected.to_owned()), "{text}");
        check(r#"{"type":"34117-2"}"#, "/data/text missing");
        check(r#"{"text":"  "}"#, "/data/text missing");
        check(r#"{"text":7}"#, "/data/text wrong-type");
        check(r#"{"text":"x","note":"y"}"#, "/data/note twice");
        check(r#"{"text":"x","colour":"y"}"#, "/data/colour unknown-member");
        check(r#"{"text":"x","type":"letter"}"#, "/data/type wrong-type");
        check(r#"{"text":"x","language":"plain words"}"#, "/data/language wrong-type");
        check(r#"{"text":"x","status":"done"}"#, "/data/status wrong-type");
        check(r#"{"text":"x","format":"application/pdf"}"#, "/data/format wrong-type");
    }
}
