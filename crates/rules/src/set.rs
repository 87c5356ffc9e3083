//! Rules of several files, checked together and indexed by measure.

use std::sync::Arc;

use clinical::Number;
use uuid::Uuid;
use yaml::Problems;

use crate::file::{RuleFile, RuleProblem, parse_pack};
use crate::hash::{ByName, key};
use crate::limit::Direction;
use crate::model::{Body, CODED, Condition, Derive, Measure, Pack, Row, Rule};
use crate::shipped::released;

const RULES_MAX: usize = 2_000;
/// Computed measures and expressions are a bit of a word each.
const COMPUTED_MAX: usize = 64;

/// A version of a rule that was in use, and the hash of what it said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsedVersion {
    /// The rule.
    pub rule: String,
    /// Its version.
    pub version: String,
    /// [`RuleInfo::hash`](crate::RuleInfo) of that version.
    pub hash: Uuid,
}

/// Rules that are checked and compiled, each with its version.
#[derive(Clone, Debug, Default)]
pub struct RuleSet {
    pub(crate) rules: Vec<Arc<Rule>>,
    pub(crate) measures: Vec<Indexed>,
    /// By name and by LOINC code.
    by_name: ByName<Box<str>, u16>,
    /// By the hash of a rule's name.
    by_rule: ByName<u64, u16>,
    /// Rules with an expression.
    pub(crate) whens: Vec<u16>,
    /// Bits of those among them that look at codes of the event.
    pub(crate) coded: u64,
    /// Rules on orders.
    pub(crate) orders: Vec<u16>,
    /// Computed measures.
    pub(crate) derived: Vec<u16>,
    pub(crate) quality: Quality,
}

/// How good an event must be to be alerted on.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Quality {
    pub(crate) min: f64,
    pub(crate) by_source: ByName<String, f64>,
}

impl Default for Quality {
    fn default() -> Quality {
        Quality { min: 0.5, by_source: ByName::default() }
    }
}

/// A measure with the rules that read it.
#[derive(Clone, Debug)]
pub(crate) struct Indexed {
    pub(crate) measure: Measure,
    pub(crate) key: u64,
    /// Rules with limits of it.
    pub(crate) rules: Vec<u16>,
    /// Bits of [`RuleSet::derived`] and [`RuleSet::whens`] that read it.
    pub(crate) derived: u64,
    pub(crate) whens: u64,
    /// No rule asks anything of a value strictly between.
    pub(crate) quiet: (Option<Number>, Option<Number>),
    /// A rule needs to know age or unit.
    pub(crate) needs_person: bool,
}

impl RuleSet {
    /// The rules of some files.
    ///
    /// # Errors
    /// Everything that is wrong in any of them, in the order of the files. A version that salus released or that was `used` must say the same.
    pub fn load(files: &[RuleFile], used: &[UsedVersion]) -> Result<RuleSet, Vec<RuleProblem>> {
        let (mut packs, mut found) = (Vec::new(), Vec::new());
        for file in files {
            let mut problems = Problems::default();
            packs.push(parse_pack(file, &mut problems));
            found.extend(problems_of(&file.path, problems));
        }
        let used: Vec<UsedVersion> = released().into_iter().chain(used.iter().cloned()).collect();
        let set = RuleSet::link(&packs, &used, &mut found);
        let place = |path: &str| files.iter().position(|file| file.path == path);
        found.sort_by_key(|problem| (place(&problem.path), problem.at));
        if found.is_empty() { Ok(set) } else { Err(found) }
    }

    /// As [`RuleSet::load`], of packs that were read before.
    pub(crate) fn link(packs: &[Pack], used: &[UsedVersion], found: &mut Vec<RuleProblem>) -> RuleSet {
        let mut set = RuleSet::default();
        for pack in packs {
            let mut problems = Problems::default();
            pack.measures.iter().for_each(|measure| set.add_measure(measure, &mut problems));
            found.extend(problems_of(&pack.path, problems));
        }
        for pack in packs {
            let mut problems = Problems::default();
            pack.rules.iter().for_each(|rule| set.add_rule(rule, used, &mut problems));
            found.extend(problems_of(&pack.path, problems));
        }
        set.index();
        set
    }

    fn add_measure(&mut self, measure: &Measure, problems: &mut Problems) {
        let at = u16::try_from(self.measures.len()).unwrap_or(u16::MAX);
        if self.measures.len() == RULES_MAX {
            problems.add(measure.at, format!("there are more than {RULES_MAX} measures"));
            return;
        }
        for name in std::iter::once(&measure.name).chain(&measure.loinc) {
            if self.by_name.contains_key(name.as_str()) {
                problems.add(measure.at, format!("`{name}` is a measure or a code of one already"));
            } else {
                self.by_name.insert(name.as_str().into(), at);
            }
        }
        if measure.derive.is_some() {
            self.derived.push(at);
            if self.derived.len() > COMPUTED_MAX {
                problems.add(measure.at, format!("there are more than {COMPUTED_MAX} computed measures"));
            }
        }
        self.measures.push(Indexed {
            key: key(&measure.name),
            measure: measure.clone(),
            rules: Vec::new(),
            derived: 0,
            whens: 0,
            quiet: (None, None),
            needs_person: false,
        });
    }

