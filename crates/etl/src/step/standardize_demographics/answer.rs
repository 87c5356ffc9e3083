//! Answers to a question on sex, race or ethnicity → codes, evaluated once per distinct answer.

use std::collections::HashMap;

use arrow::array::{ArrayRef, Int32Array, StringViewBuilder};
use clinical::demographics::{
    Choice, choice_of, combined, ethnicity_of, gender_of, parts_of, race_of, race_with_code, tidied, words_of,
};
use serde_json::json;
use std::sync::Arc;
use table::{Batch, Text};

use super::{Demographics, NAME, Unmapped};
use crate::EtlError;
use crate::step::Output;
use crate::step::cells::{Labels, PerValue, Refused};

/// Number of an answer's label; negative where there is none.
const NONE: i32 = -1;

/// What an answer means.
#[derive(Clone, Copy)]
struct Answer {
    /// A label for each of the columns that are made.
    labels: [i32; 3],
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Missing,
    Mapped,
    /// Of several answers some are in no table; the others are kept.
    Partly,
    Unmapped,
}

enum Question {
    Gender,
    Race,
    Ethnicity,
    Combined { unselected_is_not_hispanic: bool },
}

/// The codes of an answer, one text per column that is made, and how many parts are in no table.
type Codes = ([Option<String>; 3], usize);

/// A column of answers at work.
pub(super) struct Asked {
    column: String,
    meaning: Meaning,
    memory: PerValue<Answer>,
    /// The columns that are made, with their labels: the column itself, and the two of the combined question.
    made: Vec<(String, Labels)>,
    n_missing: u64,
    n_mapped: u64,
    n_partly: u64,
    n_unmapped: u64,
}

struct Meaning {
    question: Question,
    /// Answers of the pipeline's own: codes by words.
    own: HashMap<String, String>,
}

/// The columns of answers of a step.
pub(super) fn asked_of(spec: &Demographics) -> Vec<Asked> {
    let of = |column: &str, question: Question, own: &HashMap<String, String>| {
        let mut made = vec![(column.to_owned(), Labels::default())];
        if let Question::Combined { .. } = question {
            made.extend(["race", "ethnicity"].map(|name| (name.to_owned(), Labels::default())));
        }
        let (column, meaning) = (column.to_owned(), Meaning { question, own: own.clone() });
        let memory = PerValue::new();
        Asked { column, meaning, memory, made, n_missing: 0, n_mapped: 0, n_partly: 0, n_unmapped: 0 }
    };
    let maps = &spec.maps;
    let unselected_is_not_hispanic = spec.unselected_is_not_hispanic;
    let all = [
        spec.sex.as_ref().map(|column| of(column, Question::Gender, &maps.sex)),
        spec.race.as_ref().map(|column| of(column, Question::Race, &maps.race)),
        spec.ethnicity.as_ref().map(|column| of(column, Question::Ethnicity, &maps.ethnicity)),
        spec.race_ethnicity
            .as_ref()
            .map(|column| of(column, Question::Combined { unselected_is_not_hispanic }, &maps.race)),
    ];
    all.into_iter().flatten().collect()
}

impl Meaning {
    fn codes_of(&self, text: &str) -> Codes {
        let own = words_of(text).and_then(|words| self.own.get(&words)).cloned();
        let one = |code: Option<String>| {
            let n_unmapped = usize::from(code.is_none());
            ([code, None, None], n_unmapped)
        };
        match &self.question {
            Question::Gender => one(own.or_else(|| gender_of(text).map(|gender| gender.code().to_owned()))),
            Question::Ethnicity => {
                one(own.or_else(|| ethnicity_of(text).map(|ethnicity| ethnicity.code().to_owned())))
            }
            Question::Race if own.is_some() => one(own),
            Question::Race => self.races_of(text),
            Question::Combined { unselected_is_not_hispanic } => {
                let unselected = unselected_is_not_hispanic.then_some("2186-5");
                self.combined_of(text, unselected)
            }
        }
    }

    /// The races that the pipeline's own table gives for a part.
    fn own_races(&self, part: &str) -> Option<Vec<clinical::demographics::Race>> {
        let codes = self.own.get(&words_of(part)?)?;
        Some(codes.split('|').filter_map(race_with_code).collect())
    }

    fn races_of(&self, text: &str) -> Codes {
        let (mut races, mut n_unmapped) = (Vec::new(), 0);
        for part in parts_of(text) {
            match self.own_races(part).or_else(|| race_of(part).map(|race| vec![race])) {
                Some(found) => races.extend(found),
                None => n_unmapped += 1,
            }
        }
        let codes: Vec<&str> = tidied(races).iter().map(|race| race.code()).collect();
        ([joined(&codes), None, None], n_unmapped)
    }

