//! What all patients share: payers, a hospital and a clinic per county, their places and people. The same for every seed.

use compact_str::{CompactString, format_compact};
use fhir::{Object, Value};

use crate::make::{Code, code, identifier, object, one, reference, snomed, word};
use crate::names::{FAMILY, FEMALE, MALE};
use crate::random::Draw;
use crate::region::{COUNTIES, County};
use crate::resource::coverage::{MEDICAID, MEDICARE, PRIVATE, Plan};
use crate::resource::patient::COUNTY_FIPS_URL;

const ORGANIZATION_TYPE: &str = "http://terminology.hl7.org/CodeSystem/organization-type";

/// Every shared resource; what is referred to stands before what refers to it.
pub(crate) fn resources() -> Vec<Value> {
    // The people who work here do not depend on the seed of the patients.
    let mut draw = Draw::of(0, 0);
    let mut all: Vec<Value> =
        [&MEDICARE, &MEDICAID, &PRIVATE[0], &PRIVATE[1]].into_iter().filter_map(payer).collect();
    for county in &COUNTIES {
        organizations(county, &mut all);
        locations(county, &mut all);
        for number in 1..=6 {
            practitioner(&mut draw, county, number, &mut all);
        }
    }
    all
}

fn resource<const N: usize>(
    kind: &'static str,
    id: CompactString,
    members: [(&'static str, Value); N],
) -> Value {
    let mut resource = Object::new();
    resource.insert("resourceType", word(kind));
    resource.insert("id", id.into());
    for (key, value) in members.into_iter().filter(|(_, value)| !value.is_null()) {
        resource.insert(key, value);
    }
    Value::Object(resource)
}

fn payer(plan: &Plan) -> Option<Value> {
    let id = plan.organization?;
    let members = [
        ("active", true.into()),
        ("type", one(code(ORGANIZATION_TYPE, "pay", "Payer").concept())),
        ("name", word(plan.name)),
    ];
    Some(resource("Organization", id.into(), members))
}

fn address(county: &County) -> Value {
    let fips = object([("url", word(COUNTY_FIPS_URL)), ("valueCode", word(county.fips))]);
    object([
        ("extension", one(fips)),
        ("line", one(word("1 Example Plaza"))),
        ("city", word(county.city)),
        ("district", word(county.name)),
        ("state", word(county.state)),
        ("postalCode", word(county.zips[0])),
        ("country", word("US")),
    ])
}

fn organizations(county: &County, all: &mut Vec<Value>) {
    for (what, title) in [("hospital", "General Hospital"), ("clinic", "Community Clinic")] {
        let phone = format_compact!("+1-{}-555-0100", county.area_code);
        let members = [
            ("active", true.into()),
            ("type", one(code(ORGANIZATION_TYPE, "prov", "Healthcare Provider").concept())),
            ("name", format_compact!("{} County {title} (synthetic)", county.name).into()),
            ("telecom", one(object([("system", word("phone")), ("value", phone.into())]))),
            ("address", one(address(county))),
        ];
        all.push(resource("Organization", format_compact!("org-{}-{what}", county.fips), members));
    }
}

fn locations(county: &County, all: &mut Vec<Value>) {
    const ROLE: &str = "http://terminology.hl7.org/CodeSystem/v3-RoleCode";
    let places = [
        ("ward", "Inpatient ward", code(ROLE, "HU", "Hospital unit"), "hospital"),
        ("emergency", "Emergency department", code(ROLE, "ER", "Emergency room"), "hospital"),
        ("clinic", "Clinic", code(ROLE, "OF", "Outpatient facility"), "clinic"),
    ];
    for (what, name, kind, owner) in places {
        let members = [
            ("status", word("active")),
            ("name", format_compact!("{name}, {} County", county.name).into()),
            ("mode", word("instance")),
            ("type", one(kind.concept())),
            ("address", address(county)),
            (
                "managingOrganization",
                reference("Organization", &format_compact!("org-{}-{owner}", county.fips)),
            ),
        ];
        all.push(resource("Location", format_compact!("loc-{}-{what}", county.fips), members));
    }
}

fn practitioner(draw: &mut Draw, county: &County, number: u32, all: &mut Vec<Value>) {
    let female = draw.chance(0.5);
    let given = *draw.pick(if female { &FEMALE } else { &MALE });
    let family = *draw.pick(&FAMILY);
    let name = object([("family", word(family)), ("given", one(word(given))), ("prefix", one(word("Dr.")))]);
    let id = format_compact!("prac-{}-{number}", county.fips);
    let npi = npi(&format_compact!("1{}{number:03}", county.fips));
    let members = [
        ("identifier", one(identifier("NPI", "http://hl7.org/fhir/sid/us-npi", npi))),
        ("active", true.into()),
        ("name", one(name)),
        ("gender", word(if female { "female" } else { "male" })),
    ];
    all.push(resource("Practitioner", id.clone(), members));
    let (specialty, owner, place): (Code, _, _) = match number {
        1..=4 => (snomed("419772000", "Family practice (qualifier value)"), "clinic", "clinic"),
        5 => (snomed("419192003", "Internal medicine (qualifier value)"), "hospital", "ward"),
        _ => (snomed("773568002", "Emergency medicine (qualifier value)"), "hospital", "emergency"),
    };
    let members = [
        ("active", true.into()),
        ("practitioner", reference("Practitioner", &id)),
        ("organization", reference("Organization", &format_compact!("org-{}-{owner}", county.fips))),
        ("specialty", one(specialty.concept())),
        ("location", one(reference("Location", &format_compact!("loc-{}-{place}", county.fips)))),
    ];
    all.push(resource("PractitionerRole", format_compact!("role-{}-{number}", county.fips), members));
}

/// A National Provider Identifier of nine digits: the tenth makes the Luhn sum of `80840` and all ten a multiple of ten.
fn npi(digits: &str) -> CompactString {
    let mut sum = 24;
    for (at, digit) in digits.bytes().rev().enumerate() {
        let value = u32::from(digit - b'0') * if at % 2 == 0 { 2 } else { 1 };
        sum += value / 10 + value % 10;
    }
    format_compact!("{digits}{}", (10 - sum % 10) % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn provider_numbers_have_their_check_digit() {
        assert_eq!(npi("123456789"), "1234567893");
        assert_eq!(npi("155859879"), "1558598797");
    }
}
