//! Databases as sources and targets of pipelines, against real servers.
#![allow(clippy::unwrap_used, reason = "a test ends where something fails")]

mod bench;
mod hostile;
mod mysql;
mod postgres_source;
mod postgres_target;
mod sqlite;