    fn combined_of(&self, text: &str, unselected: Option<&str>) -> Codes {
        let (mut choices, mut n_unmapped) = (Vec::new(), 0);
        for part in parts_of(text) {
            match (self.own_races(part), choice_of(part)) {
                (Some(own), _) => choices.extend(own.into_iter().map(Choice::Race)),
                (None, Some(choice)) => choices.push(choice),
                (None, None) => n_unmapped += 1,
            }
        }
        let found = combined(&choices, n_unmapped);
        let races: Vec<&str> = found.races.iter().map(|race| race.code()).collect();
        let has_category = found.races.iter().any(|race| race.is_omb() || race.code() == "2131-1");
        let ethnicity = match found.codes[..] {
            _ if found.is_hispanic => Some("2135-2"),
            ["UNK"] => Some("UNK"),
            ["ASKU"] => Some("ASKU"),
            // A choice that is in no table may have been the one.
            _ if has_category && n_unmapped == 0 => unselected,
            _ => None,
        };
        ([joined(&found.codes), joined(&races), ethnicity.map(str::to_owned)], n_unmapped)
    }
}

fn joined(codes: &[&str]) -> Option<String> {
    (!codes.is_empty()).then(|| codes.join("|"))
}

impl Asked {
    /// The column of the answers.
    pub(super) fn column(&self) -> &str {
        &self.column
    }

    /// Puts codes in the place of the answers.
    pub(super) fn standardize(
        &mut self,
        mut batch: Batch,
        unmapped: Unmapped,
        refused: &mut Refused,
    ) -> Result<Batch, EtlError> {
        let array = batch.array(&self.column)?.clone();
        let text = batch.text(&self.column)?;
        let (meaning, made) = (&self.meaning, &mut self.made);
        let missing = Answer { labels: [NONE; 3], state: State::Missing };
        let answers = self.memory.map(&text, missing, |text| answer_of(meaning, made, text));
        self.count(&answers, unmapped, refused);
        let is_kept =
            unmapped == Unmapped::Keep && answers.iter().any(|answer| answer.state == State::Unmapped);
        for (at, (name, labels)) in self.made.iter_mut().enumerate() {
            let column = if at == 0 && is_kept {
                with_originals(&answers, labels, &array)
            } else {
                let numbers =
                    answers.iter().map(|answer| Some(answer.labels[at]).filter(|label| *label >= 0));
                labels.column(numbers.collect::<Int32Array>())
            };
            batch = batch.with(name, column)?;
        }
        Ok(batch)
    }

    fn count(&mut self, answers: &[Answer], unmapped: Unmapped, refused: &mut Refused) {
        for (row, answer) in answers.iter().enumerate() {
            match answer.state {
                State::Missing => self.n_missing += 1,
                State::Mapped => self.n_mapped += 1,
                State::Partly => self.n_partly += 1,
                State::Unmapped => self.n_unmapped += 1,
            }
            let is_whole = matches!(answer.state, State::Missing | State::Mapped);
            if unmapped == Unmapped::Quarantine && !is_whole {
                let message =
                    format!("`{}` holds an answer that no table knows: add it to `map`", self.column);
                refused.add(row, &self.column, "unmapped", message);
            }
        }
    }

    /// Counts as a fact.
    pub(super) fn report(&self, out: &mut dyn Output) {
        let counts = json!({
            "mapped": self.n_mapped,
            "missing": self.n_missing,
            "unmapped": self.n_unmapped,
            "partly_unmapped": self.n_partly,
        });
        out.fact(&format!("{NAME}.{}", self.column), counts);
    }
}

fn answer_of(meaning: &Meaning, made: &mut [(String, Labels)], text: &str) -> Answer {
    if text.trim().is_empty() {
        return Answer { labels: [NONE; 3], state: State::Missing };
    }
    let (codes, n_unmapped) = meaning.codes_of(text);
    let mut labels = [NONE; 3];
    for ((label, code), (_, known)) in labels.iter_mut().zip(&codes).zip(made) {
        *label = code.as_deref().map_or(NONE, |code| known.number(code));
    }
    let state = match (codes.iter().any(Option::is_some), n_unmapped) {
        (true, 0) => State::Mapped,
        (true, _) => State::Partly,
        (false, _) => State::Unmapped,
    };
    Answer { labels, state }
}

/// Codes, and the answers themselves where there is none.
fn with_originals(answers: &[Answer], labels: &Labels, original: &ArrayRef) -> ArrayRef {
    let original = Text::of(original).expect("the plan asked for text");
    let mut builder = StringViewBuilder::with_capacity(answers.len());
    for (row, answer) in answers.iter().enumerate() {
        match answer.state {
            State::Unmapped => builder.append_option(original.get(row)),
            _ => builder.append_option(labels.text(answer.labels[0])),
        }
    }
    Arc::new(builder.finish())
}
