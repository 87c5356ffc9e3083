//! The `limits` section: what one request may cost. The names and defaults are those of the server.

use serde::Deserialize;
use server::Limits;

macro_rules! limits_section {
    ($($name:ident: $type:ty),+ $(,)?) => {
        /// Limits of the server; see `server::Limits` for what each means.
        #[derive(Clone, Debug, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        #[allow(missing_docs)]
        pub(crate) struct LimitsSection {
            $(pub(crate) $name: $type,)+
        }

        impl Default for LimitsSection {
            fn default() -> Self {
                let Limits { $($name),+ } = Limits::default();
                LimitsSection { $($name),+ }
            }
        }

        impl From<LimitsSection> for Limits {
            fn from(section: LimitsSection) -> Limits {
                let LimitsSection { $($name),+ } = section;
                Limits { $($name),+ }
            }
        }
    };
}

// The destructuring above fails to compile when the server gets a limit that is not listed here.
limits_section! {
    body_bytes_max: usize,
    bundle_bytes_max: usize,
    form_bytes_max: usize,
    bodies_in_flight_bytes_max: usize,
    url_bytes_max: usize,
    bundle_entries_max: usize,
    page_count_default: u32,
    page_count_max: u32,
    connections_max: usize,
    header_read_timeout_secs: u64,
    body_read_timeout_secs: u64,
    shutdown_grace_secs: u64,
}
