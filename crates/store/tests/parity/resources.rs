//! Random small resources over a small vocabulary, so that many of them share values.

use fhir::Resource;
use fhir::json::Limits;

use crate::draw::Draw;

/// The types that occur; some more often.
pub(crate) const KINDS: [&str; 32] = [
    "Patient",
    "Patient",
    "Patient",
    "Patient",
    "Observation",
    "Observation",
    "Observation",
    "Observation",
    "Observation",
    "Encounter",
    "Encounter",
    "Encounter",
    "Organization",
    "Location",
    "Practitioner",
    "Group",
    "RiskAssessment",
    "Condition",
    "List",
    "ValueSet",
    "Invoice",
    "Coverage",
    "Provenance",
    "DocumentReference",
    "Questionnaire",
    "Questionnaire",
    "QuestionnaireResponse",
    "QuestionnaireResponse",
    "PlanDefinition",
    "CarePlan",
    "StructureDefinition",
    "MeasureReport",
];
pub(crate) const IDS: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];
pub(crate) const CODES: [&str; 5] = ["alpha", "beta", "gamma", "delta", "Alpha"];
pub(crate) const SYSTEMS: [&str; 3] = ["urn:one", "urn:two", "http://three.org/x"];
pub(crate) const WORDS: [&str; 7] = ["Péter", "peter", "Peters", "van der Berg", "Müller", "mu", "Łódź 12"];
pub(crate) const DATES: [&str; 10] = [
    "2019",
    "2020",
    "2020-02",
    "2020-02-29",
    "2020-03-01",
    "2021-06-15",
    "2020-02-29T10:00:00Z",
    "2020-02-29T23:30:00-02:00",
    "2023-12-31",
    "2024-01-01",
];
pub(crate) const NUMBERS: [&str; 12] =
    ["90", "110", "4.5", "5", "5.0", "5.4", "5.45", "-1", "0", "100", "1e2", "1000"];
pub(crate) const UNITS: [&str; 6] = ["mg/dL", "g/L", "mg", "Cel", "[degF]", "/min"];
pub(crate) const VERSIONS: [&str; 3] = ["1", "2", "2.0"];
pub(crate) const URLS: [&str; 6] = [
    "http://x.org/a",
    "http://x.org/a/b",
    "http://x.org/a/",
    "http://x.org/ab",
    "urn:oid:1.2",
    "http://x.org",
];

