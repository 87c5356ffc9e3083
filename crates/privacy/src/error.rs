//! Why a table cannot be de-identified as asked. Names columns and places, never values.

use std::path::PathBuf;

use crate::{Classification, Profile, Transform};

/// A de-identification that was refused or failed.
#[derive(Debug, thiserror::Error)]
pub enum PrivacyError {
    /// Misspelt or missing.
    #[error("privacy profile `{0}` is unknown: use one of {names}", names = Profile::names().join(", "))]
    UnknownProfile(String),
    /// Misspelt or missing.
    #[error("classification `{0}` is unknown: use one of {names}", names = Classification::names().join(", "))]
    UnknownClassification(String),
    /// Misspelt or missing.
    #[error("transformation `{0}` is unknown: use one of {names}", names = Transform::names().join(", "))]
    UnknownTransform(String),
    /// Nobody said what is in a column.
    #[error(
        "column `{column}` has no classification, so it may not leave under `{profile}`: classify it, or leave it out"
    )]
    Unclassified {
        /// Which column.
        column: String,
        /// Under which profile.
        profile: Profile,
    },
    /// A rule for a column that is not there.
    #[error("there is no column `{0}`: correct the name of its classification, or remove it")]
    NoSuchColumn(String),
    /// Two rules for a column.
    #[error("column `{0}` is classified twice: keep one")]
    ClassifiedTwice(String),
    /// The profile forbids what was asked for.
    #[error("`{transform}` of column `{column}` ({class}) is not allowed under `{profile}`: use {allowed}")]
    NotAllowed {
        /// Which column.
        column: String,
        /// Its classification.
        class: Classification,
        /// What was asked for.
        transform: Transform,
        /// Under which profile.
        profile: Profile,
        /// What the profile allows.
        allowed: String,
    },
    /// A transformation needs something that was not given.
    #[error("`{transform}` of column `{column}` needs {needs}")]
    Needs {
        /// Which column.
        column: String,
        /// What was asked for.
        transform: Transform,
        /// What is missing and how to get it.
        needs: &'static str,
    },
    /// A name that separates projects or domains is malformed.
    #[error("`{0}` is no name of a project or domain: use 1 to 64 of a-z, 0-9, `.`, `_` and `-`")]
    BadName(String),
    /// Another process writes the vault.
    #[error("another process uses the vault `{}`: wait until it ends", .0.display())]
    VaultLocked(PathBuf),
    /// The vault is not what was written.
    #[error("the vault `{}` is damaged ({why}): restore it from its backup", path.display())]
    VaultDamaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        why: &'static str,
    },
    /// The vault is full.
    #[error("the vault `{}` holds {max} surrogates, the most it may: start another project", path.display())]
    VaultFull {
        /// Which file.
        path: PathBuf,
        /// Limit.
        max: usize,
    },
    /// A key is missing or destroyed.
    #[error(transparent)]
    Keys(#[from] keys::KeyError),
    /// A parameter of k-anonymity makes no sense.
    #[error("`{name}` {problem}")]
    BadParameter {
        /// Which.
        name: &'static str,
        /// What is wrong, and what to do.
        problem: String,
    },
    /// A column of a stratum has another number of rows.
    #[error("column `{column}` has {found} rows, the stratum has {rows}")]
    Ragged {
        /// Which column.
        column: String,
        /// Its rows.
        found: usize,
        /// Rows of the first column.
        rows: usize,
    },
    /// A value is not in the hierarchy of its column.
    #[error("the value of column `{column}` in row {row} is not in its hierarchy: add it there")]
    NotInHierarchy {
        /// Which column.
        column: String,
        /// Row of the stratum, from 0.
        row: usize,
    },
    /// A value cannot be generalised as its column's kind.
    #[error("the value of column `{column}` in row {row} is {problem}")]
    BadValue {
        /// Which column.
        column: String,
        /// Row of the stratum, from 0.
        row: usize,
        /// What is wrong with it, without the value.
        problem: &'static str,
    },
    /// A hierarchy is no tree.
    #[error("the hierarchy of column `{column}` is no tree: {why}")]
    BadHierarchy {
        /// Which column.
        column: String,
        /// What is wrong.
        why: &'static str,
    },
    /// More rows would have to be suppressed than allowed.
    #[error(
        "{suppressed} of {rows} rows would have to be suppressed, more than the limit of {limit_percent} %: use fewer quasi-identifiers, a smaller `k`, or raise `suppression_limit`"
    )]
    SuppressionLimit {
        /// Rows without a class.
        suppressed: u64,
        /// All rows.
        rows: u64,
        /// Limit, in percent.
        limit_percent: f64,
    },
    /// The operating system refused.
    #[error("cannot use `{}`: {source}", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}
