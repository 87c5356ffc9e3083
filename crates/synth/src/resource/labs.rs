//! Laboratory results with LOINC, UCUM, reference range and interpretation, and the reports that group them.

use compact_str::CompactString;
use fhir::Value;

use super::observation::{Context, LABORATORY, Seen, add, interpretation};
use crate::course::{Setting, Visit};
use crate::disease::Chronic;
use crate::make::{Code, code, loinc, object, one, quantity, reference, word};
use crate::math::egfr;
use crate::record::Record;

/// A laboratory test.
struct Test {
    code: Code,
    unit: &'static str,
    scale: u32,
    low: Option<f64>,
    high: Option<f64>,
}

const fn test(code: Code, unit: &'static str, scale: u32, low: Option<f64>, high: Option<f64>) -> Test {
    Test { code, unit, scale, low, high }
}

#[rustfmt::skip]
mod tests_of_the_laboratory {
    use super::{Test, loinc, test};
    pub(super) const HBA1C: Test = test(loinc("4548-4", "Hemoglobin A1c/Hemoglobin.total in Blood"), "%", 1, Some(4.0), Some(5.6));
    pub(super) const GLUCOSE: Test = test(loinc("2345-7", "Glucose [Mass/volume] in Serum or Plasma"), "mg/dL", 0, Some(70.0), Some(99.0));
    pub(super) const CREATININE: Test = test(loinc("2160-0", "Creatinine [Mass/volume] in Serum or Plasma"), "mg/dL", 2, Some(0.5), Some(1.2));
    pub(super) const EGFR: Test = test(loinc("98979-8", "Glomerular filtration rate/1.73 sq M.predicted [Volume Rate/Area] in Serum, Plasma or Blood by Creatinine-based formula (CKD-EPI 2021)"), "mL/min/{1.73_m2}", 0, Some(60.0), None);
    pub(super) const SODIUM: Test = test(loinc("2951-2", "Sodium [Moles/volume] in Serum or Plasma"), "mmol/L", 0, Some(135.0), Some(145.0));
    pub(super) const POTASSIUM: Test = test(loinc("2823-3", "Potassium [Moles/volume] in Serum or Plasma"), "mmol/L", 1, Some(3.5), Some(5.1));
    pub(super) const CHOLESTEROL: Test = test(loinc("2093-3", "Cholesterol [Mass/volume] in Serum or Plasma"), "mg/dL", 0, None, Some(199.0));
    pub(super) const TRIGLYCERIDES: Test = test(loinc("2571-8", "Triglyceride [Mass/volume] in Serum or Plasma"), "mg/dL", 0, None, Some(149.0));
    pub(super) const HDL: Test = test(loinc("2085-9", "Cholesterol in HDL [Mass/volume] in Serum or Plasma"), "mg/dL", 0, Some(40.0), None);
    pub(super) const LDL: Test = test(loinc("13457-7", "Cholesterol in LDL [Mass/volume] in Serum or Plasma by calculation"), "mg/dL", 0, None, Some(129.0));
    pub(super) const HAEMOGLOBIN: Test = test(loinc("718-7", "Hemoglobin [Mass/volume] in Blood"), "g/dL", 1, Some(12.0), Some(17.5));
    pub(super) const LEUKOCYTES: Test = test(loinc("6690-2", "Leukocytes [#/volume] in Blood by Automated count"), "10*3/uL", 1, Some(4.0), Some(11.0));
    pub(super) const PLATELETS: Test = test(loinc("777-3", "Platelets [#/volume] in Blood by Automated count"), "10*3/uL", 0, Some(150.0), Some(450.0));
}
use tests_of_the_laboratory as lab;

const METABOLIC_PANEL: Code = loinc("51990-0", "Basic metabolic panel - Blood");
const LIPID_PANEL: Code = loinc("24331-1", "Lipid 1996 panel - Serum or Plasma");
const COUNT_PANEL: Code = loinc("58410-2", "CBC panel - Blood by Automated count");

/// Adds the HbA1c that every person with diabetes has at the last clinic visit.
pub(crate) fn add_hba1c(record: &mut Record<'_>, visit: &Visit, encounter: &str) {
    hba1c(record, &Context { encounter, at: visit.start.plus(30) });
}

/// Adds the results of a visit.
pub(crate) fn add_all(record: &mut Record<'_>, visit: &Visit, encounter: &str) {
    let context = Context { encounter, at: visit.start.plus(30) };
    let person = record.person;
    let age = person.birth.age_on(visit.day());
    let diabetic = person.has(Chronic::Diabetes);
    if visit.is_ambulatory() && record.draw.chance(if diabetic { 0.35 } else { 0.03 }) {
        hba1c(record, &context);
    }
    let is_checked = visit.setting == Setting::Wellness && (age >= 40 || !person.diseases.is_empty());
    let inpatient = visit.setting == Setting::Inpatient;
    if age >= 18 && ((is_checked && record.draw.chance(0.7)) || inpatient) {
        metabolic(record, &context, age);
    }
    if age >= 18 && is_checked && record.draw.chance(0.45) {
        lipids(record, &context);
    }
    if inpatient || (visit.setting == Setting::Wellness && record.draw.chance(0.15)) {
        count(record, &context);
    }
}

