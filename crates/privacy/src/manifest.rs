//! What goes out beside a de-identified table: how it was made, with which versions, and how often each rule acted. No values.

use std::collections::BTreeMap;

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::Proof;

/// The manifest of one output table.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Manifest {
    /// Version of this structure.
    pub format: u32,
    /// Name of the profile.
    pub profile: &'static str,
    /// What the profile is and is not, for whoever receives the table.
    pub statement: &'static str,
    /// The project, within which codes are stable.
    pub project: String,
    /// The day on which ages count.
    pub as_of: String,
    /// Id of the key of pseudonyms and shifts, when they were used and it has one.
    pub key: Option<String>,
    /// Lists that decided, with their versions.
    pub data_files: Vec<DataFile>,
    /// Every column, also those that were left out.
    pub columns: Vec<ColumnManifest>,
    /// Rows that were left out because they would stand out.
    pub suppressed_rows: u64,
    /// The proof, when the table is k-anonymous.
    pub k_anonymity: Option<KAnonymityManifest>,
}

/// One column.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ColumnManifest {
    /// Its name.
    pub name: String,
    /// What is in it.
    pub classification: &'static str,
    /// What was done.
    pub transform: &'static str,
    /// Values per effect.
    pub counts: BTreeMap<&'static str, u64>,
}

/// A list that decided.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DataFile {
    /// Which.
    pub name: String,
    /// Its version.
    pub version: String,
    /// SHA-256 of its bytes, hexadecimal.
    pub sha256: String,
}

impl DataFile {
    /// Describes a list by its bytes.
    pub fn of(name: &str, version: &str, bytes: &[u8]) -> DataFile {
        let sha256 = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        DataFile { name: name.to_owned(), version: version.to_owned(), sha256 }
    }
}

/// What was proved about the published rows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct KAnonymityManifest {
    /// Smallest class that was asked for.
    pub k: u64,
    /// Columns that were generalised.
    pub quasi_identifiers: Vec<String>,
    /// Groups of rows that look alike.
    pub classes: u64,
    /// Smallest of them.
    pub min_class: Option<u64>,
    /// Risk of the row at most risk: one in its class.
    pub max_risk: f64,
    /// Mean risk of all rows.
    pub avg_risk: f64,
}

impl KAnonymityManifest {
    /// Of a proof.
    pub fn of(k: u64, quasi_identifiers: Vec<String>, proof: &Proof) -> KAnonymityManifest {
        KAnonymityManifest {
            k,
            quasi_identifiers,
            classes: proof.classes,
            min_class: proof.min_class,
            max_risk: proof.max_risk,
            avg_risk: proof.avg_risk,
        }
    }
}
