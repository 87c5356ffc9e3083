//! Regions of addresses in the United States: state, county (FIPS) and the first three digits of the ZIP code. Levels are never mixed, and
//! nothing is guessed from the name of a city or county.

use compact_str::CompactString;
use fhir::{Instant, Kind, Resource, Value};

use super::param;
use crate::extract::period_of;
use crate::query::Relation;
use crate::rows::{IndexRows, RelationRow, TokenRow};

/// The county of an address, five digits of FIPS, as an extension of the address.
const COUNTY_FIPS: &str = "urn:salus:county-fips";
/// FHIR's own extension for the census tract, whose first five digits are the county.
const CENSUS_TRACT: &str = "http://hl7.org/fhir/StructureDefinition/iso21090-ADXP-censusTract";
/// FHIR's own extension for codes of address parts.
const PART_CODE: &str = "http://hl7.org/fhir/StructureDefinition/iso21090-SC-coding";
/// FIPS 6-4 counties.
const FIPS_6_4: &str = "urn:oid:2.16.840.1.113883.6.93";

/// Of a patient's home as facts with their time; of places and practitioners as tokens.
pub(super) fn add(resource: &Resource, at: Instant, rows: &mut IndexRows) {
    let Some(param) = param(resource, "region") else { return };
    let Some(addresses) = resource.value().get("address").map(Value::each) else { return };
    if resource.kind() == Kind::PATIENT {
        let Some(patient) = resource.id() else { return };
        for address in addresses.iter().filter(|address| is_home(address)) {
            let (low, high) = force_of(address);
            rows.relations.extend(regions(address).into_iter().map(|(level, code)| RelationRow {
                relation: Relation::Region,
                patient: patient.into(),
                system: Some(CompactString::const_new(level)),
                code,
                low,
                high,
            }));
        }
        return;
    }
    if !matches!(resource.kind().name(), "Organization" | "Location" | "Practitioner") {
        return;
    }
    for address in addresses {
        let (low, high) = force_of(address);
        if low > at.0 || high <= at.0 || address.text("use") == Some("old") {
            continue;
        }
        rows.tokens.extend(regions(address).into_iter().map(|(level, code)| TokenRow {
            param,
            system: Some(CompactString::const_new(level)),
            code: Some(code),
        }));
    }
}

/// Somebody lives there: no place of work, no post box, and no old address of which nobody knows when it ended.
fn is_home(address: &Value) -> bool {
    let ended = address.get("period").is_some_and(|period| period.get("end").is_some());
    match address.text("use") {
        Some("work" | "billing") => false,
        Some("old") if !ended => false,
        _ => address.text("type") != Some("postal"),
    }
}

fn force_of(address: &Value) -> (i64, i64) {
    address.get("period").and_then(period_of).map_or((i64::MIN, i64::MAX), |period| (period.low, period.high))
}

/// Level and code, as far as they are stated.
fn regions(address: &Value) -> Vec<(&'static str, CompactString)> {
    if !matches!(
        address.text("country"),
        None | Some("US" | "USA" | "United States" | "United States of America")
    ) {
        return Vec::new();
    }
    let mut regions = Vec::new();
    regions.extend(
        address.text("state").and_then(state_of).map(|code| ("state", CompactString::const_new(code))),
    );
    regions.extend(county_of(address).map(|code| ("county", code)));
    regions.extend(address.text("postalCode").and_then(zip3_of).map(|code| ("zip3", code)));
    regions
}

fn zip3_of(text: &str) -> Option<CompactString> {
    let digits = text.trim();
    let (five, rest) = digits.split_at_checked(5)?;
    let is_zip = five.bytes().all(|byte| byte.is_ascii_digit()) && (rest.is_empty() || rest.starts_with('-'));
    is_zip.then(|| CompactString::from(&five[..3]))
}

fn county_of(address: &Value) -> Option<CompactString> {
    let of = |holder: &Value| {
        let extensions = holder.get("extension").map(Value::each).unwrap_or_default();
        extensions.iter().find_map(|extension| {
            let text = |name| extension.text(name);
            let code = match text("url")? {
                COUNTY_FIPS => text("valueString").or_else(|| text("valueCode"))?,
                CENSUS_TRACT => text("valueString").filter(|tract| tract.len() >= 11)?.get(..5)?,
                PART_CODE => {
                    let coding = extension.get("valueCoding")?;
                    coding.text("code").filter(|_| coding.text("system") == Some(FIPS_6_4))?
                }
                _ => return None,
            };
            let is_fips = code.len() == 5 && code.bytes().all(|byte| byte.is_ascii_digit());
            is_fips.then(|| CompactString::from(code))
        })
    };
    of(address).or_else(|| address.get("_district").and_then(of))
}

