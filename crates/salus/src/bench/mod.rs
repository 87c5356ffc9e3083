//! Drives FHIR servers and the store with known workloads and prints rates, latencies and what they cost.

pub(crate) mod drive;
pub(crate) mod etl;
pub(crate) mod histogram;
pub(crate) mod process;
pub(crate) mod recorder;
pub(crate) mod result;
pub(crate) mod store;
pub(crate) mod stream;
pub(crate) mod workload;
