//! The folder of rule files: read beside the rules that come with salus, and again when a file changes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::Context as _;
use rules::{RuleFile, RuleSet, UsedVersion, load_beside_shipped};

use crate::config::Config;
use crate::exit::usage;

/// Longest file, and most files.
const FILE_BYTES_MAX: u64 = 1 << 20;
const FILES_MAX: usize = 1_000;

type Stamps = BTreeMap<PathBuf, (Option<SystemTime>, u64)>;

/// A folder of rules.
pub(crate) struct RuleFiles {
    folder: PathBuf,
    quality_min: f64,
    seen: Stamps,
}

/// The shipped rules, as a configuration wants them.
pub(crate) fn shipped_rules(config: &Config) -> RuleSet {
    let mut rules = RuleSet::shipped();
    rules.set_quality_min(config.stream.quality_min);
    rules
}

impl RuleFiles {
    /// The folder that the configuration names.
    pub(crate) fn of(config: &Config) -> Option<RuleFiles> {
        let folder = config.rules.clone()?;
        let seen = stamps(&folder);
        Some(RuleFiles { folder, quality_min: config.stream.quality_min, seen })
    }

    /// Is a file new, gone or changed since this was last asked.
    pub(crate) fn have_changed(&mut self) -> bool {
        let now = stamps(&self.folder);
        let changed = now != self.seen;
        self.seen = now;
        changed
    }

    /// Reads and checks all files. A version that was used here must say what it said.
    pub(crate) fn load(&self, used: &[UsedVersion]) -> anyhow::Result<(RuleSet, Vec<RuleFile>)> {
        let files = rule_texts(&self.folder)?;
        // Of shipped packs the program itself has the list.
        let is_own = |used: &&UsedVersion| {
            files
                .iter()
                .filter_map(RuleFile::pack)
                .any(|pack| used.rule.strip_prefix(pack).is_some_and(|rest| rest.starts_with('/')))
        };
        let used: Vec<UsedVersion> = used.iter().filter(is_own).cloned().collect();
        let mut rules = load_beside_shipped(&files, &used).map_err(|problems| {
            let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
            usage(lines.join("\n"))
        })?;
        rules.set_quality_min(self.quality_min);
        Ok((rules, files))
    }
}

/// The rule files of a folder.
pub(crate) fn rule_texts(folder: &Path) -> anyhow::Result<Vec<RuleFile>> {
    if !folder.is_dir() {
        return Err(usage(format!("there is no folder `{}` of rules", folder.display())));
    }
    let mut files = Vec::new();
    for (path, (_, bytes)) in stamps(folder) {
        if bytes > FILE_BYTES_MAX || files.len() == FILES_MAX {
            return Err(usage(format!("`{}` is too large, or one file too many", path.display())));
        }
        let text = std::fs::read_to_string(&path)
            .with_context(|| format!("cannot read the rules `{}`", path.display()))?;
        files.push(RuleFile { path: path.display().to_string(), text });
    }
    Ok(files)
}

fn stamps(folder: &Path) -> Stamps {
    let Ok(entries) = std::fs::read_dir(folder) else { return Stamps::new() };
    let is_rule = |path: &Path| path.extension().is_some_and(|end| end == "yaml" || end == "yml");
    entries
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let about = std::fs::metadata(&path).ok().filter(std::fs::Metadata::is_file)?;
            is_rule(&path).then(|| (path, (about.modified().ok(), about.len())))
        })
        .collect()
}
