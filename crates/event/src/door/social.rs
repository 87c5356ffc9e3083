//! Social circumstances: answers to questions of a screening, and needs that somebody has found. Categories are the caller's to check.

use fhir::{Object, Value as Json};

use super::coding::{bare, coding_of, codings_of};
use super::member::{below, object, one_of, only, text};
use crate::{Coding, Data, Event, Kind, NoteStatus, Refusal, Status, Why};

const ANSWERS: &[&str] = &["answers", "screening"];
const NEEDS: &[&str] = &["needs", "findings"];
const QUESTION: &[&str] = &["question"];
const ANSWER: &[&str] = &["answer"];
const UNIT: &[&str] = &["unit"];
const POSITIVE: &[&str] = &["positive"];
const ABSENT: &[&str] = &["absent"];
const CATEGORY: &[&str] = &["category", "domain", "sdoh_category"];
const STATUS: &[&str] = &["status"];
const RESULT: &[&str] = &["result", "result_id"];
const CODES: &[&str] = &["code", "codes", "need"];
const TEXT: &[&str] = &["text"];
const VERIFIED: &[&str] = &["verified", "verification"];
const SINCE: &[&str] = &["since", "onset"];
const UNTIL: &[&str] = &["until", "abatement"];
/// Most answers or needs of one event.
const ITEMS_MAX: usize = 200;

const STATES: [&str; 6] = ["active", "recurrence", "relapse", "inactive", "remission", "resolved"];
const VERIFIEDS: [&str; 6] =
    ["unconfirmed", "provisional", "differential", "confirmed", "refuted", "entered-in-error"];

/// What was answered.
#[derive(Clone, PartialEq, Eq)]
pub enum Said {
    /// A code of an answer list.
    Coded(Coding),
    /// Words.
    Text(String),
    /// A number as it was sent, and its unit.
    Number(String, Option<String>),
    /// Yes or no.
    Truth(bool),
    /// There is none; why.
    Absent(String),
}

/// An answer of a screening. Does not print.
#[derive(Clone, PartialEq, Eq)]
pub struct Answer {
    /// The question, mostly of LOINC.
    pub question: Coding,
    /// What was answered.
    pub said: Said,
    /// The sender says whether it shows a need.
    pub positive: Option<bool>,
    /// Category of social needs, as it was sent.
    pub category: Option<String>,
    /// How final.
    pub status: Status,
    /// The sender's identifier of this answer: a correction has the same.
    pub result: Option<String>,
}

/// A need that was found. Does not print.
#[derive(Clone, PartialEq, Eq)]
pub struct Need {
    /// Codes of it, at least one.
    pub codes: Vec<Coding>,
    /// What people call it.
    pub text: Option<String>,
    /// Category of social needs, as it was sent.
    pub category: Option<String>,
    /// A code of FHIR's clinical status; `active` when it is not said.
    pub state: String,
    /// A code of FHIR's verification status, when it is said.
    pub verified: Option<String>,
    /// A date, or a part of one.
    pub since: Option<String>,
    /// A date, or a part of one.
    pub until: Option<String>,
    /// The sender's identifier of this need: what changes it has the same.
    pub result: Option<String>,
}

/// What an event says of social circumstances. Does not print.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Social {
    /// Answers of a screening.
    pub answers: Vec<Answer>,
    /// Needs that were found.
    pub needs: Vec<Need>,
}

/// How many, not what.
impl std::fmt::Debug for Social {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Social({} answers, {} needs)", self.answers.len(), self.needs.len())
    }
}

impl Social {
    /// What an event's data says: lists of answers and needs, or one of either.
    ///
    /// # Errors
    /// A member is missing, unknown or of another form; with its place, never with its content.
    pub fn of(data: &Object, place: &str) -> Result<Social, Refusal> {
        if data.keys().any(|name| QUESTION.contains(&name)) {
            return Ok(Social { answers: vec![answer_of(data, place)?], needs: Vec::new() });
        }
        if data.keys().any(|name| CODES.contains(&name)) {
            return Ok(Social { answers: Vec::new(), needs: vec![need_of(data, place)?] });
        }
        only(data, &[ANSWERS, NEEDS], place)?;
        let social = Social {
            answers: list(data, ANSWERS, place, answer_of)?,
            needs: list(data, NEEDS, place, need_of)?,
        };
        let is_empty = social.answers.is_empty() && social.needs.is_empty();
        if is_empty { Err(Refusal::at(below(place, "answers"), Why::Missing)) } else { Ok(social) }
    }
}

