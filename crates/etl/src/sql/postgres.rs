//! Connections to PostgreSQL, and what it refuses in words without values of rows.

use std::error::Error as _;
use std::time::Duration;

use tokio_postgres::config::SslMode;
use tokio_postgres::error::{DbError, SqlState};
use tokio_postgres::{Client, Config, Error};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::sql::{Address, Failure, Retries, Tls};
use crate::{Secret, world::World};

/// Schemes of its URLs.
pub(crate) const SCHEMES: [&str; 2] = ["postgres", "postgresql"];
/// Its port.
pub(crate) const PORT: u16 = 5432;
/// No connection takes longer to be made.
const CONNECT_MAX: Duration = Duration::from_secs(30);
/// What every session is told first: texts of dates, times and numbers then have one form, whatever the server's configuration.
const SESSION: &str = "SET TIME ZONE 'UTC'; SET datestyle = 'ISO, YMD'; SET intervalstyle = 'postgres'; \
                       SET bytea_output = 'hex'; SET extra_float_digits = 1; SET client_encoding = 'UTF8'";

/// How to connect.
#[derive(Clone)]
pub(crate) struct Connector {
    config: Config,
    tls: Option<rustls::ClientConfig>,
    /// Where the server is.
    pub(crate) address: Address,
    /// How long one answer may take.
    pub(crate) timeout: Duration,
    retries: u32,
}

impl Connector {
    /// Reads the URL and the certificates; connects not yet.
    pub(crate) fn new(
        url: &Secret,
        tls: &Tls,
        timeout: Duration,
        retries: u32,
        world: &World,
    ) -> Result<Connector, Failure> {
        let url = url.reveal(&*world.secrets).map_err(Failure::lasting)?;
        let address = Address::of(&url, &SCHEMES, PORT).ok_or_else(not_a_url)?;
        // The driver knows no `verify-*`: here every TLS connection verifies chain and name.
        let url = url.replace("sslmode=verify-full", "sslmode=require");
        let url = url.replace("sslmode=verify-ca", "sslmode=require");
        let mut config: Config = url.parse().map_err(|_| not_a_url())?;
        let said_by_url = match config.get_ssl_mode() {
            SslMode::Require => Some(true),
            SslMode::Disable => Some(false),
            _ => None,
        };
        let is_tls = tls.is_on(said_by_url, address.is_local());
        config.ssl_mode(if is_tls { SslMode::Require } else { SslMode::Disable });
        config.connect_timeout(timeout.min(CONNECT_MAX));
        config.keepalives_idle(Duration::from_secs(60));
        if config.get_application_name().is_none() {
            config.application_name("salus");
        }
        let tls = if is_tls { Some(tls.client(world)?) } else { None };
        Ok(Connector { config, tls, address, timeout, retries })
    }

    /// Connects; tries again while the server is not there.
    pub(crate) async fn connect(&self) -> Result<Client, Failure> {
        let mut retries = self.retries();
        loop {
            match within(self.timeout.min(CONNECT_MAX), self.connect_once()).await {
                Ok(client) => return Ok(client),
                Err(failure) => {
                    let why = format!("cannot connect to PostgreSQL at `{}`: {}", self.address, failure.why);
                    retries.wait_or(Failure { why, ..failure }).await?;
                }
            }
        }
    }

    /// Attempts for one piece of work.
    pub(crate) fn retries(&self) -> Retries {
        Retries::new(self.retries)
    }

    async fn connect_once(&self) -> Result<Client, Failure> {
        // The connection's task ends with its client; its last error comes to the client's next call.
        let client = match &self.tls {
            Some(tls) => {
                let tls = MakeRustlsConnect::new(tls.clone());
                let (client, connection) = self.config.connect(tls).await.map_err(|error| failure(&error))?;
                tokio::spawn(connection);
                client
            }
            None => {
                let connecting = self.config.connect(tokio_postgres::NoTls);
                let (client, connection) = connecting.await.map_err(|error| failure(&error))?;
                tokio::spawn(connection);
                client
            }
        };
        client.batch_execute(SESSION).await.map_err(|error| failure(&error))?;
        Ok(client)
    }
}

