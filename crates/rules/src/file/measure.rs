//! Reads a measure: name, unit, codes, what is plausible, how it is computed.

use clinical::Number;
use yaml::{Node, Problems};

use super::canonical;
use crate::model::{Derive, Measure};

const DERIVES: [(&str, Derive); 7] = [
    ("news2", Derive::News2),
    ("news2_red", Derive::News2Red),
    ("qsofa", Derive::Qsofa),
    ("mews", Derive::Mews),
    ("sirs", Derive::Sirs),
    ("aki_stage", Derive::AkiStage),
    ("artefact", Derive::Artefact),
];
/// Values that are remembered unless the measure says otherwise.
const N_KEPT: usize = 6;
const N_KEPT_MAX: u64 = 64;

pub(super) fn parse(node: &Node, problems: &mut Problems) -> Option<Measure> {
    let mut fields = node.fields("a measure", problems);
    let name = fields.required_text("name", problems);
    let label = fields.text("label", problems);
    let unit = fields.text("unit", problems);
    let loinc = fields.texts("loinc", problems);
    let plausible = fields.texts("plausible", problems);
    let words = fields.texts("words", problems);
    let keep = fields.whole("keep", problems);
    let derive = fields.choice("derive", &DERIVES, problems);
    let inputs_within = fields.value("inputs_within", "a time span such as `4h`", problems);
    let at = fields.at();
    fields.end(problems);
    let name = name?.text;
    for code in loinc.iter().filter(|code| clinical::code::check_loinc(code).is_err()) {
        problems.add(code.at, format!("`{code}` is no LOINC code: its check digit is wrong"));
    }
    let numbers: Vec<Number> = plausible.iter().filter_map(|word| Number::parse(word)).collect();
    let window = match numbers[..] {
        [low, high] if plausible.len() == 2 && low < high => Some((low, high)),
        [] if plausible.is_empty() => None,
        _ => {
            problems.add(at, format!("`plausible` of `{name}` must be two numbers, the lower first"));
            None
        }
    };
    if unit.is_none() && words.is_empty() && derive.is_none() {
        problems.add(at, format!("the measure `{name}` needs a `unit` (UCUM), `words` or `derive`"));
    }
    if keep.is_some_and(|keep| keep == 0 || keep > N_KEPT_MAX) {
        problems.add(at, format!("`keep` of `{name}` must be 1 to {N_KEPT_MAX}"));
    }
    Some(Measure {
        label: label.map_or_else(|| name.replace('_', " "), |word| word.text),
        unit: unit.map(|word| word.text),
        loinc: loinc.into_iter().map(|word| word.text).collect(),
        plausible: window,
        words: words.into_iter().map(|word| word.text).collect(),
        n_kept: keep.map_or(N_KEPT, |keep| keep.clamp(1, N_KEPT_MAX) as usize),
        derive,
        inputs_within,
        canonical: canonical(node),
        at,
        name,
    })
}
