//! Leaves one row per key: the first, the last, or the latest by a column. Memory is bounded whatever the number of keys.
//!
//! Only 128-bit hashes of keys are held. When they are more than their share of the engine's memory, rows go to disk and the keys are
//! treated in parts, with one bit per row for the rows that stay. The order of the rows that stay is the order in which they came.

use std::any::Any;
use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::BooleanArray;
use table::{Batch, Columns, Type};

use crate::engine::Spool;
use crate::step::key::hashes;
use crate::step::shared::{need_column, reject};
use crate::step::stays::{Chooser, keys_max};
use crate::step::{Output, Step, StepSpec};
use crate::world::World;
use crate::yaml::Node;
use crate::{EtlError, Problems, RowError, Word};

/// Options of `dedupe`.
#[derive(Debug)]
struct Dedupe {
    /// Columns that are together unique afterwards.
    key: Vec<Word>,
    /// Which row of a key stays.
    keep: Keep,
    /// For `latest`: the column whose largest value stays; of equal ones the last row. Missing is smallest.
    by: Option<Word>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keep {
    First,
    Last,
    Latest,
}

/// Reads the options.
pub(super) fn decode(options: &Node, problems: &mut Problems) -> Option<Box<dyn StepSpec>> {
    let mut fields = options.fields("the step `dedupe`", problems);
    let at = fields.at();
    fields.required("key", problems);
    let key = fields.texts("key", problems);
    let choices = [("first", Keep::First), ("last", Keep::Last), ("latest", Keep::Latest)];
    let keep = fields.choice("keep", &choices, problems);
    let by = fields.text("by", problems);
    fields.end(problems);
    let keep = keep.unwrap_or(if by.is_some() { Keep::Latest } else { Keep::First });
    match (&by, keep) {
        (None, Keep::Latest) => problems.add(at, "`keep: latest` of the step `dedupe` needs the key `by`"),
        (Some(by), Keep::First | Keep::Last) => {
            problems.add(by.at, "`by` of the step `dedupe` goes with `keep: latest` only");
        }
        _ => {}
    }
    (!key.is_empty()).then(|| Box::new(Dedupe { key, keep, by }) as Box<dyn StepSpec>)
}

impl StepSpec for Dedupe {
    fn holds_rows(&self) -> bool {
        true
    }

    fn plan(&self, input: &Columns, problems: &mut Problems) -> Columns {
        for word in &self.key {
            need_column(input, word, "dedupe", problems);
        }
        if let Some(by) = &self.by
            && need_column(input, by, "dedupe", problems) == Some(Type::Text)
        {
            problems.add(
                by.at,
                format!(
                    "`{by}` is text, which sorts by letters: declare it as a date, an instant or a number"
                ),
            );
        }
        input.clone()
    }

    fn start(
        &self,
        _input: &Columns,
        _tapped: &[Arc<dyn Any + Send + Sync>],
        world: &Arc<World>,
    ) -> Result<Box<dyn Step>, EtlError> {
        let key: Vec<String> = self.key.iter().map(|word| word.text.clone()).collect();
        let n_keys_max = keys_max(world);
        let by = self.by.as_ref().map(|word| word.text.clone());
        Ok(Box::new(Working {
            name: key.join(","),
            key,
            keep: self.keep,
            by,
            n_keys_max,
            seen: HashSet::new(),
            spool: None,
            world: Arc::clone(world),
        }))
    }
}

struct Working {
    name: String,
    key: Vec<String>,
    keep: Keep,
    by: Option<String>,
    n_keys_max: usize,
    /// Keys that went on, for `first`, as long as they fit.
    seen: HashSet<u128>,
    spool: Option<Spool>,
    world: Arc<World>,
}

impl Step for Working {
    fn push(&mut self, batch: Batch, out: &mut dyn Output) -> Result<(), EtlError> {
        let (batch, keys) = self.with_keys(batch, out)?;
        if self.keep != Keep::First {
            return self.put_aside(&batch);
        }
        let is_full = self.spool.is_some() || self.seen.len() >= self.n_keys_max;
        let mut stays = Vec::with_capacity(keys.len());
        for key in keys {
            stays.push(if is_full { !self.seen.contains(&key) } else { self.seen.insert(key) });
        }
        let stays = BooleanArray::from(stays);
        let n_out = (stays.len() - stays.true_count()) as u64;
        if n_out > 0 {
            out.deduplicated(&self.name, n_out);
        }
        let batch = if n_out == 0 { batch } else { batch.filter(&stays)? };
        if is_full { self.put_aside(&batch) } else { out.rows(batch) }
    }

