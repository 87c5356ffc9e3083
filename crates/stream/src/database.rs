//! The file `stream.db`: events, offsets, state, alerts, outbox. One writer, so that effects and offsets of a batch are one transaction.

use std::path::Path;

use db::{Database, DbError, Options};

/// "sstr" as a number.
const APPLICATION_ID: i32 = 0x7373_7472;

/// One script per room: the log, processing, alerts, surveillance, decision support.
const MIGRATIONS: &[&str] = &[
    include_str!("migrations/1_log.sql"),
    include_str!("migrations/2_process.sql"),
    include_str!("migrations/3_alert.sql"),
    notify::outbox::SCHEMA,
    include_str!("migrations/4_surveillance.sql"),
    include_str!("migrations/5_decision.sql"),
    include_str!("migrations/6_resources.sql"),
];

/// Opens the file, creating it when it is missing.
///
/// # Errors
/// The file cannot be opened, or is not one of salus.
pub fn open(path: &Path) -> Result<Database, DbError> {
    Database::open(Options::new(path, APPLICATION_ID, MIGRATIONS))
}
