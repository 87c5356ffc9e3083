//! What the engine says, in plain words and without values of rows.

use arrow::error::ArrowError;
use datafusion::common::SchemaError;
use datafusion::error::DataFusionError;

use crate::EtlError;
use crate::engine::session::is_changing;

/// A list of names in backticks.
pub(super) fn names<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let quoted: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    if quoted.is_empty() { "none".to_owned() } else { quoted.join(", ") }
}

/// Why a text of the pipeline file is not an expression or query. Only texts of the file and names of columns can be in it: nothing
/// has been read yet. `columns` and `tables` are what exists.
pub(super) fn planning(error: &DataFusionError, columns: &[&str], tables: &[&str]) -> String {
    let error = innermost(error);
    match error {
        DataFusionError::SchemaError(schema, _) => match &**schema {
            SchemaError::FieldNotFound { field, .. } => {
                format!("there is no column `{}`: there are {}", field.name, names(columns.iter().copied()))
            }
            SchemaError::AmbiguousReference { field } => {
                format!("the column `{0}` is in several tables: write `table.{0}`", field.name)
            }
            SchemaError::DuplicateQualifiedField { name, .. }
            | SchemaError::DuplicateUnqualifiedField { name } => {
                format!("two columns are named `{name}`: give one another name with `as`")
            }
        },
        DataFusionError::SQL(parser, _) => {
            let text = parser.to_string();
            let text = text.strip_prefix("sql parser error: ").unwrap_or(&text);
            format!("this is not SQL: {}", lower_first(first_line(text)))
        }
        DataFusionError::Plan(text) => plan_words(text, tables),
        DataFusionError::NotImplemented(text) => {
            format!("this is not supported: {}", lower_first(first_line(text)))
        }
        other => lower_first(first_line(&other.message())),
    }
}

fn plan_words(text: &str, tables: &[&str]) -> String {
    if let Some(rest) = text.strip_prefix("Invalid function '") {
        let name = rest.split('\'').next().unwrap_or_default();
        if is_changing(name) {
            return format!(
                "the function `{name}` is not available, because its answer changes from run to run: take it from a column"
            );
        }
        let similar = text.split("Did you mean '").nth(1).and_then(|rest| rest.split('\'').next());
        return match similar {
            Some(similar) => format!("there is no function `{name}`: did you mean `{similar}`?"),
            None => format!("there is no function `{name}`"),
        };
    }
    if let Some(rest) = text.strip_prefix("table '")
        && let Some(name) = rest.strip_suffix("' not found")
    {
        let name = name.rsplit('.').next().unwrap_or(name);
        return format!("there is no table `{name}`: there are {}", names(tables.iter().copied()));
    }
    if text.contains("not supported") && text.starts_with(['D', 'S']) {
        return "only `SELECT` can stand here".to_owned();
    }
    lower_first(first_line(text))
}

/// The error that matters in a chain of contexts.
fn innermost(error: &DataFusionError) -> &DataFusionError {
    match error {
        DataFusionError::Context(_, inner) | DataFusionError::Diagnostic(_, inner) => innermost(inner),
        DataFusionError::Collection(all) => all.first().map_or(error, innermost),
        DataFusionError::Shared(inner) => innermost(inner),
        _ => error,
    }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default().trim_end_matches('.')
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    match (chars.next(), chars.clone().next()) {
        // An acronym stays.
        (Some(_), Some(second)) if second.is_uppercase() => text.to_owned(),
        (Some(first), _) => first.to_lowercase().chain(chars).collect(),
        (None, _) => String::new(),
    }
}

/// Why a computation failed on rows: a word for machines and a sentence, without the value that the engine's own text would show.
pub(super) fn failure(error: &DataFusionError) -> (&'static str, &'static str) {
    let cast = ("cannot_be_cast", "a value cannot be cast: write `try_cast` where it may be missing instead");
    match error.find_root() {
        DataFusionError::ArrowError(arrow, _) => match &**arrow {
            ArrowError::DivideByZero => (
                "divides_by_zero",
                "it divides by zero: write `nullif(divisor, 0)` where it may be missing instead",
            ),
            ArrowError::ArithmeticOverflow(_) => ("overflow", "a result is too large for its type"),
            ArrowError::CastError(_) | ArrowError::ParseError(_) | ArrowError::InvalidArgumentError(_) => {
                cast
            }
            _ => ("not_computable", "it cannot be computed for a row"),
        },
        DataFusionError::Execution(text) if text.to_ascii_lowercase().contains("pars") => cast,
        _ => ("not_computable", "it cannot be computed for a row"),
    }
}

/// The error of a run, without values of rows.
pub(super) fn running(error: &DataFusionError, what: &str, memory_bytes_max: u64) -> EtlError {
    match error.find_root() {
        DataFusionError::ResourcesExhausted(_) => EtlError::Limit(format!(
            "{what} needs more memory than the {memory_bytes_max} bytes of `run.memory`, also with files: raise it, or use fewer columns"
        )),
        DataFusionError::IoError(source) => EtlError::Io {
            what: format!("{what} cannot use its scratch files"),
            source: std::io::Error::from(source.kind()),
        },
        _ => EtlError::Step { step: what.to_owned(), why: failure(error).1.to_owned() },
    }
}

/// The error of a run whose plan did not come to its end.
pub(super) fn broken(what: &str) -> EtlError {
    EtlError::Step { step: what.to_owned(), why: "its task ended unexpectedly: this is a bug".to_owned() }
}
