//! Secrets by reference: `${env:NAME}` and `${file:PATH}`, resolved when they are used. The text of a resolved secret does not print.

use yaml::Fields;

use crate::{Point, Problems};

/// Reads what a reference names. Only the binary reads the environment, so it gives this to a run.
pub trait Secrets: Send + Sync {
    /// The secret that `${env:NAME}` or `${file:PATH}` names, or what is wrong with it (without the secret).
    fn resolve(&self, reference: &str) -> Result<String, String>;
}

/// Keys of a pipeline file whose texts may refer to secrets.
pub(crate) trait SecretFields {
    /// A text that may refer to a secret.
    fn secret(&mut self, key: &'static str, problems: &mut Problems) -> Option<Secret>;

    /// A text that may refer to a secret and must be there.
    fn required_secret(&mut self, key: &'static str, problems: &mut Problems) -> Option<Secret>;
}

impl SecretFields for Fields<'_> {
    fn secret(&mut self, key: &'static str, problems: &mut Problems) -> Option<Secret> {
        self.text(key, problems).map(|word| Secret::new(word.text, word.at))
    }

    fn required_secret(&mut self, key: &'static str, problems: &mut Problems) -> Option<Secret> {
        self.required_text(key, problems).map(|word| Secret::new(word.text, word.at))
    }
}

/// A text of the pipeline file that may refer to a secret: a whole `${env:NAME}`, or with references inside
/// (`postgres://etl:${env:PASSWORD}@db/ehr`).
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    written: String,
    /// Where it stands.
    pub at: Point,
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Secret at {}", self.at)
    }
}

impl Secret {
    /// A text as it is written in the file.
    pub fn new(written: impl Into<String>, at: Point) -> Secret {
        Secret { written: written.into(), at }
    }

    /// As it is written: with the references, not what they name. May hold a password somebody wrote into the file: do not print.
    pub fn written(&self) -> &str {
        &self.written
    }

    /// The text with all references replaced.
    pub fn reveal(&self, secrets: &dyn Secrets) -> Result<String, String> {
        let mut text = String::new();
        let mut rest = self.written.as_str();
        while let Some(start) = rest.find("${") {
            let (before, from) = rest.split_at(start);
            let end = from.find('}').ok_or("a reference to a secret is not closed: write `${env:NAME}`")?;
            text.push_str(before);
            text.push_str(&secrets.resolve(&from[..=end])?);
            rest = &from[end + 1..];
        }
        text.push_str(rest);
        Ok(text)
    }
}
