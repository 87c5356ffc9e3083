//! Options of `standardize_demographics`.

use std::collections::HashMap;

use clinical::age::{Day, parse_day};
use clinical::demographics::{
    ethnicity_with_code, gender_with_code, parts_of, race_with_code, tidied, words_of,
};

use crate::step::cells::{DateFormats, choice_or_null};
use crate::yaml::{Fields, Node};
use crate::{Problems, Word};

/// Ages above this are not believed by default; the oldest documented person reached 122.
const AGE_YEARS_MAX: u64 = 120;

/// Options of the step `standardize_demographics`.
#[derive(Debug)]
pub(crate) struct Demographics {
    /// `sex` or `gender`: the column whose answers become `female`, `male`, `other`, `unknown` (FHIR administrative-gender).
    pub sex: Option<Word>,
    /// `race`: the column whose answers become codes of OMB categories, several joined by `|`; `UNK` and `ASKU` stand alone.
    pub race: Option<Word>,
    /// `ethnicity`: the column whose answers become `2135-2`, `2186-5`, `UNK`, `ASKU`.
    pub ethnicity: Option<Word>,
    /// `race_ethnicity`: the column of the single question of SPD 15 (2024). Its answers become codes of the seven categories, and the
    /// new columns `race` and `ethnicity` hold them in the form of 1997.
    pub race_ethnicity: Option<Word>,
    /// `unselected`: the ethnicity of who answered the single question without `2135-2`: `null` (the default: it was not said) or
    /// `not_hispanic` (as OMB tabulates).
    pub unselected_is_not_hispanic: bool,
    /// `birth_date`: the column of the birth date; it becomes a date.
    pub birth_date: Option<Word>,
    /// `death_date`: the column of the date of death; it becomes a date, and ends ageing.
    pub death_date: Option<Word>,
    /// `age_on`: `run_date`, a day such as `2026-01-15`, or a column: the day of the age in completed years.
    pub age_on: Option<AgeOn>,
    /// `age`: the name of the new column; `age` by default.
    pub age: Word,
    /// `age_years_max`: older people are not believed; 120 by default, at most 130.
    pub age_years_max: u16,
    /// `formats`: forms of days in text columns, tried in order; `%Y-%m-%d` by default.
    pub(crate) formats: DateFormats,
    /// `unmapped`: what becomes of an answer that no table knows; `null` by default.
    pub unmapped: Unmapped,
    /// `on_invalid`: what becomes of a day that does not exist or cannot be, and of an age that cannot be; `quarantine` by default.
    pub on_invalid: OnInvalid,
    /// `keep_source`: keep what the columns held in `<column>_source`.
    pub keep_source: bool,
    /// `map`: answers of the pipeline's own, which go before the tables: `map: {sex: {"1": male}}`.
    pub(crate) maps: Maps,
}

/// Answers of the pipeline's own by question, in the form in which they are looked up.
#[derive(Debug, Default)]
pub(crate) struct Maps {
    pub(crate) sex: HashMap<String, String>,
    pub(crate) race: HashMap<String, String>,
    pub(crate) ethnicity: HashMap<String, String>,
}

/// On which day an age is.
#[derive(Clone, Debug)]
pub(crate) enum AgeOn {
    /// The day of the run, in UTC.
    RunDate,
    /// A day of the file.
    Day(Day),
    /// The day in a column.
    Column(Word),
}

/// What becomes of an answer that no table knows. It is counted in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unmapped {
    /// It stays as it is.
    Keep,
    /// The column is empty.
    Null,
    /// The row is quarantined.
    Quarantine,
}

/// What becomes of a day or an age that cannot be. It is counted in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnInvalid {
    /// The column is empty.
    Null,
    /// The row is quarantined.
    Quarantine,
}

