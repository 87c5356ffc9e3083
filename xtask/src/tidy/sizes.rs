//! Small rooms: files of at most 600 lines with a median of at most 150, functions of at most 70, a `//!` line first.

use super::{Finding, Source};

const FILE_LINES_MAX: usize = 600;
const FILE_LINES_MEDIAN_MAX: usize = 150;
const FUNCTION_LINES_MAX: usize = 70;

pub(super) fn check(sources: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut lengths = Vec::new();
    for source in sources.iter().filter(|source| source.is_rust()) {
        let n_lines = source.text.lines().count();
        if n_lines > FILE_LINES_MAX {
            findings.push(Finding::new(
                &source.path,
                format!("{n_lines} lines, at most {FILE_LINES_MAX}: split it"),
            ));
        }
        if !source.text.lines().next().is_some_and(|line| line.starts_with("//! ") && line.len() > 12) {
            findings
                .push(Finding::new(&source.path, "its first line is no `//!` that says the file's one job"));
        }
        if source.is_shipped_rust() {
            lengths.push(n_lines);
        }
        findings.extend(long_functions(source));
    }
    lengths.sort_unstable();
    if let Some(median) = lengths.get(lengths.len() / 2).filter(|median| **median > FILE_LINES_MEDIAN_MAX) {
        findings.push(Finding::new(
            "crates",
            format!("the median file has {median} lines, at most {FILE_LINES_MEDIAN_MAX}"),
        ));
    }
    findings
}

/// Relies on rustfmt: a function ends at the first `}` with the indentation of its `fn` line, a mere signature at `) -> …;`.
fn long_functions(source: &Source) -> Vec<Finding> {
    let lines: Vec<&str> = source.text.lines().collect();
    let mut findings = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let Some(name) = function_name(line) else { continue };
        let indent = line.len() - line.trim_start().len();
        let (brace, signature) = (format!("{}}}", " ".repeat(indent)), format!("{})", " ".repeat(indent)));
        let ends = |line: &&str| {
            line.trim_end() == brace || (line.starts_with(&signature) && line.trim_end().ends_with(';'))
        };
        let end = lines[start..].iter().position(ends);
        let n_lines = end.map_or(1, |end| end + 1);
        if n_lines > FUNCTION_LINES_MAX && !line.trim_end().ends_with(['}', ';']) {
            let place = format!("{}:{}", source.path, start + 1);
            findings.push(Finding::new(
                place,
                format!("`{name}` has {n_lines} lines, at most {FUNCTION_LINES_MAX}"),
            ));
        }
    }
    findings
}

fn function_name(line: &str) -> Option<&str> {
    let mut words = line.split_whitespace();
    loop {
        match words.next()? {
            "fn" => return words.next().map(|name| name.split(['(', '<']).next().unwrap_or(name)),
            "const" | "async" | "unsafe" | "extern" | "\"C\"" => {}
            word if word.starts_with("pub") => {}
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_function_is_found_and_a_short_one_is_not() {
        let body = "    let a = 1;\n".repeat(70);
        let text = format!("//! Opening line.\nfn long() {{\n{body}}}\n\nfn short() {{\n}}\n");
        let source = Source { path: "crates/a/src/lib.rs".into(), text };
        let found: Vec<String> = long_functions(&source).iter().map(ToString::to_string).collect();
        assert_eq!(found, ["crates/a/src/lib.rs:2: `long` has 72 lines, at most 70"]);
    }
}
