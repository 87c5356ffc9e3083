//! Reads a rule file: text → pack, with everything that is wrong together.

mod limits;
mod measure;
mod rule;
mod test;

pub(crate) use limits::hysteresis;
use yaml::{Kind, Node, Point, Problems};

use crate::model::Pack;

/// A rule file: its path for messages, and its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleFile {
    /// As people know it.
    pub path: String,
    /// YAML.
    pub text: String,
}

impl RuleFile {
    /// The name of its pack, as the line `pack: NAME` says it.
    pub fn pack(&self) -> Option<&str> {
        self.text.lines().find_map(|line| line.strip_prefix("pack:")).map(str::trim)
    }
}

/// Something wrong with a rule file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleProblem {
    /// The file.
    pub path: String,
    /// Where in it.
    pub at: Point,
    /// What, and what to do.
    pub message: String,
}

impl std::fmt::Display for RuleProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.at, self.message)
    }
}

const FILE_BYTES_MAX: usize = 1 << 20;

/// The pack of a file. What cannot be read is in `problems`, and the rest is there.
pub(crate) fn parse_pack(file: &RuleFile, problems: &mut Problems) -> Pack {
    if file.text.len() > FILE_BYTES_MAX {
        problems.add(Point { line: 1, column: 1 }, format!("the file is larger than {FILE_BYTES_MAX} bytes"));
        return Pack::default();
    }
    let Some(node) = yaml::parse(&file.text, problems) else { return Pack::default() };
    let mut fields = node.fields("the file", problems);
    let name = fields.required_text("pack", problems).map_or_else(String::new, |word| word.text);
    let version = fields.required_text("version", problems).map_or_else(String::new, |word| word.text);
    fields.required_text("about", problems);
    let measures = fields.node("measures").map_or(&[][..], |node| node.items("`measures`", problems));
    let rules = fields.node("rules").map_or(&[][..], |node| node.items("`rules`", problems));
    let tests = fields.node("tests").map_or(&[][..], |node| node.items("`tests`", problems));
    fields.end(problems);
    let measures = measures.iter().filter_map(|node| measure::parse(node, problems)).collect();
    let rules: Vec<_> =
        rules.iter().filter_map(|node| rule::parse(node, &name, &version, problems)).collect();
    let tests = tests.iter().filter_map(|node| test::parse(node, problems)).collect();
    Pack { path: file.path.clone(), measures, rules, tests }
}

/// A text that is the same for the same content: keys sorted, no comments, no layout.
pub(crate) fn canonical(node: &Node) -> String {
    match &node.kind {
        Kind::Null => "null".to_owned(),
        Kind::Scalar { text, .. } => format!("{text:?}"),
        Kind::List(items) => format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(",")),
        Kind::Map(entries) => {
            let mut entries: Vec<String> =
                entries.iter().map(|(key, node)| format!("{:?}:{}", key.text, canonical(node))).collect();
            entries.sort_unstable();
            format!("{{{}}}", entries.join(","))
        }
    }
}
