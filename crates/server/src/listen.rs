//! Opens the port and the socket, accepts connections, and stops without cutting anybody off.

use std::future::Future;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use gate::Gate;
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::config::ServerConfig;
use crate::connection::{self, Connections};
use crate::peer::{Owner, Peer};
use crate::serve_error::ServeError;
use crate::services::Services;
use crate::state::AppState;
use crate::tls;

/// After an error of `accept` (no file descriptors left, say) it is tried again this much later.
const ACCEPT_RETRY: Duration = Duration::from_millis(100);

/// A server that listens and does not answer yet.
pub struct Bound {
    app: AppState,
    tcp: TcpListener,
    address: SocketAddr,
    tls: Option<TlsAcceptor>,
    socket: Option<(UnixListener, Owner)>,
}

/// Opens the port, which is the machine's choice when 0 was asked for: then `config` names it afterwards, for links.
///
/// # Errors
/// Others can reach the address and there is no TLS, or it cannot be listened on.
pub async fn listen(config: &mut ServerConfig) -> Result<TcpListener, ServeError> {
    let wanted = config.listen;
    if config.tls.is_none() && !wanted.ip().to_canonical().is_loopback() {
        return Err(ServeError::PublicWithoutTls { address: wanted });
    }
    let failed = |error| ServeError::Address { address: wanted, error };
    let tcp = TcpListener::bind(wanted).await.map_err(failed)?;
    let address = tcp.local_addr().map_err(failed)?;
    if wanted.port() == 0 {
        config.public_url = config.public_url.replacen(&wanted.to_string(), &address.to_string(), 1);
        config.listen = address;
    }
    Ok(tcp)
}

/// Opens the port, the socket and the TLS files. Refuses an address that others can reach when there is no TLS.
/// Of services that are absent, the pages and the API say that there are none.
pub async fn bind(mut config: ServerConfig, gate: Gate, services: Services) -> Result<Bound, ServeError> {
    let tcp = listen(&mut config).await?;
    bind_on(tcp, config, gate, services)
}

/// [`bind`] on a port that [`listen`] has opened.
///
/// # Errors
/// The TLS files or the socket cannot be used.
pub fn bind_on(
    tcp: TcpListener,
    config: ServerConfig,
    gate: Gate,
    services: Services,
) -> Result<Bound, ServeError> {
    let tls = config.tls.as_ref().map(tls::load_acceptor).transpose()?;
    let address = config.listen;
    let socket = config.socket.as_deref().map(open_socket).transpose()?;
    Ok(Bound { app: AppState::new(gate, config, services), tcp, address, tls, socket })
}

/// A socket that only the owner of the data folder can open. One that a killed server left behind is replaced: the folder is locked.
fn open_socket(path: &Path) -> Result<(UnixListener, Owner), ServeError> {
    let failed = |error| ServeError::Socket { path: path.to_path_buf(), error };
    match std::fs::remove_file(path) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(failed(error)),
    }
    let listener = UnixListener::bind(path).map_err(failed)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).map_err(failed)?;
    Ok((listener, Owner::of(path).map_err(failed)?))
}

impl Bound {
    /// The address of the port; useful when port 0 was asked for.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// The configuration with the port that was chosen, for links.
    pub fn config(&self) -> &ServerConfig {
        self.app.config()
    }

    /// Answers until `stop` completes, or nobody takes connections any more; then lets open requests finish, for a while.
    pub async fn run(self, stop: impl Future<Output = ()> + Send + 'static) -> Result<(), ServeError> {
        let limits = self.app.config().limits.clone();
        let (stopping, stopped) = watch::channel(false);
        let connections = Connections::new(self.app.clone(), stopped.clone());
        let places = Arc::new(Semaphore::new(limits.connections_max));
        tracing::info!(address = %self.address, tls = self.tls.is_some(), "listening");
        let tcp = accept_tcp(self.tcp, self.tls, connections.clone(), Arc::clone(&places));
        let mut loops = JoinSet::new();
        loops.spawn(tcp);
        let path = self.app.config().socket.clone();
        if let Some((listener, owner)) = self.socket {
            loops.spawn(accept_unix(listener, owner, connections, Arc::clone(&places)));
        }
        let is_asked = tokio::select! {
            () = stop => true,
            // They end only when they break: a server that takes no connections would look alive.
            _ = loops.join_next() => false,
        };
        self.app.stop();
        // Until the ports are free.
        loops.shutdown().await;
        // When no connection is open there is nobody to tell.
        let _ = stopping.send(true);
        let all = u32::try_from(limits.connections_max).unwrap_or(u32::MAX);
        let grace = Duration::from_secs(limits.shutdown_grace_secs);
        if tokio::time::timeout(grace, places.acquire_many(all)).await.is_err() {
            tracing::warn!(
                grace_secs = limits.shutdown_grace_secs,
                "connections were still open when the server stopped"
            );
        }
        if let Some(path) = path {
            drop(std::fs::remove_file(path));
        }
        tracing::info!("stopped");
        if is_asked { Ok(()) } else { Err(ServeError::Broken) }
    }
}

async fn place(places: &Arc<Semaphore>) -> OwnedSemaphorePermit {
    Arc::clone(places).acquire_owned().await.expect("the places for connections are never closed")
}

async fn accept_tcp(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    connections: Connections,
    places: Arc<Semaphore>,
) {
    loop {
        // Further callers wait in the operating system's queue until somebody leaves.
        let place = place(&places).await;
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_RETRY).await;
                continue;
            }
        };
        // Answers are written whole: waiting for more to send would only delay them.
        drop(stream.set_nodelay(true));
        let (connections, tls) = (connections.clone(), tls.clone());
        tokio::spawn(async move {
            match tls {
                None => connection::serve(&connections, stream, Peer::Network).await,
                Some(tls) => {
                    if let Some(stream) = connections.handshake(&tls, stream).await {
                        connection::serve(&connections, stream, Peer::Network).await;
                    }
                }
            }
            drop(place);
        });
    }
}

async fn accept_unix(listener: UnixListener, owner: Owner, connections: Connections, places: Arc<Semaphore>) {
    loop {
        let place = place(&places).await;
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection on the socket");
                tokio::time::sleep(ACCEPT_RETRY).await;
                continue;
            }
        };
        let peer = owner.peer(&stream);
        let connections = connections.clone();
        tokio::spawn(async move {
            connection::serve(&connections, stream, peer).await;
            drop(place);
        });
    }
}
