//! Social needs: answers to the AHC-HRSN items, the needs they reveal, referrals and goals, by Gravity category.

use fhir::Value;

use super::condition::{self, Facts, PROBLEM, references, status_word};
use super::observation::{Context, SURVEY, Seen, add};
use crate::course::Visit;
use crate::make::{
    Code, GRAVITY, ICD10, US_CORE_CATEGORY, code, loinc, object, one, reference, snomed, word,
};
use crate::planted;
use crate::record::Record;

const SDOH: Code = code(US_CORE_CATEGORY, "sdoh", "SDOH");
const YES: Code = loinc("LA33-6", "Yes");
const NO: Code = loinc("LA32-8", "No");
const OFTEN: Code = loinc("LA28397-0", "Often true");
const SOMETIMES: Code = loinc("LA6729-3", "Sometimes true");
const NEVER: Code = loinc("LA28398-8", "Never true");

/// A domain of social needs.
struct Domain {
    category: Code,
    /// Probability of a need in vulnerable counties and in others.
    rates: (f64, f64),
    /// Question, answer of those in need, answer of the others.
    items: &'static [(Code, Code, Code)],
    need: &'static [Code],
    text: &'static str,
    service: Code,
}

const SOCIAL_WORKER: Code = snomed("308440001", "Referral to social worker (procedure)");

const DOMAINS: [Domain; 4] = [
    Domain {
        category: code(GRAVITY, "food-insecurity", "Food Insecurity"),
        rates: (planted::FOOD_INSECURITY.rate_group, planted::FOOD_INSECURITY.rate_other),
        items: &[
            (
                loinc(
                    "88122-7",
                    "Within the past 12 months we worried whether our food would run out before we got money to buy more [U.S. FSS]",
                ),
                OFTEN,
                NEVER,
            ),
            (
                loinc(
                    "88123-5",
                    "Within the past 12 months the food we bought just didn't last and we didn't have money to get more [U.S. FSS]",
                ),
                SOMETIMES,
                NEVER,
            ),
            (
                loinc("88124-3", "Food insecurity risk [HVS]"),
                loinc("LA19952-3", "At risk"),
                loinc("LA19983-8", "No risk"),
            ),
        ],
        need: &[snomed("733423003", "Food insecurity (finding)"), code(ICD10, "Z59.41", "Food insecurity")],
        text: "Food insecurity",
        service: snomed("467771000124109", "Assistance with application for food pantry program"),
    },
    Domain {
        category: code(GRAVITY, "housing-instability", "Housing Instability"),
        rates: (0.11, 0.05),
        items: &[(
            loinc("71802-3", "Housing status"),
            loinc(
                "LA31994-9",
                "I have a place to live today, but I am worried about losing it in the future",
            ),
            loinc("LA31993-1", "I have a steady place to live"),
        )],
        need: &[
            snomed("1156191002", "Housing instability (finding)"),
            code(ICD10, "Z59.811", "Housing instability, housed, with risk of homelessness"),
        ],
        text: "Housing instability",
        service: SOCIAL_WORKER,
    },
    Domain {
        category: code(GRAVITY, "transportation-insecurity", "Transportation Insecurity"),
        rates: (0.12, 0.05),
        items: &[(
            loinc(
                "93030-5",
                "Has lack of transportation kept you from medical appointments, meetings, work, or from getting things needed for daily living",
            ),
            YES,
            NO,
        )],
        need: &[
            snomed("713458007", "Lack of access to transportation (finding)"),
            code(ICD10, "Z59.82", "Transportation insecurity"),
        ],
        text: "Transportation insecurity",
        service: SOCIAL_WORKER,
    },
    Domain {
        category: code(GRAVITY, "utility-insecurity", "Utility Insecurity"),
        rates: (0.09, 0.04),
        items: &[(
            loinc(
                "96779-4",
                "Has the electric, gas, oil, or water company threatened to shut off services in your home in past 12 months",
            ),
            YES,
            NO,
        )],
        need: &[code(ICD10, "Z59.12", "Inadequate housing utilities")],
        text: "Utility insecurity",
        service: SOCIAL_WORKER,
    },
];

