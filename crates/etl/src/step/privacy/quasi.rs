//! Quasi-identifiers and the sensitive column of `k_anonymize`: their options, and their values in memory as codes.

use std::collections::HashMap;

use arrow::array::ArrayRef;
use privacy::PrivacyError;
use privacy::kanon::{Diversity, Hierarchy, Quasi, Sensitive};
use table::Text;

use crate::yaml::{Kind, Node};
use crate::{Problems, Word};

/// How a quasi-identifier is generalised.
#[derive(Clone, Debug)]
pub(super) struct QuasiOptions {
    pub(super) column: Word,
    form: Form,
}

#[derive(Clone, Debug)]
enum Form {
    /// To ranges, with this many digits behind the point.
    Number { scale: u8 },
    /// To lists of values.
    Category,
    /// To the common ancestor in a tree of (value, generalisation).
    Tree(Vec<(String, String)>),
}

const WHAT: &str = "`quasi_identifiers` of the step `k_anonymize`";

impl QuasiOptions {
    /// `[sex, state]`, or a map from column to `number`, `category` or `{kind: .., scale: .., tree: ..}`.
    pub(super) fn decode_all(node: &Node, problems: &mut Problems) -> Vec<QuasiOptions> {
        let Kind::Map(entries) = &node.kind else {
            let columns = node.texts(WHAT, problems).into_iter();
            return columns.map(|column| QuasiOptions { column, form: Form::Category }).collect();
        };
        let options = entries.iter().filter_map(|(column, node)| {
            let form = form(column, node, problems)?;
            Some(QuasiOptions { column: column.clone(), form })
        });
        options.collect()
    }

    /// The column as the generaliser takes it. `90+` and `<=1936`, which Safe Harbor makes, count as 90 and 1936.
    pub(super) fn quasi(&self, codes: &Codes) -> Result<Quasi, PrivacyError> {
        let name = &self.column.text;
        match &self.form {
            Form::Number { scale } => {
                let plain: Vec<&str> = codes.values.iter().map(|value| bare(value)).collect();
                Quasi::numbers(name, *scale, &codes.rows(&plain))
            }
            Form::Category => Quasi::categories(name, &codes.rows(&codes.texts()), None),
            Form::Tree(pairs) => {
                let pairs: Vec<(&str, &str)> =
                    pairs.iter().map(|(value, parent)| (value.as_str(), parent.as_str())).collect();
                let tree = Hierarchy::new(name, &pairs)?;
                Quasi::categories(name, &codes.rows(&codes.texts()), Some(&tree))
            }
        }
    }

    /// A label as it goes out.
    pub(super) fn shown<'a>(&self, label: &'a str) -> &'a str {
        label
    }
}

/// `90+` as `90`, `<=1936` as `1936`.
fn bare(value: &str) -> &str {
    let value = value.trim();
    value.strip_prefix("<=").unwrap_or(value).trim_end_matches('+')
}

fn form(column: &Word, node: &Node, problems: &mut Problems) -> Option<Form> {
    let simple = [("number", Form::Number { scale: 0 }), ("category", Form::Category)];
    if let Kind::Scalar { .. } = node.kind {
        let word = node.text(WHAT, problems)?;
        let found = simple.iter().find(|(name, _)| *name == word.text).map(|(_, form)| form.clone());
        if found.is_none() {
            problems
                .add(word.at, format!("`{word}` is no kind of quasi-identifier: use `number` or `category`"));
        }
        return found;
    }
    let mut fields =
        node.fields(format!("the quasi-identifier `{column}` of the step `k_anonymize`"), problems);
    let kind = fields.text("kind", problems);
    let scale: Option<u8> = fields.value("scale", "a number of digits from 0 to 9", problems);
    let tree = fields.node("tree");
    fields.end(problems);
    if let Some(tree) = tree {
        let what = format!("`tree` of the quasi-identifier `{column}`");
        let pairs = tree.entries(&what, problems).to_vec();
        let pairs = pairs
            .iter()
            .filter_map(|(value, parent)| Some((value.text.clone(), parent.text(&what, problems)?.text)));
        let pairs: Vec<(String, String)> = pairs.collect();
        let refs: Vec<(&str, &str)> =
            pairs.iter().map(|(value, parent)| (value.as_str(), parent.as_str())).collect();
        if let Err(error) = Hierarchy::new(column, &refs) {
            problems.add(tree.at, error.to_string());
        }
        return Some(Form::Tree(pairs));
    }
    match kind.as_deref() {
        Some("number") => Some(Form::Number { scale: scale.unwrap_or(0) }),
        Some("category") => Some(Form::Category),
        _ => {
            problems.add(
                kind.map_or(node.at, |word| word.at),
                format!("the quasi-identifier `{column}` needs `kind: number`, `kind: category` or a `tree`"),
            );
            None
        }
    }
}

