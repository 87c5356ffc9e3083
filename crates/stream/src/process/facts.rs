//! What the store says of a patient: birth date, pregnancy, oxygen target, dialysis, medication, allergies. Asked once, then remembered until the
//! change log tells of a change.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use clinical::Pregnancy;
use event::Event;
use fhir::{Kind, Value};
use gate::{Access, Principal, SearchPage, Tenant};
use rules::Subject;

use super::identity::encoded;
use crate::StreamError;
use crate::platform::Platform;

/// Patients remembered; when full, all are forgotten.
const PATIENTS_MAX: usize = 50_000;
/// Remembered for so long when no change is told.
const AGE_MICROS: i64 = 900_000_000;
const INCLUDES: &str = "&_revinclude=Condition:subject&_revinclude=MedicationRequest:subject&_revinclude=AllergyIntolerance:patient\
     &_revinclude=ServiceRequest:subject&_revinclude=Procedure:subject";

/// An order of an oxygen saturation of 88 to 92 %: SNOMED CT has none, so it is salus' own.
pub(crate) const ORDER_SYSTEM: &str = "urn:salus:order";
pub(crate) const TARGET_88_92: &str = "spo2-target-88-92";

const LOINC_PREGNANCY: &str = "82810-3";
const PREGNANT: [&str; 5] = ["77386006", "72892002", "47200007", "LA15173-0", "Z33.1"];
const NOT_PREGNANT: [&str; 2] = ["60001007", "LA26683-5"];
const DIALYSIS: [&str; 6] = ["108241001", "302497006", "71192002", "265764009", "105502003", "Z99.2"];

/// What is known of one patient.
#[derive(Clone, Default, PartialEq)]
pub(crate) struct Facts {
    subject: Subject,
    /// Active orders: the resource's id and a code.
    medications: Vec<(String, String)>,
}

impl Facts {
    /// What rules are told for one event: its own order is not among the medication, and the sender's birth date stands in for one that the
    /// store does not have.
    pub(crate) fn subject_for(&self, event: &Event) -> Subject {
        let mut subject = self.subject.clone();
        let is_own = |id: &str| event.id.split('/').any(|part| part == id);
        let others = self.medications.iter().filter(|(id, _)| !is_own(id));
        subject.medications = others.map(|(_, code)| code.clone()).collect();
        if subject.birth_date.is_none() {
            subject.birth_date.clone_from(&event.birth_date);
        }
        subject
    }

    /// What rules are told when time passes.
    pub(crate) fn subject(&self) -> Subject {
        let mut subject = self.subject.clone();
        subject.medications = self.medications.iter().map(|(_, code)| code.clone()).collect();
        subject
    }
}

/// Facts by tenant and patient.
#[derive(Default)]
pub(crate) struct FactsCache(Mutex<HashMap<(String, String), Remembered>>);

/// Facts, and when they were read.
type Remembered = (Arc<Facts>, i64);

