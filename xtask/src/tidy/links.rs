//! Every relative link in a Markdown file leads to a file that exists.

use super::{Finding, Source};
use std::path::Path;

pub(super) fn check(root: &Path, sources: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in sources.iter().filter(|source| source.is_markdown()) {
        let folder = Path::new(&source.path).parent().unwrap_or(Path::new(""));
        for (index, line) in source.text.lines().enumerate() {
            for target in targets(line) {
                let file = target.split('#').next().unwrap_or(target);
                if !file.is_empty() && !root.join(folder).join(file).exists() {
                    let place = format!("{}:{}", source.path, index + 1);
                    findings.push(Finding::new(place, format!("dead link `{target}`")));
                }
            }
        }
    }
    findings
}

/// Relative targets of `[text](target)` and `![alt](target)` on one line.
fn targets(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|rest| rest.split([')', ' ']).next()).filter(|target| {
        !target.contains("://") && !target.starts_with(['#', '/']) && !target.starts_with("mailto:")
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn relative_targets_are_taken_and_others_left() {
        let line = "see [a](docs/a.md#top), ![b](b.png) and [c](https://example.org)";
        assert_eq!(super::targets(line).collect::<Vec<_>>(), ["docs/a.md#top", "b.png"]);
    }
}
