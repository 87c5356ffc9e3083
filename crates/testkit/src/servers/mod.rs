//! Real servers for tests, on free loopback ports in temporary folders. A server ends with the test process, however that ends.

#[cfg(test)]
mod ends;
mod gateway;
mod http;
mod identity;
mod installed;
mod kafka;
mod mariadb;
mod object_store;
mod paged_api;
mod postgres;
mod python;
mod run;
mod smtp;
mod supervised;

pub use gateway::{Gateway, GatewayAnswer, GatewayRequest};
pub use identity::IdentityProvider;
pub use kafka::{Kafka, KafkaCluster, SecureKafka};
pub use mariadb::MariaDb;
pub use object_store::{Bucket, ObjectStore};
pub use paged_api::{ApiFault, ApiRequest, PagedApi, PagedApiOptions};
pub use postgres::Postgres;
pub use python::python;
pub use smtp::{Mail, MailServer};
