//! Rules on codes: any or all of conditions. What is missing is not known to hold, and not known not to.

use std::collections::HashSet;

use table::Batch;

use crate::step::cells::PerValue;
use crate::{EtlError, Word};

/// A rule over conditions, which it names by their numbers.
#[derive(Clone, Debug)]
pub(super) enum Rule {
    Condition(usize),
    Any(Vec<Rule>),
    All(Vec<Rule>),
}

/// One of the codes of a column, whose cells may hold several joined by `|`, is one of these.
#[derive(Clone, Debug)]
pub(crate) struct Condition {
    pub(super) column: Word,
    pub(super) codes: Vec<String>,
}

impl Rule {
    /// Calls `of` with the number of each condition.
    pub(super) fn visit(&self, of: &mut dyn FnMut(usize)) {
        match self {
            Rule::Condition(at) => of(*at),
            Rule::Any(rules) | Rule::All(rules) => rules.iter().for_each(|rule| rule.visit(of)),
        }
    }

    /// Whether the rule holds for a row; `None` when what is missing would decide.
    pub(super) fn holds(&self, held: &[Vec<Option<bool>>], row: usize) -> Option<bool> {
        let (rules, decisive) = match self {
            Rule::Condition(at) => return held[*at][row],
            Rule::Any(rules) => (rules, true),
            Rule::All(rules) => (rules, false),
        };
        let mut is_known = true;
        for rule in rules {
            match rule.holds(held, row) {
                Some(value) if value == decisive => return Some(decisive),
                Some(_) => {}
                None => is_known = false,
            }
        }
        is_known.then_some(!decisive)
    }
}

/// A condition at work, which watches whether each of its codes is ever met.
pub(super) struct Watched {
    condition: Condition,
    memory: PerValue<Option<bool>>,
    met: HashSet<usize>,
}

impl Watched {
    pub(super) fn of(condition: Condition) -> Watched {
        Watched { condition, memory: PerValue::new(), met: HashSet::new() }
    }

    /// Per row whether the condition holds; `None` where the cell is missing.
    pub(super) fn evaluate(&mut self, batch: &Batch) -> Result<Vec<Option<bool>>, EtlError> {
        let text = batch.text(&self.condition.column)?;
        let (codes, met) = (&self.condition.codes, &mut self.met);
        Ok(self.memory.map(&text, None, |text| {
            let mut found = if text.trim().is_empty() { None } else { Some(false) };
            for part in text.split('|').map(str::trim) {
                if let Some(at) = codes.iter().position(|code| code == part) {
                    met.insert(at);
                    found = Some(true);
                }
            }
            found
        }))
    }

    /// The codes that no row had, with the column: a code in another spelling, perhaps.
    pub(super) fn never_met(&self) -> Vec<String> {
        let codes = self.condition.codes.iter().enumerate().filter(|(at, _)| !self.met.contains(at));
        codes.map(|(_, code)| format!("{}: {code}", self.condition.column)).collect()
    }
}
