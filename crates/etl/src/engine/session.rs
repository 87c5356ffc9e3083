//! What a query may use: settings and functions. Nothing that depends on a clock or on chance.

use std::sync::{Arc, LazyLock};

use datafusion::config::SpillCompression;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::execution::{SessionState, SessionStateBuilder};
use datafusion::logical_expr::Volatility;
use datafusion::prelude::SessionConfig;

/// For checking expressions and queries; it runs nothing.
pub(super) static PLANNING: LazyLock<SessionState> =
    LazyLock::new(|| session(Arc::new(RuntimeEnv::default()), 64 << 20, false));

/// A session within a memory limit. Where the tables may be larger than memory, joins sort both sides (on disk if need be) instead of
/// keeping one side in memory.
pub(super) fn session(
    environment: Arc<RuntimeEnv>,
    memory_bytes_max: u64,
    is_larger_than_memory: bool,
) -> SessionState {
    let memory = usize::try_from(memory_bytes_max).unwrap_or(usize::MAX);
    let mut config = SessionConfig::new()
        .with_batch_size(super::spool::batch_rows(memory_bytes_max))
        // One partition: the order of rows, and with it the sum of floating point numbers, is the same in every run.
        .with_target_partitions(if is_larger_than_memory { 2 } else { 1 })
        .with_round_robin_repartition(false)
        // What a sort keeps back to merge what it has: too little is an error in the middle of a run. A join sorts two sides in two
        // partitions at one time.
        .with_sort_spill_reservation_bytes(if is_larger_than_memory { memory / 16 } else { memory / 4 })
        .with_spill_compression(SpillCompression::Lz4Frame);
    let options = config.options_mut();
    // `RPL_THEMES` is the column `RPL_THEMES`, with or without quotes.
    options.sql_parser.enable_ident_normalization = false;
    options.optimizer.prefer_hash_join = !is_larger_than_memory;
    let full = SessionStateBuilder::new()
        .with_config(config.clone())
        .with_runtime_env(Arc::clone(&environment))
        .with_default_features()
        .build();
    let same_each_time = full
        .scalar_functions()
        .iter()
        .filter(|(_, function)| function.signature().volatility == Volatility::Immutable)
        .map(|(_, function)| Arc::clone(function));
    let functions: Vec<_> = same_each_time.collect();
    SessionStateBuilder::new()
        .with_config(config)
        .with_runtime_env(environment)
        .with_default_features()
        .with_scalar_functions(functions)
        .with_table_functions(std::collections::HashMap::new())
        .build()
}

/// Whether a function exists but was left out because its answer changes from run to run.
pub(super) fn is_changing(name: &str) -> bool {
    matches!(
        name.to_ascii_lowercase().as_str(),
        "now"
            | "current_timestamp"
            | "current_date"
            | "current_time"
            | "today"
            | "random"
            | "rand"
            | "uuid"
            | "input_file_name"
            | "file_row_index"
    )
}
