//! TLS: certificate and key from PEM files, TLS 1.2 and 1.3, HTTP/1.1.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use crate::config::TlsFiles;
use crate::serve_error::ServeError;

/// What turns a TCP connection into a TLS one.
pub(crate) fn load_acceptor(files: &TlsFiles) -> Result<TlsAcceptor, ServeError> {
    let chain = load_chain(&files.cert)?;
    let key = load_key(&files.key)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let unusable = |error: rustls::Error| wrong(&files.cert, error.to_string());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(unusable)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(unusable)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn load_chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, ServeError> {
    let pem = read(path)?;
    let chain: Result<Vec<_>, _> = rustls_pemfile::certs(&mut pem.as_slice()).collect();
    match chain {
        Ok(chain) if !chain.is_empty() => Ok(chain),
        Ok(_) => Err(wrong(path, "it holds no certificate in PEM form".into())),
        Err(error) => Err(wrong(path, error.to_string())),
    }
}

fn load_key(path: &Path) -> Result<PrivateKeyDer<'static>, ServeError> {
    let pem = read(path)?;
    match rustls_pemfile::private_key(&mut pem.as_slice()) {
        Ok(Some(key)) => Ok(key),
        Ok(None) => Err(wrong(path, "it holds no private key in PEM form".into())),
        Err(error) => Err(wrong(path, error.to_string())),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, ServeError> {
    std::fs::read(path).map_err(|error| wrong(path, error.to_string()))
}

fn wrong(path: &Path, why: String) -> ServeError {
    ServeError::Tls { path: path.to_path_buf(), why }
}
