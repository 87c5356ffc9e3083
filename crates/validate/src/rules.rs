//! Rules between the elements of one object, for the types that most resources are made of.
//!
//! Keys are those of R4 (`per-1`); rules that R4 states in prose only have a name of ours. `invariant.rs` has all others.

use fhir::date::{Date, Precision, parse_date};
use fhir::{Object, Value};

use crate::distinct::{codes_repeat, full_urls_repeat, link_ids_repeat};

/// A rule on an object.
pub(crate) struct Rule {
    /// Its key, which is the slug of the issue.
    pub(crate) key: &'static str,
    /// The element of the object that it is about; empty for the object.
    pub(crate) element: &'static str,
    /// Is it broken.
    pub(crate) broken: fn(&Object) -> bool,
    /// What to do.
    pub(crate) text: &'static str,
}

/// The rules of a type, those of its base not included.
pub(crate) fn rules_of(name: &str) -> &'static [Rule] {
    TABLE.iter().find(|(ty, _)| *ty == name).map_or(&[], |(_, rules)| rules)
}

/// Is there a value, or an extension in its place.
macro_rules! has {
    ($object:expr, $($key:literal),+) => {
        ($($object.contains_key($key) || $object.contains_key(concat!("_", $key)))||+)
    };
}

const TABLE: &[(&str, &[Rule])] = &[
    (
        "Extension",
        &[Rule {
            key: "ext-1",
            element: "",
            broken: extension_is_not_one_thing,
            text: "an extension has a value or extensions: one of them, not both",
        }],
    ),
    (
        "Quantity",
        &[Rule {
            key: "qty-3",
            element: "",
            broken: |q| has!(q, "code") && !has!(q, "system"),
            text: "a unit with a `code` needs the `system` of the code, such as `http://unitsofmeasure.org`",
        }],
    ),
    (
        "Period",
        &[Rule {
            key: "per-1",
            element: "",
            broken: |period| later(period, "start", "end"),
            text: "a period does not end before it starts: correct `start` or `end`",
        }],
    ),
    (
        "ContactPoint",
        &[Rule {
            key: "cpt-2",
            element: "",
            broken: |c| has!(c, "value") && !has!(c, "system"),
            text: "a contact with a `value` needs a `system`, such as `phone`",
        }],
    ),
    (
        "Coding",
        &[Rule {
            key: "system-not-absolute",
            element: "system",
            broken: |coding| is_relative(coding, "system"),
            text: "a code system is named by an absolute address, such as `http://loinc.org`",
        }],
    ),
    (
        "Attachment",
        &[
            Rule {
                key: "att-1",
                element: "",
                broken: |a| has!(a, "data") && !has!(a, "contentType"),
                text: "an attachment with `data` needs a `contentType`",
            },
            Rule {
                key: "attachment-size",
                element: "size",
                broken: size_differs,
                text: "`size` is the number of bytes of `data` before base64: correct it or leave it out",
            },
        ],
    ),
    (
        "Patient.contact",
        &[Rule {
            key: "pat-1",
            element: "",
            broken: |c| !has!(c, "name", "telecom", "address", "organization"),
            text: "a contact needs a name, a telecom, an address or an organization",
        }],
    ),
    (
        "Observation",
        &[
            Rule {
                key: "obs-6",
                element: "",
                broken: |o| has!(o, "dataAbsentReason") && has_value(o),
                text: "`dataAbsentReason` says why there is no value: leave one of them out",
            },
            Rule {
                key: "obs-7",
                element: "",
                broken: component_repeats_code,
                text: "a component with the code of the observation itself is its value: leave one of them out",
            },
        ],
    ),
    (
        "Observation.referenceRange",
        &[Rule {
            key: "obs-3",
            element: "",
            broken: |r| !has!(r, "low", "high", "text"),
            text: "a reference range needs `low`, `high` or `text`",
        }],
    ),
    (
        "Condition",
        &[
            Rule {
                key: "con-4",
                element: "",
                broken: |c| {
                    has_choice(c, "abatement")
                        && !is_coded(c, "clinicalStatus", &["resolved", "remission", "inactive"])
                },
                text: "a condition with an abatement is `resolved`, in `remission` or `inactive`: correct `clinicalStatus`",
            },
            Rule {
                key: "con-5",
                element: "",
                broken: |c| {
                    has!(c, "clinicalStatus") && is_coded(c, "verificationStatus", &["entered-in-error"])
                },
                text: "a condition that was entered in error has no `clinicalStatus`",
            },
        ],
    ),
    (
        "Bundle",
        &[Rule {
            key: "bdl-7",
            element: "",
            broken: full_urls_repeat,
            text: "two entries have the same `fullUrl` and version: give each resource its own",
        }],
    ),
    (
        "CodeSystem",
        &[Rule {
            key: "csd-1",
            element: "",
            broken: codes_repeat,
            text: "a code occurs twice in the code system: keep one",
        }],
    ),
    (
        "Questionnaire",
        &[Rule {
            key: "que-2",
            element: "",
            broken: link_ids_repeat,
            text: "a `linkId` occurs twice in the questionnaire: give each item its own",
        }],
    ),
    (
        "Questionnaire.item",
        // As R4 says it in words; its FHIRPath counts to two.
        &[Rule {
            key: "que-12",
            element: "",
            broken: |item| {
                item.get("enableWhen").is_some_and(|conditions| conditions.items().len() > 1)
                    && !has!(item, "enableBehavior")
            },
            text: "with more than one `enableWhen`, `enableBehavior` says whether all or any must hold",
        }],
    ),
    (
        "Questionnaire.item.enableWhen",
        // The FHIRPath of R4 asks for a type that no answer has.
        &[Rule {
            key: "que-7",
            element: "",
            broken: |when| text(when, "operator") == Some("exists") && !has!(when, "answerBoolean"),
            text: "with the operator `exists` the answer is `answerBoolean`",
        }],
    ),
    (
        "Timing.repeat",
        // The FHIRPath of R4 fails when there are several `when`.
        &[Rule {
            key: "tim-9",
            element: "",
            broken: |repeat| {
                let when = repeat.get("when").map_or(&[][..], Value::items);
                let is_meal = |code: &Value| matches!(code.as_str(), Some("C" | "CM" | "CD" | "CV"));
                has!(repeat, "offset") && (when.is_empty() || when.iter().any(is_meal))
            },
            text: "an `offset` needs a `when` that is not the meal itself (C, CM, CD, CV)",
        }],
    ),
    (
        "Bundle.entry",
        &[
            Rule {
                key: "fullurl-not-absolute",
                element: "fullUrl",
                broken: |e| is_relative(e, "fullUrl"),
                text: "`fullUrl` is an absolute address or a `urn:uuid:`",
            },
            Rule {
                key: "fullurl-differs",
                element: "fullUrl",
                broken: full_url_differs,
                text: "`fullUrl` ends with the type and id of the resource: correct one of them",
            },
            Rule {
                key: "bdl-5",
                element: "",
                broken: |e| !has!(e, "resource", "request", "response"),
                text: "an entry needs a resource, a request or a response",
            },
            Rule {
                key: "bdl-8",
                element: "fullUrl",
                broken: |e| text(e, "fullUrl").is_some_and(|url| url.contains("/_history/")),
                text: "`fullUrl` names no version",
            },
        ],
    ),
];

