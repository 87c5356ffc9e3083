//! Cards that were given, and what became of them: kept in `stream.db`.

use fhir::{Instant, Value};
use rusqlite::{Connection, OptionalExtension, params};

use super::DecisionError;
use super::card::Card;

/// Outcomes of one request.
const FEEDBACK_MAX: usize = 200;
const COMMENT_CHARS_MAX: usize = 1_000;

/// What a person did with a card.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) card: String,
    pub(crate) is_accepted: bool,
    /// Suggestions that were taken.
    pub(crate) suggestions: Vec<String>,
    pub(crate) reason_system: Option<String>,
    pub(crate) reason_code: Option<String>,
    pub(crate) comment: Option<String>,
    pub(crate) at: Instant,
}

/// Reads `{"feedback": [...]}`.
pub(crate) fn parse(body: &Value) -> Result<Vec<Outcome>, DecisionError> {
    let all = body.get("feedback").filter(|all| all.as_array().is_some());
    let all = all
        .ok_or_else(|| DecisionError::Invalid("`feedback` is missing, or is not an array".into()))?
        .items();
    if all.is_empty() || all.len() > FEEDBACK_MAX {
        return Err(DecisionError::Invalid(format!("`feedback` must have 1 to {FEEDBACK_MAX} entries")));
    }
    all.iter().enumerate().map(|(at, one)| outcome_of(one, at)).collect()
}

fn outcome_of(one: &Value, at: usize) -> Result<Outcome, DecisionError> {
    let wrong = |name: &str, why: &str| DecisionError::Invalid(format!("`feedback[{at}].{name}` {why}"));
    let card = one.text("card").ok_or_else(|| wrong("card", "is missing"))?;
    let is_accepted = match one.text("outcome") {
        Some("accepted") => true,
        Some("overridden") => false,
        _ => return Err(wrong("outcome", "must be `accepted` or `overridden`")),
    };
    let suggestions = one.get("acceptedSuggestions").map_or(&[][..], Value::items);
    let suggestions = suggestions.iter().map(|suggestion| suggestion.text("id").map(str::to_owned));
    let suggestions: Option<Vec<String>> = suggestions.collect();
    let suggestions = suggestions.ok_or_else(|| wrong("acceptedSuggestions", "has an entry without `id`"))?;
    if is_accepted && suggestions.is_empty() {
        return Err(wrong("acceptedSuggestions", "is needed when the outcome is `accepted`"));
    }
    let stamp = one.text("outcomeTimestamp").and_then(Instant::parse);
    let reason = one.get("overrideReason");
    let coding = reason.and_then(|reason| reason.get("reason"));
    let comment = reason.and_then(|reason| reason.text("userComment"));
    if comment.is_some_and(|comment| comment.chars().count() > COMMENT_CHARS_MAX) {
        return Err(wrong(
            "overrideReason.userComment",
            &format!("is longer than {COMMENT_CHARS_MAX} characters"),
        ));
    }
    let part = |name: &str| coding.and_then(|coding| coding.text(name)).map(str::to_owned);
    Ok(Outcome {
        card: card.to_owned(),
        is_accepted,
        suggestions,
        reason_system: part("system"),
        reason_code: part("code"),
        comment: comment.map(str::to_owned),
        at: stamp.ok_or_else(|| wrong("outcomeTimestamp", "is missing, or is no instant with an offset"))?,
    })
}

/// Where a card was given.
pub(crate) struct Given<'a> {
    pub(crate) tenant: &'a str,
    pub(crate) service: &'a str,
    pub(crate) instance: &'a str,
    /// Who saw the card, as the client names them.
    pub(crate) user: &'a str,
    pub(crate) subject: &'a str,
    pub(crate) by: &'a str,
    pub(crate) at: Instant,
}

/// Keeps cards, so that feedback finds them.
pub(crate) fn keep(conn: &Connection, given: &Given<'_>, cards: &[Card]) -> rusqlite::Result<()> {
    let mut statement = conn.prepare_cached(
        "INSERT INTO decision_card (tenant, uuid, service, instance, person, subject, rule, version, severity, at, by, suggestions)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
    )?;
    for card in cards {
        statement.execute(params![
            given.tenant,
            card.uuid.to_string(),
            given.service,
            given.instance,
            given.user,
            given.subject,
            card.rule,
            card.version,
            card.severity.name(),
            given.at.0,
            given.by,
            card.suggestions.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
        ])?;
    }
    Ok(())
}

