//! Which columns the tables have and where in a resource their values are.

/// A table of one resource type.
pub(super) struct Table {
    pub(super) kind: &'static str,
    pub(super) file: &'static str,
    /// A list of the resource with a row per item; paths that begin with a point start at the item. A resource without the list has
    /// one row, where those paths start at the resource.
    pub(super) per: Option<&'static str>,
    /// Has a resource without the list no row.
    pub(super) per_only: bool,
    /// Names with paths.
    pub(super) columns: &'static [(&'static str, &'static str)],
}

const fn table(
    kind: &'static str,
    file: &'static str,
    columns: &'static [(&'static str, &'static str)],
) -> Table {
    Table { kind, file, per: None, per_only: false, columns }
}

#[rustfmt::skip]
pub(super) const TABLES: &[Table] = &[
    table("Patient", "patients", &[
        ("id", "id"), ("birth_date", "birthDate"), ("death_date", "deceasedDateTime"), ("deceased", "deceasedBoolean"),
        ("gender", "gender"), ("race_code", "extension =us-core-race extension =ombCategory valueCoding code"),
        ("race", "extension =us-core-race extension =text valueString"),
        ("ethnicity_code", "extension =us-core-ethnicity extension =ombCategory valueCoding code"),
        ("ethnicity", "extension =us-core-ethnicity extension =text valueString"),
        ("language", "communication language coding code"), ("marital_status", "maritalStatus coding code"),
        ("family", "name family"), ("given", "name given"), ("line", "address line"), ("city", "address city"),
        ("county", "address district"), ("county_fips", "address extension =county-fips valueCode"), ("state", "address state"),
        ("postal_code", "address postalCode"), ("organization", "managingOrganization reference")]),
    table("Coverage", "coverages", &[
        ("id", "id"), ("patient", "beneficiary reference"), ("type_code", "type coding code"), ("type", "type coding display"),
        ("payer", "payor reference"), ("start", "period start"), ("stop", "period end")]),
    table("Encounter", "encounters", &[
        ("id", "id"), ("patient", "subject reference"), ("class", "class code"), ("type_code", "type coding code"),
        ("type", "type coding display"), ("start", "period start"), ("stop", "period end"), ("priority", "priority coding code"),
        ("reason_code", "reasonCode coding code"), ("reason", "reasonCode text"),
        ("discharge_disposition", "hospitalization dischargeDisposition coding ?patient-discharge code"),
        ("organization", "serviceProvider reference"), ("practitioner", "participant individual reference")]),
    table("Condition", "conditions", &[
        ("id", "id"), ("patient", "subject reference"), ("encounter", "encounter reference"),
        ("snomed_code", "code coding ?snomed.info/sct code"), ("icd10_code", "code coding ?icd-10-cm code"), ("description", "code text"),
        ("category", "category coding code"), ("clinical_status", "clinicalStatus coding code"), ("onset", "onsetDateTime"),
        ("abatement", "abatementDateTime"), ("recorded", "recordedDate")]),
    // A panel such as blood pressure has a row per component.
    Table { kind: "Observation", file: "observations", per: Some("component"), per_only: false, columns: &[
        ("id", "id"), ("patient", "subject reference"), ("encounter", "encounter reference"), ("date", "effectiveDateTime"),
        ("category", "category coding code"), ("panel_code", "code coding code"), ("code", ".code coding code"),
        ("description", ".code coding display"), ("value", ".valueQuantity value"), ("unit", ".valueQuantity code"),
        ("value_code", ".valueCodeableConcept coding code"), ("value_text", ".valueCodeableConcept coding display"),
        ("interpretation", "interpretation coding code")] },
    table("DiagnosticReport", "diagnostic_reports", &[
        ("id", "id"), ("patient", "subject reference"), ("encounter", "encounter reference"), ("date", "effectiveDateTime"),
        ("code", "code coding code"), ("description", "code coding display"), ("issued", "issued")]),
    table("MedicationRequest", "medications", &[
        ("id", "id"), ("patient", "subject reference"), ("encounter", "encounter reference"), ("authored", "authoredOn"),
        ("status", "status"), ("code", "medicationCodeableConcept coding code"), ("description", "medicationCodeableConcept text"),
        ("reason", "reasonReference reference")]),
    table("Procedure", "procedures", &[
        ("id", "id"), ("patient", "subject reference"), ("encounter", "encounter reference"), ("start", "performedPeriod start"),
        ("stop", "performedPeriod end"), ("code", "code coding code"), ("description", "code coding display")]),
    table("Immunization", "immunizations", &[
        ("id", "id"), ("patient", "patient reference"), ("encounter", "encounter reference"), ("date", "occurrenceDateTime"),
        ("code", "vaccineCode coding code"), ("description", "vaccineCode coding display")]),
    table("AllergyIntolerance", "allergies", &[
        ("id", "id"), ("patient", "patient reference"), ("recorded", "recordedDate"), ("code", "code coding code"),
        ("description", "code coding display"), ("category", "category"), ("criticality", "criticality")]),
    table("ServiceRequest", "service_requests", &[
        ("id", "id"), ("patient", "subject reference"), ("encounter", "encounter reference"), ("authored", "authoredOn"),
        ("status", "status"), ("category", "category coding code"), ("code", "code coding code"), ("description", "code coding display"),
        ("reason", "reasonReference reference")]),
    table("Goal", "goals", &[
        ("id", "id"), ("patient", "subject reference"), ("start", "startDate"), ("status", "lifecycleStatus"),
        ("description", "description text"), ("addresses", "addresses reference")]),
    table("RiskAssessment", "risk_assessments", &[
        ("id", "id"), ("patient", "subject reference"), ("encounter", "encounter reference"), ("date", "occurrenceDateTime"),
        ("rule", "method coding code"), ("probability", "prediction probabilityDecimal"), ("level", "prediction qualitativeRisk coding code")]),
    table("Consent", "consents", &[
        ("id", "id"), ("patient", "patient reference"), ("date", "dateTime"), ("decision", "provision type")]),
    // A row per line of a claim: what was asked for, and in the other table what the payer made of it.
    Table { kind: "Claim", file: "claim_lines", per: Some("item"), per_only: false, columns: &[
        ("id", "id"), ("line", ".sequence"), ("patient", "patient reference"), ("type", "type coding code"),
        ("start", "billablePeriod start"), ("stop", "billablePeriod end"), ("payer", "insurer reference"),
        ("provider", "provider reference"), ("encounter", ".encounter reference"), ("code", ".productOrService coding code"),
        ("description", ".productOrService coding display"), ("amount", ".net value")] },
    Table { kind: "ExplanationOfBenefit", file: "benefit_lines", per: Some("item"), per_only: false, columns: &[
        ("id", "id"), ("line", ".sequence"), ("claim", "claim reference"), ("patient", "patient reference"), ("payer", "insurer reference"),
        ("submitted", ".net value"), ("paid_of_claim", "payment amount value"), ("outcome", "outcome")] },
    Table { kind: "Group", file: "group_members", per: Some("member"), per_only: true, columns: &[
        ("group", "id"), ("name", "name"), ("patient", ".entity reference"), ("start", ".period start"), ("stop", ".period end")] },
    table("Organization", "organizations", &[
        ("id", "id"), ("type", "type coding code"), ("name", "name"), ("city", "address city"), ("county", "address district"),
        ("county_fips", "address extension =county-fips valueCode"), ("state", "address state"), ("postal_code", "address postalCode")]),
    table("Location", "locations", &[
        ("id", "id"), ("name", "name"), ("type", "type coding code"), ("organization", "managingOrganization reference")]),
    table("Practitioner", "practitioners", &[
        ("id", "id"), ("npi", "identifier value"), ("family", "name family"), ("given", "name given"), ("gender", "gender")]),
    table("PractitionerRole", "practitioner_roles", &[
        ("id", "id"), ("practitioner", "practitioner reference"), ("organization", "organization reference"),
        ("specialty", "specialty coding display"), ("location", "location reference")]),
];
