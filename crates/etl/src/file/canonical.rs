//! The hash of a pipeline: of what it says, not of how it is laid out.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use crate::yaml::{Kind, Node};

/// SHA-256 of the content as hexadecimal digits. Comments, layout and the order of keys do not count; the order of lists does.
pub(super) fn hash_of(node: &Node) -> String {
    let mut hasher = Sha256::new();
    add(node, &mut hasher);
    hasher.finalize().iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

fn add(node: &Node, hasher: &mut Sha256) {
    match &node.kind {
        Kind::Null => hasher.update(b"n"),
        Kind::Scalar { text, plain } => {
            hasher.update(if *plain { b"p" } else { b"q" });
            add_text(text, hasher);
        }
        Kind::List(items) => {
            hasher.update(b"l");
            hasher.update((items.len() as u64).to_le_bytes());
            items.iter().for_each(|item| add(item, hasher));
        }
        Kind::Map(entries) => {
            hasher.update(b"m");
            hasher.update((entries.len() as u64).to_le_bytes());
            let mut sorted: Vec<_> = entries.iter().collect();
            sorted.sort_by(|a, b| a.0.text.cmp(&b.0.text));
            for (key, value) in sorted {
                add_text(&key.text, hasher);
                add(value, hasher);
            }
        }
    }
}

fn add_text(text: &str, hasher: &mut Sha256) {
    hasher.update((text.len() as u64).to_le_bytes());
    hasher.update(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Problems;

    fn hash(text: &str) -> String {
        hash_of(&crate::yaml::parse(text, &mut Problems::default()).unwrap())
    }

    #[test]
    fn layout_does_not_count_and_content_does() {
        assert_eq!(hash("a: 1\nb: [x, y]\n"), hash("# why\nb:\n  - x\n  - y\na:   1\n"));
        assert_ne!(hash("a: 1\nb: [x, y]\n"), hash("a: 1\nb: [y, x]\n"));
        assert_ne!(hash("a: null"), hash("a: 'null'"));
    }
}
