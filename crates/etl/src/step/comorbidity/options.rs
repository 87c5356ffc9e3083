//! Options of `comorbidity`.

use clinical::age::{Day, parse_day};
use clinical::comorbidity::{Hierarchy, Variant};

use crate::step::cells::{DateFormats, choice_or_null};
use crate::yaml::{Fields, Node};
use crate::{Problems, Word};

/// Patients that are kept by default.
const PATIENTS_MAX: u64 = 100_000_000;
const SECS_PER_DAY: u64 = 86_400;

/// Options of the step `comorbidity`.
#[derive(Debug)]
pub(crate) struct Comorbidity {
    /// `index` and `weights`: `charlson` (codes of Quan 2005) with the weights of `1987` (the default) or `2011`, or `elixhauser` with the
    /// weights of van Walraven 2009.
    pub variant: Variant,
    /// `hierarchy`: a graver group silences its milder one; `true` by default.
    pub hierarchy: Hierarchy,
    /// `codes`: the column, or columns, with ICD-10 codes.
    pub codes: Vec<Word>,
    /// `by`: the column with the patient's identifier.
    pub by: Word,
    /// `from`: another source, whose rows (after its checks, before its steps) hold the codes; without it the rows of this source do.
    pub from: Option<Word>,
    /// `patient`: the identifier's column in the other source; as `by` by default.
    pub patient: Word,
    /// `date`: the column with the day of the diagnosis. With it, days before October 2015 (ICD-9) and after `as_of` do not count.
    pub date: Option<Word>,
    /// `formats`: forms of the day when `date` is text; `%Y-%m-%d` by default.
    pub(crate) formats: DateFormats,
    /// `lookback`: how many days before `as_of` diagnoses count, `365d`; all of them by default.
    pub lookback_days: Option<i64>,
    /// `as_of`: the last day of the window: a day, or `run_date` (UTC, the default).
    pub as_of: Option<Day>,
    /// `age`: the column with the age in years, which adds Charlson's points: one per decade from 50.
    pub age: Option<Word>,
    /// `age_points_max`: the most points for age; 4 by default.
    pub age_points_max: u8,
    /// `into`: the new column; the name of the index by default.
    pub into: Word,
    /// `groups`: adds a flag `<into>_<group>` for each group.
    pub groups: bool,
    /// `without_codes`: the score of a patient without a readable code in the window: `null` (the default) or `zero`.
    pub without_codes_is_zero: bool,
    /// `patients_max`: more patients with codes are an error; 100,000,000 by default. A patient takes about 12 bytes of memory, or 20 of disk.
    pub patients_max: u64,
}

/// Which days of diagnoses count.
struct Window {
    date: Option<Word>,
    formats: DateFormats,
    lookback_days: Option<i64>,
    as_of: Option<Day>,
}

/// Decodes the options.
pub(super) fn decode(options: &Node, problems: &mut Problems) -> Option<Comorbidity> {
    let before = problems.len();
    let mut fields = options.fields("the step `comorbidity`", problems);
    let variant = variant_of(&mut fields, problems);
    let hierarchy =
        if fields.flag("hierarchy", problems).unwrap_or(true) { Hierarchy::On } else { Hierarchy::Off };
    let codes = fields.texts("codes", problems);
    if codes.is_empty() {
        problems.add(fields.at(), "the step `comorbidity` needs the key `codes`");
    }
    let by = fields.required_text("by", problems);
    let from = fields.text("from", problems);
    let patient = fields.text("patient", problems);
    if let (Some(word), None) = (&patient, &from) {
        problems.add(
            word.at,
            "`patient` names the identifier in the source of `from`: without it, `by` is enough",
        );
    }
    let window = window_of(&mut fields, problems);
    let age = fields.text("age", problems);
    let age_points_max = fields.whole("age_points_max", problems).unwrap_or(4);
    if let (Some(word), Variant::VanWalraven2009) = (&age, variant) {
        problems.add(word.at, "the index `elixhauser` has no points for age");
    }
    let name = if variant == Variant::VanWalraven2009 { "elixhauser" } else { "charlson" };
    let into = fields.text("into", problems).unwrap_or(Word { text: name.to_owned(), at: fields.at() });
    let groups = fields.flag("groups", problems).unwrap_or(false);
    let choices = [("null", false), ("zero", true)];
    let without_codes_is_zero =
        choice_or_null(&mut fields, "without_codes", &choices, problems).unwrap_or(false);
    let patients_max = fields.whole("patients_max", problems).unwrap_or(PATIENTS_MAX);
    fields.end(problems);
    let by = by.filter(|_| problems.len() == before)?;
    Some(Comorbidity {
        variant,
        hierarchy,
        codes,
        patient: patient.unwrap_or_else(|| by.clone()),
        by,
        from,
        date: window.date,
        formats: window.formats,
        lookback_days: window.lookback_days,
        as_of: window.as_of,
        age,
        age_points_max: u8::try_from(age_points_max).unwrap_or(u8::MAX),
        into,
        groups,
        without_codes_is_zero,
        patients_max,
    })
}

/// Reads `index` and `weights`.
fn variant_of(fields: &mut Fields<'_>, problems: &mut Problems) -> Variant {
    fields.required("index", problems);
    let indexes = [("charlson", true), ("elixhauser", false)];
    let is_charlson = fields.choice("index", &indexes, problems).unwrap_or(true);
    let weights = [("1987", Variant::Charlson1987), ("2011", Variant::CharlsonQuan2011)];
    let weights = fields.choice("weights", &weights, problems);
    if is_charlson {
        return weights.unwrap_or(Variant::Charlson1987);
    }
    if weights.is_some() {
        let message = "`weights` are of the index `charlson`: `elixhauser` has those of van Walraven 2009";
        problems.add(fields.at(), message);
    }
    Variant::VanWalraven2009
}

/// Reads `date`, `formats`, `lookback` and `as_of`.
fn window_of(fields: &mut Fields<'_>, problems: &mut Problems) -> Window {
    let date = fields.text("date", problems);
    let formats = fields.texts("formats", problems);
    let formats = DateFormats::decode(&formats, problems);
    let lookback = fields.span("lookback", problems);
    if lookback.is_some_and(|span| span.as_secs() % SECS_PER_DAY != 0) {
        problems.add(fields.at(), "`lookback` of the step `comorbidity` is in whole days, such as `365d`");
    }
    let written = fields.text("as_of", problems);
    let given = written.as_ref().filter(|word| word.text != "run_date");
    let as_of = given.and_then(|word| parse_day(word));
    if let (Some(word), None) = (given, as_of) {
        let message = "`as_of` of the step `comorbidity` is `run_date` or a day such as `2026-01-15`";
        problems.add(word.at, message);
    }
    if date.is_none() && (lookback.is_some() || written.is_some()) {
        let message = "`lookback` and `as_of` of the step `comorbidity` need `date`: the day of a diagnosis";
        problems.add(fields.at(), message);
    }
    let lookback_days = lookback.and_then(|span| i64::try_from(span.as_secs() / SECS_PER_DAY).ok());
    Window { date, formats, lookback_days, as_of }
}
