//! Every page against its golden HTML in `cases/`. `SALUS_BLESS=1` rewrites them; the diff is read.

mod samples;

use std::path::PathBuf;

#[test]
fn pages_are_as_agreed() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("cases");
    let bless = std::env::var_os("SALUS_BLESS").is_some_and(|value| value == "1");
    let mut wrong = Vec::new();
    let mut known = Vec::new();
    for (name, page) in samples::all() {
        let file = folder.join(format!("{name}.html"));
        let page = readable(&page.into_string());
        if bless {
            std::fs::write(&file, &page).unwrap();
        } else if std::fs::read_to_string(&file).ok().as_deref() != Some(page.as_str()) {
            wrong.push(name);
        }
        known.push(file);
    }
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        assert!(known.contains(&path), "{} is the answer to no sample", path.display());
    }
    assert!(
        wrong.is_empty(),
        "pages changed: {wrong:?}; look at them, then `SALUS_BLESS=1 cargo test -p salus-ui`"
    );
}

/// One element a line, so that a diff shows what changed; names of assets without their hashes, which change with every style.
fn readable(page: &str) -> String {
    let mut page = page.replace("><", ">\n<");
    for asset in ui::assets::assets() {
        let hash = asset.path.split('.').nth(1).expect("a hash is part of every name");
        page = page.replace(hash, "HASH");
    }
    page.push('\n');
    page
}
