//! The tables of the indices: groups, their prefixes, weights and ranks, read once from text.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::code::Canonical;

/// A set of groups of one table; at most 32.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Groups(u32);

/// Diagnoses are patient data and do not print.
impl std::fmt::Debug for Groups {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Groups({})", self.count())
    }
}

impl Groups {
    /// Groups in either.
    #[must_use]
    pub fn union(self, other: Groups) -> Groups {
        Groups(self.0 | other.0)
    }

    /// Is the group with this number in it.
    pub fn contains(self, number: usize) -> bool {
        number < 32 && self.0 & (1 << number) != 0
    }

    /// How many.
    pub fn count(self) -> u32 {
        self.0.count_ones()
    }

    /// Is there none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// As bits, bit n for group n: for columns of integers, which are combined by `|`.
    pub fn bits(self) -> u32 {
        self.0
    }

    /// Of bits from [`Groups::bits`].
    pub fn of_bits(bits: u32) -> Groups {
        Groups(bits)
    }
}

/// One condition of an index.
#[derive(Debug, PartialEq, Eq)]
pub struct Group {
    /// Its place in the table, from 0.
    pub number: usize,
    /// Short name: `mi`.
    pub code: &'static str,
    /// Name: `Myocardial infarction`.
    pub name: &'static str,
    /// Its weights, one per weighting of the table.
    pub weights: Vec<i32>,
    /// Number of the graver group that silences it.
    pub outranked_by: Option<usize>,
    /// ICD-10 prefixes without point.
    pub prefixes: Vec<&'static str>,
}

/// A table of groups.
#[derive(Debug)]
pub struct Map {
    groups: Vec<Group>,
    /// Prefixes of three and four characters; shorter ones are filled with zero bytes.
    by_prefix: HashMap<[u8; 4], Groups>,
}

impl Map {
    /// All groups.
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// The groups of a set, in the order of the table.
    pub fn of(&self, groups: Groups) -> impl Iterator<Item = &Group> {
        self.groups.iter().filter(move |group| groups.contains(group.number))
    }

    /// The groups of a code in canonical form.
    pub(super) fn groups_of(&self, code: &Canonical) -> Groups {
        let mut key = [0; 4];
        for (place, byte) in key.iter_mut().zip(code.as_str().bytes().filter(|byte| *byte != b'.')) {
            *place = byte;
        }
        let long = self.by_prefix.get(&key).copied().unwrap_or_default();
        if key[3] == 0 {
            return long;
        }
        key[3] = 0;
        self.by_prefix.get(&key).copied().unwrap_or_default().union(long)
    }
}

/// The Charlson table of Quan 2005: 17 groups, 289 prefixes, weights of 1987 and 2011.
pub fn charlson() -> &'static Map {
    static MAP: LazyLock<Map> = LazyLock::new(|| map_of(include_str!("charlson.txt")));
    &MAP
}

/// The Elixhauser table of Quan 2005: 31 groups, 399 prefixes, weights of van Walraven 2009.
pub fn elixhauser() -> &'static Map {
    static MAP: LazyLock<Map> = LazyLock::new(|| map_of(include_str!("elixhauser.txt")));
    &MAP
}

/// Reads `group | name | weights | rank` lines, each followed by indented prefixes. The texts are part of the program: a wrong one is a bug.
fn map_of(text: &'static str) -> Map {
    let mut groups: Vec<Group> = Vec::new();
    let mut ranks = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        if let Some(prefixes) = line.strip_prefix("  ") {
            let group = groups.last_mut().expect("prefixes follow a group");
            group.prefixes.extend(prefixes.split(' '));
            continue;
        }
        let [code, name, weights, rank] = line.split(" | ").collect::<Vec<_>>()[..] else {
            panic!("a group has four fields: {line}")
        };
        let weights =
            weights.split(", ").map(|weight| weight.parse().expect("weights are integers")).collect();
        groups.push(Group {
            number: groups.len(),
            code,
            name,
            weights,
            outranked_by: None,
            prefixes: Vec::new(),
        });
        ranks.push(rank);
    }
    for number in 0..groups.len() {
        groups[number].outranked_by = groups.iter().position(|group| group.code == ranks[number]);
    }
    let mut by_prefix: HashMap<[u8; 4], Groups> = HashMap::new();
    for group in &groups {
        for prefix in &group.prefixes {
            let mut key = [0; 4];
            key[..prefix.len()].copy_from_slice(prefix.as_bytes());
            by_prefix.entry(key).or_default().0 |= 1 << group.number;
        }
    }
    Map { groups, by_prefix }
}
