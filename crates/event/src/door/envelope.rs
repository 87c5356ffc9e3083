//! The envelope: which members an event has, by today's names and by those of the founding chapter.

use fhir::json::{self, Limits};
use fhir::{Instant, Object, Value as Json};

use super::Collected;
use super::count::{count_of, medication_of, movement_of};
use super::data::{add_list, measurements_of};
use super::member::{below, object, text, text_of, texts};
use super::subject::{canonical_encounter, canonical_patient};
use crate::canonical::SCHEMA;
use crate::{Data, Device, Event, Kind, Note, Refusal, Social, SourceConfig, Sources, Why};

/// Largest event.
const EVENT_BYTES_MAX: usize = 1024 * 1024;
const LIMITS: Limits = Limits { depth_max: 16, values_max: 20_000, number_chars_max: 64 };
/// Longest name of a kind.
const KIND_CHARS_MAX: usize = 64;

/// Members, each with the names of version 0, the founding chapter's.
const MEMBERS: [(&str, &[&str]); 21] = [
    ("schema", &["schema_version"]),
    ("id", &["event_id"]),
    ("kind", &["event_type", "type"]),
    ("patient", &["patient_id"]),
    ("encounter", &["encounter_id"]),
    ("at", &["timestamp", "event_time"]),
    ("received_at", &[]),
    ("birth_date", &[]),
    ("device", &["device_id"]),
    ("source", &["source_system"]),
    ("organization", &["organization_id"]),
    ("unit", &["ward"]),
    ("quality", &["quality_score"]),
    ("privacy", &["privacy_level"]),
    ("population", &["population_group"]),
    ("region", &["geographic_region"]),
    ("data", &[]),
    ("measurements", &[]),
    ("medication", &[]),
    ("count", &[]),
    ("movement", &[]),
];

/// Members that hold what the event says; one of them is there.
const DATA: [&str; 5] = ["data", "measurements", "medication", "count", "movement"];

impl Event {
    /// Reads an event from JSON. `now` becomes its `received_at`; a `received_at` that was sent is not believed.
    ///
    /// # Errors
    /// The envelope is wrong, or nothing in the data can be read; with a JSON pointer. What can be read in part is not an error: see
    /// [`Event::unreadable`].
    pub fn parse(bytes: &[u8], sources: &Sources, now: Instant) -> Result<Event, Refusal> {
        if bytes.len() > EVENT_BYTES_MAX {
            return Err(Refusal::at("", Why::TooLarge { max: EVENT_BYTES_MAX, of: "bytes" }));
        }
        let value = json::parse(bytes, &LIMITS)
            .map_err(|error| Refusal::at("", Why::Malformed(format!("not JSON: {error}"))))?;
        Event::of_json(&value, sources, now)
    }

    /// [`Event::parse`] of JSON that is parsed.
    ///
    /// # Errors
    /// As [`Event::parse`].
    pub fn of_json(value: &Json, sources: &Sources, now: Instant) -> Result<Event, Refusal> {
        let envelope = Envelope::of(object(value, "")?)?;
        let source_name = envelope.needed("source")?;
        let source = sources.of(&source_name);
        let kind = envelope.kind()?;
        let at = envelope.at(source, now)?;
        let patient = envelope.patient(&kind, source)?;
        Ok(Event {
            schema: SCHEMA,
            id: envelope.needed("id")?,
            patient,
            encounter: envelope.canonical("encounter", canonical_encounter)?,
            at,
            received_at: now,
            birth_date: envelope.birth_date()?,
            device: envelope.device(source)?,
            source: source_name,
            organization: envelope.text("organization")?,
            unit: envelope.text("unit")?,
            data: envelope.data(&kind, at, source)?,
            quality: envelope.quality()?,
            privacy: envelope.texts("privacy")?,
            population: envelope.texts("population")?,
            region: envelope.text("region")?,
            kind,
        })
    }
}

/// The members that are there, by today's names.
struct Envelope<'a> {
    members: [Option<(&'a str, &'a Json)>; MEMBERS.len()],
}

