//! Looks at all series when a day is over, in small transactions, so that nobody waits behind thousands of them.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rusqlite::{OptionalExtension as _, params};
use tokio::sync::watch;

use super::{Key, close, evaluate, last_day};
use crate::alert::{self, About};
use crate::{Platform, StreamError};

const TICK: Duration = Duration::from_millis(250);
/// Series that are looked at in one transaction.
const SERIES_MAX: usize = 20;

impl Platform {
    /// Works until told to stop.
    pub(crate) async fn keep_counting(&self, mut stop: watch::Receiver<bool>) -> Result<(), StreamError> {
        let read = self.database().read(|conn| {
            let mut found = conn.prepare_cached("SELECT seq FROM cursor WHERE name = 'surveillance'")?;
            found.query_row([], |row| row.get::<_, i64>(0)).optional()
        });
        let mut closed = read.await?.unwrap_or(i64::MIN);
        while !*stop.borrow() {
            let last = last_day(self.surveillance(), self.now());
            // What waits to be processed may be of that day.
            if i64::from(last) > closed
                && self.inner.metrics.lag.load(Ordering::Relaxed) == 0
                && self.lag().await? == 0
            {
                self.close_day(last).await?;
                closed = i64::from(last);
            }
            tokio::select! {
                () = tokio::time::sleep(TICK) => {}
                changed = stop.changed() => if changed.is_err() { return Ok(()) },
            }
        }
        Ok(())
    }

    async fn close_day(&self, last: i32) -> Result<(), StreamError> {
        let config = Arc::clone(self.surveillance());
        let keys = self.database().write(move |conn| close(conn, &config, last)).await?;
        let n = keys.len();
        for part in keys.chunks(SERIES_MAX) {
            self.look_at(part.to_vec()).await?;
        }
        let written = self.database().write(move |conn| {
            conn.prepare_cached(
                "INSERT INTO cursor (name, seq) VALUES ('surveillance', ?1) ON CONFLICT (name) DO UPDATE SET seq = excluded.seq",
            )?
            .execute(params![last])
        });
        written.await?;
        tracing::debug!(n, "series of counts were looked at, as a day is over");
        Ok(())
    }

    async fn look_at(&self, keys: Vec<(String, Key)>) -> Result<(), StreamError> {
        let (config, policy) = (Arc::clone(self.surveillance()), Arc::clone(self.alerts().policy()));
        let now = self.now();
        let done = self.database().write(move |conn| {
            let mut n_moved = 0;
            for (tenant, key) in &keys {
                let about = About {
                    region: Some(key.region.clone()).filter(|name| !name.is_empty()),
                    ..About::default()
                };
                for finding in evaluate(conn, tenant, &config, key, None, now)? {
                    n_moved += alert::apply(conn, &policy, tenant, &finding, &about, now)?.len();
                }
            }
            Ok(n_moved)
        });
        if done.await? > 0 {
            self.tell();
        }
        Ok(())
    }
}
