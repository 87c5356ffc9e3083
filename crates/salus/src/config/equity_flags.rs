//! `fhir.equity_flags`: names of flags, each with searches over coded fields; a resource that one of them finds carries the flag.

use std::collections::BTreeMap;

use search::EquityRules;
use serde::de::Error;
use serde::{Deserialize, Deserializer};

/// Reads the rules, so that a wrong one is told with its place in the file.
pub(super) fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<EquityRules, D::Error> {
    let flags = BTreeMap::<String, Vec<String>>::deserialize(deserializer)?;
    let rules = flags
        .iter()
        .flat_map(|(flag, searches)| searches.iter().map(move |text| (flag.as_str(), text.as_str())));
    EquityRules::parse(rules).map_err(D::Error::custom)
}
