//! Index rows as text: a line per row.

use search::IndexRows;
use search::rows::{Part, QuantityValue, Target};

use super::{number, time};

pub(crate) fn rows(rows: &IndexRows) -> String {
    let mut lines = Vec::new();
    let text = |text: &Option<compact_str::CompactString>| text.as_deref().unwrap_or("").to_string();
    lines.extend(
        rows.tokens
            .iter()
            .map(|row| format!("token {} {}|{}", row.param.def().code, text(&row.system), text(&row.code))),
    );
    lines.extend(rows.token_texts.iter().map(|row| format!("text {} `{}`", row.param.def().code, row.text)));
    lines.extend(
        rows.of_types
            .iter()
            .map(|row| format!("of-type {} {}|{}|{}", row.param.def().code, row.system, row.code, row.value)),
    );
    lines.extend(
        rows.strings
            .iter()
            .map(|row| format!("string {} `{}` `{}`", row.param.def().code, row.folded, row.exact)),
    );
    lines.extend(
        rows.dates
            .iter()
            .map(|row| format!("date {} [{}, {})", row.param.def().code, time(row.low), time(row.high))),
    );
    lines.extend(
        rows.numbers
            .iter()
            .map(|row| format!("number {} {}", row.param.def().code, ends(&row.low, &row.high))),
    );
    lines.extend(
        rows.quantities
            .iter()
            .map(|row| format!("quantity {} {}", row.param.def().code, quantity(&row.value))),
    );
    lines.extend(
        rows.references
            .iter()
            .map(|row| format!("reference {} {}", row.param.def().code, target(&row.target))),
    );
    lines.extend(
        rows.canonicals
            .iter()
            .map(|row| format!("canonical {} {} {}", row.param.def().code, row.url, text(&row.version))),
    );
    lines.extend(rows.reference_identifiers.iter().map(|row| {
        format!("reference-identifier {} {}|{}", row.param.def().code, text(&row.system), text(&row.code))
    }));
    lines.extend(rows.uris.iter().map(|row| format!("uri {} {}", row.param.def().code, row.text)));
    lines.extend(rows.composites.iter().map(|row| {
        let parts: Vec<String> = row.parts.iter().map(part).collect();
        format!("composite {} {}", row.param.def().code, parts.join(" $ "))
    }));
    lines.extend(rows.relations.iter().map(|row| {
        format!(
            "{:?} of Patient/{} {}|{} [{}, {})",
            row.relation,
            row.patient,
            text(&row.system),
            row.code,
            time(row.low),
            time(row.high)
        )
    }));
    lines.join("\n")
}

fn ends(low: &[u8], high: &[u8]) -> String {
    if low == high { number(low) } else { format!("{} to {}", number(low), number(high)) }
}

fn quantity(value: &QuantityValue) -> String {
    let mut text = ends(&value.low, &value.high);
    if let Some(code) = &value.code {
        text.push_str(&format!(" {}|{code}", value.system.as_deref().unwrap_or("")));
    }
    if let Some(unit) = &value.unit {
        text.push_str(&format!(" `{unit}`"));
    }
    if let Some(canonical) = &value.canonical {
        text.push_str(&format!(" = {} {}", ends(&canonical.low, &canonical.high), canonical.unit));
    }
    text
}

fn target(target: &Target) -> String {
    match target {
        Target::Local { kind, id } => format!("{kind}/{id}"),
        Target::Url(url) => format!("<{url}>"),
    }
}

fn part(part: &Part) -> String {
    match part {
        Part::Token { system, code } => {
            format!("{}|{}", system.as_deref().unwrap_or(""), code.as_deref().unwrap_or(""))
        }
        Part::String { folded, .. } => format!("`{folded}`"),
        Part::Date { low, high } => format!("[{}, {})", time(*low), time(*high)),
        Part::Number { low, high } => ends(low, high),
        Part::Quantity(value) => quantity(value),
        Part::Reference(to) => target(to),
        Part::Uri(uri) => uri.to_string(),
    }
}
