//! A synthetic population, made by others, has no errors.

use testkit::shared_data;

use crate::support::{errors_of, files_below, shown};

#[test]
fn synthea_bundles_are_valid() {
    let Some(folder) = shared_data("synthea-r4-bundles.tar.zst") else { return };
    let mut n_bundles = 0;
    for path in files_below(&folder).iter().filter(|path| path.extension().is_some_and(|end| end == "json")) {
        n_bundles += 1;
        let lines: Vec<String> = errors_of(&std::fs::read(path).unwrap()).iter().take(5).map(shown).collect();
        assert!(lines.is_empty(), "bundle {n_bundles}: {}", lines.join("\n"));
    }
    assert!(n_bundles > 50, "only {n_bundles} bundles");
}
