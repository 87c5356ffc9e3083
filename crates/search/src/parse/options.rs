//! What a parser needs to know, and how much one query may ask.

use fhir::Instant;

/// How a query is read. The limits have working defaults.
#[derive(Clone, Debug)]
pub struct Options {
    /// Unknown parameters are errors; else they are left out and reported.
    pub strict: bool,
    /// Addresses of this server, such as `http://host/fhir`: absolute references below them are local.
    pub bases: Vec<String>,
    /// What "now" means.
    pub now: Instant,
    /// Longest query text, in bytes.
    pub text_bytes_max: usize,
    /// Most parameters.
    pub parameters_max: usize,
    /// Most values, of all parameters together.
    pub values_max: usize,
    /// Most steps of one chain, `_has` included.
    pub chain_depth_max: usize,
    /// Most resource types that all chains together may lead over.
    pub chain_types_max: usize,
}

impl Options {
    /// The usual limits.
    pub fn new(strict: bool, bases: Vec<String>, now: Instant) -> Options {
        Options {
            strict,
            bases,
            now,
            text_bytes_max: 65_536,
            parameters_max: 100,
            values_max: 2_000,
            chain_depth_max: 4,
            chain_types_max: 500,
        }
    }
}
