//! Surveillance: counts of a measure in a region, day by day, and whether they are more than was to be expected. Synchronous, on the file of streams.
//!
//! Call [`on_event`] in the transaction that processes an event; it gives findings about `population:MEASURE@REGION`. [`evaluate`] does the same when
//! only time has passed: [`close`] gives the series to be looked at when a day is over. The page reads [`list`] and [`look`], equity pages [`disparities`].
//!
//! **A day without a count is zero only when somebody who counts this measure there has said something that day**, for another group, by a result
//! that was no case, or with a count of the measure `*`; where cases are counted from results, by any result at all. Other days are unknown and left out. A corrected or late count replaces what its source said before, and the days from
//! there on are evaluated again: an episode whose days are no longer flagged is retracted.

mod ask;
mod close;
mod config;
mod cumulate;
mod daily;
mod detect;
mod disparity;
mod episode;
mod record;
mod series;
mod simple;
mod view;

pub use ask::day_of;
pub use close::{close, last_day};
pub use config::{Condition, Direction, MeasureConfig, SilentDay, SurveillanceConfig};
pub use detect::{Detector, Point};
pub use disparity::{Disparity, disparities};
pub use episode::{evaluate, on_event};
pub use record::record;
pub use series::{Key, Resolution};
pub use view::{Listed, Shown, list, look};

#[cfg(test)]
mod tests;
