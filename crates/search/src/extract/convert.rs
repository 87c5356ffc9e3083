//! Which conversion makes index rows of an element, by the type of the parameter and the type of the element.

use fhir::Value;
use fhir::definitions::{Element, SearchType, TypeId, ValueSet};

use super::{address, date, quantity, reference, string, token};
use crate::ParamId;
use crate::rows::{IndexRows, UriRow};

/// A conversion, chosen once when a plan is built.
#[derive(Clone, Copy)]
pub(super) enum Convert {
    /// A code whose system is the one of its binding.
    Code(Option<&'static ValueSet>),
    Coding,
    Concept,
    Identifier,
    Contact,
    Boolean,
    /// Any text as a token without system.
    TextToken,
    Text,
    HumanName,
    /// The sounds of a name.
    NameSounds,
    Address,
    Date,
    Period,
    Timing,
    Number,
    NumberRange,
    Quantity,
    Money,
    Range,
    SampledData,
    Reference,
    /// A canonical or other address as a reference.
    AddressReference,
    /// A whole resource as the target of a reference.
    ResourceReference,
    Uri,
    /// An address that may name a version.
    Canonical,
}

/// The conversion; `None` when R4 has no values of this parameter type in this element type.
pub(super) fn choose(ty: SearchType, of: TypeId, element: Option<&Element>) -> Option<Convert> {
    let name = of.name();
    match ty {
        SearchType::Token => Some(match name {
            "code" => Convert::Code(element.and_then(|element| element.binding?.required_codes())),
            "Coding" => Convert::Coding,
            "CodeableConcept" => Convert::Concept,
            "Identifier" => Convert::Identifier,
            "ContactPoint" => Convert::Contact,
            "boolean" => Convert::Boolean,
            "string" | "id" | "uri" | "url" | "canonical" | "oid" | "uuid" => Convert::TextToken,
            _ => return None,
        }),
        SearchType::String => Some(match name {
            "string" | "markdown" | "code" | "id" => Convert::Text,
            "HumanName" => Convert::HumanName,
            "Address" => Convert::Address,
            _ => return None,
        }),
        SearchType::Date => Some(match name {
            "date" | "dateTime" | "instant" => Convert::Date,
            "Period" => Convert::Period,
            "Timing" => Convert::Timing,
            _ => return None,
        }),
        SearchType::Number => Some(match name {
            "integer" | "decimal" | "positiveInt" | "unsignedInt" => Convert::Number,
            "Range" => Convert::NumberRange,
            _ => return None,
        }),
        SearchType::Quantity => Some(match name {
            "Quantity" | "Age" | "Count" | "Distance" | "Duration" => Convert::Quantity,
            "Money" => Convert::Money,
            "Range" => Convert::Range,
            "SampledData" => Convert::SampledData,
            _ => return None,
        }),
        SearchType::Reference => Some(match name {
            "Reference" => Convert::Reference,
            "canonical" | "uri" | "url" => Convert::AddressReference,
            "Resource" => Convert::ResourceReference,
            _ => return None,
        }),
        SearchType::Uri => Some(match name {
            "canonical" => Convert::Canonical,
            "uri" | "url" | "oid" | "uuid" => Convert::Uri,
            _ => return None,
        }),
        SearchType::Composite | SearchType::Special => None,
    }
}

impl Convert {
    /// Adds the rows of one value. What is not of the expected shape gives none: validation complains about it, not search.
    pub(super) fn run(self, param: ParamId, value: &Value, bases: &[String], rows: &mut IndexRows) {
        match self {
            Convert::Code(set) => token::code(param, value, set, rows),
            Convert::Coding => token::coding(param, value, rows),
            Convert::Concept => token::concept(param, value, rows),
            Convert::Identifier => token::identifier(param, value, rows),
            Convert::Contact => token::contact(param, value, rows),
            Convert::Boolean => token::boolean(param, value, rows),
            Convert::TextToken => token::text(param, value, rows),
            Convert::Text => string::text(param, value, rows),
            Convert::HumanName => string::human_name(param, value, rows),
            Convert::NameSounds => string::name_sounds(param, value, rows),
            Convert::Address => string::address(param, value, rows),
            Convert::Date => date::date(param, value, rows),
            Convert::Period => date::period(param, value, rows),
            Convert::Timing => date::timing(param, value, rows),
            Convert::Number => quantity::number(param, value, rows),
            Convert::NumberRange => quantity::number_range(param, value, rows),
            Convert::Quantity => quantity::quantity(param, value, rows),
            Convert::Money => quantity::money(param, value, rows),
            Convert::Range => quantity::range(param, value, rows),
            Convert::SampledData => quantity::sampled(param, value, rows),
            Convert::Reference => reference::reference(param, value, bases, rows),
            Convert::AddressReference => address::address(param, value, bases, rows),
            Convert::ResourceReference => reference::resource(param, value, rows),
            Convert::Canonical => {
                // Found with its version and without, as where it is a reference.
                let text = value.as_str().unwrap_or("");
                let plain = text.split_once('|').map(|(plain, _)| plain);
                let texts = [Some(text), plain].into_iter().flatten().filter(|text| !text.is_empty());
                rows.uris.extend(texts.map(|text| UriRow { param, text: text.into() }));
            }
            Convert::Uri => {
                if let Some(text) = value.as_str() {
                    rows.uris.push(UriRow { param, text: text.into() });
                }
            }
        }
    }
}
