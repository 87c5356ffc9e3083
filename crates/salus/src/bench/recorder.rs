//! What one client saw: per operation, latencies of answers that were right, and how many were not.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bytes::Bytes;
use egress::{Connection, EgressError, Method};

/// One operation's outcome so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Series {
    /// Microseconds of each right answer.
    pub(crate) micros: Vec<u32>,
    /// Answers with another status, by status.
    pub(crate) wrong: BTreeMap<u16, u64>,
    /// Requests without an answer.
    pub(crate) broken: u64,
}

/// Records what a client does, from the end of the warm-up on.
pub(crate) struct Recorder {
    connection: Connection,
    measure_from: Instant,
    pub(crate) series: BTreeMap<&'static str, Series>,
    /// Resources that were written, for workloads that write many in one request.
    pub(crate) resources: u64,
}

impl Recorder {
    pub(crate) fn new(connection: Connection, measure_from: Instant) -> Recorder {
        Recorder { connection, measure_from, series: BTreeMap::new(), resources: 0 }
    }

    /// Sends a request and records it under a name; the body when the status is one of `right`.
    pub(crate) async fn call(
        &mut self,
        name: &'static str,
        method: Method,
        path: &str,
        body: Option<Bytes>,
        right: &[u16],
    ) -> Option<egress::Answer> {
        let started = Instant::now();
        let answer = self.connection.send(method, path, body).await;
        let took = started.elapsed();
        if started < self.measure_from {
            return answer.ok().filter(|answer| right.contains(&answer.status.as_u16()));
        }
        let series = self.series.entry(name).or_default();
        match answer {
            Ok(answer) if right.contains(&answer.status.as_u16()) => {
                series.micros.push(micros_of(took));
                Some(answer)
            }
            Ok(answer) => {
                *series.wrong.entry(answer.status.as_u16()).or_default() += 1;
                None
            }
            Err(error) => {
                series.broken += 1;
                // A server that is down would otherwise be asked in a busy loop.
                if matches!(error, EgressError::Connect { .. }) {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
                None
            }
        }
    }

    /// Is the warm-up over.
    pub(crate) fn is_measuring(&self) -> bool {
        Instant::now() >= self.measure_from
    }
}

fn micros_of(took: Duration) -> u32 {
    u32::try_from(took.as_micros()).unwrap_or(u32::MAX)
}
