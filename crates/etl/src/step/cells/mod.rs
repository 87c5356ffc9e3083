//! What steps on clinical columns share: columns of a plan, cells read as days and numbers, values evaluated once, refused rows.

mod day;
mod measured;
mod per_value;
mod plan;
mod refused;
mod tally;
#[cfg(test)]
pub(crate) mod testing;

pub(crate) use day::{DateFormats, DayCell, days_of, today};
pub(crate) use measured::{NumberCell, numbers_of};
pub(crate) use per_value::{Labels, PerValue};
pub(crate) use plan::{add, choice_or_null, is_calendar, is_number, need};
pub(crate) use refused::Refused;
pub(crate) use tally::Tally;
