//! Python with packages that read what salus writes and share no code with it: pyarrow and deltalake.

use std::path::PathBuf;

use super::installed::{cache, not_installed};
use super::run::run;

/// Runs a Python script with arguments (`sys.argv[1:]`) where pyarrow and deltalake can be imported, and gives what it printed. Panics with its error
/// when it fails. Prints `not checked: …` and returns `None` when the environment is not installed.
pub fn python(script: &str, arguments: &[&str]) -> Option<String> {
    let Some(interpreter) = environment_program("python3") else {
        return not_installed("the Python environment");
    };
    let arguments: Vec<&str> = ["-"].iter().chain(arguments).copied().collect();
    // Threads of pyarrow that are still at work abort an interpreter that takes itself down: it leaves at once.
    let script = format!("{script}\nimport os, sys\nsys.stdout.flush()\nos._exit(0)\n");
    Some(run(interpreter, &arguments, &script))
}

/// A program of the virtual environment that `./test` makes.
pub(super) fn environment_program(name: &str) -> Option<PathBuf> {
    let folder = cache().join("python");
    // Written last: an installation that was stopped does not count.
    folder.join("installed.lock").is_file().then(|| folder.join("bin").join(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parquet_and_delta_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let script = "
import sys, pyarrow as pa, pyarrow.parquet as pq, deltalake
path = sys.argv[1]
pq.write_table(pa.table({'name': ['å', None]}), path + '/a.parquet')
print(pq.read_table(path + '/a.parquet').to_pylist())
deltalake.write_deltalake(path + '/delta', pa.table({'n': [1, 2]}))
print(sorted(pa.table(deltalake.DeltaTable(path + '/delta').to_pyarrow_table())['n'].to_pylist()))
";
        let Some(printed) = python(script, &[folder.path().to_str().unwrap()]) else { return };
        assert_eq!(printed, "[{'name': 'å'}, {'name': None}]\n[1, 2]\n");
    }

    #[test]
    fn a_failure_shows_the_error() {
        match std::panic::catch_unwind(|| python("raise OSError('this is why')", &[])) {
            Ok(result) => assert_eq!(result, None, "the script failed, and nobody was told"),
            Err(failure) => {
                let said = failure.downcast_ref::<String>().unwrap();
                assert!(said.contains("OSError: this is why"), "{said}");
            }
        }
    }
}