fn not_a_url() -> Failure {
    Failure::lasting(
        "the `url` cannot be read: write `postgres://user:password@host:5432/database`, with special characters \
         percent-encoded",
    )
}

/// The result, or a failure when it takes too long.
pub(crate) async fn within<T>(
    limit: Duration,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    match tokio::time::timeout(limit, work).await {
        Ok(result) => result,
        Err(_) => Err(too_slow(limit)),
    }
}

/// Nothing came within the limit.
pub(crate) fn too_slow(limit: Duration) -> Failure {
    Failure::transient(format!(
        "the server did not answer within {} s: try again, or raise `timeout_secs`",
        limit.as_secs()
    ))
}

/// What PostgreSQL refused. Its messages may quote values, so only those of classes that cannot are shown.
pub(crate) fn failure(error: &Error) -> Failure {
    let Some(db) = error.as_db_error() else { return of_connection(error) };
    let code = db.code();
    let class = code.code().get(..2).unwrap_or_default();
    let is_transient = matches!(class, "08" | "53" | "57")
        || [
            SqlState::T_R_SERIALIZATION_FAILURE,
            SqlState::T_R_DEADLOCK_DETECTED,
            SqlState::LOCK_NOT_AVAILABLE,
            SqlState::DUPLICATE_TABLE,
        ]
        .contains(code);
    // Authentication, names, syntax, privileges, resources: these speak of objects, not of rows.
    let is_about_objects = matches!(
        class,
        "08" | "0A" | "25" | "28" | "3D" | "3F" | "40" | "42" | "53" | "54" | "55" | "57" | "58"
    );
    let what = if is_about_objects { db.message().to_owned() } else { about_values(db) };
    Failure { why: format!("{what} (SQLSTATE {})", code.code()), is_transient }
}

/// A message about values, without them.
fn about_values(db: &DbError) -> String {
    let what = match *db.code() {
        SqlState::UNIQUE_VIOLATION => "a row breaks the unique constraint",
        SqlState::NOT_NULL_VIOLATION => "a value is missing in a column that is `NOT NULL`",
        SqlState::FOREIGN_KEY_VIOLATION => "a row breaks the foreign key",
        SqlState::CHECK_VIOLATION => "a row breaks the check constraint",
        SqlState::STRING_DATA_RIGHT_TRUNCATION => "a text is longer than its column allows",
        SqlState::NUMERIC_VALUE_OUT_OF_RANGE => "a number is too large for its column",
        SqlState::INVALID_TEXT_REPRESENTATION => "a text cannot be read as the type that the query asks for",
        SqlState::DATETIME_FIELD_OVERFLOW | SqlState::INVALID_DATETIME_FORMAT => {
            "a date or time cannot be read"
        }
        SqlState::DIVISION_BY_ZERO => "the query divides by zero",
        _ => "the server refused",
    };
    let mut text = what.to_owned();
    for (kind, name) in [("constraint", db.constraint()), ("table", db.table()), ("column", db.column())] {
        if let Some(name) = name {
            text.push_str(&format!(", {kind} `{name}`"));
        }
    }
    text
}

fn of_connection(error: &Error) -> Failure {
    let mut why = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !why.ends_with(&inner_text) {
            why = format!("{why}: {inner_text}");
        }
        cause = inner.source();
    }
    if error.is_closed() {
        why = "the connection was closed".to_owned();
    }
    let is_tls = why.contains("TLS");
    if why.contains("server does not support TLS") {
        why.push_str(": set up TLS there, or set `tls: disable` for a network that you trust");
    }
    let is_transient = !is_tls && !why.contains("password missing") && !why.contains("encod");
    Failure { why, is_transient }
}
