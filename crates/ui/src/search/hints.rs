//! How the parameters of a type are written: their kinds, what they look at, an example of each kind.

use maud::{Markup, html};

use crate::parts::number::counted;

/// A search parameter.
#[derive(Clone)]
pub struct Param {
    /// Its code, `birthdate`.
    pub name: String,
    /// Its kind: `date`, `token`, `reference`, ..
    pub kind: String,
    /// What it looks at: a FHIRPath expression.
    pub looks_at: String,
}

/// An example value of a kind of parameter, and what it means.
fn example(kind: &str) -> (&'static str, &'static str) {
    match kind {
        "token" => ("http://loinc.org|4548-4", "system and code; the code alone also works"),
        "date" => ("ge2024-01", "prefixes eq ne gt ge lt le sa eb ap; any precision"),
        "string" => ("smi", "start of a part, in any case; `:exact` and `:contains` as modifiers"),
        "reference" => ("Patient/42", "type and id; `.` continues into the target"),
        "quantity" => ("gt9||%", "prefix, number, system and unit"),
        "number" => ("lt0.5", "prefix and number"),
        "uri" => ("http://hl7.org/fhir/ValueSet/x", "the whole address; `:below` for what lies under it"),
        "composite" => ("4548-4$gt9", "the parts, joined by `$`"),
        _ => ("", "see the FHIR specification"),
    }
}

pub(super) fn panel(kind: &str, params: &[Param]) -> Markup {
    let mut kinds: Vec<&str> = params.iter().map(|param| param.kind.as_str()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    html! {
        section.panel aria-labelledby="hints" {
            header { h2 id="hints" { "Parameters of " (kind) } p { (counted(params.len() as u64, "parameter", "parameters")) } }
            div.body.stack {
                details.fold {
                    summary { "How values are written" }
                    div.scroll tabindex="0" role="region" aria-label="How values are written" {
                        table.params {
                            caption.sr { "Kinds of parameters with an example of each" }
                            thead { tr { th scope="col" { "Kind" } th scope="col" { "Example" } th scope="col" { "Meaning" } } }
                            tbody {
                                @for kind in kinds {
                                    @let (value, meaning) = example(kind);
                                    tr { th scope="row" { (kind) } td { code { (value) } } td { (meaning) } }
                                }
                            }
                        }
                    }
                }
                details.fold {
                    summary { "All parameters of " (kind) }
                    div.scroll tabindex="0" role="region" aria-label={ "All parameters of " (kind) } {
                        table.params {
                            caption.sr { "Search parameters of " (kind) }
                            thead { tr { th scope="col" { "Name" } th scope="col" { "Kind" } th scope="col" { "Looks at" } } }
                            tbody {
                                @for param in params {
                                    tr { td { (param.name) } td { (param.kind) } td { code { (param.looks_at) } } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
