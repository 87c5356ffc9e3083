//! A database server as a pipeline file names it.

use crate::secret::SecretFields as _;
use crate::sql::{Address, Tls};
use crate::yaml::Fields;
use crate::{Problems, Secret};

/// Where a server is, and how it is spoken to.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) url: Secret,
    pub(crate) tls: Tls,
}

impl Server {
    /// Reads `url`, `tls` and `tls_ca`.
    pub(crate) fn decode(fields: &mut Fields<'_>, problems: &mut Problems) -> Option<Server> {
        let (url, tls) = (fields.required_secret("url", problems), Tls::decode(fields, problems));
        Some(Server { url: url?, tls })
    }

    /// The namespace of what is in it, `mysql://host:port`, and the name of the database; without user and password. Of a URL that is a
    /// secret, the scheme is all that is known.
    pub(crate) fn place(&self, schemes: &[&str], port: u16) -> (String, String) {
        match Address::of(self.url.written(), schemes, port) {
            Some(address) => (format!("{}://{address}", schemes[0]), address.database),
            None => (schemes[0].to_owned(), String::new()),
        }
    }
}
