//! Claim and ExplanationOfBenefit: what an insured visit or prescription cost, and what the payer made of it. Prices are invented.

use std::collections::HashMap;

use compact_str::{CompactString, format_compact};
use fhir::Value;

use super::coverage::Cover;
use super::explanation;
use crate::course::{Reason, Setting, Visit};
use crate::day::Moment;
use crate::make::{Code, code, money, object, one, period, reference, word};
use crate::person::Payer;
use crate::record::Record;

const CLAIM_TYPE: &str = "http://terminology.hl7.org/CodeSystem/claim-type";
const SERVICE_PLACE: &str = "http://terminology.hl7.org/CodeSystem/ex-serviceplace";

/// What is claimed at once.
pub(super) struct Bill {
    pub(super) kind: Code,
    pub(super) place: Option<Code>,
    pub(super) start: Moment,
    pub(super) end: Moment,
    pub(super) provider: Value,
    /// Who treated or prescribed.
    pub(super) practitioner: Value,
    pub(super) encounter: Value,
    prescription: Value,
    diagnoses: Vec<Value>,
    pub(super) lines: Vec<Line>,
}

/// One service of a bill.
pub(super) struct Line {
    pub(super) service: Value,
    /// The Procedure that it was.
    procedure: Option<Value>,
    pub(super) cents: i64,
}

/// What a record has of a visit that can be claimed.
#[derive(Default)]
struct Services {
    encounter: Option<Value>,
    lines: Vec<Line>,
    prescriptions: Vec<Line>,
    /// References to the prescriptions, in the same order.
    requests: Vec<Value>,
}

/// Adds a Claim with the payer's answer for each visit and each prescription since the insurance began.
pub(crate) fn add_all(
    record: &mut Record<'_>,
    visits: &[Visit],
    encounters: &[CompactString],
    cover: &Cover,
) {
    let mut services = services_of(record);
    for (visit, id) in visits.iter().zip(encounters) {
        if visit.day() < cover.since {
            continue;
        }
        let Some(found) = services.remove(&format_compact!("Encounter/{id}")) else { continue };
        let Some(bill) = visit_bill(record, visit, &found) else { continue };
        let bill = Bill { lines: priced_visit(record, visit, found.lines, &bill), ..bill };
        add(record, &bill, cover);
        for (line, request) in found.prescriptions.into_iter().zip(found.requests) {
            let bill = prescription_bill(record, visit, id, (line, request));
            add(record, &bill, cover);
        }
    }
}

/// Services by the reference to their encounter.
fn services_of(record: &mut Record<'_>) -> HashMap<CompactString, Services> {
    let mut all: HashMap<CompactString, Services> = HashMap::new();
    for resource in record.resources() {
        let Some(kind) = resource.text("resourceType") else { continue };
        let Some(id) = resource.text("id") else { continue };
        let name = format_compact!("{kind}/{id}");
        if kind == "Encounter" {
            all.entry(name).or_default().encounter = Some(resource.clone());
            continue;
        }
        let (concept, dollars, is_procedure) = match kind {
            "Procedure" => ("code", 240, true),
            "Immunization" => ("vaccineCode", 62, false),
            "DiagnosticReport" => ("code", 38, false),
            "MedicationRequest" => ("medicationCodeableConcept", 24, false),
            _ => continue,
        };
        let Some(encounter) = resource.get("encounter").and_then(|one| one.text("reference")) else {
            continue;
        };
        let entry = all.entry(encounter.into()).or_default();
        let service = resource.get(concept).cloned().unwrap_or(Value::Null);
        let link = reference(kind, id);
        let line = Line { service, procedure: is_procedure.then(|| link.clone()), cents: dollars * 100 };
        if kind == "MedicationRequest" {
            entry.prescriptions.push(line);
            entry.requests.push(link);
        } else {
            entry.lines.push(line);
        }
    }
    all
}

fn visit_bill(record: &Record<'_>, visit: &Visit, found: &Services) -> Option<Bill> {
    let encounter = found.encounter.as_ref()?;
    let (kind, place) = match visit.setting {
        Setting::Wellness | Setting::Clinic => {
            (code(CLAIM_TYPE, "professional", "Professional"), Some(code(SERVICE_PLACE, "11", "Office")))
        }
        Setting::Emergency => (code(CLAIM_TYPE, "institutional", "Institutional"), None),
        Setting::Inpatient => (
            code(CLAIM_TYPE, "institutional", "Institutional"),
            Some(code(SERVICE_PLACE, "21", "Inpatient Hospital")),
        ),
    };
    let diagnoses = encounter.get("diagnosis").map(Value::items).unwrap_or_default();
    let practitioner = encounter.get("participant").map(Value::items).and_then(<[Value]>::first);
    Some(Bill {
        kind,
        place,
        start: visit.start,
        end: visit.end,
        provider: encounter.get("serviceProvider").cloned().unwrap_or_else(|| record.organization("clinic")),
        practitioner: practitioner.and_then(|one| one.get("individual")).cloned().unwrap_or(Value::Null),
        encounter: reference("Encounter", encounter.text("id")?),
        prescription: Value::Null,
        diagnoses: diagnoses.iter().filter_map(|one| one.get("condition")).cloned().collect(),
        lines: vec![Line { service: first_type(encounter), procedure: None, cents: 0 }],
    })
}