impl Event {
    /// Codes of what it says: type and findings of a note, questions, answers and needs that hold. Of what was entered in error none.
    pub fn codes(&self) -> Vec<Coding> {
        if let Some(note) = self.note() {
            let holds = note.status != NoteStatus::EnteredInError;
            return if holds { note.kind.into_iter().chain(note.codes).collect() } else { Vec::new() };
        }
        let Social { answers, needs } = self.social().unwrap_or_default();
        let mut codes = Vec::new();
        for answer in answers {
            if !matches!(answer.status, Status::Cancelled | Status::EnteredInError) {
                codes.push(answer.question);
                codes.extend(if let Said::Coded(code) = answer.said { Some(code) } else { None });
            }
        }
        let holds = |need: &Need| {
            let is_wrong = matches!(need.verified.as_deref(), Some("refuted" | "entered-in-error"));
            !is_wrong && matches!(need.state.as_str(), "active" | "recurrence" | "relapse")
        };
        codes.extend(needs.into_iter().filter(holds).flat_map(|need| need.codes));
        codes
    }

    /// What an event of this kind says of social circumstances.
    pub fn social(&self) -> Option<Social> {
        match (&self.kind, &self.data) {
            (Kind::SocialDeterminants, Data::Json(data)) => Social::of(data, "/data").ok(),
            _ => None,
        }
    }
}

fn list<T>(
    data: &Object,
    names: &[&str],
    place: &str,
    read: fn(&Object, &str) -> Result<T, Refusal>,
) -> Result<Vec<T>, Refusal> {
    let Some((place, value)) = one_of(data, names, place)? else { return Ok(Vec::new()) };
    let items = value.as_array().ok_or_else(|| Refusal::at(&*place, Why::Expected("a list")))?;
    if items.len() > ITEMS_MAX {
        return Err(Refusal::at(place, Why::TooLarge { max: ITEMS_MAX, of: "items" }));
    }
    let item = |(index, item): (usize, &Json)| {
        let place = format!("{place}/{index}");
        read(object(item, &place)?, &place)
    };
    items.iter().enumerate().map(item).collect()
}

/// Members of one object by name.
struct Members<'a> {
    object: &'a Object,
    place: &'a str,
}

impl<'a> Members<'a> {
    fn get(&self, names: &[&str]) -> Result<Option<(String, &'a Json)>, Refusal> {
        Ok(one_of(self.object, names, self.place)?.filter(|(_, value)| !value.is_null()))
    }

    fn text(&self, names: &[&str]) -> Result<Option<String>, Refusal> {
        match self.get(names)? {
            Some((place, value)) => text(value, &place),
            None => Ok(None),
        }
    }

    fn one_word(
        &self,
        names: &[&str],
        known: &[&str],
        expected: &'static str,
    ) -> Result<Option<String>, Refusal> {
        let word = self.text(names)?;
        match word {
            Some(word) if !known.contains(&word.as_str()) => {
                Err(Refusal::at(below(self.place, names[0]), Why::Expected(expected)))
            }
            word => Ok(word),
        }
    }

    fn date(&self, names: &[&str]) -> Result<Option<String>, Refusal> {
        let date = self.text(names)?;
        let is_date = |date: &String| date.len() <= 10 && fhir::date::parse_date(date).is_some();
        match date {
            Some(date) if !is_date(&date) => {
                let expected = "a date such as `2026-11-25`, `2026-11` or `2026`";
                Err(Refusal::at(below(self.place, names[0]), Why::Expected(expected)))
            }
            date => Ok(date),
        }
    }
}

fn answer_of(one: &Object, place: &str) -> Result<Answer, Refusal> {
    only(one, &[QUESTION, ANSWER, UNIT, POSITIVE, ABSENT, CATEGORY, STATUS, RESULT], place)?;
    let members = Members { object: one, place };
    let missing = |name: &str| Refusal::at(below(place, name), Why::Missing);
    let (question_place, question) = members.get(QUESTION)?.ok_or_else(|| missing("question"))?;
    let (absent, unit) = (members.text(ABSENT)?, members.text(UNIT)?);
    let said = match (members.get(ANSWER)?, absent) {
        (Some((place, _)), Some(_)) => return Err(Refusal::at(place, Why::Twice)),
        (None, None) => return Err(missing("answer")),
        (None, Some(reason)) => Said::Absent(reason),
        (Some((_, Json::Bool(truth))), None) => Said::Truth(*truth),
        (Some((_, Json::Number(number))), None) => Said::Number(number.as_str().to_owned(), unit.clone()),
        (Some((place, value @ Json::Object(_))), None) => Said::Coded(coding_of(value, &place)?),
        (Some((place, value)), None) => {
            let sent = text(value, &place)?.ok_or_else(|| missing("answer"))?;
            bare(&sent).map_or(Said::Text(sent), Said::Coded)
        }
    };
    if unit.is_some() && !matches!(said, Said::Number(..)) {
        return Err(Refusal::at(below(place, "unit"), Why::Expected("no unit beside what is no number")));
    }
    let positive = match members.get(POSITIVE)? {
        None => None,
        Some((_, Json::Bool(truth))) => Some(*truth),
        Some((place, _)) => return Err(Refusal::at(place, Why::Expected("true or false"))),
    };
    let status = match members.text(STATUS)? {
        None => Status::Final,
        Some(name) => Status::named(&name).ok_or_else(|| {
            let expected = "a status such as `final`, `corrected` or `entered-in-error`";
            Refusal::at(below(place, "status"), Why::Expected(expected))
        })?,
    };
    let question = coding_of(question, &question_place)?;
    let (category, result) = (members.text(CATEGORY)?, members.text(RESULT)?);
    Ok(Answer { question, said, positive, category, status, result })
}

