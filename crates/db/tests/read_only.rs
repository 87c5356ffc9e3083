//! A folder that cannot be written: the error says so, and what is there can still be named.

#![allow(clippy::unwrap_used, reason = "helpers of a test")]

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use db::{Database, DbError, FolderLock, Options};

const FOLDER: &str = "DB_TEST_READ_ONLY";
const NOBODY: u32 = 65_534;
const MIGRATIONS: &[&str] = &["CREATE TABLE t (x)"];

/// Root may write everywhere, so the test runs itself again as nobody, from a copy that nobody can execute.
#[test]
fn a_read_only_folder_is_an_error_of_its_own() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        return check_as_nobody(Path::new(&folder));
    }
    let parent = tempfile::tempdir().unwrap();
    let set_mode = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    set_mode(parent.path(), 0o755);
    let folder = parent.path().join("data");
    fs::create_dir(&folder).unwrap();
    drop(Database::open(Options::new(folder.join("there.db"), 0x5a17, MIGRATIONS)).unwrap());
    // The file itself can be written; the log beside it cannot be made.
    set_mode(&folder.join("there.db"), 0o666);
    set_mode(&folder, 0o555);

    let program = parent.path().join("test");
    fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    set_mode(&program, 0o755);
    let mut child = Command::new(program);
    child
        .args(["--exact", "a_read_only_folder_is_an_error_of_its_own", "--nocapture"])
        .env(FOLDER, &folder)
        .current_dir("/");
    if folder.metadata().unwrap().uid() == 0 {
        child.uid(NOBODY).gid(NOBODY);
    }
    let output = child.output().unwrap();
    set_mode(&folder, 0o755);
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"));
}

fn check_as_nobody(folder: &Path) {
    for name in ["there.db", "new.db"] {
        let error = Database::open(Options::new(folder.join(name), 0x5a17, MIGRATIONS)).err();
        assert!(matches!(error, Some(DbError::ReadOnly)), "{name}: {error:?}");
    }
    let error = FolderLock::acquire(folder, 1).unwrap_err();
    assert!(matches!(error, DbError::ReadOnly), "{error:?}");
}
