//! Flags of equity: rules of the configuration, each a name and a search over coded fields of one type.

use compact_str::CompactString;
use fhir::{Instant, Issue, Kind};
use thiserror::Error;

use crate::matches::test;
use crate::parse::{Options, parse};
use crate::query::{Branch, Filter, Test};
use crate::rows::{IndexRows, TokenRow};
use crate::{ParamId, fold};

/// The rules of one configuration; none by default.
#[derive(Clone, Debug, Default)]
pub struct EquityRules {
    rules: Vec<Rule>,
}

#[derive(Clone, Debug)]
struct Rule {
    flag: CompactString,
    branch: Branch,
}

/// A rule that cannot be used. The message names the rule.
#[derive(Debug, Error)]
pub enum EquityError {
    /// Its search is not understood.
    #[error("equity rule `{flag}`: {}", texts(issues))]
    Search {
        /// The flag.
        flag: String,
        /// What is wrong.
        issues: Vec<Issue>,
    },
    /// The type is none of R4.
    #[error("equity rule `{flag}`: `{kind}` is not a resource type of R4")]
    Kind {
        /// The flag.
        flag: String,
        /// What was written.
        kind: String,
    },
    /// It asks for more than the resource's own fields.
    #[error(
        "equity rule `{flag}`: `{part}` is not possible in a rule, which sees the fields of one resource only"
    )]
    Reach {
        /// The flag.
        flag: String,
        /// What it asks for.
        part: &'static str,
    },
    /// It has no condition, so every resource would be flagged.
    #[error("equity rule `{flag}`: it has no condition, such as `Observation?code=http://loinc.org|88124-3`")]
    Empty {
        /// The flag.
        flag: String,
    },
    /// Two rules with one name and the same search.
    #[error("equity rule `{flag}` is there twice")]
    Twice {
        /// The flag.
        flag: String,
    },
    /// The name is no code.
    #[error("equity rule `{flag}`: a flag is a short name of letters, digits, `-`, `_` and `.`")]
    Name {
        /// The flag.
        flag: String,
    },
}

fn texts(issues: &[Issue]) -> String {
    issues.iter().map(|issue| issue.diagnostics.as_str()).collect::<Vec<_>>().join("; ")
}

impl EquityRules {
    /// Reads rules: the flag, and a search such as `Condition?code=http://snomed.info/sct|733423003`. Several rules may give one flag.
    pub fn parse<'r>(
        rules: impl IntoIterator<Item = (&'r str, &'r str)>,
    ) -> Result<EquityRules, EquityError> {
        let mut parsed = EquityRules::default();
        for (flag, text) in rules {
            let rule = rule(flag, text)?;
            if parsed.rules.iter().any(|other| other.flag == rule.flag && other.branch == rule.branch) {
                return Err(EquityError::Twice { flag: flag.to_string() });
            }
            parsed.rules.push(rule);
        }
        Ok(parsed)
    }

    /// Is there none.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Adds the flags of a resource by the rows that are there.
    pub(crate) fn add(&self, kind: Kind, rows: &mut IndexRows) {
        let mut flags: Vec<&CompactString> = Vec::new();
        for rule in self.rules.iter().filter(|rule| rule.branch.kind == kind) {
            if !flags.contains(&&rule.flag) && rule.branch.filters.iter().all(|filter| holds(filter, rows)) {
                flags.push(&rule.flag);
            }
        }
        let Some(param) = ParamId::find(kind, "equity-flag") else { return };
        rows.tokens.extend(flags.into_iter().map(|flag| TokenRow {
            param,
            system: Some(CompactString::const_new("urn:salus:equity-flag")),
            code: Some(flag.clone()),
        }));
    }
}

fn rule(flag: &str, text: &str) -> Result<Rule, EquityError> {
    let name = || flag.to_string();
    let is_code = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if flag.is_empty() || flag.len() > 64 || !flag.bytes().all(is_code) {
        return Err(EquityError::Name { flag: fold(flag).chars().take(64).collect() });
    }
    let (kind, text) = text.split_once('?').unwrap_or((text, ""));
    let kind = Kind::parse(kind).ok_or_else(|| EquityError::Kind { flag: name(), kind: kind.to_string() })?;
    // A rule is the same at all times: relative dates are refused below, so the time does not matter.
    let options = Options::new(true, Vec::new(), Instant(0));
    let parsed =
        parse(Some(kind), text, &options).map_err(|issues| EquityError::Search { flag: name(), issues })?;
    let branch =
        parsed.query.branches.into_iter().next().ok_or_else(|| EquityError::Empty { flag: name() })?;
    if branch.filters.is_empty() {
        return Err(EquityError::Empty { flag: name() });
    }
    match branch.filters.iter().find_map(beyond) {
        Some(part) => Err(EquityError::Reach { flag: name(), part }),
        None => Ok(Rule { flag: flag.into(), branch }),
    }
}

/// What of a filter needs more than the rows of the resource.
fn beyond(filter: &Filter) -> Option<&'static str> {
    match filter {
        Filter::Value { test: Test::ReferenceHierarchy { .. }, .. } => Some(":above or :below"),
        Filter::Value { param, .. } | Filter::Missing { param, .. } => {
            matches!(param.def().code, "equity-flag" | "quality").then_some("equity-flag or quality")
        }
        Filter::Id { .. } => Some("_id"),
        Filter::LastUpdated(_) => Some("_lastUpdated"),
        Filter::Chain { .. } => Some("a chain"),
        Filter::Has { .. } => Some("_has"),
        Filter::List(_) => Some("_list"),
        Filter::Relation { .. } => Some("region, population or risk"),
        Filter::Any(any) => any.iter().find_map(beyond),
    }
}

fn holds(filter: &Filter, rows: &IndexRows) -> bool {
    match filter {
        Filter::Value { param, test } => test::passes(test, *param, rows),
        Filter::Missing { param, missing } => test::is_there(*param, rows) != *missing,
        Filter::Any(any) => any.iter().any(|filter| holds(filter, rows)),
        // Refused when the rule was read.
        Filter::Id { .. }
        | Filter::LastUpdated(_)
        | Filter::Chain { .. }
        | Filter::Has { .. }
        | Filter::List(_)
        | Filter::Relation { .. } => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_rule_is_named() {
        let check = |flag: &str, text: &str, expected: &str| {
            let error = EquityRules::parse([(flag, text)]).unwrap_err();
            assert_eq!(error.to_string(), expected);
        };
        check("x", "Pacient?name=a", "equity rule `x`: `Pacient` is not a resource type of R4");
        check("x", "Patient?colour=a", "equity rule `x`: unknown search parameter `colour` for `Patient`");
        check(
            "x",
            "Patient",
            "equity rule `x`: it has no condition, such as `Observation?code=http://loinc.org|88124-3`",
        );
        let reach = "is not possible in a rule, which sees the fields of one resource only";
        check("x", "Observation?subject:Patient.gender=male", &format!("equity rule `x`: `a chain` {reach}"));
        check(
            "x",
            "Patient?region=state|TX",
            &format!("equity rule `x`: `region, population or risk` {reach}"),
        );
        check(
            "a b",
            "Patient?gender=male",
            "equity rule `a b`: a flag is a short name of letters, digits, `-`, `_` and `.`",
        );
        let twice = EquityRules::parse([("x", "Patient?gender=male"), ("x", "Patient?gender=male")]);
        assert_eq!(twice.unwrap_err().to_string(), "equity rule `x` is there twice");
    }
}
