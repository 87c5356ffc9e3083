//! Dashboard pages as pure functions: view structs in, HTML and SVG out.
//!
//! A page is `fn page(view: &View) -> Markup`. It asks nobody anything: whoever serves it fills the view. The pages are complete
//! without script; one style sheet and one small module come as [`assets::assets`], named by their content so that they can be
//! cached for ever. No page holds an inline style or script, so that the strictest content security policy fits.
//!
//! ```
//! let view = ui::error::View {
//!     frame: None,
//!     status: 404,
//!     title: "There is no such page".into(),
//!     happened: "`/nowhere` leads nowhere.".into(),
//!     kept: "Nothing was changed.".into(),
//!     next: "Go back to the overview.".into(),
//!     action: Some(("/".into(), "Overview".into())),
//!     request: Some("0192".into()),
//! };
//! assert!(ui::error::page(&view).into_string().contains("There is no such page"));
//! ```
//!
//! This crate knows no HTTP, no store and no policy. What it reads of FHIR resources is in [`facts`].

pub mod alerts;
pub mod assets;
pub mod audit;
pub mod error;
pub mod facts;
pub mod frame;
pub mod json;
mod live;
pub mod overview;
pub mod parts;
pub mod patient;
pub mod patients;
pub mod pipelines;
pub mod resource;
pub mod rules;
pub mod search;
pub mod settings;
pub mod sign_in;
pub mod streams;
pub mod surveillance;
pub mod url;
pub mod vitals;
pub mod ward;

pub use maud::Markup;
