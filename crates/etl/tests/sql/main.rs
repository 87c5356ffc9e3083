//! Databases as sources and targets of pipelines, against real servers.
#![allow(clippy::unwrap_used, reason = "a test ends where something fails")]

mod bench;
mod mysql;
mod postgres_source;
mod postgres_target;
mod sqlite;
