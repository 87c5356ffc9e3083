//! `format`: the text is a well-formed code, date, number or address. Whether a code exists is for the tables of its publisher to say.

use clinical::age::Day;
use clinical::code;
use table::{Batch, Type};

use crate::check::cells::Cells;
use crate::check::mask::{Memo, of_text};
use crate::check::rule::{Judged, RowTest, Rule, Start, Test};
use crate::check::spec::Planned;
use crate::yaml::Fields;
use crate::{EtlError, Problems, Word};

/// The last day on which diagnoses were coded in ICD-9-CM: only the form of its codes is checked.
const ICD9_DAY: Day = Day::of(2015, 9, 30).expect("a day of the calendar");
const FORMATS_MAX: usize = 16;

type Check = fn(&str) -> bool;

/// Every format: its word, the words for people, and the check.
const KNOWN: [(&str, &str, Check); 18] = [
    ("icd10cm", "an ICD-10-CM code", |text| code::check_icd10cm(text).is_ok()),
    ("icd10pcs", "an ICD-10-PCS code", |text| code::check_icd10pcs(text).is_ok()),
    ("icd9cm", "an ICD-9-CM diagnosis code", |text| code::check_icd9cm(text, ICD9_DAY).is_ok()),
    ("icd9cm_procedure", "an ICD-9-CM procedure code", |text| code::check_icd9cm_procedure(text).is_ok()),
    ("cpt", "a CPT code of five characters", |text| code::check_cpt(text).is_ok()),
    ("hcpcs", "an HCPCS level II code", |text| code::check_hcpcs(text).is_ok()),
    ("loinc", "a LOINC number with its check digit", |text| code::check_loinc(text).is_ok()),
    ("snomed", "a SNOMED CT identifier with its check digit", |text| code::check_snomed(text).is_ok()),
    ("npi", "an NPI with its check digit", |text| code::check_npi(text).is_ok()),
    ("mbi", "a Medicare beneficiary identifier", |text| code::check_mbi(text).is_ok()),
    ("ndc", "an NDC in one of its printed forms or of 11 digits", |text| code::check_ndc(text).is_ok()),
    ("zip", "a ZIP code of five or nine digits", |text| code::check_zip(text).is_ok()),
    ("ssn", "a Social Security number that can have been issued", |text| code::check_ssn(text).is_ok()),
    ("date", "a date", |text| clinical::age::parse_day(text).is_some()),
    ("instant", "a moment such as `2026-01-31T10:00:00Z`", |text| fhir::Instant::parse(text).is_some()),
    ("phone", "a phone number", is_phone),
    ("email", "an e-mail address", is_email),
    ("uuid", "a UUID", is_uuid),
];

/// Whether a word names a format.
pub(super) fn is_known(word: &str) -> bool {
    KNOWN.iter().any(|(name, ..)| *name == word)
}

#[derive(Clone, Debug)]
struct Format {
    /// Where in the table of formats it stands.
    index: usize,
    /// How dates are written, in the directives of `strptime`. Default: `%Y-%m-%d`. Only with `format: date`.
    formats: Vec<String>,
}

pub(super) fn decode(fields: &mut Fields<'_>, problems: &mut Problems) -> Option<Box<dyn Rule>> {
    let choices: Vec<(&str, usize)> =
        KNOWN.iter().enumerate().map(|(index, (name, ..))| (*name, index)).collect();
    let formats = fields.texts("formats", problems);
    fields.required("format", problems)?;
    let index = fields.choice("format", &choices, problems)?;
    if let Some(first) = formats.first().filter(|_| KNOWN[index].0 != "date") {
        problems.add(first.at, "`formats` belongs to `format: date`");
    }
    if formats.len() > FORMATS_MAX {
        problems.add(formats[0].at, format!("more than {FORMATS_MAX} `formats`"));
    }
    let formats = formats.into_iter().filter_map(|word| checked_date_format(word, problems)).collect();
    Some(Box::new(Format { index, formats }))
}