impl FactsCache {
    fn get(&self, key: &(String, String), now: i64) -> Option<Arc<Facts>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (facts, at) = known.get(key)?;
        (0..AGE_MICROS).contains(&(now - at)).then(|| Arc::clone(facts))
    }

    fn put(&self, key: (String, String), facts: Arc<Facts>, now: i64) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= PATIENTS_MAX {
            known.clear();
        }
        known.insert(key, (facts, now));
    }

    /// Something about the patient changed.
    pub(crate) fn forget(&self, tenant: &str, patient: &str) {
        let key = (tenant.to_owned(), patient.to_owned());
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
    }

    /// It is not known whose fact changed.
    pub(crate) fn forget_all(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl Platform {
    /// The service under whose name streams read and write the store.
    pub(crate) fn service(&self, tenant: &Tenant) -> Result<Access, StreamError> {
        let principal = Principal::service("stream", tenant.clone());
        Ok(Access::new(Arc::new(principal), None, "stream").map_err(gate::GateError::from)?)
    }

    pub(crate) async fn ask_store(
        &self,
        tenant: &Tenant,
        kind: Kind,
        text: &str,
        count: u32,
    ) -> Result<SearchPage, StreamError> {
        let options = search::Options::new(true, vec![self.inner.fhir_base.clone()], self.now());
        let parsed = search::parse(Some(kind), text, &options).map_err(|issues| {
            StreamError::Invalid(issues.first().map_or_else(String::new, |issue| issue.diagnostics.clone()))
        })?;
        Ok(self.gate().search(&self.service(tenant)?, &parsed.query, count).await?)
    }

    /// What is remembered of a patient.
    pub(crate) fn known_facts(&self, key: &(String, String)) -> Option<Arc<Facts>> {
        self.inner.facts.get(key, self.now().0)
    }

    /// What is known of a patient; of one that the store does not have, nothing.
    pub(crate) async fn facts(&self, tenant: &str, patient: &str) -> Result<Arc<Facts>, StreamError> {
        let (key, now) = ((tenant.to_owned(), patient.to_owned()), self.now().0);
        if let Some(facts) = self.inner.facts.get(&key, now) {
            return Ok(facts);
        }
        let facts = Arc::new(match patient.strip_prefix("Patient/") {
            Some(id) if fhir::is_id(id) => self.read_facts(&Tenant::new(tenant), id).await?,
            _ => Facts::default(),
        });
        self.inner.facts.put(key, Arc::clone(&facts), now);
        Ok(facts)
    }

    async fn read_facts(&self, tenant: &Tenant, id: &str) -> Result<Facts, StreamError> {
        let found = self.ask_store(tenant, Kind::PATIENT, &format!("_id={id}{INCLUDES}"), 1).await?;
        let mut facts = Facts::default();
        let Some(patient) = found.matches.first() else { return Ok(facts) };
        let patient = parsed(patient.body.bytes());
        facts.subject.birth_date = patient.text("birthDate").map(str::to_owned);
        for stored in &found.included {
            add(&mut facts, stored.kind.name(), &stored.id, &parsed(stored.body.bytes()));
        }
        let text = format!(
            "subject=Patient/{id}&code={}&status=final,amended,corrected&_sort=-date",
            encoded(&format!("http://loinc.org|{LOINC_PREGNANCY}"))
        );
        let page = self.ask_store(tenant, Kind::named("Observation"), &text, 1).await?;
        for stored in &page.matches {
            let observation = parsed(stored.body.bytes());
            facts.add_pregnancy(&observation);
        }
        Ok(facts)
    }
}

fn parsed(bytes: &[u8]) -> Value {
    fhir::json::parse(bytes, &fhir::json::Limits::default()).unwrap_or(Value::Null)
}

impl Facts {
    /// Adds what one resource says.
    pub(crate) fn add(&mut self, kind: &str, id: &str, resource: &Value) {
        match kind {
            "Patient" => self.subject.birth_date = resource.text("birthDate").map(str::to_owned),
            _ => add(self, kind, id, resource),
        }
    }

    /// Adds what an observation of pregnancy says.
    pub(crate) fn add_pregnancy(&mut self, observation: &Value) {
        let codes = observation.get("valueCodeableConcept").map(codes_of).unwrap_or_default();
        if codes.iter().any(|(_, code)| PREGNANT.contains(code)) {
            self.subject.pregnancy = Pregnancy::PregnantOrPostPartum;
        } else if codes.iter().any(|(_, code)| NOT_PREGNANT.contains(code))
            && self.subject.pregnancy == Pregnancy::NotStated
        {
            self.subject.pregnancy = Pregnancy::No;
        }
    }

    /// Is it an observation of pregnancy.
    pub(crate) fn is_of_pregnancy(observation: &Value) -> bool {
        let codes = observation.get("code").map(codes_of).unwrap_or_default();
        codes.iter().any(|(system, code)| system.contains("loinc") && *code == LOINC_PREGNANCY)
    }
}

fn add(facts: &mut Facts, kind: &str, id: &str, resource: &Value) {
    let status = resource.text("status").unwrap_or_default();
    let codes = resource.get("code").map(codes_of).unwrap_or_default();
    let clinical = resource.get("clinicalStatus").map(codes_of).unwrap_or_default();
    let verified = resource.get("verificationStatus").map(codes_of).unwrap_or_default();
    let is_wrong = verified.iter().any(|(_, code)| matches!(*code, "refuted" | "entered-in-error"));
    let is_active = clinical.is_empty()
        || clinical.iter().any(|(_, code)| matches!(*code, "active" | "recurrence" | "relapse"));
    match kind {
        "Condition" if is_active && !is_wrong => {
            if codes.iter().any(|(system, code)| PREGNANT.contains(code) || is_obstetric(system, code)) {
                facts.subject.pregnancy = Pregnancy::PregnantOrPostPartum;
            }
            facts.subject.dialysis |= codes.iter().any(|(_, code)| DIALYSIS.contains(code));
        }
        "Procedure" if matches!(status, "in-progress" | "preparation") => {
            facts.subject.dialysis |= codes.iter().any(|(_, code)| DIALYSIS.contains(code));
        }
        "ServiceRequest" if status == "active" && is_order(resource) => {
            facts.subject.spo2_target_88_92 |=
                codes.iter().any(|(system, code)| *system == ORDER_SYSTEM && *code == TARGET_88_92);
            facts.subject.dialysis |= codes.iter().any(|(_, code)| DIALYSIS.contains(code));
        }
        "MedicationRequest" if status == "active" => {
            let codes = resource.get("medicationCodeableConcept").map(codes_of).unwrap_or_default();
            let rxnorm = codes.iter().filter(|(system, _)| system.contains("rxnorm"));
            facts.medications.extend(rxnorm.map(|(_, code)| (id.to_owned(), (*code).to_owned())));
        }
        "AllergyIntolerance" if is_active && !is_wrong => {
            facts.subject.allergies.extend(codes.iter().map(|(_, code)| (*code).to_owned()));
        }
        _ => {}
    }
}

fn is_order(resource: &Value) -> bool {
    matches!(resource.text("intent"), Some("order" | "original-order" | "reflex-order" | "instance-order"))
}

/// Chapters of ICD-10-CM on pregnancy, birth and the puerperium: O00 to O9A, Z34, Z39.
fn is_obstetric(system: &str, code: &str) -> bool {
    system.contains("icd-10") && (code.starts_with('O') || code.starts_with("Z34") || code.starts_with("Z39"))
}

/// System and code of every coding of a concept.
fn codes_of(concept: &Value) -> Vec<(&str, &str)> {
    let codings = concept.get("coding").map(Value::items).unwrap_or_default();
    codings
        .iter()
        .filter_map(|coding| Some((coding.text("system").unwrap_or_default(), coding.text("code")?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(kind: &str, text: &str) -> Facts {
        let mut facts = Facts::default();
        add(&mut facts, kind, "r1", &parsed(text.as_bytes()));
        facts
    }

    #[test]
    fn an_active_condition_counts_and_an_old_one_does_not() {
        let of = |status: &str, system: &str, code: &str| {
            check(
                "Condition",
                &format!(
                    r#"{{"clinicalStatus":{{"coding":[{{"code":"{status}"}}]}},"code":{{"coding":[{{"system":"{system}","code":"{code}"}}]}}}}"#
                ),
            )
        };
        let icd = "http://hl7.org/fhir/sid/icd-10-cm";
        let is_pregnant = |facts: &Facts| facts.subject.pregnancy == Pregnancy::PregnantOrPostPartum;
        assert!(is_pregnant(&of("active", icd, "O14.1")));
        assert!(is_pregnant(&of("active", "http://snomed.info/sct", "77386006")));
        assert!(!is_pregnant(&of("resolved", icd, "O14.1")));
        assert!(!is_pregnant(&of("active", "http://snomed.info/sct", "O14.1")));
        assert!(
            of("active", icd, "Z99.2").subject.dialysis && !of("inactive", icd, "Z99.2").subject.dialysis
        );
    }

    #[test]
    fn only_a_coded_order_changes_the_oxygen_target() {
        let of = |intent: &str, status: &str| {
            let text = format!(
                r#"{{"status":"{status}","intent":"{intent}","code":{{"coding":[{{"system":"{ORDER_SYSTEM}","code":"{TARGET_88_92}"}}]}}}}"#
            );
            check("ServiceRequest", &text).subject.spo2_target_88_92
        };
        assert!(of("order", "active"));
        assert!(!of("proposal", "active") && !of("order", "completed"));
        let text = r#"{"status":"active","intent":"order","code":{"text":"keep SpO2 88-92 %"}}"#;
        assert!(!check("ServiceRequest", text).subject.spo2_target_88_92);
    }

    #[test]
    fn an_order_is_not_a_duplicate_of_itself() {
        let rx = r#"{"status":"active","medicationCodeableConcept":{"coding":[{"system":"http://www.nlm.nih.gov/research/umls/rxnorm","code":"855332"}]}}"#;
        let facts = check("MedicationRequest", rx);
        let event = |id: &str| {
            let text = format!(
                r#"{{"id":"{id}","kind":"medication_orders","patient":"Patient/1","at":"2026-11-25T10:00:00Z","source":"store","birth_date":"1950","data":{{"rxnorm":"855332"}}}}"#
            );
            let now = fhir::Instant::parse("2026-11-25T10:00:00Z").unwrap();
            Event::parse(text.as_bytes(), &event::Sources::default(), now).unwrap()
        };
        assert!(facts.subject_for(&event("MedicationRequest/r1/1")).medications.is_empty());
        let other = facts.subject_for(&event("MedicationRequest/r2/1"));
        assert_eq!(
            (other.medications, other.birth_date),
            (vec!["855332".to_owned()], Some("1950".to_owned()))
        );
        assert_eq!(facts.subject().medications, ["855332"]);
    }
}
