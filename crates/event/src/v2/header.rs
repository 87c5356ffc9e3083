//! What a message says of itself and of whom: sender, control id, time and zone, patient, visit, place.

use fhir::Instant;
use hl7v2::{Message, Precision, Repetition, Segment, Timestamp};

use super::text;
use crate::canonical::SCHEMA;
use crate::{Data, Event, Kind, Refusal, SourceConfig, Sources, Why};

/// Types of identifiers of a patient, the best first.
const TYPES: [&str; 2] = ["MR", "PI"];

pub(super) struct Header<'s> {
    pub(super) source: &'s SourceConfig,
    pub(super) control_id: String,
    pub(super) sent_at: Instant,
    source_name: String,
    facility: Option<String>,
    zone_minutes: Option<i16>,
    now: Instant,
}

impl<'s> Header<'s> {
    pub(super) fn of(message: &Message, sources: &'s Sources, now: Instant) -> Result<Header<'s>, Refusal> {
        let missing = |place: &str| Refusal::at(place, Why::Missing);
        let header = message.segment(0).ok_or_else(|| missing("MSH"))?;
        let facility = text(&header, 4, 1);
        let application = text(&header, 3, 1);
        let source_name = match (&application, &facility) {
            (Some(application), Some(facility)) => format!("{application}@{facility}"),
            (Some(one), None) | (None, Some(one)) => one.clone(),
            (None, None) => return Err(missing("MSH-3")),
        };
        let source = sources.of(&source_name);
        let control_id = text(&header, 10, 1).ok_or_else(|| missing("MSH-10"))?;
        let sent = timestamp(&header, 7, "MSH-7")?;
        let zone_minutes = sent.and_then(|sent| sent.zone_minutes()).or(source.zone_minutes);
        let mut made = Header { source, control_id, sent_at: now, source_name, facility, zone_minutes, now };
        if let Some(at) = made.time(&header, 7, || "MSH-7".to_owned())? {
            made.sent_at = at;
        }
        Ok(made)
    }

    /// The time of a field with at least minutes. A zone that it lacks is the message's, or the source's.
    pub(super) fn time(
        &self,
        segment: &Segment<'_>,
        field: usize,
        place: impl Fn() -> String,
    ) -> Result<Option<Instant>, Refusal> {
        let Some(time) = timestamp(segment, field, &place())? else { return Ok(None) };
        if time.precision() < Precision::Minute {
            return Ok(None);
        }
        let Some(micros) = time.first_utc_micros(self.zone_minutes) else {
            return Err(Refusal::at(place(), Why::NoOffset));
        };
        let secs_max = self.source.future_secs_max;
        if micros > self.now.0.saturating_add(i64::from(secs_max) * 1_000_000) {
            return Err(Refusal::at(place(), Why::Future { secs_max }));
        }
        Ok(Some(Instant(micros)))
    }

    /// The patient of a PID: `SYSTEM|VALUE`.
    pub(super) fn patient(&self, pid: &Segment<'_>) -> Result<String, Refusal> {
        self.best_of(pid, 3).ok_or_else(|| Refusal::at("PID-3", Why::Missing))
    }

    /// The best identifier of a field that repeats.
    pub(super) fn best_of(&self, segment: &Segment<'_>, field: usize) -> Option<String> {
        let is = |one: &Repetition<'_>, wanted: &str| one.component(5).value().text() == Some(wanted);
        let all = || segment.field(field).repetitions().filter(|one| one.value().text().is_some());
        let best = TYPES.iter().find_map(|wanted| all().find(|one| is(one, wanted)));
        self.identifier(&best.or_else(|| all().next())?)
    }

    /// `SYSTEM|VALUE` of an identifier (`CX`). Its system is the assigning authority, as configured or by its own name.
    fn identifier(&self, one: &Repetition<'_>) -> Option<String> {
        let value = one.value().into_text()?;
        let authority = one.component(4);
        let part = |number: usize| authority.subcomponent(number).into_text().filter(|text| !text.is_empty());
        let (namespace, universal, kind) = (part(1), part(2), part(3));
        let configured = [&namespace, &universal]
            .into_iter()
            .flatten()
            .find_map(|name| self.source.systems.get(name.as_ref()).cloned());
        let universal = universal.map(|id| match kind.as_deref() {
            Some("ISO") => format!("urn:oid:{id}"),
            _ => id.into_owned(),
        });
        let own = configured.or(universal).or(namespace.map(std::borrow::Cow::into_owned));
        let system = own.or_else(|| self.source.patient_system.clone()).or_else(|| self.facility.clone());
        let clean = |text: &str| text.trim().replace(['|', '\r', '\n', '\t'], "_");
        let system = clean(&system.unwrap_or_else(|| self.source_name.clone()));
        Some(format!("{system}|{}", clean(&value)))
    }

    /// An event of this message about nobody yet.
    pub(super) fn event(&self, kind: Kind, at: Instant, data: Data) -> Event {
        Event {
            schema: SCHEMA,
            id: self.control_id.clone(),
            kind,
            patient: None,
            encounter: None,
            at,
            received_at: self.now,
            birth_date: None,
            device: None,
            source: self.source_name.clone(),
            organization: self.facility.clone(),
            unit: None,
            data,
            quality: None,
            privacy: Vec::new(),
            population: Vec::new(),
            region: None,
        }
    }

    /// Says in an event whom it is about, and where: PID and PV1.
    pub(super) fn about(
        &self,
        event: &mut Event,
        pid: Option<&Segment<'_>>,
        pv1: Option<&Segment<'_>>,
    ) -> Result<(), Refusal> {
        let pid = pid.ok_or_else(|| Refusal::at("PID", Why::Missing))?;
        event.patient = Some(self.patient(pid)?);
        let born = timestamp(pid, 7, "PID-7")?.map(|born| born.to_iso());
        event.birth_date = born.map(|born| born.chars().take(10).collect());
        if let Some(pv1) = pv1 {
            event.encounter = self.best_of(pv1, 19);
            event.unit = text(pv1, 3, 1);
        }
        Ok(())
    }
}

fn timestamp(segment: &Segment<'_>, field: usize, place: &str) -> Result<Option<Timestamp>, Refusal> {
    let Some(text) = text(segment, field, 1) else { return Ok(None) };
    let parsed = Timestamp::parse(&text);
    parsed.map(Some).map_err(|error| Refusal::at(place, Why::Malformed(error.to_string())))
}