impl<'a> Envelope<'a> {
    fn of(object: &'a Object) -> Result<Envelope<'a>, Refusal> {
        let schema = object.get("schema").or_else(|| object.get("schema_version"));
        let version = match schema {
            None | Some(Json::Null) => 0,
            Some(schema) => super::member::whole(schema, "/schema")?.unwrap_or(0),
        };
        if version > u64::from(SCHEMA) {
            return Err(Refusal::at("/schema", Why::Schema { newest: SCHEMA }));
        }
        let mut envelope = Envelope { members: [None; MEMBERS.len()] };
        for (name, value) in object.iter() {
            let known =
                |(today, older): &(&str, &[&str])| *today == name || (version == 0 && older.contains(&name));
            let Some(index) = MEMBERS.iter().position(known) else {
                return Err(Refusal::at(below("", name), Why::UnknownMember));
            };
            if envelope.members[index].is_some() {
                return Err(Refusal::at(below("", name), Why::Twice));
            }
            envelope.members[index] = Some((name, value));
        }
        Ok(envelope)
    }

    /// The member, with its name as it was sent.
    fn sent(&self, name: &str) -> Option<(&'a str, &'a Json)> {
        let index = MEMBERS.iter().position(|(today, _)| *today == name)?;
        self.members[index].filter(|(_, value)| !value.is_null())
    }

    /// The member, with its place.
    fn get(&self, name: &str) -> Option<(String, &'a Json)> {
        self.sent(name).map(|(sent, value)| (below("", sent), value))
    }

    fn text(&self, name: &str) -> Result<Option<String>, Refusal> {
        match self.sent(name) {
            None => Ok(None),
            Some((sent, value)) => text_of(value).map_err(|why| Refusal::at(below("", sent), why)),
        }
    }

    /// Where a member is, by its name as it was sent.
    fn place(&self, name: &str) -> String {
        below("", self.sent(name).map_or(name, |(sent, _)| sent))
    }

    fn needed(&self, name: &str) -> Result<String, Refusal> {
        self.text(name)?.ok_or_else(|| Refusal::at(below("", name), Why::Missing))
    }

    fn texts(&self, name: &str) -> Result<Vec<String>, Refusal> {
        match self.get(name) {
            None => Ok(Vec::new()),
            Some((place, value)) => texts(value, &place),
        }
    }

    fn canonical(
        &self,
        name: &str,
        canonical: impl Fn(&str) -> Result<String, Why>,
    ) -> Result<Option<String>, Refusal> {
        let Some(sent) = self.text(name)? else { return Ok(None) };
        canonical(&sent).map(Some).map_err(|why| Refusal::at(self.place(name), why))
    }

    fn kind(&self) -> Result<Kind, Refusal> {
        let name = self.needed("kind")?;
        let is_name = name.len() <= KIND_CHARS_MAX
            && name
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-' | b'.'));
        let expected = "a kind such as `vital_signs`: small letters, digits, `_`, `-` and `.`";
        if is_name { Ok(Kind::named(&name)) } else { Err(Refusal::at("/kind", Why::Expected(expected))) }
    }

    fn at(&self, source: &SourceConfig, now: Instant) -> Result<Instant, Refusal> {
        let sent = self.needed("at")?;
        let at = instant_of(&sent, source).map_err(|why| Refusal::at(self.place("at"), why))?;
        let secs_max = source.future_secs_max;
        if at.0 > now.0.saturating_add(i64::from(secs_max) * 1_000_000) {
            return Err(Refusal::at(self.place("at"), Why::Future { secs_max }));
        }
        Ok(at)
    }

    fn patient(&self, kind: &Kind, source: &SourceConfig) -> Result<Option<String>, Refusal> {
        let is_population = *kind == Kind::PopulationHealth;
        // The founding chapter sends this word where there is no patient.
        if is_population && self.text("patient")?.as_deref() == Some("POPULATION") {
            return Ok(None);
        }
        let system = source.patient_system.as_deref();
        let patient = self.canonical("patient", |sent| canonical_patient(sent, system))?;
        let needs_none = matches!(kind, Kind::DeviceData | Kind::FhirChange | Kind::Other(_));
        match patient {
            Some(_) if is_population => {
                Err(Refusal::at("/patient", Why::Expected("no patient in an event about a population")))
            }
            None if !is_population && !needs_none => Err(Refusal::at("/patient", Why::Missing)),
            patient => Ok(patient),
        }
    }

    fn birth_date(&self) -> Result<Option<String>, Refusal> {
        let Some(date) = self.text("birth_date")? else { return Ok(None) };
        let is_date = date.len() <= 10 && fhir::date::parse_date(&date).is_some();
        let expected = "a date such as `1950-03-14`, `1950-03` or `1950`";
        if is_date { Ok(Some(date)) } else { Err(Refusal::at("/birth_date", Why::Expected(expected))) }
    }

    fn device(&self, source: &SourceConfig) -> Result<Option<Device>, Refusal> {
        let Some((place, value)) = self.get("device") else { return Ok(None) };
        let Json::Object(device) = value else {
            return Ok(text(value, &place)?.map(|id| Device { id, calibrated_at: None }));
        };
        super::member::only(device, &[&["id", "calibrated_at"]], &place)?;
        let member = |name: &str| match device.get(name) {
            None => Ok(None),
            Some(value) => text(value, &below(&place, name)),
        };
        let id = member("id")?.ok_or_else(|| Refusal::at(below(&place, "id"), Why::Missing))?;
        let calibrated_at = match member("calibrated_at")? {
            None => None,
            Some(at) => {
                let at = instant_of(&at, source);
                Some(at.map_err(|why| Refusal::at(below(&place, "calibrated_at"), why))?)
            }
        };
        Ok(Some(Device { id, calibrated_at }))
    }

    fn quality(&self) -> Result<Option<f64>, Refusal> {
        let Some(sent) = self.text("quality")? else { return Ok(None) };
        let quality: Option<f64> = sent.parse().ok().filter(|quality| (0.0..=1.0).contains(quality));
        quality
            .map(Some)
            .ok_or_else(|| Refusal::at(self.place("quality"), Why::Expected("a number from 0 to 1")))
    }

    fn data(&self, kind: &Kind, at: Instant, source: &SourceConfig) -> Result<Data, Refusal> {
        let mut there =
            DATA.iter().filter_map(|name| self.get(name).map(|(place, value)| (*name, place, value)));
        let Some((name, place, value)) = there.next() else {
            return Err(Refusal::at("/data", Why::Missing));
        };
        if let Some((_, place, _)) = there.next() {
            return Err(Refusal::at(place, Why::Twice));
        }
        if name != "data" && matches!(kind, Kind::ClinicalNotes | Kind::SocialDeterminants) {
            return Err(Refusal::at(place, Why::Expected("`data`, the only member that this kind has,")));
        }
        let keep_unknown = *kind != Kind::VitalSigns;
        if name == "measurements" {
            let mut collected = Collected::new(source, keep_unknown);
            add_list(value, &place, &mut collected)?;
            return collected.finish(&place);
        }
        let data = object(value, &place)?;
        match (name, kind) {
            ("medication", _) | ("data", Kind::MedicationOrders) => {
                medication_of(data, &place).map(Data::Medication)
            }
            ("count", _) | ("data", Kind::PopulationHealth) => {
                count_of(data, at, &place).map(Data::Population)
            }
            ("movement", _) | ("data", Kind::PatientMovement) => {
                movement_of(data, &place).map(Data::Movement)
            }
            (_, Kind::VitalSigns | Kind::LabResults | Kind::DeviceData) => {
                measurements_of(data, source, keep_unknown, &place)
            }
            (_, Kind::ClinicalNotes) => Note::of(data, &place).map(|_| Data::Json(data.clone())),
            (_, Kind::SocialDeterminants) => Social::of(data, &place).map(|_| Data::Json(data.clone())),
            _ => Ok(Data::Json(data.clone())),
        }
    }
}

/// An instant with its offset, or with the zone of the source.
fn instant_of(text: &str, source: &SourceConfig) -> Result<Instant, Why> {
    let expected = Why::Expected("a time such as `2026-11-25T13:17:43.123+01:00`");
    let date = fhir::date::parse_date(text).ok_or(expected.clone())?;
    if date.precision() < fhir::date::Precision::Minute {
        return Err(expected);
    }
    let at = date.period().low;
    if date.has_offset() {
        return Ok(Instant(at));
    }
    let zone = source.zone_minutes.ok_or(Why::NoOffset)?;
    Ok(Instant(at - i64::from(zone) * 60_000_000))
}