    fn finish(&mut self, out: &mut dyn Output) -> Result<(), EtlError> {
        let Some(spool) = self.spool.take() else { return Ok(()) };
        self.seen = HashSet::new();
        let rows = spool.finish()?;
        let chooser = Chooser {
            key: &self.key,
            by: self.by.as_deref(),
            keeps_first: self.keep == Keep::First,
            world: &self.world,
        };
        let stays = chooser.choose(&rows)?;
        let (mut row, mut n_out) = (0_usize, 0_u64);
        for batch in rows.read()? {
            self.world.check_cancelled()?;
            let batch = batch?;
            let marks: BooleanArray = (row..row + batch.n_rows()).map(|row| Some(stays.get(row))).collect();
            row += batch.n_rows();
            n_out += (marks.len() - marks.true_count()) as u64;
            out.rows(batch.filter(&marks)?)?;
        }
        if n_out > 0 {
            out.deduplicated(&self.name, n_out);
        }
        Ok(())
    }
}

impl Working {
    /// The rows that have a key, with its hash; the others are rejected.
    fn with_keys(&self, batch: Batch, out: &mut dyn Output) -> Result<(Batch, Vec<u128>), EtlError> {
        let keys = hashes(&batch, &self.key)?;
        if keys.iter().all(Option::is_some) {
            return Ok((batch, keys.into_iter().flatten().collect()));
        }
        for (row, _) in keys.iter().enumerate().filter(|(_, key)| key.is_none()) {
            let missing =
                self.key.iter().find(|name| matches!(batch.value(name, row), Ok(table::Value::Null)));
            let message =
                "a column of the key is missing, so the row cannot be compared with others".to_owned();
            let error = RowError { column: missing.cloned(), reason: "missing_key", message };
            out.reject(reject(&batch, row, "dedupe", error))?;
        }
        let has_key: BooleanArray = keys.iter().map(|key| Some(key.is_some())).collect();
        Ok((batch.filter(&has_key)?, keys.into_iter().flatten().collect()))
    }

    fn put_aside(&mut self, batch: &Batch) -> Result<(), EtlError> {
        let spool = match &mut self.spool {
            Some(spool) => spool,
            none => none.insert(self.world.engine.spool()?),
        };
        spool.push(batch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::step::testing::{Bench, table};

    fn rows() -> Vec<Batch> {
        let columns = "id text, at date, n integer";
        vec![
            table(columns, "a 2026-01-02 1 | b 2026-01-05 2 | a 2026-01-03 3"),
            table(columns, "- 2026-01-01 4 | b 2026-01-04 5 | a 2026-01-03 6 | c - 7 | c - 8"),
        ]
    }

    #[test]
    fn one_row_per_key_stays() {
        let bench = Bench::new();
        let check = |options: &str, wanted: &str| {
            let out = bench.run(decode, options, &rows());
            assert_eq!(out.table("n"), wanted, "{options}");
            assert_eq!(out.rejects(), ["1 dedupe missing_key"]);
            assert_eq!(out.rejected[0].column.as_deref(), Some("id"));
            assert!(out.deduplicated.iter().all(|(name, _)| name == "id"));
            assert_eq!(out.deduplicated.iter().map(|(_, n)| n).sum::<u64>(), 4);
        };
        check("{key: id}", "1 | 2 | 7");
        check("{key: [id], keep: last}", "5 | 6 | 8");
        check("{key: [id], keep: latest, by: at}", "2 | 6 | 8");
    }

    #[test]
    fn more_keys_than_memory_give_the_same_rows() {
        let bench = Bench::new();
        let columns = "id integer, n integer";
        let rows: Vec<String> = (0..30_000_i64).map(|n| format!("{} {n}", (n * 7_919) % 20_011)).collect();
        let batches: Vec<Batch> = rows.chunks(1_000).map(|part| table(columns, &part.join(" | "))).collect();
        for (options, is_kept) in [
            ("{key: id}", (|n: i64| n < 20_011) as fn(i64) -> bool),
            ("{key: id, keep: last}", |n| n >= 30_000 - 20_011),
            ("{key: id, keep: latest, by: n}", |n| n >= 30_000 - 20_011),
        ] {
            let out = bench.run(decode, options, &batches);
            let wanted: Vec<String> = (0..30_000).filter(|n| is_kept(*n)).map(|n| n.to_string()).collect();
            assert_eq!(out.table("n"), wanted.join(" | "), "{options}");
        }
    }

    #[test]
    fn what_cannot_be_is_said() {
        let bench = Bench::new();
        let check = |options: &str, wanted: &str| {
            let input = table("id text, at text", "a x");
            assert_eq!(bench.problems(decode, options, &input), [wanted]);
        };
        check("{key: [pid]}", "1:8: the step `dedupe` needs the column `pid`: there are `id`, `at`");
        check("{keep: first}", "1:1: the step `dedupe` needs the key `key`");
        check("{key: id, keep: latest}", "1:1: `keep: latest` of the step `dedupe` needs the key `by`");
        check(
            "{key: id, keep: last, by: at}",
            "1:27: `by` of the step `dedupe` goes with `keep: latest` only",
        );
        check(
            "{key: id, by: at}",
            "1:15: `at` is text, which sorts by letters: declare it as a date, an instant or a number",
        );
    }
}
