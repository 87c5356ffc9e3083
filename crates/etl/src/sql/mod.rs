//! What sources and targets that are databases share: names, connections, TLS, retries, query texts, rows. Knows no pipeline.

pub(crate) mod calendar;
mod decimal;
mod failure;
pub(crate) mod mysql;
mod name;
pub(crate) mod postgres;
mod rows;
mod server;
pub(crate) mod sqlite;
mod template;
mod tls;
mod url;

pub(crate) use decimal::decimal_of;
pub(crate) use failure::{Failure, Retries};
pub(crate) use name::{Dialect, TableName, quoted};
pub(crate) use rows::{Cells, Rows, fill_raw, row_json};
pub(crate) use server::Server;
pub(crate) use template::{Piece, Template};
pub(crate) use tls::{Tls, root_certificates};
pub(crate) use url::Address;
