//! The door for HL7 v2: results, movements and orders become events; any other message is kept as it came.
//!
//! | message | becomes |
//! |---|---|
//! | `ORU`, `OUL` | `vital_signs` and `lab_results`, an event for each time of each order; `clinical_notes` of what is a text (`FT`, or `ED` with text) |
//! | `MDM` | `clinical_notes` where a TXA and text are, or the document is cancelled |
//! | `ADT` A01 to A08, A11 to A13, A28, A31 | `patient_movement` |
//! | `ADT` A18, A34, A40 | `patient_movement`, merged |
//! | `ORM`, `OMP`, `OMG`, `OML`, `RDE` | `medication_orders` where an `RXO` or `RXE` is, else `service_orders` |
//! | others | `hl7v2`, with the text of the message |
//!
//! The source is `MSH-3@MSH-4` (its configuration may be named by MSH-3 alone), an event's id is `MSH-10/n`. Observations inside ADT and orders are
//! not read.

mod document;
mod embedded;
mod header;
mod movement;
mod order;
mod result;

use fhir::Instant;
use hl7v2::{Message, Segment};

use crate::{Event, Kind, Refusal, Sources, Why};
use header::Header;

/// Longest message that is kept as it came.
const TEXT_BYTES_MAX: usize = 512 * 1024;

/// The events of a message. `now` is when it was received.
///
/// # Errors
/// The header lacks a control id or a time that can be placed, the patient is missing, or of all results of an order none can be read; with a path
/// such as `OBX(3)-5`.
pub fn events_of(message: &Message, sources: &Sources, now: Instant) -> Result<Vec<Event>, Refusal> {
    let header = Header::of(message, sources, now)?;
    let code = message.code().unwrap_or_default().into_owned();
    let trigger = message.trigger().unwrap_or_default().into_owned();
    // Something is in it that no event says.
    let mut has_more = false;
    let mut events = match code.as_str() {
        "ORU" | "OUL" => result::events(message, &header)?,
        "ADT" => movement::events(message, &trigger, &header)?,
        "ORM" | "OMP" | "OMG" | "OML" | "RDE" => order::events(message, &header)?,
        "MDM" => {
            let (events, more) = document::events(message, &trigger, &header)?;
            has_more = more;
            events
        }
        _ => Vec::new(),
    };
    if events.is_empty() || has_more {
        events.push(as_it_came(message, &format!("{code}^{trigger}"), &header)?);
    }
    for (number, event) in (1..).zip(&mut events) {
        event.id = format!("{}/{number}", header.control_id);
    }
    Ok(events)
}

/// What nobody here reads is kept.
fn as_it_came(message: &Message, kind: &str, header: &Header<'_>) -> Result<Event, Refusal> {
    let text = message.as_text();
    if text.len() > TEXT_BYTES_MAX {
        return Err(Refusal::at("MSH", Why::TooLarge { max: TEXT_BYTES_MAX, of: "bytes" }));
    }
    let patient = message.segments("PID").next();
    let value = fhir::json!({"message_type": kind, "message": text});
    let data = crate::Data::Json(value.as_object().cloned().unwrap_or_default());
    let mut event = header.event(Kind::Other("hl7v2".to_owned()), header.sent_at, data);
    event.patient = patient.and_then(|pid| header.patient(&pid).ok());
    Ok(event)
}

/// The first text of a component of a field.
fn text(segment: &Segment<'_>, field: usize, component: usize) -> Option<String> {
    let value = segment.field(field).repetition(1).component(component).value();
    value.into_text().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests;