fn result(record: &mut Record<'_>, context: &Context<'_>, test: &Test, value: f64) -> CompactString {
    let bound = |value: Option<f64>| {
        value.map_or(Value::Null, |value| quantity(value, test.scale, test.unit, test.unit))
    };
    let mut seen =
        Seen::new(LABORATORY, test.code, "valueQuantity", quantity(value, test.scale, test.unit, test.unit));
    seen.performer = one(record.organization("hospital"));
    seen.interpretation = interpretation(value, test.low, test.high);
    seen.range = one(object([("low", bound(test.low)), ("high", bound(test.high))]));
    add(record, context, seen)
}

/// Rounds as the result will be shown, so that derived values agree with what a reader sees.
fn shown(value: f64, scale: i32) -> f64 {
    let unit = 10_f64.powi(scale);
    (value * unit).round() / unit
}

fn hba1c(record: &mut Record<'_>, context: &Context<'_>) {
    let person = record.person;
    let draw = &mut record.draw;
    let value = match (person.has(Chronic::Diabetes), person.hba1c_high) {
        (true, true) => draw.normal(10.3, 0.9).clamp(9.1, 14.5),
        (true, false) => draw.normal(7.1, 0.7).clamp(5.7, 9.0),
        _ => draw.normal(5.4, 0.3).clamp(4.4, 6.3),
    };
    result(record, context, &lab::HBA1C, shown(value, 1));
}

fn metabolic(record: &mut Record<'_>, context: &Context<'_>, age: i32) {
    let person = record.person;
    let high = if person.has(Chronic::Diabetes) {
        (if person.hba1c_high { 215.0 } else { 142.0 }, 25.0)
    } else {
        (92.0, 8.0)
    };
    let glucose = shown(record.draw.normal(high.0, high.1).max(58.0), 0);
    let target = if person.has(Chronic::Ckd) {
        record.draw.normal(46.0, 5.0).clamp(31.0, 58.0)
    } else {
        record.draw.normal(124.0 - 0.65 * f64::from(age), 7.0).clamp(61.0, 130.0)
    };
    let creatinine = shown(creatinine_of(target, age, person.female), 2);
    let filtration = shown(egfr(creatinine, age, person.female), 0);
    let (sodium, potassium) =
        (shown(record.draw.normal(140.0, 2.2), 0), shown(record.draw.normal(4.3, 0.32), 1));
    let ids = [
        result(record, context, &lab::GLUCOSE, glucose),
        result(record, context, &lab::CREATININE, creatinine),
        result(record, context, &lab::EGFR, filtration),
        result(record, context, &lab::SODIUM, sodium),
        result(record, context, &lab::POTASSIUM, potassium),
    ];
    report(record, context, METABOLIC_PANEL, &ids);
}

/// The creatinine that gives a filtration rate: the equation falls with creatinine, so halving finds it.
fn creatinine_of(target: f64, age: i32, female: bool) -> f64 {
    let (mut low, mut high) = (0.3, 5.0);
    for _ in 0..11 {
        let middle = (low + high) / 2.0;
        if egfr(middle, age, female) > target { low = middle } else { high = middle }
    }
    low
}

fn lipids(record: &mut Record<'_>, context: &Context<'_>) {
    let person = record.person;
    let mean = if person.has(Chronic::Hyperlipidaemia) { 214.0 } else { 181.0 };
    let total = shown(record.draw.normal(mean, 20.0).max(110.0), 0);
    let good = shown(record.draw.normal(if person.female { 57.0 } else { 49.0 }, 8.0).max(25.0), 0);
    let fat = shown(record.draw.normal(mean - 65.0, 30.0).clamp(45.0, 390.0), 0);
    // Friedewald: valid below 400 mg/dL of triglycerides.
    let bad = shown((total - good - fat / 5.0).max(30.0), 0);
    let ids = [
        result(record, context, &lab::CHOLESTEROL, total),
        result(record, context, &lab::TRIGLYCERIDES, fat),
        result(record, context, &lab::HDL, good),
        result(record, context, &lab::LDL, bad),
    ];
    report(record, context, LIPID_PANEL, &ids);
}

fn count(record: &mut Record<'_>, context: &Context<'_>) {
    let mean = if record.person.female { 13.4 } else { 14.8 };
    let red = shown(record.draw.normal(mean, 1.0), 1);
    let white = shown(record.draw.normal(7.2, 1.5).max(2.5), 1);
    let platelets = shown(record.draw.normal(255.0, 50.0).max(90.0), 0);
    let ids = [
        result(record, context, &lab::HAEMOGLOBIN, red),
        result(record, context, &lab::LEUKOCYTES, white),
        result(record, context, &lab::PLATELETS, platelets),
    ];
    report(record, context, COUNT_PANEL, &ids);
}

fn report(record: &mut Record<'_>, context: &Context<'_>, panel: Code, results: &[CompactString]) {
    let id = record.next_id();
    let category = code("http://terminology.hl7.org/CodeSystem/v2-0074", "LAB", "Laboratory");
    let results: Vec<Value> = results.iter().map(|id| reference("Observation", id)).collect();
    let members = [
        ("status", word("final")),
        ("category", one(category.concept())),
        ("code", panel.concept()),
        ("subject", record.subject()),
        ("encounter", reference("Encounter", context.encounter)),
        ("effectiveDateTime", context.at.text().into()),
        ("issued", context.at.plus(180).text().into()),
        ("performer", one(record.organization("hospital"))),
        ("result", results.into()),
    ];
    record.add("DiagnosticReport", id, members);
}
