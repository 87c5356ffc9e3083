//! A data folder that is removed after the test.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// An empty folder of mode 0700, removed when it is dropped; with `SALUS_KEEP=1` it stays and its path is printed.
#[derive(Debug)]
pub struct DataFolder {
    folder: tempfile::TempDir,
}

impl DataFolder {
    /// A new one.
    #[allow(
        clippy::print_stderr,
        clippy::new_without_default,
        reason = "tests speak, and a default must not touch the disk"
    )]
    pub fn new() -> DataFolder {
        let mut folder = tempfile::Builder::new()
            .prefix("salus-")
            .permissions(Permissions::from_mode(0o700))
            .tempdir()
            .expect("the temporary folder can be written");
        if std::env::var_os("SALUS_KEEP").is_some() {
            folder.disable_cleanup(true);
            eprintln!("kept: {}", folder.path().display());
        }
        DataFolder { folder }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A path in it.
    pub fn join(&self, name: impl AsRef<Path>) -> PathBuf {
        self.path().join(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt;

    #[test]
    fn it_is_private_and_goes_away() {
        let folder = DataFolder::new();
        let path = folder.path().to_owned();
        assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o700);
        std::fs::write(folder.join("file"), "x").unwrap();
        drop(folder);
        assert_eq!(path.exists(), std::env::var_os("SALUS_KEEP").is_some());
    }
}
