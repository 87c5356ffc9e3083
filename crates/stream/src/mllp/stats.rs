//! What happened on the listener, counted.

use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        /// Counters that go up.
        #[derive(Debug, Default)]
        pub struct MllpStats {
            $(pub(super) $name: AtomicU64,)*
        }

        /// What was counted so far.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct MllpCounts {
            $($(#[$doc])* pub $name: u64,)*
        }

        impl MllpStats {
            /// What was counted so far.
            pub fn counts(&self) -> MllpCounts {
                MllpCounts { $($name: self.$name.load(Ordering::Relaxed),)* }
            }
        }
    };
}

counters! {
    /// Connections that were taken.
    connections,
    /// Connections that were closed because there were too many.
    turned_away,
    /// Messages that became durable.
    stored,
    /// Messages that were durable before.
    repeated,
    /// Messages that could not be read, and are dead letters.
    refused,
    /// Messages whose id was used before for other content, and are dead letters.
    conflicts,
    /// Messages that could not be kept then.
    unavailable,
    /// Frames that did not end.
    cut_off,
    /// Frames beyond the limit.
    too_large,
    /// Bytes outside of frames.
    outside_bytes,
    /// Connections that were closed because nothing, or not enough, came in time.
    timed_out,
}

/// One more.
pub(super) fn up(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}
