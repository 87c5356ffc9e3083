//! What can go wrong on the way out; each variant is a different decision for the caller.

use std::net::IpAddr;

/// A request that brought no answer, or an answer that cannot be used.
///
/// The texts name the host, never the path or the query: those may carry patient data.
#[derive(Debug, thiserror::Error)]
pub enum EgressError {
    /// The URL is no absolute `http` or `https` URL, or carries a user name.
    #[error("cannot use the URL: {0}")]
    BadUrl(&'static str),
    /// The address guard refused the host.
    #[error("`{host}` leads to `{address}`, which may not be reached: it is {class}")]
    RefusedAddress {
        /// Host as written in the URL.
        host: String,
        /// Address it resolved to.
        address: IpAddr,
        /// Why the address is refused.
        class: &'static str,
    },
    /// The host name has no address.
    #[error("cannot resolve `{host}`: check the name and the network")]
    Unresolved {
        /// Host as written in the URL.
        host: String,
    },
    /// No connection could be made.
    #[error("cannot connect to `{host}`: check that it is up and that the port is right")]
    Connect {
        /// Host as written in the URL.
        host: String,
    },
    /// No answer in time.
    #[error("`{host}` did not answer within {secs} s")]
    TimedOut {
        /// Host as written in the URL.
        host: String,
        /// The limit that was reached.
        secs: u64,
    },
    /// The connection broke before the answer was complete.
    #[error("the connection to `{host}` broke before the answer was complete")]
    Broken {
        /// Host as written in the URL.
        host: String,
    },
    /// The answer is larger than the limit.
    #[error("the answer of `{host}` is larger than {limit_bytes} bytes")]
    TooLarge {
        /// Host as written in the URL.
        host: String,
        /// The limit that was reached.
        limit_bytes: usize,
    },
    /// More redirects than allowed, a redirect without a target, or a redirect of a request that changes something.
    #[error("`{host}` redirects in a way that is not followed: {why}")]
    Redirect {
        /// Host as written in the URL.
        host: String,
        /// What is wrong with the redirect.
        why: &'static str,
    },
    /// The server answered with a status that the call does not expect.
    #[error("`{host}` answered {status}{}", .slug.as_ref().map(|slug| format!(" ({slug})")).unwrap_or_default())]
    Status {
        /// Host as written in the URL.
        host: String,
        /// HTTP status.
        status: u16,
        /// Code of the first issue, when the answer is an OperationOutcome.
        slug: Option<String>,
        /// The answer, for callers who may show it to the person who asked.
        body: bytes::Bytes,
    },
    /// The answer is not what the protocol promises.
    #[error("the answer of `{host}` is not {expected}")]
    NotFhir {
        /// Host as written in the URL.
        host: String,
        /// What was expected.
        expected: &'static str,
    },
    /// The TLS set-up of this process failed.
    #[error("cannot set up the HTTP client: {0}")]
    Setup(String),
}