/// Adds a screening with what follows from it.
pub(crate) fn add_screening(record: &mut Record<'_>, visit: &Visit, encounter: &str) {
    let context = Context { encounter, at: visit.start.plus(2) };
    for domain in &DOMAINS {
        let vulnerable = record.person.county.is_vulnerable();
        let in_need = record.draw.chance(if vulnerable { domain.rates.0 } else { domain.rates.1 });
        for (question, yes, no) in domain.items {
            let answer = if in_need { yes } else { no };
            let mut seen = Seen::new(SURVEY, *question, "valueCodeableConcept", answer.concept());
            seen.category = vec![SDOH.concept(), SURVEY.concept(), domain.category.concept()].into();
            seen.performer = one(record.subject());
            add(record, &context, seen);
        }
        if in_need {
            follow_up(record, domain, visit, encounter);
        }
    }
}

/// Circumstances that are written down at a visit without a questionnaire: probability, category, codes and text.
const CIRCUMSTANCES: [(f64, Code, &[Code], &str); 3] = [
    (
        0.025,
        code(GRAVITY, "employment-status", "Employment Status"),
        &[snomed("73438004", "Unemployed (finding)"), code(ICD10, "Z56.0", "Unemployment, unspecified")],
        "Unemployment",
    ),
    (
        0.03,
        code(GRAVITY, "social-connection", "Social Connection"),
        &[
            snomed("105529008", "Lives alone (finding)"),
            code(ICD10, "Z60.2", "Problems related to living alone"),
        ],
        "Lives alone",
    ),
    (
        0.02,
        code(GRAVITY, "educational-attainment", "Educational Attainment"),
        &[code(ICD10, "Z55.5", "Less than a high school diploma")],
        "Less than a high school diploma",
    ),
];

/// Adds what a clinician wrote down about the circumstances of an adult.
pub(crate) fn add_circumstances(record: &mut Record<'_>, visit: &Visit, encounter: &str) {
    for (p, category, codes, text) in CIRCUMSTANCES {
        if record.draw.chance(p) && (20..65).contains(&record.person.birth.age_on(visit.day())) {
            let facts = Facts {
                codes,
                text,
                categories: &[PROBLEM, SDOH, category],
                encounter: Some(encounter),
                onset: visit.day(),
                abatement: None,
                recorded: visit.day(),
                meta: Value::Null,
            };
            condition::add(record, facts);
        }
    }
}

fn follow_up(record: &mut Record<'_>, domain: &Domain, visit: &Visit, encounter: &str) {
    let resolved = visit.day().plus(record.draw.between(40, 300));
    let is_over = record.draw.chance(0.35) && resolved < record.person.last_day(record.end);
    let facts = Facts {
        codes: domain.need,
        text: domain.text,
        categories: &[PROBLEM, SDOH, domain.category],
        encounter: Some(encounter),
        onset: visit.day(),
        abatement: is_over.then_some(resolved),
        recorded: visit.day(),
        meta: Value::Null,
    };
    let need = condition::add(record, facts);
    if record.draw.chance(0.65) {
        refer(record, domain, visit, (encounter, &need), is_over);
    }
    if record.draw.chance(0.35) {
        goal(record, domain, visit, &need, is_over);
    }
}

fn refer(
    record: &mut Record<'_>,
    domain: &Domain,
    visit: &Visit,
    (encounter, need): (&str, &str),
    is_over: bool,
) {
    let id = record.next_id();
    let members = [
        ("status", status_word(is_over)),
        ("intent", word("order")),
        ("category", vec![SDOH.concept(), domain.category.concept()].into()),
        ("code", domain.service.concept()),
        ("subject", record.subject()),
        ("encounter", reference("Encounter", encounter)),
        ("authoredOn", visit.start.plus(20).text().into()),
        ("requester", record.own_practitioner()),
        ("reasonReference", references(need)),
    ];
    record.add("ServiceRequest", id, members);
}

fn goal(record: &mut Record<'_>, domain: &Domain, visit: &Visit, need: &str, is_over: bool) {
    let id = record.next_id();
    let (status, display) = if is_over { ("achieved", "Achieved") } else { ("in-progress", "In Progress") };
    let achievement = code("http://terminology.hl7.org/CodeSystem/goal-achievement", status, display);
    let members = [
        ("lifecycleStatus", word(if is_over { "completed" } else { "active" })),
        ("achievementStatus", achievement.concept()),
        ("category", vec![SDOH.concept(), domain.category.concept()].into()),
        ("description", object([("text", format!("Overcome: {}", domain.text.to_lowercase()).into())])),
        ("subject", record.subject()),
        ("startDate", visit.day().text().into()),
        ("addresses", references(need)),
    ];
    record.add("Goal", id, members);
}
