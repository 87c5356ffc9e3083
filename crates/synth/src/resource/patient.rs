//! Patient, close to the US Core profile: race, ethnicity, birth sex, home with county.

use compact_str::{CompactString, format_compact};
use fhir::Value;

use crate::make::{Code, code, identifier, object, one, period, word};
use crate::names::{FAMILY, FEMALE, MALE};
use crate::person::{LANGUAGES, Race};
use crate::record::Record;
use crate::region::County;

const OMB: &str = "urn:oid:2.16.840.1.113883.6.238";
const NULL_FLAVOR: &str = "http://terminology.hl7.org/CodeSystem/v3-NullFlavor";
const HISPANIC: Code = code(OMB, "2135-2", "Hispanic or Latino");
const NOT_HISPANIC: Code = code(OMB, "2186-5", "Not Hispanic or Latino");
const WHITE: Code = code(OMB, "2106-3", "White");
const BLACK: Code = code(OMB, "2054-5", "Black or African American");
const TEST_DATA: Code =
    code("http://terminology.hl7.org/CodeSystem/v3-ActReason", "HTEST", "test health data");

/// URL of the extension of `Patient.address` that carries the five-digit FIPS code of the county as a `valueCode`.
pub const COUNTY_FIPS_URL: &str = "urn:salus:county-fips";

/// Adds the Patient; it is the first resource of a record and has the person's own id.
pub(crate) fn add(record: &mut Record<'_>) {
    let person = record.person;
    let names = if person.female { &FEMALE } else { &MALE };
    let family = *record.draw.pick(&FAMILY);
    let given = [*record.draw.pick(names), *record.draw.pick(names)];
    let addresses = addresses(record);
    let members = [
        ("meta", meta(person.county)),
        ("extension", extensions(record)),
        ("identifier", identifiers(record)),
        ("active", true.into()),
        (
            "name",
            one(object([
                ("use", word("official")),
                ("family", word(family)),
                ("given", given.map(word).to_vec().into()),
            ])),
        ),
        ("telecom", telecom(record, given[0])),
        ("gender", word(if person.female { "female" } else { "male" })),
        ("birthDate", person.birth.text().into()),
        deceased(record),
        ("address", addresses),
        ("maritalStatus", marital_status(record)),
        ("communication", communication(person.language)),
        ("generalPractitioner", one(record.own_practitioner())),
        ("managingOrganization", record.organization("clinic")),
    ];
    record.add("Patient", person.id.clone(), members);
}

fn meta(county: &County) -> Value {
    // The delta of the Mississippi is the rural programme of this population.
    let tag = object([("system", word("urn:salus:population")), ("code", word("rural-delta"))]);
    let is_delta = county.fips == "28027";
    object([
        ("profile", one(word("http://hl7.org/fhir/us/core/StructureDefinition/us-core-patient"))),
        ("security", one(TEST_DATA.coding())),
        ("tag", if is_delta { one(tag) } else { Value::Null }),
    ])
}

fn extensions(record: &Record<'_>) -> Value {
    let person = record.person;
    let (categories, text): (&[Code], _) = match person.race {
        Race::White => (&[WHITE], "White"),
        Race::Black => (&[BLACK], "Black or African American"),
        Race::Asian => (&[code(OMB, "2028-9", "Asian")], "Asian"),
        Race::Native => {
            (&[code(OMB, "1002-5", "American Indian or Alaska Native")], "American Indian or Alaska Native")
        }
        Race::Pacific => (
            &[code(OMB, "2076-8", "Native Hawaiian or Other Pacific Islander")],
            "Native Hawaiian or Other Pacific Islander",
        ),
        Race::Several => (&[WHITE, BLACK], "White and Black or African American"),
        Race::Unknown => (&[code(NULL_FLAVOR, "UNK", "unknown")], "Unknown"),
    };
    let ethnicity = if person.hispanic { HISPANIC } else { NOT_HISPANIC };
    vec![
        origin("http://hl7.org/fhir/us/core/StructureDefinition/us-core-race", categories, text),
        origin(
            "http://hl7.org/fhir/us/core/StructureDefinition/us-core-ethnicity",
            &[ethnicity],
            ethnicity.display,
        ),
        object([
            ("url", word("http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex")),
            ("valueCode", word(if person.female { "F" } else { "M" })),
        ]),
    ]
    .into()
}

