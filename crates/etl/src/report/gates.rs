//! Gates: thresholds that a source must reach to be loaded. One that fails cannot be averaged away.

use std::collections::BTreeMap;

use quality::Dimension;
use serde::{Deserialize, Serialize};

use crate::Problems;
use crate::check::options::DIMENSIONS;
use crate::report::{Level, SourceQuality, dimension_label, score, words};
use crate::yaml::{Kind, Node};

/// Below this a dimension without a threshold of its own, or a rule, is unacceptable: the foot of the ladder of levels.
const FLOOR: f64 = 0.60;
const DEFAULTS: [(&str, f64); 7] = [
    ("completeness", 0.95),
    ("accuracy", 0.98),
    ("consistency", 0.90),
    ("timeliness", 0.85),
    ("validity", FLOOR),
    ("uniqueness", FLOOR),
    ("rule", FLOOR),
];

/// What is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Subject {
    Dimension(Dimension),
    /// The mean of the dimensions.
    Overall,
    /// Each rule of rows without `max_fail` by itself, so that a mean over many rules hides none that fails everywhere.
    Rule,
}

fn subject_of(word: &str) -> Option<Subject> {
    match word {
        "overall" => Some(Subject::Overall),
        "rule" => Some(Subject::Rule),
        _ => DIMENSIONS.iter().find(|(name, _)| *name == word).map(|(_, it)| Subject::Dimension(*it)),
    }
}

/// Thresholds by what is judged; `None`: switched off.
type Thresholds = BTreeMap<Subject, Option<f64>>;

/// The gates of a pipeline.
#[derive(Clone, Debug, PartialEq)]
pub struct Gates {
    all: Thresholds,
    is_off: bool,
}

impl Default for Gates {
    /// Completeness 0.95, accuracy 0.98, consistency 0.90, timeliness 0.85; 0.60 for validity, uniqueness and each single rule.
    fn default() -> Gates {
        let defaults = DEFAULTS.iter().filter_map(|(word, least)| Some((subject_of(word)?, Some(*least))));
        Gates { all: defaults.collect(), is_off: false }
    }
}

/// One gate after it was judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GateQuality {
    /// The dimension, `overall`, or `rule` and the check's id.
    pub dimension: String,
    /// What it must reach.
    pub threshold: f64,
    /// What it reached; `None`: not assessed.
    pub score: Option<f64>,
    /// Whether it reached it; `None`: not assessed.
    pub passed: Option<bool>,
}

/// What the gates say about a source.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// Whether the source may be loaded.
    pub is_accepted: bool,
    /// How good it is; `None`: nothing was assessed and no gate failed.
    pub level: Option<Level>,
    /// Every gate.
    pub gates: Vec<GateQuality>,
    /// Why it is not loaded: one sentence per gate or check, without values of rows.
    pub why: Vec<String>,
}

impl Gates {
    /// Decodes gates: a map from dimension (`completeness`, `accuracy`, `consistency`, `timeliness`, `validity`, `uniqueness`), `overall`
    /// or `rule` to a share or `false`; or `false` for no gates at all.
    pub fn decode(node: &Node, problems: &mut Problems) -> Gates {
        Gates::default().decode_over(node, problems)
    }

    /// Decodes gates of one source: what they do not name is as in these.
    pub fn decode_over(&self, node: &Node, problems: &mut Problems) -> Gates {
        let mut gates = self.clone();
        gates.is_off = is_false(node);
        if !gates.is_off {
            for (word, value) in node.entries("`gates`", problems) {
                threshold(word, value, &mut gates.all, problems);
            }
        }
        gates
    }

    /// Judges a source. What was not assessed is neither passed nor failed. Checks with `max_fail` or `on_fail: fail` are judged here
    /// too, also when all gates are switched off.
    pub fn judge(&self, quality: &SourceQuality) -> Verdict {
        let thresholds = if self.is_off { Thresholds::new() } else { self.all.clone() };
        let mut gates = Vec::new();
        let mut why = Vec::new();
        for (subject, least) in &thresholds {
            let Some(least) = *least else { continue };
            match subject {
                Subject::Dimension(dimension) => {
                    let label = dimension_label(*dimension).to_lowercase();
                    let score = quality.score(*dimension);
                    gate(dimension.name(), &label, least, score, &mut gates, &mut why);
                }
                Subject::Overall => {
                    gate("overall", "the overall score", least, quality.overall, &mut gates, &mut why);
                }
                Subject::Rule => rule_gates(quality, least, &mut gates, &mut why),
            }
        }
        for rule in quality.rules.iter().filter(|rule| rule.is_broken()) {
            let limit = rule.max_fail.map(|max_fail| max_fail.to_string()).unwrap_or_default();
            why.push(format!(
                "the check `{}` fails for {} of {}, and `max_fail` is {limit}",
                rule.id, rule.n_failed, rule.n_assessed
            ));
        }
        let by_mean = quality.overall.map(Level::of);
        if !self.is_off && why.is_empty() && by_mean == Some(Level::Unacceptable) {
            why.push(format!("the overall score is below {FLOOR}"));
        }
        let level = if why.is_empty() { by_mean } else { Some(Level::Unacceptable) };
        Verdict { is_accepted: why.is_empty(), level, gates, why }
    }
}

fn gate(
    name: &str,
    label: &str,
    least: f64,
    score: Option<f64>,
    gates: &mut Vec<GateQuality>,
    why: &mut Vec<String>,
) {
    let passed = score.map(|score| score::reaches(score, least));
    if let (Some(false), Some(score)) = (passed, score) {
        why.push(format!("{label} is {}, and the gate is {least}", words::score(Some(score))));
    }
    gates.push(GateQuality { dimension: name.to_owned(), threshold: least, score, passed });
}

/// Only rules that fall short are listed: the others would drown the gates.
fn rule_gates(quality: &SourceQuality, least: f64, gates: &mut Vec<GateQuality>, why: &mut Vec<String>) {
    for rule in &quality.rules {
        let own_limit = rule.max_fail.is_some() || rule.is_of_table;
        let short = rule.score().filter(|score| !score::reaches(*score, least));
        if let Some(score) = short.filter(|_| rule.counts() && !own_limit) {
            let name = format!("rule {}", rule.id);
            let label = format!("the share of rows that pass the check `{}`", rule.id);
            gate(&name, &label, least, Some(score), gates, why);
        }
    }
}

fn is_false(node: &Node) -> bool {
    matches!(&node.kind, Kind::Scalar { text, plain: true } if text == "false")
}

fn threshold(word: &crate::Word, value: &Node, into: &mut Thresholds, problems: &mut Problems) {
    let Some(subject) = subject_of(word) else {
        let names: Vec<String> = DIMENSIONS.iter().map(|(name, _)| format!("`{name}`")).collect();
        problems.add(
            word.at,
            format!("there is no gate `{word}`: there are {}, `overall` and `rule`", names.join(", ")),
        );
        return;
    };
    if is_false(value) {
        into.insert(subject, None);
        return;
    }
    let what = format!("the gate `{word}`");
    let Some(text) = value.text(&what, problems) else { return };
    let least = match text.strip_suffix('%') {
        Some(percent) => percent.trim().parse::<f64>().ok().map(|percent| percent / 100.0),
        None => text.parse().ok(),
    };
    match least.filter(|least| (0.0..=1.0).contains(least)) {
        Some(least) => {
            into.insert(subject, Some(least));
        }
        None => problems.add(text.at, format!("{what} must be a share such as `0.95` or `95%`, or `false`")),
    }
}
