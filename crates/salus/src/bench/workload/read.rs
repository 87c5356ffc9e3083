//! Read: random resources by id, from a sample of what the server holds.

use egress::Method;
use rand::Rng;
use rand::rngs::StdRng;

use super::Recorder;
use super::sample::sample;
use crate::bench::drive::Drive;

/// How many ids are known; more than any cache of answers would be asked for again and again.
const IDS_MAX: usize = 20_000;

/// `Patient/42`, `Observation/7`, …
pub(crate) struct ReadLoad {
    paths: Vec<String>,
}

impl ReadLoad {
    /// Finds ids by searching.
    pub(crate) async fn prepare(drive: &Drive) -> anyhow::Result<ReadLoad> {
        let mut connection = drive.connect()?;
        let mut paths = Vec::new();
        for kind in ["Patient", "Encounter", "Condition", "Observation"] {
            for resource in sample(&mut connection, &format!("{kind}?_count=500"), IDS_MAX / 4).await? {
                paths.extend(resource.text("id").map(|id| format!("{kind}/{id}")));
            }
        }
        if paths.is_empty() {
            anyhow::bail!(
                "the server holds no Patient, Encounter, Condition or Observation to read: import some first"
            );
        }
        Ok(ReadLoad { paths })
    }

    pub(super) async fn step(&self, recorder: &mut Recorder, rng: &mut StdRng) -> bool {
        let path = &self.paths[rng.random_range(0..self.paths.len())];
        recorder.call("read", Method::GET, path, None, &[200]).await;
        true
    }
}
