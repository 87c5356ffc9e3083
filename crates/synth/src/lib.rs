//! A synthetic population from a seed: no real person, the same seed the same bytes.

mod bundle;
mod chart;
mod course;
mod csv;
mod day;
mod disease;
mod group;
mod make;
mod math;
mod names;
mod person;
mod planted;
mod population;
mod random;
mod record;
mod region;
mod resource;
mod shared;
mod summary;
mod write;

pub use bundle::bundle_of;
pub use group::GROUP_MEMBERS_MAX;
pub use planted::{PLANTED, Planted};
pub use population::{Config, Population};
pub use resource::patient::COUNTY_FIPS_URL;
pub use summary::Summary;
pub use write::{Format, write};
