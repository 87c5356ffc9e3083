//! Writes every page with sample views into a folder, to be opened in a browser: `cargo run -p salus-ui --example gallery -- FOLDER`.

use std::path::PathBuf;

#[path = "../tests/samples/mod.rs"]
mod samples;

fn main() -> std::io::Result<()> {
    let folder = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| "target/gallery".into()));
    std::fs::create_dir_all(folder.join("assets"))?;
    for asset in ui::assets::assets() {
        std::fs::write(folder.join(asset.path.trim_start_matches('/')), asset.bytes)?;
    }
    for (name, page) in samples::all() {
        // Opened as files, pages find their assets beside them.
        let page = page.into_string().replace("=\"/assets/", "=\"assets/");
        std::fs::write(folder.join(format!("{name}.html")), page)?;
    }
    Ok(())
}