fn first_type(encounter: &Value) -> Value {
    encounter.get("type").map(Value::items).and_then(<[Value]>::first).cloned().unwrap_or(Value::Null)
}

/// The visit itself, then what was done at it.
fn priced_visit(record: &mut Record<'_>, visit: &Visit, lines: Vec<Line>, bill: &Bill) -> Vec<Line> {
    let days = i64::from(visit.end.day().0 - visit.start.day().0).max(1);
    let dollars = match visit.setting {
        Setting::Wellness => 165,
        Setting::Clinic => 118,
        Setting::Emergency => 890,
        Setting::Inpatient => 2_650 * days,
    };
    let operation = if matches!(visit.reason, Reason::KneeReplacement) { 18_400 } else { 0 };
    let service = bill.lines[0].service.clone();
    let first = Line { service, procedure: None, cents: varied(record, (dollars + operation) * 100) };
    let others = lines.into_iter().map(|line| Line { cents: varied(record, line.cents), ..line });
    std::iter::once(first).chain(others.collect::<Vec<_>>()).collect()
}

fn prescription_bill(
    record: &mut Record<'_>,
    visit: &Visit,
    encounter: &str,
    (line, request): (Line, Value),
) -> Bill {
    let cents = varied(record, line.cents);
    Bill {
        kind: code(CLAIM_TYPE, "pharmacy", "Pharmacy"),
        place: Some(code(SERVICE_PLACE, "01", "Pharmacy")),
        start: visit.start,
        end: visit.end,
        provider: record.organization("clinic"),
        practitioner: record.own_practitioner(),
        encounter: reference("Encounter", encounter),
        prescription: request,
        diagnoses: Vec::new(),
        lines: vec![Line { cents, ..line }],
    }
}

/// A price up to a fifth above or below the usual one.
fn varied(record: &mut Record<'_>, cents: i64) -> i64 {
    cents * i64::from(record.draw.between(800, 1_200)) / 1_000
}

fn add(record: &mut Record<'_>, bill: &Bill, cover: &Cover) {
    let (claim, answer) = (record.next_id(), record.next_id());
    let insurance = object([
        ("sequence", 1.into()),
        ("focal", true.into()),
        ("coverage", reference("Coverage", &cover.id)),
    ]);
    let diagnoses = numbered(&bill.diagnoses, "diagnosisReference");
    let done: Vec<Value> = bill.lines.iter().filter_map(|line| line.procedure.clone()).collect();
    let members = [
        ("status", word("active")),
        ("type", bill.kind.concept()),
        ("use", word("claim")),
        ("patient", record.subject()),
        ("billablePeriod", period(bill.start.text(), Some(bill.end.text()))),
        ("created", bill.end.text().into()),
        ("insurer", reference("Organization", cover.payer)),
        ("provider", bill.provider.clone()),
        ("priority", code("http://terminology.hl7.org/CodeSystem/processpriority", "normal", "").concept()),
        ("prescription", bill.prescription.clone()),
        ("diagnosis", diagnoses),
        ("procedure", numbered(&done, "procedureReference")),
        ("insurance", one(insurance)),
        ("item", items(bill)),
        ("total", money(bill.lines.iter().map(|line| line.cents).sum())),
    ];
    record.add("Claim", claim.clone(), members);
    explanation::add(record, bill, cover, (answer, &claim));
}

/// References as a list whose items are counted from 1.
fn numbered(links: &[Value], name: &'static str) -> Value {
    if links.is_empty() {
        return Value::Null;
    }
    let item = |(number, link): (i32, &Value)| object([("sequence", number.into()), (name, link.clone())]);
    (1..).zip(links).map(item).collect::<Vec<_>>().into()
}

fn items(bill: &Bill) -> Value {
    let (mut items, mut n_procedures) = (Vec::with_capacity(bill.lines.len()), 0);
    for (number, line) in (1..).zip(&bill.lines) {
        let is_about = !bill.diagnoses.is_empty() && number == 1;
        n_procedures += i32::from(line.procedure.is_some());
        let procedure = line.procedure.as_ref().map_or(Value::Null, |_| one(n_procedures.into()));
        items.push(object([
            ("sequence", number.into()),
            ("diagnosisSequence", if is_about { one(1.into()) } else { Value::Null }),
            ("procedureSequence", procedure),
            ("productOrService", line.service.clone()),
            ("net", money(line.cents)),
            ("encounter", one(bill.encounter.clone())),
        ]));
    }
    items.into()
}

/// What part of a price the payer allows, and what part of that it pays, in percent.
pub(super) fn shares(payer: Payer) -> (i64, i64) {
    match payer {
        Payer::Medicare => (71, 80),
        Payer::Medicaid => (54, 100),
        Payer::Private | Payer::Uninsured => (83, 85),
    }
}
