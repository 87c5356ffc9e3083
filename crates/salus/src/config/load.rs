//! Loads the configuration: file first, then the environment over it. Flags are laid over the result by each command.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::Config;

/// Read when no `--config` is given and it exists in the current folder.
const DEFAULT_FILE: &str = "salus.yaml";

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration `{}`: {why}", path.display())]
    Unreadable { path: PathBuf, why: String },
    /// The file says something that is not understood.
    #[error("`{}`, line {line}, column {column}: {problem}", path.display())]
    Invalid { path: PathBuf, line: u64, column: u64, problem: String },
    /// An environment variable says something that is not understood.
    #[error("environment variable `{name}`: {problem}")]
    Environment { name: String, problem: String },
    /// A secret is not where it should be.
    #[error("cannot resolve `{reference}`: {why}")]
    SecretAbsent { reference: String, why: String },
}

/// The variables of this process that salus reads.
pub(crate) fn environment() -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(name, _)| name.starts_with("SALUS_"))
        .collect()
}

/// The configuration of a file (or of `salus.yaml` here, or the defaults) with the environment laid over it.
pub(crate) fn load(
    path: Option<&Path>,
    environment: &BTreeMap<String, String>,
) -> Result<Config, ConfigError> {
    let here = Path::new(DEFAULT_FILE);
    let path = path.or_else(|| here.is_file().then_some(here));
    let mut tree = Value::Object(Map::new());
    if let Some(path) = path {
        let text = fs::read_to_string(path).map_err(|error| ConfigError::Unreadable {
            path: path.to_owned(),
            why: error.kind().to_string(),
        })?;
        tree = parse_file(path, &text)?;
    }
    for (name, value) in environment {
        if let Some(keys) = keys_of(name) {
            tree = overlaid(&tree, name, &keys, value)?;
        }
    }
    // Each step was checked as it was laid; the file alone too.
    serde_json::from_value(tree)
        .map_err(|error| ConfigError::Environment { name: "SALUS_*".to_owned(), problem: error.to_string() })
}

// Read twice: strictly, so that an error has its place; and as a tree, so that the environment can be laid over it.
fn parse_file(path: &Path, text: &str) -> Result<Value, ConfigError> {
    let invalid = |error: &serde_saphyr::Error| {
        let location = error.location();
        let plain = error.without_snippet().to_string();
        // The position is said once, in front.
        let problem =
            plain.rsplit_once(" at line ").map_or(plain.as_str(), |(problem, _)| problem).to_owned();
        ConfigError::Invalid {
            path: path.to_owned(),
            line: location.map_or(1, |l| l.line()),
            column: location.map_or(1, |l| l.column()),
            problem,
        }
    };
    serde_saphyr::from_str::<Option<Config>>(text).map_err(|error| invalid(&error))?;
    let tree = serde_saphyr::from_str::<Value>(text).map_err(|error| invalid(&error))?;
    Ok(if tree.is_null() { Value::Object(Map::new()) } else { tree })
}

/// The path of a variable such as `SALUS_STORE__READERS`. A name without `__` belongs to the configuration only when it names a
/// top-level key: `SALUS_TOKEN` or a variable that a `${env:…}` reference uses are none.
fn keys_of(name: &str) -> Option<Vec<String>> {
    const TOP: [&str; 4] = ["listen", "data_dir", "public_url", "log"];
    let keys: Vec<String> = name.strip_prefix("SALUS_")?.split("__").map(str::to_ascii_lowercase).collect();
    (keys.len() > 1 || TOP.contains(&keys[0].as_str())).then_some(keys)
}

fn overlaid(tree: &Value, name: &str, keys: &[String], text: &str) -> Result<Value, ConfigError> {
    // As YAML reads it (`8`, `true`), or as the text it is, whichever the key takes.
    let read = serde_saphyr::from_str::<Value>(text).unwrap_or_else(|_| Value::String(text.to_owned()));
    let mut problem = String::new();
    for value in [read, Value::String(text.to_owned())] {
        let mut next = tree.clone();
        if !set(&mut next, keys, value) {
            problem = "a key on its path is not a section".to_owned();
            continue;
        }
        match serde_json::from_value::<Config>(next.clone()) {
            Ok(_) => return Ok(next),
            Err(error) if problem.is_empty() => problem = error.to_string(),
            Err(_) => {}
        }
    }
    Err(ConfigError::Environment { name: name.to_owned(), problem })
}

