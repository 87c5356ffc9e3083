//! Dates with a prefix: `ge2024-02`. A date is a period as long as its precision says; without an offset it is UTC.

use fhir::Instant;
use fhir::date::parse_date;

use super::number::prefix;
use super::{Refusal, wrong};
use crate::query::{DateOperand, Prefix};

pub(super) fn operand(name: &str, text: &str, now: Instant) -> Result<DateOperand, Refusal> {
    let (prefix, rest) = prefix(text);
    let Some(date) = parse_date(rest) else {
        let hint = if rest.contains(' ') { " (write the `+` of an offset as `%2B`)" } else { "" };
        return Err(wrong(
            name,
            format_args!(
                "is not a date that exists, such as `2024-02-29`, `ge2024` or `lt2024-02-29T10:00:00Z`{hint}"
            ),
        ));
    };
    let period = date.period();
    let (mut low, mut high) = (period.low, period.high);
    if prefix == Prefix::Ap {
        // R4: a tenth of the gap between now and the date.
        let margin = low.abs_diff(now.0).min(high.abs_diff(now.0)) / 10;
        let margin = if (low..high).contains(&now.0) { 0 } else { i64::try_from(margin).unwrap_or(i64::MAX) };
        (low, high) = (low.saturating_sub(margin), high.saturating_add(margin));
    }
    Ok(DateOperand { prefix, low, high })
}
