//! A quasi-identifier of a stratum: numbers, or categories with or without a tree; how wide a group of rows is, and what it shows.

use std::collections::BTreeSet;
use std::fmt;

use super::Hierarchy;
use crate::{PrivacyError, SUPPRESSED};

/// Shown between levels of a group that share no generalisation.
const OR: &str = "|";
const SCALE_MAX: u8 = 9;

/// A typed column. Missing values are a value of their own.
pub struct Quasi {
    name: String,
    /// Sorting key of each row: equal keys are equal values.
    keys: Vec<i64>,
    kind: Kind,
    /// Smallest and largest key of the whole column.
    span: (i64, i64),
}

enum Kind {
    /// Whole numbers of 10⁻ˢᶜᵃˡᵉ; a missing one is [`MISSING`].
    Number { scale: u8 },
    /// Levels in order; the key is the index.
    Levels(Vec<String>),
    /// The key is the leaf; a missing one is behind the last.
    Tree(Hierarchy),
}

const MISSING: i64 = i64::MIN;

impl Quasi {
    /// Numbers as decimal text with at most `scale` digits behind the point; they are never rounded.
    pub fn numbers(name: &str, scale: u8, values: &[Option<&str>]) -> Result<Quasi, PrivacyError> {
        if scale > SCALE_MAX {
            let problem = format!("must be at most {SCALE_MAX}");
            return Err(PrivacyError::BadParameter { name: "scale", problem });
        }
        let mut keys = Vec::with_capacity(values.len());
        for (row, value) in values.iter().enumerate() {
            keys.push(match value.map(str::trim).filter(|value| !value.is_empty()) {
                None => MISSING,
                Some(value) => scaled(value, scale).ok_or_else(|| PrivacyError::BadValue {
                    column: name.to_owned(),
                    row,
                    problem: "no number with so few decimals: correct it, or raise `scale`",
                })?,
            });
        }
        Ok(Quasi::new(name, keys, Kind::Number { scale }))
    }

    /// Categories, with a tree or side by side in alphabetical order.
    pub fn categories(
        name: &str,
        values: &[Option<&str>],
        hierarchy: Option<&Hierarchy>,
    ) -> Result<Quasi, PrivacyError> {
        let value_of = |value: &Option<&str>| value.unwrap_or("").trim().to_owned();
        if let Some(row) = values.iter().position(|value| value_of(value) == SUPPRESSED) {
            let problem = "`*`, which stands for suppressed rows: rename it";
            return Err(PrivacyError::BadValue { column: name.to_owned(), row, problem });
        }
        if let Some(tree) = hierarchy {
            let mut keys = Vec::with_capacity(values.len());
            for (row, value) in values.iter().enumerate() {
                let value = value_of(value);
                let leaf = if value.is_empty() { Some(tree.n_leaves()) } else { tree.leaf(&value) };
                let absent = || PrivacyError::NotInHierarchy { column: name.to_owned(), row };
                keys.push(i64::from(leaf.ok_or_else(absent)?));
            }
            return Ok(Quasi::new(name, keys, Kind::Tree(tree.clone())));
        }
        let levels: Vec<String> = values.iter().map(value_of).collect::<BTreeSet<_>>().into_iter().collect();
        let index = |value: &Option<&str>| {
            levels.binary_search(&value_of(value)).expect("every value is a level") as i64
        };
        let keys = values.iter().map(index).collect();
        Ok(Quasi::new(name, keys, Kind::Levels(levels)))
    }

    fn new(name: &str, keys: Vec<i64>, kind: Kind) -> Quasi {
        let present = || keys.iter().filter(|key| **key != MISSING);
        let span = (present().min().copied().unwrap_or(0), present().max().copied().unwrap_or(0));
        Quasi { name: name.to_owned(), keys, kind, span }
    }

    /// Name of the column.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Rows.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// No rows.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    pub(super) fn key(&self, row: u32) -> i64 {
        self.keys[row as usize]
    }

    /// How much of the column's span a group covers, 0 to 1. Missing beside present is as wide as can be.
    pub(super) fn width(&self, rows: &[u32]) -> f64 {
        let (low, high) = self.bounds(rows);
        if low == high {
            return 0.0;
        }
        if low == MISSING {
            return 1.0;
        }
        (high.abs_diff(low)) as f64 / (self.span.1.abs_diff(self.span.0)) as f64
    }

    fn bounds(&self, rows: &[u32]) -> (i64, i64) {
        let start = (i64::MAX, i64::MIN);
        rows.iter().map(|row| self.key(*row)).fold(start, |(low, high), key| (low.min(key), high.max(key)))
    }

    /// Ways to cut a group, better ones first. A cut is a list of keys at each of which a new part begins.
    pub(super) fn cuts(&self, rows: &[u32]) -> Vec<Vec<i64>> {
        let (low, high) = self.bounds(rows);
        if let Kind::Tree(tree) = &self.kind {
            let n_leaves = i64::from(tree.n_leaves());
            return match (u32::try_from(low), u32::try_from(high)) {
                // Missing values can only be set apart.
                _ if high == n_leaves => vec![vec![n_leaves]],
                (Ok(low), Ok(high)) => vec![tree.ends(low, high).into_iter().map(i64::from).collect()],
                _ => Vec::new(),
            };
        }
        let mut keys: Vec<i64> = rows.iter().map(|row| self.key(*row)).collect();
        let middle = keys.len() / 2;
        let (left, median, right) = keys.select_nth_unstable(middle);
        let (median, n_left) = (*median, left.iter().filter(|key| **key < *median).count());
        let next = right.iter().filter(|key| **key > median).min().copied();
        let n_up_to = left.len() + 1 + right.iter().filter(|key| **key == median).count();
        // Before the median or behind it, whichever halves better.
        let before = (n_left > 0).then_some((n_left.abs_diff(middle), median));
        let behind = next.map(|next| (n_up_to.abs_diff(middle), next));
        let mut cuts: Vec<(usize, i64)> = before.into_iter().chain(behind).collect();
        cuts.sort_unstable();
        cuts.into_iter().map(|(_, key)| vec![key]).collect()
    }

    /// The one value that a group shows.
    pub(super) fn label(&self, rows: &[u32]) -> String {
        let (low, high) = self.bounds(rows);
        match &self.kind {
            Kind::Number { scale } => {
                let present = || rows.iter().map(|row| self.key(*row)).filter(|key| *key != MISSING);
                let Some(smallest) = present().min() else { return String::new() };
                let mut text = number(smallest, *scale);
                if smallest != high {
                    text = format!("{text}..{}", number(high, *scale));
                }
                if low == MISSING { format!("{text} or missing") } else { text }
            }
            Kind::Levels(levels) => {
                let keys: BTreeSet<i64> = rows.iter().map(|row| self.key(*row)).collect();
                let names = keys.iter().map(|key| match levels[*key as usize].as_str() {
                    "" if keys.len() > 1 => "missing",
                    name => name,
                });
                names.collect::<Vec<_>>().join(OR)
            }
            Kind::Tree(tree) => {
                let n_leaves = i64::from(tree.n_leaves());
                let present = rows.iter().map(|row| self.key(*row)).filter(|key| *key != n_leaves);
                let Some(highest) = present.max() else { return String::new() };
                let leaf = |key: i64| u32::try_from(key).expect("leaves are numbered from 0");
                let text = tree.label(leaf(low), leaf(highest));
                if high == n_leaves { format!("{text} or missing") } else { text.to_owned() }
            }
        }
    }
}