    fn add_rule(&mut self, rule: &Rule, used: &[UsedVersion], problems: &mut Problems) {
        let at = u16::try_from(self.rules.len()).unwrap_or(u16::MAX);
        if self.rules.len() == RULES_MAX {
            problems.add(rule.at, format!("there are more than {RULES_MAX} rules"));
            return;
        }
        let mut rule = rule.clone();
        for name in &rule.context {
            self.known(name, &rule, problems);
        }
        match &mut rule.body {
            Body::Limits { measure, unit, rows, words } => {
                let Some(indexed) =
                    self.by_name.get(measure.as_str()).map(|at| &mut self.measures[usize::from(*at)])
                else {
                    problems.add(rule.at, format!("the measure `{measure}` of `{}` is not known", rule.name));
                    return;
                };
                measure.clone_from(&indexed.measure.name);
                if *unit != indexed.measure.unit {
                    let unit = indexed.measure.unit.as_deref().unwrap_or("none");
                    problems.add(
                        rule.at,
                        format!("the unit of `{}` must be that of `{measure}`: {unit}", rule.name),
                    );
                }
                // What a limit means depends on its measure: the same text about another unit is another rule.
                rule.hash = Uuid::new_v5(&rule.hash, indexed.measure.canonical.as_bytes());
                resolve_words(rows, words, &indexed.measure, rule.at, problems);
                indexed.rules.extend(rule.enabled.then_some(at));
            }
            Body::When(row) => {
                if let (Condition::When(raise), Condition::When(clear)) = (&row.raise, &row.clear) {
                    let names: Vec<String> = raise.measures.iter().chain(&clear.measures).cloned().collect();
                    names.iter().for_each(|name| self.known(name, &rule, problems));
                }
                let is_coded = |kind| CODED.contains(kind);
                if rule.reads_codes() && (rule.kinds.is_empty() || !rule.kinds.iter().all(is_coded)) {
                    let name = &rule.name;
                    let kinds = "`kind: [clinical_notes, social_determinants]` or one of them";
                    problems.add(
                        rule.at,
                        format!("`{name}` reads `codes` and needs {kinds}: no other event has any"),
                    );
                }
                self.whens.extend(rule.enabled.then_some(at));
                if self.whens.len() > COMPUTED_MAX {
                    problems.add(rule.at, format!("there are more than {COMPUTED_MAX} rules with `when`"));
                }
            }
            Body::Order { .. } => self.orders.extend(rule.enabled.then_some(at)),
        }
        check_version(&rule, used, problems);
        if self.by_rule.insert(key(&rule.name), at).is_some() {
            problems.add(rule.at, format!("a rule with the name `{}` stands elsewhere already", rule.name));
        }
        self.rules.push(Arc::new(rule));
    }

    fn known(&self, measure: &str, rule: &Rule, problems: &mut Problems) {
        match self.measure(measure) {
            None => problems.add(rule.at, format!("the measure `{measure}` of `{}` is not known", rule.name)),
            Some(found) if found.measure.derive.is_some() => problems.add(
                rule.at,
                format!(
                    "`{measure}` is computed and not remembered: `{}` can name what it is computed of",
                    rule.name
                ),
            ),
            Some(_) => {}
        }
    }

    /// Which computed measures and expressions a measure feeds, and where it is quiet.
    fn index(&mut self) {
        let bit = |at: usize| 1_u64 << (at % COMPUTED_MAX);
        for (at, derived) in self.derived.clone().into_iter().enumerate() {
            let Some(derive) = self.measures[usize::from(derived)].measure.derive else { continue };
            if self.measures[usize::from(derived)].rules.is_empty() {
                continue;
            }
            for input in derive.inputs() {
                if let Some(input) = self.by_name.get(*input) {
                    self.measures[usize::from(*input)].derived |= bit(at);
                }
            }
        }
        for (at, rule) in self.whens.clone().into_iter().enumerate() {
            let rule = Arc::clone(&self.rules[usize::from(rule)]);
            if rule.reads_codes() {
                self.coded |= bit(at);
            }
            for condition in rule.rows().iter().flat_map(|row| [&row.raise, &row.clear]) {
                let Condition::When(expression) = condition else { continue };
                for name in &expression.measures {
                    if let Some(input) = self.by_name.get(name.as_str()) {
                        self.measures[usize::from(*input)].whens |= bit(at);
                    }
                }
            }
        }
        for indexed in &mut self.measures {
            let rules: Vec<&Rule> = indexed.rules.iter().map(|at| &*self.rules[usize::from(*at)]).collect();
            indexed.needs_person =
                rules.iter().any(|rule| rule.applies.asks_age() || !rule.applies.units.is_empty());
            for row in rules.iter().flat_map(|rule| rule.rows()) {
                let Condition::Limit(limit) = &row.raise else { continue };
                let (low, high) = &mut indexed.quiet;
                match limit.direction() {
                    Direction::Up => *high = Some(high.map_or(limit.number, |high| high.min(limit.number))),
                    Direction::Down => *low = Some(low.map_or(limit.number, |low| low.max(limit.number))),
                }
            }
        }
    }