/// The postal code of a state, by its code or its name.
fn state_of(text: &str) -> Option<&'static str> {
    let text = text.trim();
    let found =
        |state: &&(&str, &str)| state.0.eq_ignore_ascii_case(text) || state.1.eq_ignore_ascii_case(text);
    STATES.iter().find(found).map(|state| state.0)
}

#[rustfmt::skip]
const STATES: [(&str, &str); 56] = [
    ("AL", "Alabama"), ("AK", "Alaska"), ("AS", "American Samoa"), ("AZ", "Arizona"), ("AR", "Arkansas"), ("CA", "California"),
    ("CO", "Colorado"), ("CT", "Connecticut"), ("DE", "Delaware"), ("DC", "District of Columbia"), ("FL", "Florida"),
    ("GA", "Georgia"), ("GU", "Guam"), ("HI", "Hawaii"), ("ID", "Idaho"), ("IL", "Illinois"), ("IN", "Indiana"), ("IA", "Iowa"),
    ("KS", "Kansas"), ("KY", "Kentucky"), ("LA", "Louisiana"), ("ME", "Maine"), ("MD", "Maryland"), ("MA", "Massachusetts"),
    ("MI", "Michigan"), ("MN", "Minnesota"), ("MS", "Mississippi"), ("MO", "Missouri"), ("MT", "Montana"), ("NE", "Nebraska"),
    ("NV", "Nevada"), ("NH", "New Hampshire"), ("NJ", "New Jersey"), ("NM", "New Mexico"), ("NY", "New York"),
    ("NC", "North Carolina"), ("ND", "North Dakota"), ("MP", "Northern Mariana Islands"), ("OH", "Ohio"), ("OK", "Oklahoma"),
    ("OR", "Oregon"), ("PA", "Pennsylvania"), ("PR", "Puerto Rico"), ("RI", "Rhode Island"), ("SC", "South Carolina"),
    ("SD", "South Dakota"), ("TN", "Tennessee"), ("TX", "Texas"), ("UT", "Utah"), ("VT", "Vermont"), ("VA", "Virginia"),
    ("VI", "Virgin Islands"), ("WA", "Washington"), ("WV", "West Virginia"), ("WI", "Wisconsin"), ("WY", "Wyoming"),
];

#[cfg(test)]
mod tests {
    use fhir::json;

    use super::*;

    fn check(address: &Value, expected: &str) {
        let shown: Vec<String> =
            regions(address).iter().map(|(level, code)| format!("{level}|{code}")).collect();
        assert_eq!(shown.join(" "), expected);
    }

    #[test]
    fn only_what_is_stated_is_known() {
        check(&json!({"state": "TX", "postalCode": "77026-1234", "district": "Harris"}), "state|TX zip3|770");
        check(&json!({"state": "massachusetts", "country": "US", "postalCode": "1940"}), "state|MA");
        check(&json!({"state": "Bavaria", "country": "DE", "postalCode": "80331"}), "");
        check(&json!({"city": "Houston"}), "");
        check(
            &json!({"extension": [{"url": "urn:salus:county-fips", "valueString": "48201"}]}),
            "county|48201",
        );
        check(&json!({"extension": [{"url": "urn:salus:county-fips", "valueString": "4820"}]}), "");
        check(
            &json!({"_district": {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/iso21090-SC-coding",
                "valueCoding": {"system": "urn:oid:2.16.840.1.113883.6.93", "code": "06037"}}]}}),
            "county|06037",
        );
        check(
            &json!({"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/iso21090-ADXP-censusTract",
                "valueString": "48201223100"}]}),
            "county|48201",
        );
    }

    #[test]
    fn a_home_is_where_somebody_lives() {
        assert!(is_home(&json!({"use": "home"})) && is_home(&json!({})));
        assert!(is_home(&json!({"use": "old", "period": {"end": "2020"}})));
        assert!(!is_home(&json!({"use": "old"})));
        assert!(!is_home(&json!({"use": "work"})));
        assert!(!is_home(&json!({"type": "postal"})));
    }
}
