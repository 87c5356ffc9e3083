//! One connection: HTTP/1.1 with keep-alive and time-outs, until the other end leaves or the server stops.

use std::convert::Infallible;
use std::pin::pin;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::peer::Peer;
use crate::route;
use crate::state::AppState;

/// What all connections share.
#[derive(Clone)]
pub(crate) struct Connections {
    app: AppState,
    http: http1::Builder,
    head_timeout: Duration,
    stopped: watch::Receiver<bool>,
}

impl Connections {
    pub(crate) fn new(app: AppState, stopped: watch::Receiver<bool>) -> Connections {
        let head_timeout = Duration::from_secs(app.config().limits.header_read_timeout_secs);
        let mut http = http1::Builder::new();
        // No `pipeline_flush`: with it hyper never sends the 400, 414 or 431 that it has for a head it cannot read.
        http.timer(TokioTimer::new()).header_read_timeout(head_timeout).keep_alive(true);
        Connections { app, http, head_timeout, stopped }
    }

    /// TLS, or nothing when the other end does not manage it in time.
    pub(crate) async fn handshake(
        &self,
        tls: &TlsAcceptor,
        stream: TcpStream,
    ) -> Option<TlsStream<TcpStream>> {
        match tokio::time::timeout(self.head_timeout, tls.accept(stream)).await {
            Ok(Ok(stream)) => Some(stream),
            Ok(Err(error)) => {
                tracing::debug!(%error, "a TLS handshake failed");
                None
            }
            Err(_) => None,
        }
    }
}

/// Answers the requests of a connection. When the server stops, the request at hand is still answered.
pub(crate) async fn serve<S>(connections: &Connections, stream: S, peer: Peer)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let app = &connections.app;
    app.metrics().connected();
    let service = service_fn(|request| {
        let answer = route::answer(app.clone(), peer.clone(), request);
        async move { Ok::<_, Infallible>(answer.await) }
    });
    let mut connection = pin!(connections.http.serve_connection(TokioIo::new(stream), service));
    let mut stopped = connections.stopped.clone();
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = told(&mut stopped) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        // Who was cut off, or sent no HTTP, need not be told.
        tracing::debug!(%error, "a connection broke");
    }
    app.metrics().disconnected();
}

/// Completes when the server stops. Its lock is let go here, so that nothing holds it while answers are written.
async fn told(stopped: &mut watch::Receiver<bool>) {
    drop(stopped.wait_for(|stopped| *stopped).await);
}