/// A date format that writes and reads a whole day.
fn checked_date_format(word: Word, problems: &mut Problems) -> Option<String> {
    let day = jiff::civil::date(2026, 12, 31);
    let is_right = jiff::fmt::strtime::format(&word.text, day)
        .ok()
        .and_then(|written| jiff::civil::Date::strptime(&word.text, written).ok())
        .is_some_and(|read| read == day);
    if is_right {
        return Some(word.text);
    }
    problems.add(
        word.at,
        format!("`{word}` is no format of a whole date: write for example `%Y-%m-%d` or `%m/%d/%Y`"),
    );
    None
}

impl Rule for Format {
    fn plan(&self, planned: &Planned<'_>, problems: &mut Problems) {
        let name = KNOWN[self.index].0;
        for (column, word) in planned.columns.iter().zip(&planned.check.columns) {
            let is_typed_already = match name {
                "date" => column.kind == Type::Date,
                "instant" => column.kind == Type::Instant,
                _ => false,
            };
            if is_typed_already {
                problems.add(
                    word.at,
                    format!(
                        "`{word}` is declared as {name}: the source checks its form already, remove the check"
                    ),
                );
            } else if column.kind != Type::Text {
                problems.add(
                    word.at,
                    format!(
                        "`{word}` is {}, and codes keep their zeros only as text: declare it as text",
                        column.kind
                    ),
                );
            }
        }
    }

    fn start(&self, _start: &Start<'_>) -> Result<Test, EtlError> {
        Ok(Test::Row(Box::new(Reading { format: self.clone(), memo: Memo::default() })))
    }

    fn must(&self) -> String {
        match &self.formats[..] {
            [] => format!("must be {}", KNOWN[self.index].1),
            formats => {
                let formats: Vec<String> = formats.iter().map(|format| format!("`{format}`")).collect();
                format!("must be a date written as {}", formats.join(" or "))
            }
        }
    }

    fn hint(&self) -> String {
        match KNOWN[self.index].0 {
            "zip" | "cpt" | "ndc" => "codes that are too short have often lost zeros to a spreadsheet or a number column: take the extract as text".to_owned(),
            "date" => "list every format that the source writes in `formats`; two that cannot be told apart (`01/02`) need a fix at the source".to_owned(),
            "npi" | "loinc" | "snomed" => "a wrong check digit is a typing error: correct it at the source, do not recompute it".to_owned(),
            "icd10cm" | "icd9cm" => "look whether codes of the other version, or texts instead of codes, are in the column".to_owned(),
            _ => "compare the shapes of the masked samples with the expected form, and correct the extract".to_owned(),
        }
    }
}

struct Reading {
    format: Format,
    memo: Memo,
}

impl RowTest for Reading {
    fn judge(&mut self, cells: &[&Cells], _batch: &Batch) -> Result<Judged, EtlError> {
        let text = cells[0].text().expect("the column was planned as text");
        let formats = &self.format.formats;
        let passing = if formats.is_empty() {
            let check = KNOWN[self.format.index].2;
            of_text(&text, &mut self.memo, check)
        } else {
            of_text(&text, &mut self.memo, |text| {
                formats.iter().any(|format| jiff::civil::Date::strptime(format, text).is_ok())
            })
        };
        Ok(Judged { assessed: cells[0].present.clone(), failing: !&passing })
    }
}

