//! Checks whose keys do not fit into memory find what they find when the keys do.

use proptest::prelude::*;
use table::{Batch, Value};

use crate::check::testing::{columns, run_in, world_with};

const CHECKS: &str = "
- {id: latest, column: id, rule: unique, keep: latest, by: at, on_fail: quarantine}
- {id: present, column: site, rule: not_null, on_fail: quarantine}
- {id: once, columns: [id, site], rule: unique, on_fail: quarantine}
- {id: told, column: id, rule: unique, on_fail: warn}
- {id: told-latest, columns: [id, site], rule: unique, keep: latest, by: at, on_fail: warn}
- {id: known, column: id, rule: reference, source: others, source_columns: [id], on_fail: quarantine}
";

/// Everything that came of the checks, as text: rows, rejects with their places and order, counts, samples.
fn outcome(memory_bytes: u64, rows: &[Vec<Value>], others: &Batch) -> String {
    let (world, _scratch) = world_with(memory_bytes);
    let of = columns("id text, site text, at integer");
    let ran = run_in(&world, 512, CHECKS, &of, rows, &[("others", others.clone())], None);
    let quality = serde_json::to_string(&ran.quality).unwrap();
    format!("{:?}\n{:?}\n{:?}\n{quality}", ran.passed, ran.rejected, ran.messages)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4))]
    #[test]
    fn little_memory_changes_no_row_reject_or_count(
        seed in any::<u32>(),
        n_ids in 2_000_u64..30_000,
    ) {
        let cell = |row: u64, salt: u64| (row ^ salt << 40 ^ u64::from(seed) << 20).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
        let id = |n: u64| Value::Text(format!("P{:06}", n % n_ids));
        let rows: Vec<Vec<Value>> = (0..25_000)
            .map(|row| {
                let site = (cell(row, 2) % 50 != 0).then(|| Value::Text(format!("S{}", cell(row, 3) % 3)));
                vec![id(cell(row, 1)), site.unwrap_or(Value::Null), Value::Integer((cell(row, 4) % 20) as i64)]
            })
            .collect();
        let others: Vec<Vec<Value>> = (0..24_000).map(|row| vec![id(cell(row, 5))]).collect();
        let others = Batch::from_rows(&columns("id text"), &others).unwrap();
        // The least that an engine takes: the tables of keys hold some thousands.
        prop_assert_eq!(outcome(4 << 20, &rows, &others), outcome(1 << 30, &rows, &others));
    }
}