/// Keeps outcomes; the inner error names a card that this service did not give, or a suggestion that the card did not have. Then nothing is kept.
pub(crate) fn record(
    conn: &Connection,
    given: &Given<'_>,
    outcomes: &[Outcome],
) -> rusqlite::Result<Result<(), DecisionError>> {
    for outcome in outcomes {
        let known: Option<String> = conn
            .prepare_cached(
                "SELECT suggestions FROM decision_card WHERE tenant = ?1 AND uuid = ?2 AND service = ?3",
            )?
            .query_row(params![given.tenant, outcome.card, given.service], |row| row.get(0))
            .optional()?;
        let Some(known) = known else {
            let why = format!("the service `{}` gave no card `{}`", given.service, outcome.card);
            return Ok(Err(DecisionError::UnknownCard(why)));
        };
        if let Some(other) = outcome.suggestions.iter().find(|one| !known.split(' ').any(|id| id == *one)) {
            let why = format!("the card `{}` has no suggestion `{other}`", outcome.card);
            return Ok(Err(DecisionError::UnknownCard(why)));
        }
    }
    let mut statement = conn.prepare_cached(
        "INSERT INTO decision_feedback (tenant, card, outcome, suggestions, reason_system, reason_code, comment, at, received_at, by)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?;
    for outcome in outcomes {
        statement.execute(params![
            given.tenant,
            outcome.card,
            if outcome.is_accepted { "accepted" } else { "overridden" },
            outcome.suggestions.join(" "),
            outcome.reason_system,
            outcome.reason_code,
            outcome.comment,
            outcome.at.0,
            given.at.0,
            given.by
        ])?;
    }
    Ok(Ok(()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let body = fhir::json::parse(text.as_bytes(), &fhir::json::Limits::default()).unwrap();
        let found = match parse(&body) {
            Ok(outcomes) => format!("{} {}", outcomes.len(), outcomes[0].suggestions.join(" ")),
            Err(error) => error.to_string(),
        };
        assert_eq!(found.trim(), expected, "{text}");
    }

    #[test]
    fn the_examples_of_the_specification_are_read() {
        check(
            r#"{"feedback":[{"card":"4e0a","outcome":"accepted","acceptedSuggestions":[{"id":"e56e"}],"outcomeTimestamp":"2021-12-11T10:05:31Z"}]}"#,
            "1 e56e",
        );
        check(
            r#"{"feedback":[{"card":"f6b9","outcome":"overridden","outcomeTimestamp":"2020-12-11T00:00:00Z"}]}"#,
            "1",
        );
        check(
            r#"{"feedback":[{"card":"9368","outcome":"overridden","overrideReason":{"reason":{"code":"d7ec","system":"https://example.com"},"userComment":"c"},"outcomeTimestamp":"2020-12-11T00:00:00Z"}]}"#,
            "1",
        );
    }

    #[test]
    fn what_is_wrong_is_named() {
        check("{}", "`feedback` is missing, or is not an array");
        check(r#"{"feedback":[]}"#, "`feedback` must have 1 to 200 entries");
        check(r#"{"feedback":[{"outcome":"accepted"}]}"#, "`feedback[0].card` is missing");
        check(
            r#"{"feedback":[{"card":"c","outcome":"ignored"}]}"#,
            "`feedback[0].outcome` must be `accepted` or `overridden`",
        );
        check(
            r#"{"feedback":[{"card":"c","outcome":"accepted","outcomeTimestamp":"2020-12-11T00:00:00Z"}]}"#,
            "`feedback[0].acceptedSuggestions` is needed when the outcome is `accepted`",
        );
        check(
            r#"{"feedback":[{"card":"c","outcome":"accepted","acceptedSuggestions":[{"id":"a"},{}],"outcomeTimestamp":"2020-12-11T00:00:00Z"}]}"#,
            "`feedback[0].acceptedSuggestions` has an entry without `id`",
        );
        check(
            r#"{"feedback":[{"card":"c","outcome":"overridden","outcomeTimestamp":"2020"}]}"#,
            "`feedback[0].outcomeTimestamp` is missing, or is no instant with an offset",
        );
    }
}