/// Decodes the options.
pub(super) fn decode(options: &Node, problems: &mut Problems) -> Option<Demographics> {
    let before = problems.len();
    let mut fields = options.fields("the step `standardize_demographics`", problems);
    let sex = fields.text("sex", problems);
    let gender = fields.text("gender", problems);
    if let (Some(_), Some(second)) = (&sex, &gender) {
        problems.add(second.at, "`gender` is another name of `sex`: give one of the two");
    }
    let race = fields.text("race", problems);
    let ethnicity = fields.text("ethnicity", problems);
    let race_ethnicity = fields.text("race_ethnicity", problems);
    if let (Some(both), true) = (&race_ethnicity, race.is_some() || ethnicity.is_some()) {
        problems.add(both.at, "`race_ethnicity` gives `race` and `ethnicity`: give either it or them");
    }
    let birth_date = fields.text("birth_date", problems);
    let death_date = fields.text("death_date", problems);
    let age_on = fields.text("age_on", problems).map(age_on_of);
    if let (Some(_), None) = (&age_on, &birth_date) {
        problems.add(fields.at(), "`age_on` of the step `standardize_demographics` needs `birth_date`");
    }
    let age = fields.text("age", problems).unwrap_or(Word { text: "age".to_owned(), at: fields.at() });
    let age_years_max = fields.whole("age_years_max", problems).unwrap_or(AGE_YEARS_MAX);
    let age_years_max = u16::try_from(age_years_max).ok().filter(|max| *max <= clinical::AGE_YEARS_MAX);
    if age_years_max.is_none() {
        problems.add(fields.at(), "`age_years_max` of the step `standardize_demographics` is at most 130");
    }
    let formats = fields.texts("formats", problems);
    let formats = DateFormats::decode(&formats, problems);
    let choices = [("keep", Unmapped::Keep), ("null", Unmapped::Null), ("quarantine", Unmapped::Quarantine)];
    let unmapped = choice_or_null(&mut fields, "unmapped", &choices, problems).unwrap_or(Unmapped::Null);
    let choices = [("null", OnInvalid::Null), ("quarantine", OnInvalid::Quarantine)];
    let on_invalid =
        choice_or_null(&mut fields, "on_invalid", &choices, problems).unwrap_or(OnInvalid::Quarantine);
    let choices = [("null", false), ("not_hispanic", true)];
    let unselected = choice_or_null(&mut fields, "unselected", &choices, problems).unwrap_or(false);
    let keep_source = fields.flag("keep_source", problems).unwrap_or(false);
    let maps = maps_of(&mut fields, problems);
    fields.end(problems);
    let sex = sex.or(gender);
    if [&sex, &race, &ethnicity, &race_ethnicity, &birth_date, &death_date]
        .iter()
        .all(|column| column.is_none())
    {
        problems.add(options.at, "the step `standardize_demographics` names no column: give `sex`, `race`, `ethnicity`, `race_ethnicity`, `birth_date` or `death_date`");
    }
    (problems.len() == before).then(|| Demographics {
        sex,
        race,
        ethnicity,
        race_ethnicity,
        unselected_is_not_hispanic: unselected,
        birth_date,
        death_date,
        age_on,
        age,
        age_years_max: age_years_max.unwrap_or(0),
        formats,
        unmapped,
        on_invalid,
        keep_source,
        maps,
    })
}

fn age_on_of(word: Word) -> AgeOn {
    match (word.text.as_str(), parse_day(&word)) {
        ("run_date", _) => AgeOn::RunDate,
        (_, Some(day)) => AgeOn::Day(day),
        _ => AgeOn::Column(word),
    }
}

fn maps_of(fields: &mut Fields<'_>, problems: &mut Problems) -> Maps {
    let mut maps = Maps::default();
    let Some(node) = fields.node("map") else { return maps };
    let mut questions = node.fields("`map` of the step `standardize_demographics`", problems);
    let gender = |code: &str| gender_with_code(code).map(|gender| gender.code().to_owned());
    for key in ["sex", "gender"] {
        maps.sex.extend(answers_of(
            &mut questions,
            key,
            gender,
            "`female`, `male`, `other`, `unknown`",
            problems,
        ));
    }
    let races = |codes: &str| {
        let races: Option<Vec<_>> = parts_of(codes).map(race_with_code).collect();
        let races: Vec<&str> = tidied(races?).iter().map(|race| race.code()).collect();
        (!races.is_empty()).then(|| races.join("|"))
    };
    let wanted = "codes of races such as `2106-3`, joined by `|`";
    maps.race = answers_of(&mut questions, "race", races, wanted, problems);
    let ethnicity = |code: &str| ethnicity_with_code(code).map(|ethnicity| ethnicity.code().to_owned());
    let wanted = "`2135-2`, `2186-5`, `UNK`, `ASKU`";
    maps.ethnicity = answers_of(&mut questions, "ethnicity", ethnicity, wanted, problems);
    questions.end(problems);
    maps
}

fn answers_of(
    questions: &mut Fields<'_>,
    key: &'static str,
    code_of: impl Fn(&str) -> Option<String>,
    wanted: &str,
    problems: &mut Problems,
) -> HashMap<String, String> {
    let mut answers = HashMap::new();
    let Some(node) = questions.node(key) else { return answers };
    for (answer, code) in node.entries(&format!("`map.{key}`"), problems) {
        let Some(code) = code.text(&format!("the code in `map.{key}`"), problems) else { continue };
        match (words_of(answer).filter(|words| !words.is_empty()), code_of(&code)) {
            (Some(words), Some(code)) => {
                answers.insert(words, code);
            }
            (None, _) => problems.add(
                answer.at,
                format!("an answer in `map.{key}` needs a letter or digit, and at most 64 bytes"),
            ),
            (_, None) => problems.add(code.at, format!("`{code}` in `map.{key}` is not one of {wanted}")),
        }
    }
    answers
}
