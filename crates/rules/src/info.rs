//! What a set of rules holds, for pages and people.

use uuid::Uuid;

use crate::model::{Applies, Body, Condition, OrderCheck, Row, Rule};
use crate::{RuleSet, Severity};

/// A rule as people read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleInfo {
    /// `PACK/NAME`.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Of its content: the same version must always have the same.
    pub hash: Uuid,
    /// What it is for.
    pub about: String,
    /// Where its limits are from.
    pub source: String,
    /// Rules with one topic make one alert.
    pub topic: String,
    /// What it looks at: `heart rate`, or an expression.
    pub looks_at: String,
    /// UCUM.
    pub unit: Option<String>,
    /// Whom it is for, in words.
    pub applies: String,
    /// Its limits.
    pub rows: Vec<RowInfo>,
    /// After an alert is over, the same is not said again for this time.
    pub refractory: Option<String>,
    /// Whether it is in use.
    pub enabled: bool,
}

/// One limit of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowInfo {
    /// The limit with its unit, or the expression.
    pub limit: String,
    /// How long it must hold.
    pub sustained: Option<String>,
    /// How bad it is.
    pub severity: Severity,
    /// When it is over, and for how long that must hold.
    pub clear: String,
    /// In which time somebody must respond.
    pub respond_within: Option<String>,
    /// Arrest range.
    pub immediate: bool,
    /// What the alert says.
    pub says: Option<String>,
}

impl RuleSet {
    /// All rules, in the order of their files.
    pub fn rules(&self) -> Vec<RuleInfo> {
        self.rules.iter().map(|rule| self.info(rule)).collect()
    }

    /// Measures that rules know: name, label, unit and LOINC codes.
    pub fn measures(&self) -> Vec<(String, String, Option<String>, Vec<String>)> {
        let measure = |indexed: &crate::set::Indexed| {
            let measure = &indexed.measure;
            (measure.name.clone(), measure.label.clone(), measure.unit.clone(), measure.loinc.clone())
        };
        self.measures.iter().map(measure).collect()
    }

    fn info(&self, rule: &Rule) -> RuleInfo {
        let (looks_at, unit) = match &rule.body {
            Body::Limits { measure, unit, .. } => (
                self.measure(measure).map_or_else(|| measure.clone(), |found| found.measure.label.clone()),
                unit.clone(),
            ),
            Body::When(row) => (self.condition(rule, &row.raise), None),
            Body::Order { check: OrderCheck::Duplicate, .. } => {
                ("an order against active medication".to_owned(), None)
            }
            Body::Order { check: OrderCheck::Allergy, .. } => {
                ("an order against recorded allergies".to_owned(), None)
            }
        };
        let rows = match &rule.body {
            Body::Order { severity, respond_within, .. } => vec![RowInfo {
                limit: "the same RxNorm code".to_owned(),
                sustained: None,
                severity: *severity,
                clear: "the order ends".to_owned(),
                respond_within: respond_within.map(|span| span.to_string()),
                immediate: false,
                says: None,
            }],
            _ => rule.rows().iter().map(|row| self.row(rule, row)).collect(),
        };
        RuleInfo {
            name: rule.name.clone(),
            version: rule.version.clone(),
            hash: rule.hash,
            about: rule.about.clone(),
            source: rule.source.clone(),
            topic: rule.topic.clone(),
            looks_at,
            unit,
            applies: rule.applies.words(),
            rows,
            refractory: rule.refractory.map(|span| span.to_string()),
            enabled: rule.enabled,
        }
    }

    fn row(&self, rule: &Rule, row: &Row) -> RowInfo {
        let clear = self.condition(rule, &row.clear);
        RowInfo {
            limit: self.condition(rule, &row.raise),
            sustained: row.sustained.map(|span| span.to_string()),
            severity: row.severity,
            clear: row.clear_for.map_or_else(|| clear.clone(), |span| format!("{clear} for {span}")),
            respond_within: row.respond_within.map(|span| span.to_string()),
            immediate: row.immediate,
            says: row.says.clone(),
        }
    }

    fn condition(&self, rule: &Rule, condition: &Condition) -> String {
        let limit = match condition {
            Condition::When(expression) => return expression.text.clone(),
            Condition::Limit(limit) => limit,
        };
        let Body::Limits { measure, unit, .. } = &rule.body else { return limit.to_string() };
        let words = self.measure(measure).map_or(&[][..], |found| &found.measure.words);
        let word = usize::try_from(limit.number.parts().0).ok().and_then(|place| words.get(place));
        match (word, unit) {
            (Some(word), _) => format!("{} {word}", limit.op.name().replace('_', " ")),
            (None, Some(unit)) => format!("{limit} {unit}"),
            (None, None) => limit.to_string(),
        }
    }
}

impl Applies {
    /// In words.
    pub(crate) fn words(&self) -> String {
        let mut parts = Vec::new();
        match (self.from, self.below) {
            (Some(from), Some(below)) => parts.push(format!("from {from} and below {below}")),
            (Some(from), None) => parts.push(format!("from {from}")),
            (None, Some(below)) => parts.push(format!("below {below}")),
            (None, None) => {}
        }
        if self.unknown_age && (self.from.is_some() || self.below.is_some()) {
            parts.push("or of unknown age".to_owned());
        }
        let facts = [
            (self.pregnant, "pregnant or post-partum", "not pregnant or post-partum"),
            (
                self.spo2_target_88_92,
                "with an order of SpO2 88 to 92 %",
                "without an order of SpO2 88 to 92 %",
            ),
            (self.dialysis, "on dialysis", "not on dialysis"),
        ];
        parts.extend(
            facts.iter().filter_map(|(asked, yes, no)| {
                asked.map(|asked| (if asked { *yes } else { *no }).to_owned())
            }),
        );
        if !self.units.is_empty() {
            parts.push(format!("in {}", self.units.join(", ")));
        }
        if !self.not_units.is_empty() {
            parts.push(format!("not in {}", self.not_units.join(", ")));
        }
        if parts.is_empty() { "everybody".to_owned() } else { parts.join(", ") }
    }
}
