//! What the configuration says to the server.

use std::path::{Path, PathBuf};

use server::{ServerConfig, TlsFiles};

use super::Config;

/// Where the server that holds a folder listens for commands of this machine.
pub(crate) fn socket_of(data_dir: &Path) -> PathBuf {
    data_dir.join("salus.sock")
}

impl Config {
    /// The server's part.
    pub(crate) fn server(&self) -> ServerConfig {
        let mut server = ServerConfig::new(self.listen);
        server.tls = self.tls.as_ref().map(|tls| TlsFiles { cert: tls.cert.clone(), key: tls.key.clone() });
        if server.tls.is_some() {
            server.public_url = format!("https://{}", self.listen);
        }
        if let Some(url) = &self.public_url {
            url.trim_end_matches('/').clone_into(&mut server.public_url);
            server.is_public_url_known = true;
        }
        server.socket = Some(socket_of(&self.data_dir));
        server.limits = self.limits.clone().into();
        server
    }
}
