//! Admissions, transfers, discharges, updates and merges (ADT).

use hl7v2::{Message, Segment};

use super::header::Header;
use super::text;
use crate::{Data, Event, Kind, Moved, Movement, Refusal, Why};

/// What a trigger says; `None`: nothing that is followed here.
fn moved(trigger: &str) -> Option<Moved> {
    match trigger {
        "A01" | "A04" | "A06" => Some(Moved::Admitted),
        "A02" => Some(Moved::Transferred),
        "A03" => Some(Moved::Discharged),
        "A05" | "A07" | "A08" | "A28" | "A31" => Some(Moved::Updated),
        "A11" | "A12" | "A13" => Some(Moved::Cancelled),
        "A18" | "A34" | "A40" => Some(Moved::Merged),
        _ => None,
    }
}

pub(super) fn events(message: &Message, trigger: &str, header: &Header<'_>) -> Result<Vec<Event>, Refusal> {
    let Some(moved) = moved(trigger) else { return Ok(Vec::new()) };
    let evn = message.segments("EVN").next();
    let at = match &evn {
        // When it happened, else when it was recorded.
        Some(evn) => match header.time(evn, 6, || "EVN-6".to_owned())? {
            Some(at) => Some(at),
            None => header.time(evn, 2, || "EVN-2".to_owned())?,
        },
        None => None,
    };
    let at = at.unwrap_or(header.sent_at);
    if moved == Moved::Merged {
        return merges(message, at, header);
    }
    let (pid, pv1) = (message.segments("PID").next(), message.segments("PV1").next());
    let movement = Movement { moved, bed: pv1.as_ref().and_then(bed_of), merged: Vec::new() };
    let mut event = header.event(Kind::PatientMovement, at, Data::Movement(movement));
    header.about(&mut event, pid.as_ref(), pv1.as_ref())?;
    Ok(vec![event])
}

/// Each MRG names the record that became part of the PID before it.
fn merges(message: &Message, at: fhir::Instant, header: &Header<'_>) -> Result<Vec<Event>, Refusal> {
    let mut events = Vec::new();
    let mut pid = None;
    for segment in message.all_segments() {
        match segment.id() {
            "PID" => pid = Some(segment),
            "MRG" => {
                let gone = header.best_of(&segment, 1).ok_or_else(|| Refusal::at("MRG-1", Why::Missing))?;
                let movement = Movement { moved: Moved::Merged, bed: None, merged: vec![gone] };
                let mut event = header.event(Kind::PatientMovement, at, Data::Movement(movement));
                header.about(&mut event, pid.as_ref(), None)?;
                events.push(event);
            }
            _ => {}
        }
    }
    if events.is_empty() { Err(Refusal::at("MRG", Why::Missing)) } else { Ok(events) }
}

/// `ROOM/BED` of PV1-3.
fn bed_of(pv1: &Segment<'_>) -> Option<String> {
    match (text(pv1, 3, 2), text(pv1, 3, 3)) {
        (None, None) => None,
        (room, bed) => Some(format!("{}/{}", room.unwrap_or_default(), bed.unwrap_or_default())),
    }
}