    /// Sets how good an event must be (0 to 1) to be alerted on; what is less is remembered and shown. Unless it is set, 0.5.
    pub fn set_quality_min(&mut self, min: f64) {
        self.quality.min = min;
    }

    /// As [`RuleSet::set_quality_min`], for one source.
    pub fn set_quality_min_of(&mut self, source: &str, min: f64) {
        self.quality.by_source.insert(source.to_owned(), min);
    }

    /// Does a rule of this name look at orders of medication.
    pub fn is_about_orders(&self, name: &str) -> bool {
        self.rule_of(key(name)).is_some_and(|(_, rule)| matches!(rule.body, Body::Order { .. }))
    }

    /// As good as events must be for other rules.
    pub fn set_quality_of(&mut self, other: &RuleSet) {
        self.quality = other.quality.clone();
    }

    /// The measure of a short name or LOINC code.
    pub(crate) fn measure(&self, name: &str) -> Option<&Indexed> {
        self.by_name.get(name).map(|at| &self.measures[usize::from(*at)])
    }

    /// The rule of the hash of its name, and its place.
    pub(crate) fn rule_of(&self, hash: u64) -> Option<(u16, &Arc<Rule>)> {
        self.by_rule.get(&hash).map(|at| (*at, &self.rules[usize::from(*at)]))
    }
}

fn problems_of(path: &str, problems: Problems) -> impl Iterator<Item = RuleProblem> {
    let sorted = problems.into_sorted();
    sorted.into_iter().map(|problem| RuleProblem {
        path: path.to_owned(),
        at: problem.at,
        message: problem.message,
    })
}

fn check_version(rule: &Rule, used: &[UsedVersion], problems: &mut Problems) {
    let same = used.iter().find(|used| used.rule == rule.name && used.version == rule.version);
    if same.is_some_and(|used| used.hash != rule.hash) {
        problems.add(
            rule.at,
            format!(
                "`{}` was in use as version `{}` with other content: give it a new version",
                rule.name, rule.version
            ),
        );
    }
}

/// Numbers for the words of a measure of words: their places.
fn resolve_words(
    rows: &mut [Row],
    words: &[[Option<yaml::Word>; 2]],
    measure: &Measure,
    at: yaml::Point,
    problems: &mut Problems,
) {
    for (row, words) in rows.iter_mut().zip(words) {
        let mut limits = [None, None];
        for ((condition, word), limit_found) in
            [&mut row.raise, &mut row.clear].into_iter().zip(words).zip(&mut limits)
        {
            let Condition::Limit(limit) = condition else { continue };
            if let Some(word) = word {
                let Some(place) = measure.words.iter().position(|known| *known == word.text) else {
                    let name = &measure.name;
                    problems.add(word.at, format!("`{word}` is neither a number nor a word of `{name}`"));
                    continue;
                };
                limit.number = Number::of(place as i64, 0);
            }
            *limit_found = Some(*limit);
        }
        if let [Some(raise), Some(clear)] = limits
            && words.iter().any(Option::is_some)
            && !crate::file::hysteresis(raise, clear)
        {
            problems.add(at, "`clear` must lie on the other side of the limit");
        }
    }
}

impl Derive {
    /// Measures that it is computed of.
    pub(crate) fn inputs(self) -> &'static [&'static str] {
        match self {
            Derive::News2 | Derive::News2Red => &[
                "respiratory_rate",
                "spo2",
                "breathing",
                "systolic",
                "heart_rate",
                "consciousness",
                "temperature",
            ],
            Derive::Qsofa => &["respiratory_rate", "consciousness", "systolic"],
            Derive::Mews => &["systolic", "heart_rate", "respiratory_rate", "temperature", "consciousness"],
            Derive::Sirs => {
                &["temperature", "heart_rate", "respiratory_rate", "paco2", "white_cells", "bands"]
            }
            Derive::AkiStage => &["creatinine"],
            Derive::Artefact => &[
                "heart_rate",
                "respiratory_rate",
                "spo2",
                "systolic",
                "diastolic",
                "mean_pressure",
                "temperature",
            ],
        }
    }
}
