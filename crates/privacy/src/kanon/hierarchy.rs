//! A tree of categories: how a value may be generalised (`E11.9` to `E11` to `diabetes`).

use std::collections::BTreeMap;
use std::fmt;

use crate::{PrivacyError, SUPPRESSED};

const NODES_MAX: usize = 1_000_000;

/// A checked tree. Leaves are numbered so that those below a node lie side by side.
#[derive(Clone)]
pub struct Hierarchy {
    nodes: Vec<Node>,
    root: usize,
    leaves: BTreeMap<String, u32>,
}

#[derive(Clone)]
struct Node {
    name: String,
    children: Vec<usize>,
    /// Numbers of the leaves below: from, up to.
    leaves: (u32, u32),
}

impl Hierarchy {
    /// A tree of (value, its generalisation) pairs. The column is named in errors.
    pub fn new(column: &str, pairs: &[(&str, &str)]) -> Result<Hierarchy, PrivacyError> {
        let bad = |why| PrivacyError::BadHierarchy { column: column.to_owned(), why };
        if pairs.is_empty() || pairs.len() > NODES_MAX {
            return Err(bad("it needs 1 to 1,000,000 pairs of value and generalisation"));
        }
        let mut parents: BTreeMap<&str, &str> = BTreeMap::new();
        let mut children: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (child, parent) in pairs {
            if [child, parent].iter().any(|name| name.is_empty() || **name == SUPPRESSED) {
                return Err(bad("names must not be empty or `*`, which stands for suppressed rows"));
            }
            if parents.insert(child, parent).is_some() {
                return Err(bad("a value has two generalisations"));
            }
            children.entry(parent).or_default().push(child);
        }
        let mut roots = children.keys().filter(|name| !parents.contains_key(*name));
        let (Some(root), None) = (roots.next(), roots.next()) else {
            return Err(bad("it must have exactly one top"));
        };
        let mut tree = Hierarchy { nodes: Vec::new(), root: 0, leaves: BTreeMap::new() };
        tree.grow(root, &mut children);
        if tree.nodes.len() != parents.len() + 1 {
            return Err(bad("some values lead round in a circle"));
        }
        Ok(tree)
    }

    /// Depth first without recursion: a chain of a million values must not end the stack.
    fn grow(&mut self, root: &str, children: &mut BTreeMap<&str, Vec<&str>>) {
        enum Step<'a> {
            Enter(Option<usize>, &'a str),
            Leave(usize),
        }
        let mut n_leaves = 0;
        let mut todo = vec![Step::Enter(None, root)];
        while let Some(step) = todo.pop() {
            match step {
                Step::Leave(node) => self.nodes[node].leaves.1 = n_leaves,
                Step::Enter(parent, name) => {
                    let node = self.nodes.len();
                    let leaves = (n_leaves, n_leaves + 1);
                    self.nodes.push(Node { name: name.to_owned(), children: Vec::new(), leaves });
                    if let Some(parent) = parent {
                        self.nodes[parent].children.push(node);
                    }
                    let mut below = children.remove(name).unwrap_or_default();
                    if below.is_empty() {
                        self.leaves.insert(name.to_owned(), n_leaves);
                        n_leaves += 1;
                        continue;
                    }
                    below.sort_unstable();
                    todo.push(Step::Leave(node));
                    todo.extend(below.into_iter().rev().map(|child| Step::Enter(Some(node), child)));
                }
            }
        }
    }

    /// Number of a value that has nothing below it.
    pub(super) fn leaf(&self, value: &str) -> Option<u32> {
        self.leaves.get(value).copied()
    }

    pub(super) fn n_leaves(&self) -> u32 {
        self.nodes[self.root].leaves.1
    }

    /// The lowest node above all leaves from `low` to `high`.
    fn lowest(&self, low: u32, high: u32) -> &Node {
        let mut node = &self.nodes[self.root];
        loop {
            let inside = |child: &&usize| {
                let (from, to) = self.nodes[**child].leaves;
                from <= low && high < to
            };
            match node.children.iter().find(inside) {
                Some(child) => node = &self.nodes[*child],
                None => return node,
            }
        }
    }

    /// Its name, which stands for all of them.
    pub(super) fn label(&self, low: u32, high: u32) -> &str {
        &self.lowest(low, high).name
    }

    /// Where the groups below that node end.
    pub(super) fn ends(&self, low: u32, high: u32) -> Vec<u32> {
        self.lowest(low, high).children.iter().map(|child| self.nodes[*child].leaves.1).collect()
    }
}

impl fmt::Debug for Hierarchy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hierarchy({} values)", self.leaves.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAIRS: [(&str, &str); 7] = [
        ("north", "all"),
        ("south", "all"),
        ("ME", "north"),
        ("NH", "north"),
        ("VT", "north"),
        ("FL", "south"),
        ("GA", "south"),
    ];

    #[test]
    fn leaves_of_a_node_lie_side_by_side() {
        let tree = Hierarchy::new("state", &PAIRS).unwrap();
        assert_eq!(tree.n_leaves(), 5);
        let check = |a: &str, b: &str, label: &str, n_groups| {
            let (low, high) = (tree.leaf(a).unwrap(), tree.leaf(b).unwrap());
            let (low, high) = (low.min(high), low.max(high));
            assert_eq!(tree.label(low, high), label);
            assert_eq!(tree.ends(low, high).len(), n_groups, "{a} {b}");
        };
        check("ME", "ME", "ME", 0);
        check("ME", "VT", "north", 3);
        check("FL", "GA", "south", 2);
        check("NH", "FL", "all", 2);
        assert_eq!(tree.leaf("north"), None);
    }

    #[test]
    fn what_is_no_tree_is_refused() {
        let check = |pairs: &[(&str, &str)], words: &str| {
            let error = Hierarchy::new("c", pairs).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        };
        check(&[], "1 to 1,000,000");
        check(&[("a", "x"), ("b", "y")], "exactly one top");
        check(&[("a", "b"), ("b", "a")], "exactly one top");
        check(&[("r1", "r"), ("a", "b"), ("b", "a")], "circle");
        check(&[("a", "x"), ("a", "y")], "two generalisations");
        check(&[("a", "*")], "suppressed");
    }
}
