//! Why the server did not start, or stopped.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// A server that cannot listen.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Everybody could reach the address, and read along.
    #[error(
        "refusing to listen on `{address}` without TLS: set `tls: {{cert: FILE, key: FILE}}` in the configuration, or listen on \
         127.0.0.1 behind a proxy that ends TLS"
    )]
    PublicWithoutTls {
        /// The address.
        address: SocketAddr,
    },
    /// The address cannot be used.
    #[error("cannot listen on `{address}`: {error}; choose another address with `--listen`")]
    Address {
        /// The address.
        address: SocketAddr,
        /// Why.
        error: io::Error,
    },
    /// The socket cannot be made.
    #[error("cannot make the socket `{}`: {error}", path.display())]
    Socket {
        /// Its path.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// What takes connections has ended.
    #[error("connections are no longer taken, which is a bug: the log says what broke; start it again")]
    Broken,
    /// A TLS file cannot be used.
    #[error("cannot use the TLS file `{}`: {why}", path.display())]
    Tls {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
}