impl fmt::Debug for Quasi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Quasi(`{}`, {} rows)", self.name, self.len())
    }
}

fn scaled(value: &str, scale: u8) -> Option<i64> {
    let (negative, digits) = value.strip_prefix('-').map_or((false, value), |digits| (true, digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || digits.ends_with('.') || !plain(whole) || !plain(fraction) {
        return None;
    }
    let fraction = fraction.trim_end_matches('0');
    if fraction.len() > usize::from(scale) {
        return None;
    }
    let text = format!("{whole}{fraction:0<width$}", width = usize::from(scale));
    let number = text.parse::<i64>().ok()?;
    Some(if negative { -number } else { number })
}

fn number(key: i64, scale: u8) -> String {
    if scale == 0 {
        return key.to_string();
    }
    let unit = 10u64.pow(u32::from(scale));
    let (sign, size) = (if key < 0 { "-" } else { "" }, key.unsigned_abs());
    format!("{sign}{}.{:0width$}", size / unit, size % unit, width = usize::from(scale))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some<'a>(values: &[&'a str]) -> Vec<Option<&'a str>> {
        values.iter().map(|value| Some(*value)).collect()
    }

    #[test]
    fn numbers_are_exact() {
        let check =
            |value: &str, scale, expected: Option<i64>| assert_eq!(scaled(value, scale), expected, "{value}");
        check("20", 0, Some(20));
        check("-5", 0, Some(-5));
        check("27.35", 2, Some(2735));
        check("27.3", 2, Some(2730));
        check("27.350", 2, Some(2735));
        check("27.351", 2, None);
        for value in ["", "x", "1e3", "5.", ".5", "--5", "99999999999999999999"] {
            check(value, 0, None);
        }
        assert_eq!(
            (number(-2735, 2), number(5, 2), number(7, 0)),
            ("-27.35".into(), "0.05".into(), "7".into())
        );
    }

    #[test]
    fn labels() {
        let ages = Quasi::numbers("age", 0, &[Some("30"), Some("20"), None, Some("20")]).unwrap();
        let check = |quasi: &Quasi, rows: &[u32], expected: &str| assert_eq!(quasi.label(rows), expected);
        check(&ages, &[1, 3], "20");
        check(&ages, &[0, 1], "20..30");
        check(&ages, &[0, 1, 2], "20..30 or missing");
        check(&ages, &[2], "");
        let sex = Quasi::categories("sex", &[Some("m"), Some("f"), None], None).unwrap();
        check(&sex, &[0, 1], "f|m");
        check(&sex, &[0, 2], "missing|m");
        check(&sex, &[2], "");
        let tree = Hierarchy::new("s", &[("ME", "north"), ("NH", "north"), ("north", "all"), ("FL", "all")])
            .unwrap();
        let mut values = some(&["ME", "NH", "FL"]);
        values.push(None);
        let states = Quasi::categories("s", &values, Some(&tree)).unwrap();
        check(&states, &[0, 1], "north");
        check(&states, &[0, 2], "all");
        check(&states, &[0, 3], "ME or missing");
        check(&states, &[3], "");
    }

    #[test]
    fn wrong_values_are_named_by_their_row() {
        let error = Quasi::numbers("age", 0, &some(&["20", "Smith"])).unwrap_err().to_string();
        assert!(error.contains("`age` in row 1") && !error.contains("Smith"), "{error}");
        let error = Quasi::categories("c", &some(&["a", "*"]), None).unwrap_err().to_string();
        assert!(error.contains("row 1"), "{error}");
        let tree = Hierarchy::new("c", &[("a", "all")]).unwrap();
        assert!(matches!(
            Quasi::categories("c", &some(&["all"]), Some(&tree)),
            Err(PrivacyError::NotInHierarchy { row: 0, .. })
        ));
    }
}
