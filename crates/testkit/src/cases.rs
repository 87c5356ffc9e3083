//! Golden cases: plain files with inputs and the answers they should get.
//!
//! ```text
//! GET /Patient?color=red
//! ----
//! 400 unknown search parameter `color`
//! ====
//! GET /Patient?active=
//! ----
//! (nothing)
//! ```
//!
//! `SALUS_BLESS=1` writes the answers into the files; read the difference before it is committed.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

const ANSWER: &str = "----";
const NEXT: &str = "====";
const EMPTY: &str = "(nothing)";

/// Compares every case of the `*.case` files below `folder` with `answer`, and panics with all differences. Returns the number of cases.
pub fn cases(folder: impl AsRef<Path>, answer: impl FnMut(&str) -> String) -> usize {
    let bless = std::env::var_os("SALUS_BLESS").is_some_and(|value| value == "1");
    match run(folder.as_ref(), bless, answer) {
        Ok(n_cases) => n_cases,
        Err(differences) => panic!("{differences}\nSALUS_BLESS=1 accepts the new answers"),
    }
}

fn run(folder: &Path, bless: bool, mut answer: impl FnMut(&str) -> String) -> Result<usize, String> {
    let mut files = Vec::new();
    collect(folder, &mut files).map_err(|error| format!("`{}`: {error}", folder.display()))?;
    files.sort();
    let (mut n_cases, mut differences) = (0, String::new());
    for file in files {
        let text = fs::read_to_string(&file).map_err(|error| format!("`{}`: {error}", file.display()))?;
        let mut blessed = Vec::new();
        for (number, case) in (1..).zip(split(&text)) {
            n_cases += 1;
            let found = shown(&answer(&case.input));
            if case.answer.as_deref() != Some(found.as_str()) {
                let expected = case.answer.as_deref().unwrap_or("(the file has no answer)");
                let input = &case.input;
                let place = file.display();
                let _ = write!(
                    differences,
                    "\n{place}, case {number}\n{input}\nexpected:\n{expected}\nfound:\n{found}\n"
                );
            }
            blessed.push(format!("{}\n{ANSWER}\n{found}\n", case.input));
        }
        let blessed = blessed.join(&format!("{NEXT}\n"));
        if bless && blessed != text {
            fs::write(&file, blessed).map_err(|error| format!("`{}`: {error}", file.display()))?;
        }
    }
    match () {
        () if n_cases == 0 => Err(format!("`{}` has no cases", folder.display())),
        () if differences.is_empty() || bless => Ok(n_cases),
        () => Err(differences),
    }
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "case") {
            files.push(path);
        }
    }
    Ok(())
}

struct Case {
    input: String,
    answer: Option<String>,
}

fn split(text: &str) -> Vec<Case> {
    let lines: Vec<&str> = text.lines().collect();
    lines.split(|line| *line == NEXT).filter_map(case).collect()
}

fn case(lines: &[&str]) -> Option<Case> {
    let (input, answer) = match lines.iter().position(|line| *line == ANSWER) {
        Some(at) => (&lines[..at], Some(&lines[at + 1..])),
        None => (lines, None),
    };
    let answer =
        answer.map(|lines| lines.join("\n").trim_end().to_owned()).filter(|answer| !answer.is_empty());
    let input = input.join("\n").trim_end().to_owned();
    (!input.is_empty() || answer.is_some()).then_some(Case { input, answer })
}

/// As it stands in a file: no blanks at the ends of lines, and an empty answer is visible.
fn shown(answer: &str) -> String {
    let lines: Vec<&str> = answer.lines().map(str::trim_end).collect();
    let text = lines.join("\n").trim_end().to_owned();
    if text.is_empty() { EMPTY.to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(file: &str, bless: bool) -> (Result<usize, String>, String) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deeper/a.case");
        fs::create_dir(path.parent().unwrap()).unwrap();
        fs::write(&path, file).unwrap();
        let result = run(folder.path(), bless, |input| {
            input.trim_start_matches("say ").trim_start_matches("nothing").into()
        });
        (result, fs::read_to_string(path).unwrap())
    }

    #[test]
    fn right_answers_pass() {
        let file = "say a\nb\n----\na\nb\n====\nnothing\n----\n(nothing)\n";
        assert_eq!(check(file, false).0, Ok(2));
    }

    #[test]
    fn wrong_and_missing_answers_fail_and_can_be_blessed() {
        for file in ["say a\n----\nb\n", "say a\n----\n", "say a\n"] {
            let (result, unchanged) = check(file, false);
            assert!(result.unwrap_err().contains("a.case, case 1"), "{file:?}");
            assert_eq!(unchanged, file);
            assert_eq!(check(file, true), (Ok(1), "say a\n----\na\n".into()));
        }
        assert!(check("nothing\n----\n", false).0.is_err());
    }

    #[test]
    fn no_cases_are_an_error() {
        assert!(check("", false).0.is_err());
        assert!(run(Path::new("no/such/folder"), false, str::to_owned).is_err());
    }
}
