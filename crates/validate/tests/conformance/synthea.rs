//! A synthetic population, made by others, has no errors.

use crate::support::{errors_of, shared, shown};

#[test]
fn synthea_bundles_are_valid() {
    let Some(files) = shared("synthea-r4-bundles") else { return };
    let mut n_bundles = 0;
    for (path, bytes) in files.iter().filter(|(path, _)| path.ends_with(".json")) {
        n_bundles += 1;
        let lines: Vec<String> = errors_of(bytes).iter().take(5).map(shown).collect();
        assert!(lines.is_empty(), "{path}: {}", lines.join("\n"));
    }
    assert!(n_bundles > 50, "only {n_bundles} bundles");
}