/// What must hold for the sensitive column.
#[derive(Clone, Debug)]
pub(super) struct SensitiveOptions {
    pub(super) column: Word,
    /// Levels from low to high. Without them, the values that occur, by alphabet.
    pub(super) order: Vec<String>,
    pub(super) diversity: Option<Diversity>,
    pub(super) closeness: Option<f64>,
}

impl SensitiveOptions {
    pub(super) fn decode(node: &Node, problems: &mut Problems) -> Option<SensitiveOptions> {
        let mut fields = node.fields("`sensitive` of the step `k_anonymize`", problems);
        let at = fields.at();
        let column = fields.required_text("column", problems);
        let order: Vec<String> = fields.texts("order", problems).into_iter().map(|word| word.text).collect();
        let distinct = fields.whole("l", problems);
        let entropy = fields.number("entropy_l", problems);
        let closeness = fields.number("t", problems);
        fields.end(problems);
        let diversity = match (distinct, entropy) {
            (Some(_), Some(_)) => {
                problems.add(at, "`l` and `entropy_l` exclude each other: write one of them");
                None
            }
            (Some(l), None) => Some(Diversity::Distinct(usize::try_from(l).unwrap_or(usize::MAX))),
            (None, Some(l)) => Some(Diversity::Entropy(l)),
            (None, None) => None,
        };
        if diversity.is_none() && closeness.is_none() {
            problems.add(at, "`sensitive` asks for nothing: write `l`, `entropy_l` or `t`");
        }
        if closeness.is_some() && order.is_empty() {
            problems.add(at, "`t` measures a distance of levels: list them in `order`, from low to high");
        }
        Some(SensitiveOptions { column: column?, order, diversity, closeness })
    }

    /// The levels from low to high.
    pub(super) fn levels(&self, codes: &Codes) -> Vec<String> {
        if !self.order.is_empty() {
            return self.order.clone();
        }
        let mut levels: Vec<String> = codes.values.clone();
        if codes.has_missing {
            levels.push(String::new());
        }
        levels.sort();
        levels.dedup();
        levels
    }

    pub(super) fn sensitive(&self, codes: &Codes) -> Result<Sensitive, PrivacyError> {
        let levels = self.levels(codes);
        let order: Vec<&str> = levels.iter().map(String::as_str).collect();
        let rows: Vec<&str> = codes.rows(&codes.texts()).into_iter().map(Option::unwrap_or_default).collect();
        Sensitive::new(&self.column, &order, &rows)
    }
}

/// The values of a column as they come: each distinct one once, and a code per row.
pub(super) struct Codes {
    column: String,
    known: HashMap<String, u32>,
    pub(super) values: Vec<String>,
    codes: Vec<u32>,
    pub(super) has_missing: bool,
}

const MISSING: u32 = u32::MAX;

impl Codes {
    pub(super) fn new(column: &Word) -> Codes {
        Codes {
            column: column.text.clone(),
            known: HashMap::new(),
            values: Vec::new(),
            codes: Vec::new(),
            has_missing: false,
        }
    }

    pub(super) fn column(&self) -> &str {
        &self.column
    }

    /// Adds the rows of a text column.
    pub(super) fn push(&mut self, array: &ArrayRef) {
        let text = Text::of(array).expect("made text before");
        let codes = text.map(|value| value.map_or(MISSING, |value| self.code(value)));
        self.has_missing |= codes.contains(&MISSING);
        self.codes.extend(codes);
    }

    fn code(&mut self, value: &str) -> u32 {
        if let Some(code) = self.known.get(value) {
            return *code;
        }
        let code = u32::try_from(self.values.len()).unwrap_or(MISSING - 1);
        self.known.insert(value.to_owned(), code);
        self.values.push(value.to_owned());
        code
    }

    fn texts(&self) -> Vec<&str> {
        self.values.iter().map(String::as_str).collect()
    }

    /// A text per row, from a text per distinct value.
    fn rows<'a>(&self, texts: &[&'a str]) -> Vec<Option<&'a str>> {
        self.codes.iter().map(|code| texts.get(*code as usize).copied()).collect()
    }
}
