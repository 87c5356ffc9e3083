//! The rules, one line each: slug, dimension, place, check, and what is wrong when it fails.
//!
//! What is needed for use is more than what R4 requires, and less than what a profile may ask for. `ANY` is for every type.

use std::sync::OnceLock;

use fhir::Kind;

use crate::Dimension;
use crate::Dimension::{Completeness, Consistency, Plausibility, Timeliness, Uniqueness, Validity};
use Check::*;

/// A rule on resources of one type.
pub(crate) struct Rule {
    pub(crate) slug: &'static str,
    pub(crate) dimension: Dimension,
    pub(crate) place: &'static str,
    pub(crate) check: Check,
    pub(crate) text: &'static str,
}

/// What is checked. Keys are JSON members of the resource, paths may go deeper (`period.start`). A check of something that is absent is
/// not assessed, but for those of presence.
#[derive(Clone, Copy)]
pub(crate) enum Check {
    /// One of them is there.
    Present(&'static [&'static str]),
    /// One of them is there, unless the status is one of these.
    PresentUnless(&'static [&'static str], &'static str, &'static [&'static str]),
    /// One of them is there when the status is one of these.
    PresentWhen(&'static [&'static str], &'static str, &'static [&'static str]),
    /// A code is there and is not `unknown`.
    Known(&'static str),
    /// A date is not later than now.
    NotFuture(&'static str),
    /// A date states a day.
    HasDay(&'static str),
    /// The first date is not later than the second one.
    Order(&'static str, &'static str),
    /// Nobody is older than 130 years.
    Age { birth: &'static str, death: &'static str },
    /// The second date comes at most so many days behind the first one.
    WithinDays(&'static str, &'static str, i64),
    /// What is active did not begin longer ago.
    NotForgotten { status: &'static str, active: &'static [&'static str], since: &'static str, days_max: i64 },
    /// At most one of two is there.
    NotBoth(&'static str, &'static str),
    /// Each concept has a coding with system and code.
    Coded(&'static str),
    /// Each quantity has a UCUM code.
    Ucum(&'static str),
    /// Each value has a member.
    Member(&'static str, &'static str),
    /// Measured values are within what living people can have.
    Measured,
    /// No item of a list is there twice.
    Distinct(&'static str),
}

const fn rule(
    slug: &'static str,
    dimension: Dimension,
    place: &'static str,
    check: Check,
    text: &'static str,
) -> Rule {
    Rule { slug, dimension, place, check, text }
}

const WRONG: &[&str] = &["entered-in-error"];
const NO_RESULT: &[&str] = &["registered", "cancelled", "entered-in-error"];

#[rustfmt::skip]
const ANY: &[Rule] = &[
    rule("identifier-system", Validity, "identifier", Member("identifier", "system"), "an identifier without system is unique nowhere"),
    rule("period-order", Consistency, "period", Order("period.start", "period.end"), "the period ends before it starts"),
    rule("identifier-twice", Uniqueness, "identifier", Distinct("identifier"), "the same identifier is there twice"),
];

#[rustfmt::skip]
const TABLE: &[(&str, &[Rule])] = &[
    ("Patient", &[
        rule("patient-name", Completeness, "name", Present(&["name"]), "no name"),
        rule("patient-birth-date", Completeness, "birthDate", Present(&["birthDate"]), "no birth date: no age can be computed"),
        rule("patient-gender", Completeness, "gender", Known("gender"), "no gender, or `unknown`: it counts as missing in every rate by sex"),
        rule("patient-identifier", Completeness, "identifier", Present(&["identifier"]), "no identifier: records of the same person cannot be linked"),
        rule("patient-address", Completeness, "address", Present(&["address"]), "no address: no region"),
        rule("patient-birth-day", Validity, "birthDate", HasDay("birthDate"), "the birth date states no day"),
        rule("patient-birth-future", Plausibility, "birthDate", NotFuture("birthDate"), "the birth date is in the future"),
        rule("patient-death-future", Plausibility, "deceased", NotFuture("deceasedDateTime"), "the death is in the future"),
        rule("patient-age", Plausibility, "birthDate", Age { birth: "birthDate", death: "deceasedDateTime" }, "older than 130 years"),
        rule("patient-death-order", Consistency, "deceased", Order("birthDate", "deceasedDateTime"), "the death is before the birth"),
        rule("patient-name-twice", Uniqueness, "name", Distinct("name"), "the same name is there twice"),
        rule("patient-address-twice", Uniqueness, "address", Distinct("address"), "the same address is there twice"),
        rule("patient-telecom-twice", Uniqueness, "telecom", Distinct("telecom"), "the same contact is there twice"),
    ]),
    ("Observation", &[
        rule("observation-subject", Completeness, "subject", Present(&["subject"]), "no subject: nobody knows of whom it is"),
        rule("observation-time", Completeness, "effective", Present(&["effectiveDateTime", "effectivePeriod", "effectiveInstant", "effectiveTiming"]), "no time: it cannot be put in order"),
        rule("observation-value", Completeness, "value", PresentUnless(&["valueQuantity", "valueCodeableConcept", "valueString", "valueBoolean", "valueInteger", "valueRange", "valueRatio", "valueSampledData", "valueTime", "valueDateTime", "valuePeriod", "dataAbsentReason", "component", "hasMember"], "status", NO_RESULT), "no value, and no reason why"),
        rule("observation-category", Completeness, "category", Present(&["category"]), "no category: vital signs and laboratory cannot be told apart"),
        rule("observation-code", Validity, "code", Coded("code"), "the code has no coding with system and code"),
        rule("observation-value-coded", Validity, "value", Coded("valueCodeableConcept"), "the value has no coding with system and code"),
        rule("observation-unit", Validity, "value", Ucum("valueQuantity"), "the unit is not a UCUM code"),
        rule("observation-future", Plausibility, "effective", NotFuture("effectiveDateTime"), "it was observed in the future"),
        rule("observation-range", Plausibility, "value", Measured, "no living person has such a value: check number and unit"),
        rule("observation-period", Consistency, "effective", Order("effectivePeriod.start", "effectivePeriod.end"), "the period ends before it starts"),
        rule("observation-issued-order", Consistency, "issued", Order("effectiveDateTime", "issued"), "it was issued before it was observed"),
        rule("observation-late", Timeliness, "issued", WithinDays("effectiveDateTime", "issued", 30), "it was issued more than 30 days after it was observed"),
    ]),
    ("Condition", &[
        rule("condition-code", Completeness, "code", Present(&["code"]), "no code: nobody knows what it is"),
        rule("condition-status", Completeness, "clinicalStatus", PresentUnless(&["clinicalStatus"], "verificationStatus", WRONG), "no clinical status: active and resolved cannot be told apart"),
        rule("condition-onset", Completeness, "onset", Present(&["onsetDateTime", "onsetPeriod", "onsetAge", "onsetRange", "onsetString", "recordedDate"]), "neither an onset nor a date of recording"),
        rule("condition-coded", Validity, "code", Coded("code"), "the code has no coding with system and code"),
        rule("condition-onset-future", Plausibility, "onset", NotFuture("onsetDateTime"), "the onset is in the future"),
        rule("condition-recorded-future", Plausibility, "recordedDate", NotFuture("recordedDate"), "it was recorded in the future"),
        rule("condition-order", Consistency, "abatement", Order("onsetDateTime", "abatementDateTime"), "it abated before it began"),
        rule("condition-abated", Consistency, "abatement", PresentWhen(&["abatementDateTime", "abatementPeriod", "abatementAge", "abatementRange", "abatementString"], "clinicalStatus", &["resolved"]), "it is resolved, but nothing says when"),
    ]),
    ("Encounter", &[
        rule("encounter-subject", Completeness, "subject", Present(&["subject"]), "no subject"),
        rule("encounter-start", Completeness, "period", PresentUnless(&["period.start"], "status", &["planned", "cancelled", "entered-in-error"]), "no start"),
        rule("encounter-type", Completeness, "type", Present(&["type"]), "no type"),
        rule("encounter-provider", Completeness, "serviceProvider", Present(&["serviceProvider"]), "no organization that is responsible"),
        rule("encounter-class", Validity, "class", Coded("class"), "the class has no system and code"),
        rule("encounter-type-coded", Validity, "type", Coded("type"), "a type has no coding with system and code"),
        rule("encounter-start-future", Plausibility, "period.start", NotFuture("period.start"), "it starts in the future"),
        rule("encounter-end", Consistency, "period.end", PresentWhen(&["period.end"], "status", &["finished"]), "it is finished, but has no end"),
        rule("encounter-open", Timeliness, "period.start", NotForgotten { status: "status", active: &["arrived", "triaged", "in-progress", "onleave"], since: "period.start", days_max: 365 }, "it is open for more than a year"),
    ]),
    ("Procedure", &[
        rule("procedure-code", Completeness, "code", Present(&["code"]), "no code"),
        rule("procedure-time", Completeness, "performed", PresentUnless(&["performedDateTime", "performedPeriod", "performedString", "performedAge", "performedRange"], "status", &["preparation", "not-done", "entered-in-error"]), "no time"),
        rule("procedure-coded", Validity, "code", Coded("code"), "the code has no coding with system and code"),
        rule("procedure-future", Plausibility, "performed", NotFuture("performedDateTime"), "it was performed in the future"),
        rule("procedure-start-future", Plausibility, "performed", NotFuture("performedPeriod.start"), "it was performed in the future"),
        rule("procedure-order", Consistency, "performed", Order("performedPeriod.start", "performedPeriod.end"), "the period ends before it starts"),
    ]),
    ("MedicationRequest", &[
        rule("prescription-date", Completeness, "authoredOn", Present(&["authoredOn"]), "no date"),
        rule("prescription-requester", Completeness, "requester", Present(&["requester"]), "nobody is named who prescribed it"),
        rule("prescription-dosage", Completeness, "dosageInstruction", Present(&["dosageInstruction"]), "no dosage"),
        rule("prescription-coded", Validity, "medication", Coded("medicationCodeableConcept"), "the medication has no coding with system and code"),
        rule("prescription-future", Plausibility, "authoredOn", NotFuture("authoredOn"), "it was written in the future"),
        rule("prescription-forgotten", Timeliness, "authoredOn", NotForgotten { status: "status", active: &["active"], since: "authoredOn", days_max: 1826 }, "it is active for more than five years"),
    ]),
    ("MedicationAdministration", &[
        rule("administration-coded", Validity, "medication", Coded("medicationCodeableConcept"), "the medication has no coding with system and code"),
        rule("administration-dose", Completeness, "dosage", PresentUnless(&["dosage"], "status", &["not-done", "entered-in-error"]), "no dose"),
        rule("administration-future", Plausibility, "effective", NotFuture("effectiveDateTime"), "it was given in the future"),
    ]),
    ("Immunization", &[
        rule("immunization-time", Completeness, "occurrence", Present(&["occurrenceDateTime"]), "no date"),
        rule("immunization-lot", Completeness, "lotNumber", PresentWhen(&["lotNumber"], "status", &["completed"]), "no lot number: a recall cannot reach it"),
        rule("immunization-coded", Validity, "vaccineCode", Coded("vaccineCode"), "the vaccine has no coding with system and code"),
        rule("immunization-future", Plausibility, "occurrence", NotFuture("occurrenceDateTime"), "it was given in the future"),
        rule("immunization-order", Consistency, "recorded", Order("occurrenceDateTime", "recorded"), "it was recorded before it was given"),
        rule("immunization-late", Timeliness, "recorded", WithinDays("occurrenceDateTime", "recorded", 30), "it was recorded more than 30 days after it was given"),
    ]),
    ("AllergyIntolerance", &[
        rule("allergy-code", Completeness, "code", Present(&["code"]), "no code: nobody knows against what"),
        rule("allergy-status", Completeness, "clinicalStatus", PresentUnless(&["clinicalStatus"], "verificationStatus", WRONG), "no clinical status"),
        rule("allergy-coded", Validity, "code", Coded("code"), "the code has no coding with system and code"),
        rule("allergy-recorded-future", Plausibility, "recordedDate", NotFuture("recordedDate"), "it was recorded in the future"),
    ]),
    ("DiagnosticReport", &[
        rule("report-subject", Completeness, "subject", Present(&["subject"]), "no subject"),
        rule("report-time", Completeness, "effective", Present(&["effectiveDateTime", "effectivePeriod"]), "no time"),
        rule("report-content", Completeness, "result", PresentUnless(&["result", "presentedForm", "conclusion", "conclusionCode", "media"], "status", NO_RESULT), "no result, no text, no conclusion"),
        rule("report-coded", Validity, "code", Coded("code"), "the code has no coding with system and code"),
        rule("report-future", Plausibility, "effective", NotFuture("effectiveDateTime"), "it is of the future"),
        rule("report-issued-order", Consistency, "issued", Order("effectiveDateTime", "issued"), "it was issued before it was made"),
        rule("report-late", Timeliness, "issued", WithinDays("effectiveDateTime", "issued", 30), "it was issued more than 30 days later"),
        rule("report-result-twice", Uniqueness, "result", Distinct("result"), "the same result is there twice"),
    ]),
    ("ServiceRequest", &[
        rule("order-code", Completeness, "code", Present(&["code"]), "no code"),
        rule("order-date", Completeness, "authoredOn", Present(&["authoredOn"]), "no date"),
        rule("order-coded", Validity, "code", Coded("code"), "the code has no coding with system and code"),
        rule("order-future", Plausibility, "authoredOn", NotFuture("authoredOn"), "it was written in the future"),
    ]),
    ("CarePlan", &[
        rule("plan-start", Completeness, "period", Present(&["period.start"]), "no start"),
        rule("plan-category", Completeness, "category", Present(&["category"]), "no category"),
        rule("plan-coded", Validity, "category", Coded("category"), "a category has no coding with system and code"),
    ]),
    ("CareTeam", &[
        rule("team-members", Completeness, "participant", Present(&["participant"]), "no members"),
        rule("team-subject", Completeness, "subject", Present(&["subject"]), "no subject"),
        rule("team-member-twice", Uniqueness, "participant", Distinct("participant"), "the same member is there twice"),
    ]),
    ("Goal", &[
        rule("goal-target", Completeness, "target", Present(&["target"]), "no target: nobody can tell when it is reached"),
        rule("goal-start", Completeness, "start", Present(&["startDate", "startCodeableConcept"]), "no start"),
    ]),
    ("Coverage", &[
        rule("coverage-period", Completeness, "period", Present(&["period.start"]), "no start"),
        rule("coverage-type", Completeness, "type", Present(&["type"]), "no type: payers cannot be compared"),
        rule("coverage-coded", Validity, "type", Coded("type"), "the type has no coding with system and code"),
    ]),
    ("Claim", &[
        rule("claim-period", Completeness, "billablePeriod", Present(&["billablePeriod"]), "no period"),
        rule("claim-total", Completeness, "total", Present(&["total"]), "no total"),
        rule("claim-future", Plausibility, "created", NotFuture("created"), "it was written in the future"),
        rule("claim-order", Consistency, "billablePeriod", Order("billablePeriod.start", "billablePeriod.end"), "the period ends before it starts"),
        rule("claim-late", Timeliness, "created", WithinDays("billablePeriod.end", "created", 365), "it was made more than a year later"),
    ]),
    ("ExplanationOfBenefit", &[
        rule("benefit-period", Completeness, "billablePeriod", Present(&["billablePeriod"]), "no period"),
        rule("benefit-items", Completeness, "item", Present(&["item"]), "no items"),
        rule("benefit-order", Consistency, "billablePeriod", Order("billablePeriod.start", "billablePeriod.end"), "the period ends before it starts"),
        rule("benefit-future", Plausibility, "created", NotFuture("created"), "it was written in the future"),
    ]),
    ("Organization", &[
        rule("organization-name", Completeness, "name", Present(&["name"]), "no name"),
        rule("organization-identifier", Completeness, "identifier", Present(&["identifier"]), "no identifier"),
        rule("organization-address", Completeness, "address", Present(&["address"]), "no address: no region"),
        rule("organization-contact-twice", Uniqueness, "telecom", Distinct("telecom"), "the same contact is there twice"),
    ]),
    ("Location", &[
        rule("location-name", Completeness, "name", Present(&["name"]), "no name"),
        rule("location-place", Completeness, "address", Present(&["address", "position"]), "neither an address nor a position"),
    ]),
    ("Practitioner", &[
        rule("practitioner-name", Completeness, "name", Present(&["name"]), "no name"),
        rule("practitioner-identifier", Completeness, "identifier", Present(&["identifier"]), "no identifier"),
        rule("practitioner-birth-future", Plausibility, "birthDate", NotFuture("birthDate"), "the birth date is in the future"),
        rule("practitioner-age", Plausibility, "birthDate", Age { birth: "birthDate", death: "" }, "older than 130 years"),
    ]),
    ("PractitionerRole", &[
        rule("role-who", Completeness, "practitioner", Present(&["practitioner"]), "no practitioner"),
        rule("role-where", Completeness, "organization", Present(&["organization"]), "no organization"),
        rule("role-what", Completeness, "code", Present(&["code", "specialty"]), "neither a role nor a specialty"),
    ]),
    ("RelatedPerson", &[
        rule("related-name", Completeness, "name", Present(&["name"]), "no name"),
        rule("related-relation", Completeness, "relationship", Present(&["relationship"]), "no relationship"),
        rule("related-birth-future", Plausibility, "birthDate", NotFuture("birthDate"), "the birth date is in the future"),
    ]),
    ("Medication", &[
        rule("medication-code", Completeness, "code", Present(&["code"]), "no code"),
        rule("medication-coded", Validity, "code", Coded("code"), "the code has no coding with system and code"),
    ]),
    ("Device", &[
        rule("device-type", Completeness, "type", Present(&["type"]), "no type"),
        rule("device-identity", Completeness, "identifier", Present(&["identifier", "udiCarrier", "serialNumber"]), "no identifier, no UDI, no serial number"),
        rule("device-order", Consistency, "expirationDate", Order("manufactureDate", "expirationDate"), "it expired before it was made"),
    ]),
    ("Specimen", &[
        rule("specimen-type", Completeness, "type", Present(&["type"]), "no type"),
        rule("specimen-subject", Completeness, "subject", Present(&["subject"]), "no subject"),
        rule("specimen-order", Consistency, "receivedTime", Order("collection.collectedDateTime", "receivedTime"), "it was received before it was collected"),
    ]),
    ("DocumentReference", &[
        rule("document-subject", Completeness, "subject", Present(&["subject"]), "no subject"),
        rule("document-type", Completeness, "type", Present(&["type"]), "no type"),
        rule("document-date", Completeness, "date", Present(&["date"]), "no date"),
        rule("document-future", Plausibility, "date", NotFuture("date"), "it is of the future"),
    ]),
    ("Consent", &[
        rule("consent-patient", Completeness, "patient", Present(&["patient"]), "no patient"),
        rule("consent-date", Completeness, "dateTime", Present(&["dateTime"]), "no date"),
        rule("consent-provision", Completeness, "provision", PresentWhen(&["provision"], "status", &["active"]), "it is active, but permits and denies nothing"),
        rule("consent-order", Consistency, "provision.period", Order("provision.period.start", "provision.period.end"), "the period ends before it starts"),
    ]),
    ("RiskAssessment", &[
        rule("risk-prediction", Completeness, "prediction", PresentUnless(&["prediction"], "status", NO_RESULT), "no prediction"),
        rule("risk-time", Completeness, "occurrence", Present(&["occurrenceDateTime", "occurrencePeriod"]), "no time"),
        rule("risk-method", Completeness, "method", Present(&["method"]), "no method: scores cannot be compared"),
    ]),
    ("Group", &[
        rule("group-members", Consistency, "quantity", NotBoth("member", "characteristic"), "members and characteristics: nobody knows which of them makes the group"),
        rule("group-member-twice", Uniqueness, "member", Distinct("member"), "the same member is there twice"),
    ]),
];

/// The rules of a type: its own, then those for any.
pub(crate) fn rules_of(kind: Kind) -> &'static [&'static Rule] {
    static RULES: OnceLock<Vec<Vec<&'static Rule>>> = OnceLock::new();
    let all = RULES.get_or_init(|| {
        let own = |kind: Kind| {
            TABLE.iter().find(|(name, _)| *name == kind.name()).map_or(&[][..], |(_, rules)| *rules)
        };
        Kind::all().map(|kind| own(kind).iter().chain(ANY).collect()).collect()
    });
    &all[kind.index()]
}

/// A rule, for pages that list them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Described {
    /// Its name, for programs.
    pub rule: &'static str,
    /// Its dimension.
    pub dimension: Dimension,
    /// FHIRPath below the resource.
    pub place: &'static str,
    /// What is wrong when it fails.
    pub text: &'static str,
}

/// The rules that resources of a type are scored by.
pub fn rules(kind: Kind) -> impl Iterator<Item = Described> {
    rules_of(kind).iter().map(|rule| Described {
        rule: rule.slug,
        dimension: rule.dimension,
        place: rule.place,
        text: rule.text,
    })
}
