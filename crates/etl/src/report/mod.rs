//! The quality of a source in one run: what was measured, whether the gates let it through, and what to do about it. As JSON and as a page.

mod body;
mod charts;
mod dimension;
mod gates;
mod html;
mod measured;
mod recommend;
mod rule;
mod score;
#[cfg(test)]
mod tests;
mod words;

pub use body::body;
pub use dimension::dimension_label;
pub use gates::{GateQuality, Gates, Verdict};
pub use html::{RunQuality, html, json, style_hash};
pub use measured::{ColumnQuality, Distribution, Measured, SourceQuality, TrendPoint};
pub use recommend::Recommendation;
pub use rule::{RuleQuality, Sample};
pub use score::{DimensionQuality, Level};