fn origin(url: &'static str, categories: &[Code], text: &'static str) -> Value {
    let category = |code: &Code| object([("url", word("ombCategory")), ("valueCoding", code.coding())]);
    let mut parts: Vec<Value> = categories.iter().map(category).collect();
    parts.push(object([("url", word("text")), ("valueString", word(text))]));
    object([("extension", parts.into()), ("url", word(url))])
}

fn identifiers(record: &Record<'_>) -> Value {
    let number = format_compact!("SYN-{}", record.person.id);
    one(identifier("MR", "urn:salus:synth:mrn", number))
}

fn telecom(record: &mut Record<'_>, given: &str) -> Value {
    let phone =
        format_compact!("+1-{}-555-01{:02}", record.person.county.area_code, record.draw.between(0, 99));
    let contact = |system: &'static str, value: CompactString, usage: &'static str| {
        object([("system", word(system)), ("value", value.into()), ("use", word(usage))])
    };
    let mut ways = vec![contact("phone", phone, "home")];
    if record.draw.chance(0.6) {
        let plain: CompactString = given.chars().filter(char::is_ascii_alphabetic).collect();
        let mail = format_compact!("{}.{}@example.org", plain.to_ascii_lowercase(), record.person.id);
        ways.push(contact("email", mail, "home"));
    }
    ways.into()
}

fn deceased(record: &mut Record<'_>) -> (&'static str, Value) {
    match record.person.death {
        None => ("deceasedBoolean", Value::Null),
        // In some records the fact is known and the date is not.
        Some(_) if record.draw.chance(0.03) => ("deceasedBoolean", true.into()),
        Some(death) => ("deceasedDateTime", death.text().into()),
    }
}

fn addresses(record: &mut Record<'_>) -> Value {
    let person = record.person;
    let Some((from, day)) = person.moved else {
        return one(address(record, person.county, "home", Value::Null));
    };
    let now = address(record, person.county, "home", period(day.text(), None));
    let before = object([("end", day.plus(-1).text().into())]);
    vec![now, address(record, from, "old", before)].into()
}

fn address(record: &mut Record<'_>, county: &County, usage: &'static str, period: Value) -> Value {
    let street = *record.draw.pick(&["Example Street", "Sample Avenue", "Mockup Lane", "Placeholder Road"]);
    let zip = *record.draw.pick(&county.zips);
    let fips = object([("url", word(COUNTY_FIPS_URL)), ("valueCode", word(county.fips))]);
    object([
        ("extension", one(fips)),
        ("use", word(usage)),
        ("line", one(format_compact!("{} {street}", record.draw.between(1, 9_999)).into())),
        ("city", word(county.city)),
        ("district", word(county.name)),
        ("state", word(county.state)),
        ("postalCode", word(zip)),
        ("country", word("US")),
        ("period", period),
    ])
}

fn marital_status(record: &mut Record<'_>) -> Value {
    const SYSTEM: &str = "http://terminology.hl7.org/CodeSystem/v3-MaritalStatus";
    if record.person.age < 18 {
        return code(SYSTEM, "S", "Never Married").concept();
    }
    let old = if record.person.age >= 70 { 0.3 } else { 0.03 };
    let all = [("M", "Married"), ("S", "Never Married"), ("D", "Divorced"), ("W", "Widowed")];
    let (status, display) = all[record.draw.weighted(&[0.5, 0.3, 0.12, old])];
    code(SYSTEM, status, display).concept()
}

fn communication(language: usize) -> Value {
    let (tag, name) = LANGUAGES[language];
    one(object([("language", code("urn:ietf:bcp:47", tag, name).concept()), ("preferred", true.into())]))
}
