//! Databases as sources and targets of pipelines, against real servers.

mod bench;
mod mysql;
mod postgres_source;
mod postgres_target;
mod sqlite;
