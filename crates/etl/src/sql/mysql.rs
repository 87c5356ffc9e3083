//! Connections to MySQL and MariaDB, and what they refuse in words without values of rows.

use std::time::Duration;

use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, DriverError, Error, IoError, Opts, OptsBuilder, SslOpts};

use crate::sql::{Address, Failure, Retries, Tls, root_certificates};
use crate::{Secret, world::World};

/// Schemes of its URLs.
pub(crate) const SCHEMES: [&str; 2] = ["mysql", "mariadb"];
/// Its port.
pub(crate) const PORT: u16 = 3306;
/// No connection takes longer to be made.
const CONNECT_MAX: Duration = Duration::from_secs(30);

/// How to connect.
#[derive(Clone)]
pub(crate) struct Connector {
    opts: Opts,
    /// Where the server is.
    pub(crate) address: Address,
    /// How long one answer may take.
    pub(crate) timeout: Duration,
    retries: u32,
}

impl Connector {
    /// Reads the URL and the certificates; connects not yet. `session` is told to every new session.
    pub(crate) fn new(
        url: &Secret,
        tls: &Tls,
        (timeout, retries): (Duration, u32),
        session: &str,
        world: &World,
    ) -> Result<Connector, Failure> {
        let not_a_url = || {
            Failure::lasting(
                "the `url` cannot be read: write `mysql://user:password@host:3306/database`, with special characters \
                 percent-encoded",
            )
        };
        let url = url.reveal(&*world.secrets).map_err(Failure::lasting)?;
        let address = Address::of(&url, &SCHEMES, PORT).ok_or_else(not_a_url)?;
        let url = url.replacen("mariadb://", "mysql://", 1);
        let opts = Opts::from_url(&url).map_err(|_| not_a_url())?;
        let said_by_url = opts.ssl_opts().map(|_| true);
        let is_tls = tls.is_on(said_by_url, address.is_local());
        let mut builder = OptsBuilder::from_opts(opts)
            .prefer_socket(false)
            .tcp_keepalive(Some(Duration::from_secs(60)))
            .client_found_rows(false)
            .setup(vec!["SET SESSION time_zone = '+00:00'".to_owned(), session.to_owned()]);
        builder = builder.ssl_opts(if is_tls { Some(ssl(tls, world)?) } else { None });
        Ok(Connector { opts: builder.into(), address, timeout, retries })
    }

    /// Connects; tries again while the server is not there.
    pub(crate) async fn connect(&self) -> Result<Conn, Failure> {
        let mut retries = self.retries();
        loop {
            let connecting = async { Conn::new(self.opts.clone()).await.map_err(|error| failure(&error)) };
            match super::postgres::within(self.timeout.min(CONNECT_MAX), connecting).await {
                Ok(conn) => return Ok(conn),
                Err(failure) => {
                    let why = format!("cannot connect to MySQL at `{}`: {}", self.address, failure.why);
                    retries.wait_or(Failure { why, ..failure }).await?;
                }
            }
        }
    }

    /// Attempts for one piece of work.
    pub(crate) fn retries(&self) -> Retries {
        Retries::new(self.retries)
    }
}

/// TLS that verifies the chain and the name of the server, always.
fn ssl(tls: &Tls, world: &World) -> Result<SslOpts, Failure> {
    // The driver picks the process's provider; this one is ours everywhere. Somebody else may have said so already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let certificates = root_certificates(tls.ca_path(world)?)?;
    let roots = certificates.into_iter().map(|certificate| certificate.as_ref().to_vec().into()).collect();
    Ok(SslOpts::default().with_disable_built_in_roots(true).with_root_certs(roots))
}

/// Codes whose messages speak of objects, syntax and privileges, never of values.
const SHOWN: [u16; 24] = [
    1044, 1045, 1049, 1050, 1051, 1054, 1059, 1060, 1061, 1064, 1068, 1071, 1072, 1091, 1101, 1118, 1142,
    1143, 1146, 1170, 1227, 1290, 1698, 4166,
];
/// Codes of what may go away: too many connections, a lock that did not come, a deadlock, a server that ends, a broken network.
const TRANSIENT: [u16; 12] = [1040, 1053, 1077, 1078, 1079, 1158, 1159, 1160, 1161, 1205, 1213, 1927];

/// What the server or the connection refused.
pub(crate) fn failure(error: &Error) -> Failure {
    match error {
        Error::Server(server) => {
            let what = match server.code {
                code if SHOWN.contains(&code) => server.message.clone(),
                1062 | 1586 => "a row breaks a unique index".to_owned(),
                1048 | 1364 => "a value is missing in a column that is `NOT NULL`".to_owned(),
                1406 => "a text is longer than its column allows".to_owned(),
                1264 => "a number is outside of the range of its column".to_owned(),
                1292 | 1366 | 1411 => "a value cannot be read as the type of its column".to_owned(),
                1451 | 1452 | 1216 | 1217 => "a row breaks a foreign key".to_owned(),
                3819 | 4025 => "a row breaks a check constraint".to_owned(),
                1205 => "a lock did not come in time".to_owned(),
                1213 => "two transactions waited for each other".to_owned(),
                1053 | 1927 => "the server ended the connection".to_owned(),
                _ => "the server refused".to_owned(),
            };
            let is_transient = TRANSIENT.contains(&server.code);
            Failure { why: format!("{what} (error {})", server.code), is_transient }
        }
        Error::Io(IoError::Tls(error)) => Failure::lasting(format!("TLS failed: {error}")),
        Error::Io(error) => Failure::transient(error.to_string()),
        Error::Driver(DriverError::ConnectionClosed | DriverError::PoolDisconnected) => {
            Failure::transient("the connection was closed")
        }
        Error::Driver(DriverError::NoClientSslFlagFromServer) => Failure::lasting(
            "the server does not support TLS: set up TLS there, or set `tls: disable` for a network that you trust",
        ),
        Error::Driver(DriverError::UnknownAuthPlugin { name }) => Failure::lasting(format!(
            "the server wants the authentication plugin `{name}`, which is not supported"
        )),
        // The texts of other driver errors may hold bytes of an answer.
        Error::Driver(_) | Error::Other(_) => Failure::lasting("the server's answer could not be understood"),
        Error::Url(_) => Failure::lasting("the `url` has options that are not known"),
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        failure(&error)
    }
}

/// Runs statements that give no rows, one after the other.
pub(crate) async fn run(conn: &mut Conn, sql: &str) -> Result<(), Failure> {
    conn.query_drop(sql).await.map_err(|error| failure(&error))
}