/// A resource of a random type with a random id.
pub(crate) fn resource(draw: &mut Draw) -> Resource {
    let kind = draw.of(&KINDS);
    let id = draw.of(&IDS);
    let mut members = vec![format!(r#""resourceType":"{kind}""#), format!(r#""id":"{id}""#)];
    if draw.percent(25) {
        members.push(format!(
            r#""meta":{{"tag":[{}],"profile":["{}"]}}"#,
            if draw.percent(30) {
                r#"{"system":"urn:salus:population","code":"alpha"}"#.into()
            } else {
                coding(draw)
            },
            draw.of(&URLS)
        ));
    }
    match kind {
        "Patient" => patient(draw, &mut members),
        "Observation" => observation(draw, &mut members),
        "Encounter" => encounter(draw, &mut members),
        "Group" => group(draw, &mut members),
        "RiskAssessment" => risk(draw, &mut members),
        _ => other(draw, kind, &mut members),
    }
    let text = format!("{{{}}}", members.join(","));
    Resource::parse(text.as_bytes(), &Limits::default()).unwrap_or_else(|issues| panic!("{text}: {issues:?}"))
}

fn patient(draw: &mut Draw, members: &mut Vec<String>) {
    maybe(draw, 80, members, |draw| {
        let names: Vec<String> = (0..=draw.below(2))
            .map(|_| format!(r#"{{"family":"{}","given":["{}"]}}"#, draw.of(&WORDS), draw.of(&WORDS)))
            .collect();
        format!(r#""name":[{}]"#, names.join(","))
    });
    maybe(draw, 70, members, |draw| format!(r#""gender":"{}""#, draw.of(&["male", "female", "other"])));
    maybe(draw, 70, members, |draw| format!(r#""birthDate":"{}""#, draw.of(&DATES[..6])));
    maybe(draw, 40, members, |draw| format!(r#""active":{}"#, draw.percent(50)));
    maybe(draw, 50, members, |draw| format!(r#""identifier":[{},{}]"#, identifier(draw), identifier(draw)));
    maybe(draw, 40, members, |draw| {
        format!(r#""managingOrganization":{}"#, reference(draw, &["Organization"]))
    });
    maybe(draw, 30, members, |draw| {
        format!(r#""link":[{{"other":{},"type":"seealso"}}]"#, reference(draw, &["Patient"]))
    });
    maybe(draw, 30, members, |draw| {
        format!(r#""generalPractitioner":[{}]"#, reference(draw, &["Practitioner", "Organization"]))
    });
    maybe(draw, 60, members, |draw| {
        let all: Vec<String> = (0..=draw.below(2)).map(|_| address(draw)).collect();
        format!(r#""address":[{}]"#, all.join(","))
    });
    maybe(draw, 30, members, |draw| match draw.below(3) {
        0 => r#""deceasedBoolean":true"#.into(),
        1 => r#""deceasedBoolean":false"#.into(),
        _ => format!(r#""deceasedDateTime":"{}""#, draw.of(&DATES)),
    });
}

fn observation(draw: &mut Draw, members: &mut Vec<String>) {
    members.push(format!(r#""status":"{}""#, draw.of(&["final", "amended"])));
    members.push(format!(r#""code":{}"#, concept(draw)));
    maybe(draw, 80, members, |draw| {
        format!(r#""subject":{}"#, reference(draw, &["Patient", "Patient", "Group", "Location"]))
    });
    maybe(draw, 40, members, |draw| format!(r#""encounter":{}"#, reference(draw, &["Encounter"])));
    maybe(draw, 40, members, |draw| {
        format!(r#""performer":[{}]"#, reference(draw, &["Practitioner", "Patient"]))
    });
    maybe(draw, 70, members, |draw| match draw.below(3) {
        0 | 1 => format!(r#""effectiveDateTime":"{}""#, draw.of(&DATES)),
        _ => format!(r#""effectivePeriod":{}"#, period(draw)),
    });
    maybe(draw, 80, members, |draw| match draw.below(6) {
        0..3 => format!(r#""valueQuantity":{}"#, quantity(draw)),
        3 => format!(r#""valueCodeableConcept":{}"#, concept(draw)),
        4 => format!(r#""valueString":"{}""#, draw.of(&WORDS)),
        _ => format!(r#""valueDateTime":"{}""#, draw.of(&DATES)),
    });
    maybe(draw, 30, members, |draw| {
        let all: Vec<String> = (0..=draw.below(2))
            .map(|_| format!(r#"{{"code":{},"valueQuantity":{}}}"#, concept(draw), quantity(draw)))
            .collect();
        format!(r#""component":[{}]"#, all.join(","))
    });
}

fn encounter(draw: &mut Draw, members: &mut Vec<String>) {
    members.push(r#""status":"finished""#.into());
    members.push(format!(r#""class":{}"#, coding(draw)));
    maybe(draw, 80, members, |draw| format!(r#""subject":{}"#, reference(draw, &["Patient"])));
    maybe(draw, 70, members, |draw| format!(r#""period":{}"#, period(draw)));
    maybe(draw, 50, members, |draw| {
        format!(r#""location":[{{"location":{}}}]"#, reference(draw, &["Location"]))
    });
    maybe(draw, 40, members, |draw| format!(r#""serviceProvider":{}"#, reference(draw, &["Organization"])));
    maybe(draw, 30, members, |draw| format!(r#""length":{}"#, quantity(draw)));
}

fn group(draw: &mut Draw, members: &mut Vec<String>) {
    members.push(format!(r#""type":"person","actual":{}"#, draw.percent(80)));
    maybe(draw, 70, members, |draw| format!(r#""code":{}"#, concept(draw)));
    maybe(draw, 80, members, |draw| {
        let all: Vec<String> = (0..=draw.below(3))
            .map(|_| {
                let period =
                    if draw.percent(60) { format!(r#","period":{}"#, period(draw)) } else { String::new() };
                format!(
                    r#"{{"entity":{}{period}}}"#,
                    reference(draw, &["Patient", "Patient", "Practitioner"])
                )
            })
            .collect();
        format!(r#""member":[{}]"#, all.join(","))
    });
}

fn risk(draw: &mut Draw, members: &mut Vec<String>) {
    members.push(r#""status":"final""#.into());
    members.push(format!(r#""subject":{}"#, reference(draw, &["Patient"])));
    maybe(draw, 70, members, |draw| format!(r#""occurrenceDateTime":"{}""#, draw.of(&DATES)));
    maybe(draw, 80, members, |draw| {
        let probability = match draw.below(4) {
            0 => String::new(),
            1 => format!(r#""probabilityRange":{{"low":{{"value":{}}}}},"#, draw.of(&NUMBERS)),
            _ => format!(r#""probabilityDecimal":{},"#, draw.of(&NUMBERS)),
        };
        format!(r#""prediction":[{{{probability}"qualitativeRisk":{}}}]"#, concept(draw))
    });
}

fn other(draw: &mut Draw, kind: &str, members: &mut Vec<String>) {
    match kind {
        "Organization" | "Location" => {
            maybe(draw, 70, members, |draw| format!(r#""name":"{}""#, draw.of(&WORDS)));
            maybe(draw, 60, members, |draw| format!(r#""partOf":{}"#, reference(draw, &[kind])));
            maybe(draw, 40, members, |draw| {
                let address = address(draw);
                if kind == "Location" {
                    format!(r#""address":{address}"#)
                } else {
                    format!(r#""address":[{address}]"#)
                }
            });
        }
        "Practitioner" => {
            maybe(draw, 80, members, |draw| format!(r#""name":[{{"family":"{}"}}]"#, draw.of(&WORDS)));
        }
        "Condition" => {
            members.push(format!(r#""subject":{}"#, reference(draw, &["Patient", "Group"])));
            maybe(draw, 80, members, |draw| {
                let code = draw.of(&["Z59.41", "Z59.0", "J10.1"]);
                format!(
                    r#""code":{{"coding":[{{"system":"http://hl7.org/fhir/sid/icd-10-cm","code":"{code}"}}]}}"#
                )
            });
            maybe(draw, 70, members, |draw| match draw.below(3) {
                0 => format!(r#""onsetDateTime":"{}""#, draw.of(&DATES)),
                1 => format!(r#""onsetAge":{}"#, quantity(draw)),
                _ => format!(r#""onsetString":"{}""#, draw.of(&WORDS)),
            });
        }
        "List" => {
            members.push(r#""status":"current","mode":"working""#.into());
            maybe(draw, 40, members, |draw| format!(r#""subject":{}"#, reference(draw, &["Patient"])));
            maybe(draw, 80, members, |draw| {
                let all: Vec<String> = (0..=draw.below(3))
                    .map(|_| format!(r#"{{"item":{}}}"#, reference(draw, &KINDS)))
                    .collect();
                format!(r#""entry":[{}]"#, all.join(","))
            });
        }
        _ => paper(draw, kind, members),
    }
}

fn paper(draw: &mut Draw, kind: &str, members: &mut Vec<String>) {
    match kind {
        "Invoice" => {
            members.push(r#""status":"issued""#.into());
            maybe(draw, 60, members, |draw| format!(r#""subject":{}"#, reference(draw, &["Patient"])));
            maybe(draw, 80, members, |draw| {
                format!(
                    r#""totalGross":{{"value":{},"currency":"{}"}}"#,
                    draw.of(&NUMBERS),
                    draw.of(&["USD", "EUR"])
                )
            });
        }
        "Coverage" => {
            members.push(r#""status":"active""#.into());
            members.push(format!(r#""beneficiary":{}"#, reference(draw, &["Patient"])));
            members.push(format!(r#""payor":[{}]"#, reference(draw, &["Organization"])));
        }
        "Provenance" => {
            members.push(format!(r#""recorded":"{}""#, draw.of(&DATES[6..8])));
            members.push(format!(r#""target":[{},{}]"#, reference(draw, &KINDS), reference(draw, &KINDS)));
            members.push(format!(r#""agent":[{{"who":{}}}]"#, reference(draw, &["Practitioner", "Patient"])));
        }
        "DocumentReference" => {
            members.push(r#""status":"current","content":[{"attachment":{}}]"#.into());
            maybe(draw, 60, members, |draw| format!(r#""subject":{}"#, reference(draw, &["Patient"])));
            maybe(draw, 70, members, |draw| {
                let code = draw.of(&["replaces", "appends"]);
                format!(
                    r#""relatesTo":[{{"code":"{code}","target":{}}}]"#,
                    reference(draw, &["DocumentReference"])
                )
            });
        }
        _ => canonicals(draw, kind, members),
    }
}

/// Resources that canonical addresses lead to, or that have some.
fn canonicals(draw: &mut Draw, kind: &str, members: &mut Vec<String>) {
    match kind {
        "ValueSet" => {
            members.push(r#""status":"active""#.into());
            definition(draw, members, kind);
        }
        "Questionnaire" | "PlanDefinition" | "StructureDefinition" => {
            members.push(format!(r#""status":"{}""#, draw.of(&["active", "draft"])));
            definition(draw, members, kind);
            match kind {
                "PlanDefinition" => maybe(draw, 60, members, |draw| {
                    format!(
                        r#""relatedArtifact":[{{"type":"depends-on","resource":"{}"}}],"library":["{}"],"action":[{{"definitionCanonical":"{}"}}]"#,
                        canonical(draw, "Questionnaire"),
                        canonical(draw, "ValueSet"),
                        canonical(draw, "PlanDefinition")
                    )
                }),
                "StructureDefinition" => {
                    maybe(draw, 70, members, |draw| {
                        format!(r#""baseDefinition":"{}""#, canonical(draw, kind))
                    });
                }
                _ => {}
            }
        }
        "QuestionnaireResponse" => {
            members.push(r#""status":"completed""#.into());
            maybe(draw, 90, members, |draw| {
                format!(r#""questionnaire":"{}""#, canonical(draw, "Questionnaire"))
            });
            maybe(draw, 70, members, |draw| format!(r#""subject":{}"#, reference(draw, &["Patient"])));
        }
        "CarePlan" => {
            members.push(format!(
                r#""status":"active","intent":"plan","subject":{}"#,
                reference(draw, &["Patient"])
            ));
            maybe(draw, 80, members, |draw| {
                let all: Vec<String> = (0..=draw.below(3))
                    .map(|_| {
                        let kind = draw.of(&["Questionnaire", "PlanDefinition"]);
                        format!(r#""{}""#, canonical(draw, kind))
                    })
                    .collect();
                format!(r#""instantiatesCanonical":[{}]"#, all.join(","))
            });
        }
        "MeasureReport" => {
            members.push(format!(
                r#""status":"complete","type":"individual","measure":"{}""#,
                canonical(draw, "Measure")
            ));
            maybe(draw, 60, members, |draw| format!(r#""subject":{}"#, reference(draw, &["Patient"])));
        }
        _ => {}
    }
}

/// What makes a resource one that canonical addresses lead to.
fn definition(draw: &mut Draw, members: &mut Vec<String>, kind: &str) {
    maybe(draw, 85, members, |draw| match draw.below(6) {
        0 => format!(r#""url":"http://h/fhir/{kind}/{}""#, draw.of(&IDS)),
        _ => format!(r#""url":"{}""#, draw.of(&URLS)),
    });
    maybe(draw, 60, members, |draw| format!(r#""version":"{}""#, draw.of(&VERSIONS)));
    maybe(draw, 50, members, |draw| format!(r#""title":"{}""#, draw.of(&WORDS)));
}

/// An address, most often one that something has.
fn canonical(draw: &mut Draw, kind: &str) -> String {
    let url = match draw.below(8) {
        0 => format!("http://h/fhir/{kind}/{}", draw.of(&IDS)),
        1 => return format!("{kind}/{}", draw.of(&IDS)),
        _ => draw.of(&URLS).to_string(),
    };
    match draw.below(12) {
        0..5 => url,
        5 => format!("{url}#a"),
        6 => format!("{url}|{}#a", draw.of(&VERSIONS)),
        7 => format!("{url}|"),
        _ => format!("{url}|{}", draw.of(&VERSIONS)),
    }
}

fn maybe(
    draw: &mut Draw,
    percent: usize,
    members: &mut Vec<String>,
    member: impl FnOnce(&mut Draw) -> String,
) {
    if draw.percent(percent) {
        let member = member(draw);
        members.push(member);
    }
}

fn coding(draw: &mut Draw) -> String {
    match draw.below(8) {
        0 => format!(r#"{{"code":"{}"}}"#, draw.of(&CODES)),
        1 => format!(r#"{{"system":"{}"}}"#, draw.of(&SYSTEMS)),
        2 => format!(
            r#"{{"system":"{}","code":"{}","display":"{}"}}"#,
            draw.of(&SYSTEMS),
            draw.of(&CODES),
            draw.of(&WORDS)
        ),
        _ => format!(r#"{{"system":"{}","code":"{}"}}"#, draw.of(&SYSTEMS), draw.of(&CODES)),
    }
}

fn concept(draw: &mut Draw) -> String {
    match draw.below(6) {
        0 => format!(r#"{{"text":"{}"}}"#, draw.of(&WORDS)),
        1 => format!(r#"{{"coding":[{},{}],"text":"{}"}}"#, coding(draw), coding(draw), draw.of(&WORDS)),
        _ => format!(r#"{{"coding":[{}]}}"#, coding(draw)),
    }
}

fn identifier(draw: &mut Draw) -> String {
    let ty = if draw.percent(40) { format!(r#","type":{}"#, concept(draw)) } else { String::new() };
    match draw.below(4) {
        0 => format!(r#"{{"value":"{}"{ty}}}"#, draw.of(&CODES)),
        _ => format!(r#"{{"system":"{}","value":"{}"{ty}}}"#, draw.of(&SYSTEMS), draw.of(&CODES)),
    }
}

fn reference(draw: &mut Draw, kinds: &[&str]) -> String {
    let (kind, id) = (draw.of(kinds), draw.of(&IDS));
    match draw.below(12) {
        0 => format!(r#"{{"reference":"http://other.org/fhir/{kind}/{id}"}}"#),
        1 => format!(r#"{{"reference":"http://h/fhir/{kind}/{id}"}}"#),
        2 => format!(
            r#"{{"type":"{kind}","identifier":{{"system":"{}","value":"{}"}}}}"#,
            draw.of(&SYSTEMS),
            draw.of(&CODES)
        ),
        _ => format!(r#"{{"reference":"{kind}/{id}"}}"#),
    }
}

fn period(draw: &mut Draw) -> String {
    let (a, b) = (draw.of(&DATES), draw.of(&DATES));
    let low = |text: &str| fhir::date::parse_date(text).map(|date| date.period().low);
    let (start, end) = if low(a) <= low(b) { (a, b) } else { (b, a) };
    match draw.below(4) {
        0 => format!(r#"{{"start":"{start}"}}"#),
        1 => format!(r#"{{"end":"{end}"}}"#),
        _ => format!(r#"{{"start":"{start}","end":"{end}"}}"#),
    }
}

fn quantity(draw: &mut Draw) -> String {
    let number = draw.of(&NUMBERS);
    let comparator = if draw.percent(10) {
        format!(r#","comparator":"{}""#, draw.of(&["<", ">="]))
    } else {
        String::new()
    };
    match draw.below(4) {
        0 => format!(r#"{{"value":{number}{comparator}}}"#),
        1 => format!(r#"{{"value":{number},"unit":"{}"{comparator}}}"#, draw.of(&UNITS)),
        _ => {
            let unit = draw.of(&UNITS);
            format!(
                r#"{{"value":{number},"unit":"{unit}","system":"http://unitsofmeasure.org","code":"{unit}"{comparator}}}"#
            )
        }
    }
}

fn address(draw: &mut Draw) -> String {
    let state = draw.of(&["TX", "Massachusetts", "CA"]);
    let county = draw.of(&["48201", "25009"]);
    let period = if draw.percent(50) { format!(r#","period":{}"#, period(draw)) } else { String::new() };
    let city = draw.of(&WORDS);
    format!(
        r#"{{"city":"{city}","state":"{state}","postalCode":"77026","extension":[{{"url":"urn:salus:county-fips","valueString":"{county}"}}]{period}}}"#
    )
}
