//! Codes of US areas: why a code finds no row in a table of areas.
//!
//! County 5 digits, tract 11, block group 12 (FIPS, US Census Bureau), ZIP code 5. Connecticut's eight counties (09001 to 09015) were
//! replaced by nine planning regions (09110 to 09190) as of 1 June 2022 (87 FR 34235): tables of one kind do not hold codes of the other.

use serde_json::{Value as Json, json};
use table::Batch;

use crate::{EtlError, Word};

/// What kind of area a key names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Geography {
    /// State and county, 5 digits.
    County,
    /// County and tract, 11 digits.
    Tract,
    /// Tract and block group, 12 digits.
    BlockGroup,
    /// ZIP code or ZCTA, 5 digits. A ZIP code of post-office boxes has no area.
    Zip,
}

impl Geography {
    pub(super) const NAMES: &'static [(&'static str, Geography)] = &[
        ("county", Geography::County),
        ("tract", Geography::Tract),
        ("block_group", Geography::BlockGroup),
        ("zip", Geography::Zip),
    ];

    fn n_digits(self) -> usize {
        match self {
            Geography::County | Geography::Zip => 5,
            Geography::Tract => 11,
            Geography::BlockGroup => 12,
        }
    }
}

/// Counts why keys found nothing.
pub(super) struct Areas {
    geography: Geography,
    column: String,
    malformed: u64,
    connecticut_planning_region: u64,
    connecticut_county: u64,
    not_in_reference: u64,
}

impl Areas {
    pub(super) fn new(geography: Geography, column: &Word) -> Areas {
        Areas {
            geography,
            column: column.text.clone(),
            malformed: 0,
            connecticut_planning_region: 0,
            connecticut_county: 0,
            not_in_reference: 0,
        }
    }

    /// Counts a key that found nothing.
    pub(super) fn explain(&mut self, batch: &Batch, row: usize) -> Result<(), EtlError> {
        let code = batch.text(&self.column)?.get(row).unwrap_or_default();
        let is_code =
            code.len() == self.geography.n_digits() && code.bytes().all(|byte| byte.is_ascii_digit());
        let count = match code.get(..5) {
            _ if !is_code => &mut self.malformed,
            Some(county) if self.geography != Geography::Zip => match county {
                "09110" | "09120" | "09130" | "09140" | "09150" | "09160" | "09170" | "09180" | "09190" => {
                    &mut self.connecticut_planning_region
                }
                "09001" | "09003" | "09005" | "09007" | "09009" | "09011" | "09013" | "09015" => {
                    &mut self.connecticut_county
                }
                _ => &mut self.not_in_reference,
            },
            _ => &mut self.not_in_reference,
        };
        *count += 1;
        Ok(())
    }

    pub(super) fn facts(&self) -> Json {
        let mut facts = json!({ "malformed": self.malformed, "not_in_reference": self.not_in_reference });
        if self.geography != Geography::Zip {
            facts["connecticut_planning_region"] = json!(self.connecticut_planning_region);
            facts["connecticut_county"] = json!(self.connecticut_county);
        }
        facts
    }
}
