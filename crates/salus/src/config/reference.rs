//! Secrets by reference: `${env:NAME}` and `${file:PATH}` instead of the secret itself.

use std::fs;

use super::load::ConfigError;

/// The secret a text refers to, or the text itself when it is no reference. The last line end of a file is not part of the secret.
pub(crate) fn resolve_reference(
    text: &str,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<String, ConfigError> {
    let Some(inner) = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')) else {
        return Ok(text.to_owned());
    };
    match inner.split_once(':') {
        Some(("env", name)) => {
            env(name).filter(|value| !value.is_empty()).ok_or_else(|| ConfigError::SecretAbsent {
                reference: text.to_owned(),
                why: "the environment variable is not set".to_owned(),
            })
        }
        Some(("file", path)) => match fs::read_to_string(path) {
            Ok(content) => Ok(content.trim_end_matches(['\n', '\r']).to_owned()),
            Err(error) => {
                Err(ConfigError::SecretAbsent { reference: text.to_owned(), why: error.kind().to_string() })
            }
        },
        _ => Err(ConfigError::SecretAbsent {
            reference: text.to_owned(),
            why: "write `${env:NAME}` or `${file:PATH}`".to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_resolved_and_never_guessed() {
        let env = |name: &str| (name == "T").then(|| "secret".to_owned());
        assert_eq!(resolve_reference("plain", &env).unwrap(), "plain");
        assert_eq!(resolve_reference("${env:T}", &env).unwrap(), "secret");
        assert!(resolve_reference("${env:ABSENT}", &env).is_err());
        assert!(resolve_reference("${vault:x}", &env).is_err());
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "from a file\n").unwrap();
        let reference = format!("${{file:{}}}", file.path().display());
        assert_eq!(resolve_reference(&reference, &env).unwrap(), "from a file");
    }
}
