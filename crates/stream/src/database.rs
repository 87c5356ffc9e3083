//! The files of streams: `log.db` has the events of the embedded log; `stream.db` has offsets, state, alerts and the outbox. Each has one writer: an
//! event is acknowledged without waiting for what is processed, and effects and offsets of a batch are one transaction.

use std::path::Path;

use db::{Database, DbError, Options};

/// "sstr" as a number.
const APPLICATION_ID: i32 = 0x7373_7472;
/// "slog" as a number.
const LOG_APPLICATION_ID: i32 = 0x736c_6f67;

/// One script per room: processing, alerts, surveillance, decision support, what becomes FHIR.
const MIGRATIONS: &[&str] = &[
    include_str!("migrations/1_process.sql"),
    include_str!("migrations/2_alert.sql"),
    notify::outbox::SCHEMA,
    include_str!("migrations/3_surveillance.sql"),
    include_str!("migrations/4_decision.sql"),
    include_str!("migrations/5_resources.sql"),
    include_str!("migrations/6_rules.sql"),
    include_str!("migrations/7_suggestions.sql"),
];
const LOG_MIGRATIONS: &[&str] = &[include_str!("migrations/log.sql")];

/// How `stream.db` is opened.
pub fn database_options(path: &Path) -> Options {
    Options::new(path, APPLICATION_ID, MIGRATIONS)
}

/// How `log.db` is opened.
pub fn log_options(path: &Path) -> Options {
    Options::new(path, LOG_APPLICATION_ID, LOG_MIGRATIONS)
}

/// Opens `stream.db`, creating it when it is missing.
///
/// # Errors
/// The file cannot be opened, or is not one of salus.
pub fn open(path: &Path) -> Result<Database, DbError> {
    Database::open(database_options(path))
}

/// Opens `log.db`, creating it when it is missing.
///
/// # Errors
/// The file cannot be opened, or is not one of salus.
pub fn open_log(path: &Path) -> Result<Database, DbError> {
    Database::open(log_options(path))
}
