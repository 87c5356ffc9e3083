//! Real servers for tests, on free loopback ports in temporary folders. A server ends with the test process, however that ends.

#[cfg(test)]
mod ends;
mod installed;
mod mariadb;
mod postgres;
mod run;
mod supervised;

pub use mariadb::MariaDb;
pub use postgres::Postgres;
