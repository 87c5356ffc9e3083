//! The only way out of the house over HTTP: time-outs, retries and a guard against requests to addresses nobody meant.
//!
//! Every outgoing request passes three checks: the scheme is `http` or `https`, the address that the host name resolves to may be
//! reached (see [`Reach`]), and the connection is made to exactly the address that was checked, so that a name which answers
//! differently the second time gains nothing. A redirect is a new request and is checked again.
//!
//! ```
//! use egress::{Client, Options, Reach};
//! // A URL that came from data may reach public addresses only.
//! let client = Client::new(Options { reach: Reach::Public, ..Options::default() })?;
//! # Ok::<(), egress::EgressError>(())
//! ```
//!
//! On top stands [`FhirClient`]: transactions, reads and search pages of any FHIR server. This crate never follows a redirect to an
//! unchecked address, and never puts a body, a query or a credential into an error or a log line.

mod address;
mod backoff;
mod client;
mod connection;
mod error;
mod fhir_client;
mod resolver;
mod stream;

pub use address::Reach;
pub use backoff::Backoff;
pub use client::{Client, Options, Request, Response};
pub use connection::{Answer, Connection};
pub use error::EgressError;
pub use fhir_client::{FhirClient, Pages};
pub use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
pub use reqwest::Url;
pub use stream::Streamed;