fn set(tree: &mut Value, keys: &[String], value: Value) -> bool {
    let Some(object) = tree.as_object_mut() else { return false };
    match keys {
        [] => false,
        [last] => {
            object.insert(last.clone(), value);
            true
        }
        [first, rest @ ..] => {
            set(object.entry(first.clone()).or_insert_with(|| Value::Object(Map::new())), rest, value)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(file: &str, env: &[(&str, &str)]) -> Result<Config, String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("salus.yaml");
        fs::write(&path, file).unwrap();
        let env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        load(Some(&path), &env)
            .map_err(|error| error.to_string().replace(&path.display().to_string(), "salus.yaml"))
    }

    #[test]
    fn environment_wins_over_the_file() {
        let config =
            check("listen: 127.0.0.1:9000\nstore: {readers: 3}\n", &[("SALUS_STORE__READERS", "8")]).unwrap();
        assert_eq!(config.listen.port(), 9000);
        assert_eq!(config.store.readers, Some(8));
        assert_eq!(check("", &[("SALUS_DATA_DIR", "123")]).unwrap().data_dir, PathBuf::from("123"));
    }

    #[test]
    fn equity_flags_are_searches_that_are_checked() {
        let file = |text: &str| format!("fhir:\n  equity_flags:\n    food: ['{text}']\n");
        let config = check(&file("Observation?code=http://loinc.org|88124-3"), &[]).unwrap();
        assert!(!config.fhir.equity_flags.is_empty());
        let error = check(&file("Observation?color=red"), &[]).unwrap_err();
        assert!(error.contains("line 3") && error.contains("equity rule `food`"), "{error}");
    }

    #[test]
    fn receivers_routes_and_secrets_must_fit_together() {
        let error =
            check("listen: 127.0.0.1:9000\nnotify:\n  route: {receivers: [nobody]}\n", &[]).unwrap_err();
        assert!(error.contains("`notify.route` names receiver `nobody`"), "{error}");
        assert!(error.contains("line 3"), "{error}");
        let file = "notify:\n  sms: {url: 'https://h', account: a, token: plain, from: '+49'}\n";
        let error = check(file, &[]).unwrap_err();
        assert!(error.contains("line 2, column 46: a secret is not written into the file"), "{error}");
        let error = check("alerts: {response_mins: {urgent: 1}}\n", &[]).unwrap_err();
        assert!(error.contains("`alerts.response_mins`: severity `urgent` is unknown"), "{error}");
    }

    #[test]
    fn variables_that_are_no_configuration_are_left_alone() {
        assert!(check("", &[("SALUS_TOKEN", "x"), ("SALUS_SHARED_DATA", "/x")]).is_ok());
    }

    #[test]
    fn what_is_not_understood_is_an_error_with_its_place() {
        let error = check("listen: 127.0.0.1:9000\nstore:\n  raeders: 3\n", &[]).unwrap_err();
        assert!(error.starts_with("`salus.yaml`, line 3, column 3: unknown field `raeders`"), "{error}");
        let error = check("fhir: {validation: strict}\n", &[]).unwrap_err();
        assert!(error.contains("line 1, column 20"), "{error}");
        let error = check("cache: {redis: {url: x}}\n", &[]).unwrap_err();
        assert!(error.contains("line 1") && error.contains("does not support this key yet"), "{error}");
        let error = check("", &[("SALUS_STORE__RAEDERS", "3")]).unwrap_err();
        assert!(
            error.starts_with("environment variable `SALUS_STORE__RAEDERS`: unknown field `raeders`"),
            "{error}"
        );
        let error = check("", &[("SALUS_LISTEN", "nowhere")]).unwrap_err();
        assert!(error.starts_with("environment variable `SALUS_LISTEN`"), "{error}");
    }
}