fn need_of(one: &Object, place: &str) -> Result<Need, Refusal> {
    only(one, &[CODES, TEXT, CATEGORY, STATUS, VERIFIED, SINCE, UNTIL, RESULT], place)?;
    let members = Members { object: one, place };
    let codes = match members.get(CODES)? {
        Some((place, value)) => codings_of(value, &place)?,
        None => Vec::new(),
    };
    if codes.is_empty() {
        return Err(Refusal::at(below(place, "code"), Why::Missing));
    }
    let states = "`active`, `recurrence`, `relapse`, `inactive`, `remission` or `resolved`";
    let verifieds =
        "`unconfirmed`, `provisional`, `differential`, `confirmed`, `refuted` or `entered-in-error`";
    Ok(Need {
        codes,
        text: members.text(TEXT)?,
        category: members.text(CATEGORY)?,
        state: members.one_word(STATUS, &STATES, states)?.unwrap_or_else(|| STATES[0].to_owned()),
        verified: members.one_word(VERIFIED, &VERIFIEDS, verifieds)?,
        since: members.date(SINCE)?,
        until: members.date(UNTIL)?,
        result: members.text(RESULT)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Social, String> {
        let data = fhir::json::parse(text.as_bytes(), &fhir::json::Limits::default()).unwrap();
        let social = Social::of(data.as_object().unwrap(), "/data");
        social.map_err(|refusal| format!("{} {}", refusal.place, refusal.slug()))
    }

    #[test]
    fn answers_and_needs_are_read() {
        let social = read(
            r#"{"answers":[{"question":"88122-7","answer":"LA28397-0","positive":true,"category":"food_insecurity"},
                {"question":"76504-0","answer":"Now and then"},{"question":"63512-8","answer":4,"unit":"{persons}"},
                {"question":"93030-5","absent":"asked-declined"}],
                "needs":[{"code":["Z59.41","733423003"],"verified":"confirmed","since":"2026-11"}]}"#,
        )
        .unwrap();
        assert_eq!(format!("{social:?}"), "Social(4 answers, 1 needs)");
        assert!(matches!(&social.answers[0].said, Said::Coded(code) if code.code == "LA28397-0"));
        assert!(matches!(&social.answers[1].said, Said::Text(_)));
        assert!(matches!(&social.answers[2].said, Said::Number(n, Some(_)) if n == "4"));
        assert!(matches!(&social.answers[3].said, Said::Absent(_)));
        assert_eq!((social.needs[0].codes.len(), social.needs[0].state.as_str()), (2, "active"));
        let one = read(r#"{"question":"93030-5","answer":true}"#).unwrap();
        assert!(one.answers[0].said == Said::Truth(true) && one.needs.is_empty());
        assert_eq!(read(r#"{"need":"Z59.41"}"#).unwrap().needs.len(), 1);
    }

    #[test]
    fn what_is_wrong_is_said_by_its_place() {
        let check = |text: &str, expected: &str| {
            assert_eq!(read(text).map(|_| ()), Err(expected.to_owned()), "{text}");
        };
        check("{}", "/data/answers missing");
        check(r#"{"food":true}"#, "/data/food unknown-member");
        check(r#"{"answers":[{"question":"88122-7"}]}"#, "/data/answers/0/answer missing");
        check(r#"{"question":"hungry?","answer":true}"#, "/data/question wrong-type");
        check(r#"{"question":"88122-7","answer":true,"absent":"x"}"#, "/data/answer twice");
        check(r#"{"question":"88122-7","answer":true,"unit":"d"}"#, "/data/unit wrong-type");
        check(r#"{"need":"hunger"}"#, "/data/need wrong-type");
        check(r#"{"need":"Z59.41","status":"gone"}"#, "/data/status wrong-type");
        check(r#"{"need":"Z59.41","since":"yesterday"}"#, "/data/since wrong-type");
    }
}