fn text<'a>(object: &'a Object, key: &str) -> Option<&'a str> {
    object.get(key).and_then(Value::as_str)
}

fn has_choice(object: &Object, name: &str) -> bool {
    object.keys().any(|key| key.strip_prefix('_').unwrap_or(key).starts_with(name))
}

fn has_value(object: &Object) -> bool {
    has_choice(object, "value")
}

fn extension_is_not_one_thing(extension: &Object) -> bool {
    has_value(extension) == extension.contains_key("extension")
}

fn is_relative(object: &Object, key: &str) -> bool {
    text(object, key).is_some_and(|url| !url.contains(':'))
}

fn size_differs(attachment: &Object) -> bool {
    let Some(size) = attachment.get("size").and_then(Value::as_number).and_then(fhir::json::Number::as_i64)
    else {
        return false;
    };
    text(attachment, "data").is_some_and(|data| {
        let count = |test: fn(u8) -> bool| data.bytes().filter(|byte| test(*byte)).count();
        let n_bytes = (count(|byte| byte > b' ' && byte != b'=') * 3) / 4;
        i64::try_from(n_bytes) != Ok(size)
    })
}

fn component_repeats_code(observation: &Object) -> bool {
    fn codings(holder: Option<&Value>) -> &[Value] {
        holder.and_then(|holder| holder.get("code")?.get("coding")).map_or(&[], Value::items)
    }
    let Some(components) = observation.get("component").filter(|_| has_value(observation)) else {
        return false;
    };
    let own = observation.get("code").and_then(|code| code.get("coding")).map_or(&[][..], Value::items);
    components
        .items()
        .iter()
        .any(|component| codings(Some(component)).iter().any(|coding| own.contains(coding)))
}

/// Has the concept one of the codes.
fn is_coded(object: &Object, key: &str, codes: &[&str]) -> bool {
    let codings = object.get(key).and_then(|concept| concept.get("coding")).map_or(&[][..], Value::items);
    codings.iter().filter_map(|coding| coding.text("code")).any(|code| codes.contains(&code))
}

fn full_url_differs(entry: &Object) -> bool {
    let id = entry
        .get("resource")
        .and_then(|resource| Some((resource.text("resourceType")?, resource.text("id")?)));
    let url = text(entry, "fullUrl").and_then(fhir::Reference::tail_of);
    matches!((id, url), (Some((kind, id)), Some((url_kind, url_id))) if kind != url_kind.name() || id != url_id)
}

/// Is the first date surely later than the second one.
pub(crate) fn later(object: &Object, first: &str, second: &str) -> bool {
    let date = |key| text(object, key).and_then(parse_date);
    matches!((date(first), date(second)), (Some(first), Some(second)) if is_later(&first, &second))
}

fn is_later(first: &Date, second: &Date) -> bool {
    if first.has_offset() == second.has_offset() {
        return first.period().low >= second.period().high;
    }
    // One is a day, the other a time of some zone: they are compared by the calendar as it is written.
    let parts = |date: &Date| {
        let (year, month, day) = date.ymd();
        [Some(year), month.map(i16::from), day.map(i16::from)]
    };
    let precision = first.precision().min(second.precision()).min(Precision::Day);
    let n_parts = match precision {
        Precision::Year => 1,
        Precision::Month => 2,
        _ => 3,
    };
    parts(first)[..n_parts] > parts(second)[..n_parts]
}
