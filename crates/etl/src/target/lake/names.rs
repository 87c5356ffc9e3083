//! Names of files, by which the files of a load are told from those of others.

use sha2::{Digest as _, Sha256};

use super::format::hex;
use crate::target::Load;

/// Stands for the load in the names of files whose rows are nobody's in particular.
pub(crate) const NOBODY: &str = "00000000";

/// The beginning of the names of a load's files, different each time.
pub(crate) fn stem(hash: &str) -> String {
    format!("part-{hash}-{}", uuid::Uuid::new_v4().simple())
}

/// Tells the files of one pipeline and source from those of others.
pub(crate) fn load_hash(load: &Load) -> String {
    let text = format!("{}\0{}", load.pipeline, load.source);
    hex(&Sha256::digest(text.as_bytes())[..4])
}

/// The hash in a name that begins like a [`stem`].
pub(crate) fn hash_of(name: &str) -> Option<&str> {
    let own = name.rsplit('/').next().unwrap_or(name);
    let is_hex = |part: &str, n: usize| part.len() == n && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    let mut parts = own.split(['-', '.']);
    let (first, hash, unique) = (parts.next()?, parts.next()?, parts.next()?);
    (first == "part" && is_hex(hash, 8) && is_hex(unique, 32)).then_some(hash)
}

/// Whether salus made a name.
pub(crate) fn is_ours(name: &str) -> bool {
    hash_of(name).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_others_are_not_ours() {
        let load = Load {
            pipeline: "p".to_owned(),
            source: "s".to_owned(),
            target: "t".to_owned(),
            run: "r".to_owned(),
            pipeline_hash: "h".to_owned(),
        };
        let hash = load_hash(&load);
        assert_eq!(hash_of(&format!("state=AL/{}-00000.parquet", stem(&hash))), Some(hash.as_str()));
        assert_eq!(hash_of(&stem(&hash)), Some(hash.as_str()));
        for other in [
            "part-00000-ba1aa4d5-d3f3-4c17-b3f6-5d2a2b1f6a3c-c000.snappy.parquet",
            "part-1.parquet",
            "x.parquet",
            "",
        ] {
            assert!(!is_ours(other), "{other}");
        }
    }
}
