//! Orders: of medication (RXO, RXE) and of services (OBR).

use hl7v2::{Message, Segment};

use super::header::Header;
use super::text;
use crate::{Data, Event, Kind, Medication, Refusal, Why};

/// Names of RxNorm as a coding system.
const RXNORM: [&str; 6] = [
    "RXNORM",
    "RxNorm",
    "RXN",
    "RXNORM_CUI",
    "2.16.840.1.113883.6.88",
    "http://www.nlm.nih.gov/research/umls/rxnorm",
];

/// An ORC with what it orders.
struct Order<'m> {
    orc: Option<Segment<'m>>,
    rxo: Option<Segment<'m>>,
    rxe: Option<Segment<'m>>,
    obr: Option<Segment<'m>>,
}

pub(super) fn events(message: &Message, header: &Header<'_>) -> Result<Vec<Event>, Refusal> {
    let (pid, pv1) = (message.segments("PID").next(), message.segments("PV1").next());
    let mut events = Vec::new();
    for order in orders(message) {
        let at = match &order.orc {
            Some(orc) => header.time(orc, 9, || "ORC-9".to_owned())?,
            None => None,
        };
        let Some((kind, data)) = content_of(&order)? else { continue };
        let mut event = header.event(kind, at.unwrap_or(header.sent_at), data);
        header.about(&mut event, pid.as_ref(), pv1.as_ref())?;
        events.push(event);
    }
    Ok(events)
}

fn orders(message: &Message) -> Vec<Order<'_>> {
    let empty = || Order { orc: None, rxo: None, rxe: None, obr: None };
    let mut orders = vec![empty()];
    for segment in message.all_segments() {
        let current = orders.last_mut().expect("there is one from the start");
        match segment.id() {
            "ORC" => orders.push(Order { orc: Some(segment), ..empty() }),
            "RXO" => current.rxo = Some(segment),
            "RXE" => current.rxe = Some(segment),
            // Some senders write one ORC for several requests.
            "OBR" if current.obr.is_some() => {
                let orc = current.orc;
                orders.push(Order { orc, obr: Some(segment), ..empty() });
            }
            "OBR" => current.obr = Some(segment),
            _ => {}
        }
    }
    orders
}

/// What is given (RXE-2) is closer to the patient than what was asked for (RXO-1).
fn content_of(order: &Order<'_>) -> Result<Option<(Kind, Data)>, Refusal> {
    let status = status_of(order.orc.as_ref());
    let asked = match (&order.rxe, &order.rxo, &order.obr) {
        (Some(rxe), _, _) => Some((rxe, 2, "RXE-2")),
        (None, Some(rxo), _) => Some((rxo, 1, "RXO-1")),
        (None, None, Some(obr)) => return Ok(Some(service_of(obr, &status))),
        (None, None, None) => None,
    };
    let Some((segment, field, place)) = asked else { return Ok(None) };
    let triplet = |first: usize| (text(segment, field, first), text(segment, field, first + 2));
    let rxnorm = [triplet(1), triplet(4)].into_iter().find_map(|(code, system)| {
        code.filter(|_| system.is_some_and(|system| RXNORM.contains(&system.as_str())))
    });
    let display =
        text(segment, field, 2).or_else(|| text(segment, field, 5)).or_else(|| text(segment, field, 1));
    if rxnorm.is_none() && display.is_none() {
        return Err(Refusal::at(place, Why::Missing));
    }
    let medication = Medication { rxnorm, display, ingredients: Vec::new(), status };
    Ok(Some((Kind::MedicationOrders, Data::Medication(medication))))
}

fn service_of(obr: &Segment<'_>, status: &str) -> (Kind, Data) {
    let mut object = fhir::Object::new();
    let members = [
        ("code", text(obr, 4, 1)),
        ("system", text(obr, 4, 3)),
        ("display", text(obr, 4, 2)),
        ("placer", text(obr, 2, 1)),
        ("filler", text(obr, 3, 1)),
        ("status", Some(status.to_owned())),
    ];
    for (name, text) in members {
        if let Some(text) = text {
            object.insert(name, fhir::Value::String(text.as_str().into()));
        }
    }
    (Kind::Other("service_orders".to_owned()), Data::Json(object))
}

/// FHIR's word for ORC-1 (table 0119), and for a change of status ORC-5 (table 0038).
fn status_of(orc: Option<&Segment<'_>>) -> String {
    let field = |number: usize| orc.and_then(|orc| text(orc, number, 1));
    let status = match field(1).as_deref() {
        Some("CA" | "OC" | "CR") => "cancelled",
        Some("DC" | "OD" | "DR") => "stopped",
        Some("HD" | "OH" | "HR") => "on-hold",
        Some("SC" | "SR") => match field(5).as_deref() {
            Some("CA") => "cancelled",
            Some("CM") => "completed",
            Some("DC" | "RP") => "stopped",
            Some("HD") => "on-hold",
            Some("ER") => "entered-in-error",
            _ => "active",
        },
        _ => "active",
    };
    status.to_owned()
}
