//! Vital signs and smoking status.

use fhir::Value;

use super::observation::{Context, SOCIAL_HISTORY, Seen, VITAL_SIGNS, add};
use crate::course::{Setting, Visit};
use crate::disease::Chronic;
use crate::make::{Code, code, loinc, object, quantity, snomed};
use crate::person::Smoking;
use crate::record::Record;

const PRESSURE: Code = loinc("85354-9", "Blood pressure panel with all children optional");
const SYSTOLIC: Code = loinc("8480-6", "Systolic blood pressure");
const DIASTOLIC: Code = loinc("8462-4", "Diastolic blood pressure");
const HEART_RATE: Code = loinc("8867-4", "Heart rate");
const RESPIRATORY_RATE: Code = loinc("9279-1", "Respiratory rate");
const TEMPERATURE: Code = loinc("8310-5", "Body temperature");
const SATURATION: Code = loinc("59408-5", "Oxygen saturation in Arterial blood by Pulse oximetry");
const HEIGHT: Code = loinc("8302-2", "Body height");
const WEIGHT: Code = loinc("29463-7", "Body weight");
const BMI: Code = loinc("39156-5", "Body mass index (BMI) [Ratio]");
const TOBACCO: Code = loinc("72166-2", "Tobacco smoking status");

/// Share of adult height at ages 0 to 17.
const GROWTH: [f64; 18] = [
    0.40, 0.46, 0.51, 0.56, 0.595, 0.63, 0.665, 0.70, 0.73, 0.76, 0.79, 0.825, 0.86, 0.895, 0.93, 0.96, 0.98,
    0.99,
];

/// Adds the vital signs that are taken at a visit.
pub(crate) fn add_all(record: &mut Record<'_>, visit: &Visit, encounter: &str) {
    let context = Context { encounter, at: visit.start.plus(5) };
    let age = record.person.birth.age_on(visit.day());
    pressure(record, &context, age);
    match visit.setting {
        Setting::Clinic => {
            if record.draw.chance(0.5) {
                rates(record, &context, age);
            }
        }
        Setting::Emergency | Setting::Inpatient => {
            rates(record, &context, age);
            oxygen(record, &context);
        }
        Setting::Wellness => {
            rates(record, &context, age);
            oxygen(record, &context);
            size(record, &context, age);
            if age >= 16 {
                tobacco(record, &context);
            }
        }
    }
}

fn pressure(record: &mut Record<'_>, context: &Context<'_>, age: i32) {
    let person = record.person;
    let draw = &mut record.draw;
    let (systolic, diastolic) = match (person.has(Chronic::Hypertension), person.pressure_controlled) {
        (true, true) => {
            (draw.normal(127.0, 6.0).clamp(108.0, 138.0), draw.normal(77.0, 5.0).clamp(60.0, 88.0))
        }
        (true, false) => {
            (draw.normal(152.0, 8.0).clamp(141.0, 190.0), draw.normal(90.0, 7.0).clamp(70.0, 112.0))
        }
        _ if age < 18 => {
            (draw.normal(88.0 + 1.6 * f64::from(age), 6.0), draw.normal(52.0 + f64::from(age), 5.0))
        }
        _ => (draw.normal(119.0, 8.0).clamp(94.0, 137.0), draw.normal(74.0, 6.0).clamp(54.0, 87.0)),
    };
    let part = |code: Code, value: f64| {
        object([("code", code.concept()), ("valueQuantity", quantity(value, 0, "mmHg", "mm[Hg]"))])
    };
    let parts = vec![part(SYSTOLIC, systolic), part(DIASTOLIC, diastolic)];
    add(record, context, Seen::new(VITAL_SIGNS, PRESSURE, "component", parts.into()));
}

fn number(
    record: &mut Record<'_>,
    context: &Context<'_>,
    code: Code,
    value: (f64, u32),
    unit: (&'static str, &'static str),
) {
    let value = quantity(value.0, value.1, unit.0, unit.1);
    add(record, context, Seen::new(VITAL_SIGNS, code, "valueQuantity", value));
}

fn rates(record: &mut Record<'_>, context: &Context<'_>, age: i32) {
    let young = f64::from((14 - age).max(0));
    let heart = record.draw.normal(74.0 + 3.5 * young, 9.0);
    number(record, context, HEART_RATE, (heart, 0), ("/min", "/min"));
    let breath = record.draw.normal(15.5 + young, 1.5);
    number(record, context, RESPIRATORY_RATE, (breath, 0), ("/min", "/min"));
}

fn oxygen(record: &mut Record<'_>, context: &Context<'_>) {
    let warmth = record.draw.normal(36.8, 0.25);
    number(record, context, TEMPERATURE, (warmth, 1), ("Cel", "Cel"));
    let mean = if record.person.has(Chronic::Copd) { 92.5 } else { 97.5 };
    let saturation = record.draw.normal(mean, 1.1).clamp(85.0, 100.0);
    number(record, context, SATURATION, (saturation, 0), ("%", "%"));
}

fn size(record: &mut Record<'_>, context: &Context<'_>, age: i32) {
    let person = record.person;
    let grown = usize::try_from(age).ok().and_then(|age| GROWTH.get(age)).copied().unwrap_or(1.0);
    let height = (person.height_cm * grown * 10.0).round() / 10.0;
    let own = person.bmi + record.draw.normal(0.0, 0.5);
    // Children: about 16.5 at school age, near the adult value at 18.
    let bmi = if age < 18 { own * (0.58 + 0.025 * f64::from((age - 5).max(0))) } else { own };
    let weight = (bmi * height * height / 1_000.0).round() / 10.0;
    number(record, context, HEIGHT, (height, 1), ("cm", "cm"));
    number(record, context, WEIGHT, (weight, 1), ("kg", "kg"));
    if age >= 2 {
        number(record, context, BMI, (weight / height / height * 10_000.0, 1), ("kg/m2", "kg/m2"));
    }
}

fn tobacco(record: &mut Record<'_>, context: &Context<'_>) {
    let status = match record.person.smoking {
        Smoking::Never => snomed("266919005", "Never smoked tobacco (finding)"),
        Smoking::Former => snomed("8517006", "Ex-smoker (finding)"),
        Smoking::Daily => snomed("449868002", "Smokes tobacco daily (finding)"),
        Smoking::SomeDays => snomed("428041000124106", "Occasional tobacco smoker (finding)"),
    };
    let value: Value = code(status.system, status.code, status.display).concept();
    add(record, context, Seen::new(SOCIAL_HISTORY, TOBACCO, "valueCodeableConcept", value));
}
