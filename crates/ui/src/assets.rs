//! The style sheet, the module and the icon: embedded, and named by what is in them.

use std::sync::LazyLock;

use sha2::{Digest, Sha256};

/// A file that pages refer to. Its path changes when its content does, so it may be cached for ever.
#[derive(Clone, Debug)]
pub struct Asset {
    /// Path to serve it at, `/assets/app.0123456789ab.css`.
    pub path: String,
    /// Media type.
    pub content_type: &'static str,
    /// Content.
    pub bytes: &'static [u8],
}

const FILES: [(&str, &str, &str, &str); 3] = [
    ("app", "css", "text/css; charset=utf-8", include_str!("../assets/app.css")),
    ("app", "js", "text/javascript; charset=utf-8", include_str!("../assets/app.js")),
    ("icon", "svg", "image/svg+xml", include_str!("../assets/icon.svg")),
];

static ASSETS: LazyLock<Vec<Asset>> = LazyLock::new(|| {
    let asset_of = |(name, ending, content_type, text): (&str, &str, &'static str, &'static str)| {
        let hash: String = Sha256::digest(text).iter().take(6).map(|byte| format!("{byte:02x}")).collect();
        Asset { path: format!("/assets/{name}.{hash}.{ending}"), content_type, bytes: text.as_bytes() }
    };
    FILES.into_iter().map(asset_of).collect()
});

/// Everything that pages refer to.
pub fn assets() -> &'static [Asset] {
    &ASSETS
}

/// Path of the asset with this ending.
pub(crate) fn path_of(ending: &str) -> &'static str {
    let found = ASSETS.iter().find(|asset| asset.path.ends_with(ending));
    &found.expect("pages refer only to assets of the table above").path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_content() {
        assert_eq!(assets().len(), FILES.len());
        for asset in assets() {
            let hash = asset.path.split('.').nth(1).unwrap();
            assert!(hash.len() == 12 && hash.bytes().all(|b| b.is_ascii_hexdigit()), "{}", asset.path);
        }
        assert!(path_of(".css").starts_with("/assets/app."));
    }

    #[test]
    fn the_module_stays_small_and_asks_nobody_else() {
        let script = FILES[1].3;
        assert!(script.lines().count() <= 400);
        for (_, _, _, text) in FILES {
            assert!(
                !text.replace("http://www.w3.org/2000/svg", "").contains("://"),
                "an asset names another host"
            );
        }
    }
}
