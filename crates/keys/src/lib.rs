//! Envelope encryption: a root key in a folder, data keys wrapped by it, and what is sealed with those.
//!
//! ```text
//! keys/            mode 0700
//!   root.key       32 random bytes (mode 0600); whoever has them and `keys.json` can open everything
//!   keys.json      data keys by scope and version, each wrapped by the root key; tombstones of destroyed ones
//!   LOCK           held while keys change
//! ```
//!
//! ```
//! # let parent = tempfile::tempdir().unwrap();
//! # let folder = parent.path().join("keys");
//! # let clock = std::sync::Arc::new(testkit::FixedClock::at("2026-01-01T00:00:00Z"));
//! use keys::{KeyRing, Scope};
//! let ring = KeyRing::init(&folder, clock).unwrap();
//! let scope = Scope::new("vault/study").unwrap();
//! let sealed = ring.seal(&scope, b"page 1", b"secret").unwrap();
//! assert_eq!(*ring.open(&scope, b"page 1", &sealed).unwrap(), *b"secret");
//! assert!(ring.open(&scope, b"page 2", &sealed).is_err());
//! ring.shred(&scope).unwrap();
//! assert!(ring.open(&scope, b"page 1", &sealed).is_err());
//! ```
//!
//! Root keys in a key management service (cloud KMS, Vault transit, PKCS#11) are not supported yet: the root key is a file.
//! This crate knows no FHIR content and nobody's table.

mod change;
mod error;
mod file;
mod folder;
mod mac;
mod name;
mod ring;
mod seal;
mod secret;

pub use error::KeyError;
pub use file::write_private;
pub use folder::{LOCK_FILE, RING_FILE, ROOT_FILE};
pub use mac::HmacKey;
pub use name::{KeyId, Scope};
pub use ring::{KeyInfo, KeyRing, Status};
pub use seal::{HEADER_BYTES, OVERHEAD_BYTES};
pub use zeroize::Zeroizing;
