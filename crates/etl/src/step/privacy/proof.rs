//! Reads published rows back for the proof of k-anonymity, which shares nothing with the way they were made.

use privacy::kanon::Diversity;
use privacy::{Proof, Requirement, SensitiveRequirement, prove};
use table::Value;

use crate::EtlError;
use crate::engine::Spooled;

use super::quasi::SensitiveOptions;

/// Groups the rows by their quasi-identifiers and checks every group. `reference` counts the sensitive levels of the whole table.
pub(super) fn prove_rows(
    rows: &Spooled,
    quasi_identifiers: &[&str],
    k: usize,
    sensitive: Option<&SensitiveOptions>,
    reference: Option<&[u64]>,
) -> Result<Proof, EtlError> {
    let mut names: Vec<&str> = quasi_identifiers.to_vec();
    let order: Vec<&str> =
        sensitive.map(|options| options.order.iter().map(String::as_str).collect()).unwrap_or_default();
    let requirement = Requirement {
        k: k as u64,
        sensitive: sensitive.map(|options| SensitiveRequirement {
            column: names.len(),
            distinct: match options.diversity {
                Some(Diversity::Distinct(l)) => Some(l as u64),
                _ => None,
            },
            entropy: match options.diversity {
                Some(Diversity::Entropy(l)) => Some(l),
                _ => None,
            },
            closeness: options.closeness,
            order: &order,
            reference: if order.is_empty() { None } else { reference },
        }),
    };
    let indexes: Vec<usize> = (0..names.len()).collect();
    names.extend(sensitive.map(|options| &*options.column.text));
    // The proof takes rows one by one; what cannot be read ends them early and is an error afterwards.
    let mut broken = None;
    let batches = rows.read()?.map_while(|batch| match batch.and_then(|batch| cells(&batch, &names)) {
        Ok(rows) => Some(rows),
        Err(error) => {
            broken = Some(error);
            None
        }
    });
    let proof = prove(batches.flatten(), &indexes, &requirement);
    match broken {
        Some(error) => Err(error),
        None => Ok(proof),
    }
}

fn cells(batch: &table::Batch, names: &[&str]) -> Result<Vec<Vec<String>>, EtlError> {
    let arrays = names.iter().map(|name| batch.array(name)).collect::<Result<Vec<_>, _>>()?;
    let row = |row: usize| {
        let cells = arrays.iter().map(|array| Ok(Value::of(array, row)?.to_text().unwrap_or_default()));
        cells.collect::<Result<Vec<String>, EtlError>>()
    };
    (0..batch.n_rows()).map(row).collect()
}
