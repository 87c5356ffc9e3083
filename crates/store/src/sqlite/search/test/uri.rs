//! Uri search: the whole text, or paths below or above it; texts of codes. Texts are found among the names first, then rows by their numbers.

use compact_str::CompactString;
use rusqlite::params;
use search::query::UriMode;

use super::super::arm::{Arm, Arms};
use super::super::cx::Cx;
use super::super::sql::Sql;
use crate::sqlite::failure::Try;
use crate::sqlite::write::name_of;

/// A stored address may end with so many slashes and still be above another.
const SLASHES_MAX: usize = 3;

/// Numbers of the names that pass, sorted.
pub(in super::super) fn compile(cx: &Cx<'_>, mode: UriMode, any_of: &[CompactString]) -> Try<Vec<u32>> {
    let mut names = Vec::new();
    for text in any_of {
        match mode {
            UriMode::Exact => names.extend(name_of(cx.conn, text)?),
            UriMode::Below => below(cx, text.trim_end_matches('/'), &mut names)?,
            UriMode::Above => {
                for candidate in above(text) {
                    names.extend(name_of(cx.conn, &candidate)?);
                }
            }
        }
    }
    names.sort_unstable();
    names.dedup();
    Ok(names)
}

/// Numbers of the names that contain one of the texts, sorted: `:text`.
pub(in super::super) fn containing(cx: &Cx<'_>, any_of: &[CompactString]) -> Try<Vec<u32>> {
    let mut names = Vec::new();
    let mut statement = cx.conn.prepare_cached("SELECT n, text FROM name")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        cx.spend(1)?;
        let text = row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?;
        if any_of.iter().any(|part| text.contains(part.as_str())) {
            names.push(row.get(0)?);
        }
    }
    names.sort_unstable();
    Ok(names)
}

fn below(cx: &Cx<'_>, start: &str, names: &mut Vec<u32>) -> Try<()> {
    names.extend(name_of(cx.conn, start)?);
    // '0' follows '/'.
    let mut statement = cx.conn.prepare_cached("SELECT n FROM name WHERE text >= ?1 AND text < ?2")?;
    let mut rows = statement.query(params![format!("{start}/"), format!("{start}0")])?;
    while let Some(row) = rows.next()? {
        cx.spend(1)?;
        names.push(row.get(0)?);
    }
    Ok(())
}

/// Texts that are the operand or above it.
fn above(text: &str) -> Vec<String> {
    let ends = text.match_indices('/').map(|(at, _)| at).chain([text.len()]);
    let starts = ends.map(|end| text[..end].trim_end_matches('/'));
    let with_slashes =
        |start: &str| (0..=SLASHES_MAX).map(|n| format!("{start}{}", "/".repeat(n))).collect::<Vec<_>>();
    let mut all: Vec<String> = starts.flat_map(with_slashes).collect();
    all.sort_unstable();
    all.dedup();
    all
}

pub(in super::super) fn arms(p: u32, names: &[u32]) -> Arms {
    let arm = |n: &u32| Arm::new("uri", Sql::with("p = ? AND n = ?", [p, *n]), true);
    Arms::exact(names.iter().map(arm).collect())
}

#[cfg(test)]
mod tests {
    use super::above;

    #[test]
    fn what_is_above() {
        let all = above("http://h/a/b");
        for text in ["http://h/a/b", "http://h/a", "http://h/a/", "http://h", "http://h/a/b/"] {
            assert!(all.iter().any(|other| other == text), "{text}");
        }
        for text in ["http://h/a/bc", "http://h/b", "http://h/a/b/c"] {
            assert!(!all.iter().any(|other| other == text), "{text}");
        }
    }
}
