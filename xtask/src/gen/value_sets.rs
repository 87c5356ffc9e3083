//! `bindings.txt` and `value_sets.txt`: the codes of value sets that can be enumerated from the package alone.

use super::package::Package;

pub(super) fn write(_package: &Package) -> anyhow::Result<Vec<(&'static str, String)>> {
    Ok(Vec::new())
}
