//! What the rules found, as cards. Pure.

use rules::{Finding, Severity, What};
use serde_json::{Value, json};
use uuid::Uuid;

use super::lead::Leads;
use super::suggest::Suggestion;

/// Characters of a summary; the specification says fewer than 140.
const SUMMARY_CHARS_MAX: usize = 139;
const REASONS: &str = "urn:salus:override-reason";

/// What a person can say who does not follow a card: code and words.
pub const OVERRIDE_REASONS: [(&str, &str); 6] = [
    ("known-and-monitored", "Known for this patient, and monitored"),
    ("benefit-outweighs", "The benefit outweighs the risk"),
    ("tolerated-before", "Tolerated before"),
    ("not-accurate", "The record is not accurate or not up to date"),
    ("no-alternative", "There is no better alternative"),
    ("care-plan", "Not in line with the patient's care plan"),
];

/// A card, and which rule it speaks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Card {
    /// Names it in feedback.
    pub uuid: Uuid,
    /// The rule.
    pub rule: String,
    /// Its version.
    pub version: String,
    /// How bad.
    pub severity: Severity,
    /// What it proposes, as feedback names it.
    pub suggestions: Vec<Uuid>,
    /// As the client gets it.
    pub document: Value,
}

/// The card of a finding; `None` when it raises nothing.
pub(crate) fn card_of(
    finding: &Finding,
    uuid: Uuid,
    leads: &Leads,
    suggestion: Option<Suggestion>,
) -> Option<Card> {
    let What::Raise(severity) = finding.what else { return None };
    let mut document = json!({
        "uuid": uuid.to_string(),
        // What matters stands first; the rest is in the detail.
        "summary": shortened(finding.message.split("; ").next().unwrap_or_default()),
        "detail": detail(finding),
        "indicator": indicator(severity),
        "source": {
            "label": format!("salus rule {} {}", finding.rule, finding.version),
            "topic": {"system": "urn:salus:topic", "code": finding.topic, "display": finding.topic.replace('-', " ")},
        },
        "overrideReasons": OVERRIDE_REASONS.map(|(code, display)| json!({"system": REASONS, "code": code, "display": display})),
    });
    if let Some(page) = leads.rule(&finding.rule) {
        document["source"]["url"] = page.into();
    }
    let links = leads.links(&finding.topic);
    if !links.is_empty() {
        document["links"] = links.into();
    }
    let mut suggestions = Vec::new();
    if let Some(Suggestion { uuid, document: suggested }) = suggestion {
        suggestions.push(uuid);
        document["suggestions"] = json!([suggested]);
        document["selectionBehavior"] = "at-most-one".into();
    }
    let (rule, version) = (finding.rule.clone(), finding.version.clone());
    Some(Card { uuid, rule, version, severity, suggestions, document })
}

/// Rules that could not be judged, as one card: unknown is said, never taken as normal.
pub(crate) fn unjudged(findings: &[Finding], uuid: Uuid) -> Option<Card> {
    let reasons: Vec<String> = findings
        .iter()
        .filter_map(|finding| match &finding.what {
            What::NotEvaluated(why) => Some(format!("* {}: {}", escaped(&finding.rule), escaped(why))),
            _ => None,
        })
        .collect();
    if reasons.is_empty() {
        return None;
    }
    let document = json!({
        "uuid": uuid.to_string(),
        "summary": format!("{} could not be judged", if reasons.len() == 1 { "1 rule".to_owned() } else { format!("{} rules", reasons.len()) }),
        "detail": reasons.join("\n"),
        "indicator": "info",
        "source": {"label": "salus rules"},
    });
    Some(Card {
        uuid,
        rule: String::new(),
        version: String::new(),
        severity: Severity::Info,
        suggestions: Vec::new(),
        document,
    })
}

fn indicator(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "critical",
        Severity::High | Severity::Medium => "warning",
        Severity::Low | Severity::Info => "info",
    }
}

fn shortened(message: &str) -> String {
    if message.chars().count() <= SUMMARY_CHARS_MAX {
        return message.to_owned();
    }
    let start: String = message.chars().take(SUMMARY_CHARS_MAX - 1).collect();
    format!("{}…", start.trim_end())
}

/// What it rests on, in Markdown.
fn detail(finding: &Finding) -> String {
    let mut text = escaped(&finding.message);
    for seen in &finding.seen {
        let unit = seen.unit.as_ref().map(|unit| format!(" {unit}")).unwrap_or_default();
        let line = format!(
            "\n* {}: {}{unit}, {}, from {}",
            seen.name.replace('_', " "),
            seen.value,
            seen.at,
            seen.source
        );
        text.push_str(&escaped(&line).replace("\n\\*", "\n*"));
    }
    if let Some(mins) = finding.respond_within_mins {
        text.push_str(&format!("\n\nRespond within {mins} minutes."));
    }
    text.push_str("\n\nAdvice only: it does not replace clinical judgement.");
    text
}

/// Values are text in Markdown and nothing else.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(character, '\\' | '*' | '_' | '[' | ']' | '<' | '>' | '`' | '#' | '|' | '!') {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use fhir::Instant;

    fn finding(message: &str, what: What) -> Finding {
        Finding {
            rule: "founding/heart-rate".into(),
            version: "1.0.0".into(),
            subject: "Patient/1".into(),
            what,
            at: Instant(0),
            opening: "e".into(),
            event: None,
            message: message.into(),
            seen: vec![rules::Seen {
                name: "heart_rate".into(),
                value: ">131".into(),
                unit: Some("/min".into()),
                at: Instant(0),
                event: "e".into(),
                source: "m".into(),
            }],
            topic: "heart-rate".into(),
            immediate: false,
            respond_within_mins: Some(15),
        }
    }

    #[test]
    fn severities_become_indicators() {
        let of = |severity| {
            let finding = finding("m", What::Raise(severity));
            card_of(&finding, Uuid::nil(), &Leads::default(), None).unwrap().document
        };
        let indicators = Severity::ALL.map(|severity| of(severity)["indicator"].as_str().unwrap().to_owned());
        assert_eq!(indicators, ["critical", "warning", "warning", "info", "info"]);
        let card = of(Severity::High);
        for absent in ["links", "suggestions", "selectionBehavior"] {
            assert!(card.get(absent).is_none(), "{absent}");
        }
        assert!(card["source"].get("url").is_none(), "no address is configured");
        assert!(card["detail"].as_str().unwrap().contains("\n* heart rate: \\>131 /min"), "{card}");
        assert!(
            card["overrideReasons"].as_array().unwrap().iter().all(|reason| reason["display"].is_string())
        );
        assert_eq!(card_of(&finding("m", What::Clear), Uuid::nil(), &Leads::default(), None), None);
    }

    #[test]
    fn summaries_stay_short() {
        let long = "ä".repeat(300);
        let finding = finding(&long, What::Raise(Severity::Low));
        let card = card_of(&finding, Uuid::nil(), &Leads::default(), None).unwrap();
        assert_eq!(card.document["summary"].as_str().unwrap().chars().count(), SUMMARY_CHARS_MAX);
    }

    #[test]
    fn what_cannot_be_judged_is_said() {
        let found = [finding("", What::NotEvaluated("age is unknown".into())), finding("", What::Clear)];
        let card = unjudged(&found, Uuid::nil()).unwrap();
        assert_eq!(card.document["summary"], "1 rule could not be judged");
        assert_eq!(unjudged(&found[1..], Uuid::nil()), None);
    }
}
