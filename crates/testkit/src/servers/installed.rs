//! Where the programs of servers are, where their packages are kept, and what is said when they are missing.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::run::run;

/// Says that a test could not run because `what` is missing; panics where `SALUS_SERVERS_REQUIRED=1` promises that it is installed.
#[allow(clippy::print_stderr, reason = "a test that did not run says so")]
pub(super) fn not_installed<T>(what: &str) -> Option<T> {
    let is_required = env::var_os("SALUS_SERVERS_REQUIRED").is_some_and(|value| value == "1");
    assert!(
        !is_required,
        "{what} is not installed, though SALUS_SERVERS_REQUIRED=1 is set (./test installs it)"
    );
    eprintln!("not checked: {what} is not installed (./test installs it)");
    None
}

/// The folder that `./test` keeps packages in.
pub(super) fn cache() -> PathBuf {
    let base = env::var_os("XDG_CACHE_HOME").filter(|path| !path.is_empty()).map(PathBuf::from);
    let base = base.or_else(|| env::var_os("HOME").map(|home| Path::new(&home).join(".cache")));
    base.unwrap_or_else(env::temp_dir).join("salus")
}

/// A program of the search path, or of the folders of Debian that are only root's search path.
pub(super) fn program(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain(["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from));
    folders.map(|folder| folder.join(name)).find(|path| path.is_file())
}

/// The folder `name` of the cache, made by `make` where it is missing. Two processes may do the same: the first rename wins.
pub(super) fn template(name: &str, make: impl FnOnce(&Path)) -> PathBuf {
    let below = cache().join("servers");
    let target = below.join(name);
    if target.is_dir() {
        return target;
    }
    fs::create_dir_all(&below).unwrap_or_else(|error| panic!("`{}`: {error}", below.display()));
    let unfinished = tempfile::tempdir_in(&below).expect("the cache can be written");
    let folder = unfinished.path().join("template");
    make(&folder);
    match fs::rename(&folder, &target) {
        Err(error) if !target.is_dir() => panic!("`{}`: {error}", target.display()),
        _ => target,
    }
}

/// Copies a folder with everything in it; the copy at `to` must not exist.
pub(super) fn copy(from: &Path, to: &Path) {
    run("cp", &[Path::new("-a"), Path::new("--reflink=auto"), from, to], "");
}

/// A folder in the temporary folder that nobody else removes: the supervisor of the server does.
pub(super) fn server_folder(name: &str) -> io::Result<PathBuf> {
    let folder = tempfile::Builder::new().prefix(&format!("salus-{name}-")).tempdir()?;
    Ok(folder.keep())
}
