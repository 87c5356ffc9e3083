//! TLS to a database: verified against the system's certificates or given ones, or off.

use std::path::PathBuf;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

use crate::sql::Failure;
use crate::yaml::Fields;
use crate::{Problems, Word, world::World};

/// Whether and how a connection is encrypted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tls {
    /// `Some(true)`: TLS or nothing. `Some(false)`: no TLS. `None`: TLS unless the server is on this machine.
    is_required: Option<bool>,
    /// A file of certificates (PEM) that are trusted instead of the system's.
    ca: Option<Word>,
}

impl Tls {
    /// Reads `tls: require|disable` and `tls_ca: path`.
    pub(crate) fn decode(fields: &mut Fields<'_>, problems: &mut Problems) -> Tls {
        let is_required = fields.choice("tls", &[("require", true), ("disable", false)], problems);
        let ca = fields.text("tls_ca", problems);
        if let (Some(ca), Some(false)) = (&ca, is_required) {
            problems.add(ca.at, "`tls_ca` has no use when `tls` is `disable`");
        }
        Tls { is_required, ca }
    }

    /// Whether TLS is used with a server. What the URL says (`sslmode`) counts when the options say nothing.
    pub(crate) fn is_on(&self, said_by_url: Option<bool>, is_local: bool) -> bool {
        self.is_required.or(said_by_url).unwrap_or(self.ca.is_some() || !is_local)
    }

    /// The file of certificates.
    pub(crate) fn ca_path(&self, world: &World) -> Result<Option<PathBuf>, Failure> {
        self.ca.as_ref().map(|ca| world.path(ca).map_err(Failure::lasting)).transpose()
    }

    /// A client that verifies the chain and the name of the server, always.
    pub(crate) fn client(&self, world: &World) -> Result<ClientConfig, Failure> {
        let mut roots = RootCertStore::empty();
        for certificate in root_certificates(self.ca_path(world)?)? {
            // Single certificates of a bundle that cannot be used are left out, as everywhere; an empty bundle is an error.
            let _ = roots.add(certificate);
        }
        if roots.is_empty() {
            return Err(Failure::lasting(
                "there is no certificate to trust: set `tls_ca` to a file of certificates",
            ));
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map(|builder| builder.with_root_certificates(roots).with_no_client_auth())
            .map_err(|error| Failure::lasting(format!("TLS cannot be used: {error}")))
    }
}

/// The certificates of a file, or the system's.
pub(crate) fn root_certificates(file: Option<PathBuf>) -> Result<Vec<CertificateDer<'static>>, Failure> {
    let Some(file) = file else { return Ok(rustls_native_certs::load_native_certs().certs) };
    let unreadable =
        |error| Failure::lasting(format!("cannot read the certificates in `{}`: {error}", file.display()));
    let text = std::fs::read(&file).map_err(|error| unreadable(error.to_string()))?;
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    let certificates = certificates.map_err(|error| unreadable(error.to_string()))?;
    if certificates.is_empty() {
        return Err(unreadable("it holds no certificate in PEM form".to_owned()));
    }
    Ok(certificates)
}
