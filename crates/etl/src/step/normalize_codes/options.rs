//! Options of `normalize_codes`.

use super::System;
use super::system::SYSTEMS;
use crate::step::cells::{DateFormats, choice_or_null};
use crate::yaml::{Fields, Kind, Node};
use crate::{Problems, Word};

/// Options of the step `normalize_codes`.
#[derive(Debug)]
pub(crate) struct NormalizeCodes {
    /// `columns`: the columns of codes, each with the name of its system or with options of its own.
    pub columns: Vec<CodeColumn>,
}

/// A column of codes.
#[derive(Clone, Debug)]
pub(crate) struct CodeColumn {
    /// The column.
    pub column: Word,
    /// `system`: `icd` (by the day in `as_of`), `icd10cm`, `icd10pcs`, `icd9cm`, `icd9cm_procedure`, `cpt`, `hcpcs`, `procedure` (CPT or
    /// HCPCS), `modifier`, `loinc`, `snomed`, `ndc`, `npi`, `mbi`, `zip`, `zip5`.
    pub system: System,
    /// `as_of`: the column with the day of service; needed by `icd`, and checked by the other systems of ICD when it is given.
    pub as_of: Option<Word>,
    /// `formats`: forms of the day when `as_of` is text; `%Y-%m-%d` by default.
    pub(crate) formats: DateFormats,
    /// `on_invalid`: what becomes of a text that is no code; `keep` by default.
    pub on_invalid: OnInvalid,
    /// `valid_flag`: adds `<column>_valid`; empty where the code is missing.
    pub valid_flag: bool,
    /// `system_flag`: adds `<column>_system` with the name of the system of the code.
    pub system_flag: bool,
}

impl CodeColumn {
    /// The name of the flag.
    pub(super) fn valid_name(&self) -> String {
        format!("{}_valid", self.column)
    }

    /// The name of the column with the system.
    pub(super) fn system_name(&self) -> String {
        format!("{}_system", self.column)
    }
}

/// What becomes of a text that is no code. It is counted by reason in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnInvalid {
    /// It stays as it is.
    Keep,
    /// The column is empty.
    Null,
    /// The row is quarantined.
    Quarantine,
}

/// What holds for columns that do not say otherwise.
struct Defaults {
    as_of: Option<Word>,
    formats: Vec<Word>,
    on_invalid: OnInvalid,
    valid_flag: bool,
    system_flag: bool,
}

impl Defaults {
    /// The options that may stand at the step and at a column.
    fn read(self, fields: &mut Fields<'_>, problems: &mut Problems) -> Defaults {
        let as_of = fields.text("as_of", problems).or(self.as_of);
        let formats = fields.texts("formats", problems);
        let formats = if formats.is_empty() { self.formats } else { formats };
        let choices =
            [("keep", OnInvalid::Keep), ("null", OnInvalid::Null), ("quarantine", OnInvalid::Quarantine)];
        let on_invalid = choice_or_null(fields, "on_invalid", &choices, problems).unwrap_or(self.on_invalid);
        let valid_flag = fields.flag("valid_flag", problems).unwrap_or(self.valid_flag);
        let system_flag = fields.flag("system_flag", problems).unwrap_or(self.system_flag);
        Defaults { as_of, formats, on_invalid, valid_flag, system_flag }
    }

    fn clone(&self) -> Defaults {
        Defaults { as_of: self.as_of.clone(), formats: self.formats.clone(), ..*self }
    }
}

/// Decodes the options.
pub(super) fn decode(options: &Node, problems: &mut Problems) -> Option<NormalizeCodes> {
    let before = problems.len();
    let mut fields = options.fields("the step `normalize_codes`", problems);
    let list = fields.required("columns", problems);
    let none = Defaults {
        as_of: None,
        formats: Vec::new(),
        on_invalid: OnInvalid::Keep,
        valid_flag: false,
        system_flag: false,
    };
    let defaults = none.read(&mut fields, problems);
    fields.end(problems);
    let entries = list?.entries("`columns` of the step `normalize_codes`", problems);
    if entries.is_empty() && problems.len() == before {
        problems.add(
            options.at,
            "`columns` of the step `normalize_codes` is empty: name a column and its system",
        );
    }
    let columns =
        entries.iter().filter_map(|(column, node)| column_of(column, node, &defaults, problems)).collect();
    (problems.len() == before).then_some(NormalizeCodes { columns })
}

fn column_of(column: &Word, node: &Node, defaults: &Defaults, problems: &mut Problems) -> Option<CodeColumn> {
    let (word, own) = if let Kind::Map(_) = node.kind {
        let mut fields =
            node.fields(format!("the column `{column}` of the step `normalize_codes`"), problems);
        let word = fields.required_text("system", problems);
        let own = defaults.clone().read(&mut fields, problems);
        fields.end(problems);
        (word, own)
    } else {
        (node.text(&format!("the system of `{column}`"), problems), defaults.clone())
    };
    let word = word?;
    let Some((_, system)) = SYSTEMS.iter().find(|(name, _)| *name == word.text) else {
        let names: Vec<String> = SYSTEMS.iter().map(|(name, _)| format!("`{name}`")).collect();
        problems.add(word.at, format!("`{word}` is no code system: there are {}", names.join(", ")));
        return None;
    };
    let as_of = own.as_of.filter(|_| system.has_eras());
    if *system == System::Icd && as_of.is_none() {
        problems.add(word.at, "`icd` needs `as_of`: the column whose day tells ICD-9 from ICD-10");
        return None;
    }
    Some(CodeColumn {
        column: column.clone(),
        system: *system,
        as_of,
        formats: DateFormats::decode(&own.formats, problems),
        on_invalid: own.on_invalid,
        valid_flag: own.valid_flag,
        system_flag: own.system_flag,
    })
}
