//! Runs a program to its end, with text in and text out.

use std::ffi::OsStr;
use std::io::Write;
use std::process::{Command, Stdio};
use std::thread;

/// What the program printed on standard output when given `input`; panics with what it printed on standard error when it fails.
pub(super) fn run<A: AsRef<OsStr>>(program: impl AsRef<OsStr>, arguments: &[A], input: &str) -> String {
    let program = program.as_ref();
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("cannot start {program:?}: {error}"));
    let mut stdin = child.stdin.take().expect("standard input is a pipe");
    let output = thread::scope(|scope| {
        // A program that stops reading early says why on standard error.
        scope.spawn(move || stdin.write_all(input.as_bytes()).ok());
        child.wait_with_output().expect("a started program can be waited for")
    });
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program:?} failed ({}):\n{errors}", output.status);
    String::from_utf8(output.stdout)
        .unwrap_or_else(|error| panic!("{program:?} did not print UTF-8: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_goes_in_and_out() {
        let long = "a line of text\n".repeat(100_000);
        assert_eq!(run("cat", &["-"], &long), long);
    }

    #[test]
    #[should_panic(expected = "this is why")]
    fn a_failure_shows_standard_error() {
        run("sh", &["-c", "echo this is why >&2; exit 3"], "");
    }
}
