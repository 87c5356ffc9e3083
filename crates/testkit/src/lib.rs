//! What tests share: a clock that stands still, case files, shared data, real servers, a file system that loses power. Nothing that ships uses it.

mod cases;
mod clock;
mod folder;
mod lossy;
mod port;
mod servers;
mod shared_data;

pub use cases::cases;
pub use clock::FixedClock;
pub use folder::DataFolder;
pub use lossy::{Fault, LossyDisk};
pub use port::free_port;
pub use servers::{ApiFault, ApiRequest, PagedApi, PagedApiOptions};
pub use servers::{Bucket, IdentityProvider, Kafka, KafkaCluster, MariaDb, ObjectStore, Postgres, python};
pub use servers::{Gateway, GatewayAnswer, GatewayRequest, Mail, MailServer, SecureKafka};
pub use shared_data::{shared_data, shared_folder};
