//! What the steps `deidentify` and `k_anonymize` share: the classification of columns, keys and vaults, and the work on columns.

mod columns;
mod deidentify;
mod k_anonymize;
mod options;
mod proof;
mod quasi;
#[cfg(test)]
mod tests;
mod vaults;

pub(super) use deidentify::decode as decode_deidentify;
pub(super) use k_anonymize::decode as decode_k_anonymize;