/// Ten digits of the North American plan, with or without a leading 1 and the usual signs between, or `+` and 8 to 15 digits (E.164).
/// An extension may follow `x` or `ext`.
fn is_phone(text: &str) -> bool {
    let text = text.trim();
    let (number, extension) = match text.find(['x', 'e']) {
        Some(at) => (&text[..at], Some(text[at..].trim_start_matches(['e', 'x', 't', '.', ' ']))),
        None => (text, None),
    };
    if extension.is_some_and(|digits| {
        digits.is_empty() || digits.len() > 7 || !digits.bytes().all(|b| b.is_ascii_digit())
    }) {
        return false;
    }
    let (is_global, number) = match number.strip_prefix('+') {
        Some(rest) => (true, rest),
        None => (false, number),
    };
    if !number.bytes().all(|byte| byte.is_ascii_digit() || b" -.()/".contains(&byte)) {
        return false;
    }
    let digits: Vec<u8> = number.bytes().filter(u8::is_ascii_digit).take(16).collect();
    if is_global {
        return (8..=15).contains(&digits.len()) && digits[0] != b'0';
    }
    match digits[..] {
        [b'1', area, _, _, exchange, _, _, _, _, _, _] | [area, _, _, exchange, _, _, _, _, _, _] => {
            area >= b'2' && exchange >= b'2'
        }
        _ => false,
    }
}

/// One `@`, a local part of 1 to 64 characters, and a name of at least two labels (the usual addresses of RFC 5321, without quotes).
fn is_email(text: &str) -> bool {
    let Some((local, host)) = text.trim().rsplit_once('@') else { return false };
    let is_local = (1..=64).contains(&local.len())
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..")
        && local.chars().all(|c| c.is_alphanumeric() || "!#$%&'*+/=?^_`{|}~.-".contains(c));
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
    };
    is_local && host.len() <= 253 && host.contains('.') && host.split('.').all(is_label)
}

/// `8-4-4-4-12` hexadecimal digits.
fn is_uuid(text: &str) -> bool {
    let text = text.trim().as_bytes();
    text.len() == 36
        && text.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(format: &str, right: &[&str], wrong: &[&str]) {
        let (_, _, check) = KNOWN.iter().find(|(name, ..)| *name == format).unwrap();
        assert!(right.iter().all(|text| check(text)), "{format} refuses a right one");
        assert!(wrong.iter().all(|text| !check(text)), "{format} takes a wrong one");
    }

    #[test]
    fn formats_take_right_texts_and_refuse_wrong_ones() {
        check(
            "icd10cm",
            &["E11.65", "E1165", "S72.001A", "C4A.0", "I10"],
            &["E11.", "11.5", "E1", "E11.65000"],
        );
        check("icd10pcs", &["0DTJ4ZZ"], &["0DTJ4Z", "ODTJ4ZZ"]);
        check("icd9cm", &["250.00", "V58.61", "E880.9"], &["25", "X12.3"]);
        check("cpt", &["99213", "0001U"], &["9921", "992133"]);
        check("hcpcs", &["J1100"], &["W1100", "J110"]);
        check("loinc", &["2345-7", "4548-4"], &["2345-8", "2345"]);
        check("npi", &["1234567893", "1558598797"], &["1234567890", "123456789"]);
        check("ndc", &["0002-7597-01", "00002759701"], &["0002759701"]);
        check("zip", &["02138", "02138-1234"], &["2138", "02138-12"]);
        check("date", &["2024-02-29"], &["2023-02-29", "07/04/1976", "2024-2-9"]);
        check("ssn", &["123-45-6789", "123456789"], &["000-45-6789", "900-45-6789", "123-45-678"]);
        check("uuid", &["0192f0c1-2b3c-4d5e-8f90-a1b2c3d4e5f6"], &["0192f0c12b3c4d5e8f90a1b2c3d4e5f6"]);
        check(
            "email",
            &["ana.abel@clinic.example", "x+y@a.b"],
            &["ana@clinic", "@a.b", "a b@c.d", "a@b..c", "a@@b.c"],
        );
        let phones = [
            "555-234-5678",
            "(555) 234-5678",
            "+1 555 234 5678",
            "+44 20 7946 0958",
            "15552345678",
            "555-234-5678 x12",
        ];
        check(
            "phone",
            &phones,
            &["555-1234", "055-234-5678", "555-034-5678", "call me", "+12", "555-234-5678 x"],
        );
    }
}
