//! `unique`: no two rows have the same key. Judged among the rows that no other check puts into quarantine, so that a row that is not
//! loaded does not take the place of one that could be.

use arrow::array::BooleanBufferBuilder;
use arrow::buffer::BooleanBuffer;
use table::Type;

use crate::check::cells::{Cells, Scalars, all_present};
use crate::check::keys::{KEYS_MAX, check_number, hashes};
use crate::check::rule::{Rule, Start, Test};
use crate::check::spec::Planned;
use crate::keyed::{Found, Keyed};
use crate::yaml::Fields;
use crate::{EtlError, Problems, Word};

#[derive(Clone, Debug)]
struct Unique {
    /// Which of the rows with one key goes on. Default: `first`.
    keep: Keep,
    /// With `keep: latest`: the column that says which row is the latest.
    by: Option<Word>,
    /// Most different keys. Default: 50,000,000.
    keys_max: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keep {
    /// The first that was read.
    First,
    /// The one with the greatest value in `by`.
    Latest,
}

pub(super) fn decode(fields: &mut Fields<'_>, problems: &mut Problems) -> Option<Box<dyn Rule>> {
    let keep = fields.choice("keep", &[("first", Keep::First), ("latest", Keep::Latest)], problems);
    let by = fields.text("by", problems);
    let keys_max = fields.whole("keys_max", problems).unwrap_or(KEYS_MAX);
    let keep = keep.unwrap_or(Keep::First);
    match (keep, &by) {
        (Keep::Latest, None) => {
            problems.add(
                fields.at(),
                "`keep: latest` of the check needs `by`: the column that says which row is the latest",
            );
            return None;
        }
        (Keep::First, Some(by)) => {
            problems.add(by.at, "`by` of the check belongs to `keep: latest`");
        }
        _ => {}
    }
    Some(Box::new(Unique { keep, by, keys_max }))
}

impl Rule for Unique {
    fn plan(&self, planned: &Planned<'_>, problems: &mut Problems) {
        let Some(by) = &self.by else { return };
        match planned.all.get(by).map(|column| column.kind) {
            Some(Type::Date | Type::Instant | Type::Integer) => {}
            Some(kind) => problems.add(
                by.at,
                format!("`{by}` is {kind}: `by` needs a date, an instant or an integer; declare its type in the source's `columns`"),
            ),
            None => problems.add(by.at, format!("there is no column `{by}`")),
        }
    }

    fn start(&self, start: &Start<'_>) -> Result<Test, EtlError> {
        let pool = start.world.engine.keys();
        let seen = match self.keep {
            Keep::First => Seen::First(Keyed::new(pool)),
            Keep::Latest => Seen::Latest(Keyed::new(pool)),
        };
        Ok(Test::Unique(UniqueTest { seen, keys_max: self.keys_max, n_rows: 0 }))
    }

    fn must(&self) -> String {
        match (&self.keep, &self.by) {
            (Keep::Latest, Some(by)) => {
                format!("must be there once (the row with the latest `{by}` is kept)")
            }
            _ => "must be there once (the first row is kept)".to_owned(),
        }
    }

    fn hint(&self) -> String {
        "find out whether the rows are versions of one thing (keep the latest with `by`), a delivery that was sent twice, or a key that is no key".to_owned()
    }

    fn needs_all_rows(&self) -> bool {
        self.keep == Keep::Latest
    }

    fn more_columns(&self) -> Vec<&Word> {
        self.by.iter().collect()
    }
}

/// Looks for keys that were there before.
pub(crate) struct UniqueTest {
    seen: Seen,
    keys_max: u64,
    /// Rows so far that the latest is looked for among.
    n_rows: u64,
}

enum Seen {
    First(Keyed<()>),
    /// With the greatest value so far, and the number of the row that has it.
    Latest(Keyed<(i64, u64)>),
    /// With the greatest value of all.
    All(Found<(i64, u64)>),
    /// While it changes from one to the other.
    Nothing,
}

impl UniqueTest {
    /// Whether the rows must be kept until all have come.
    pub(in crate::check) fn is_latest(&self) -> bool {
        !matches!(self.seen, Seen::First(_))
    }

    /// Takes the rows that `eligible` marks; gives those that can be judged, and those whose key is there already. With `latest`, the
    /// second row of a key is counted as failing here, whichever of the two is kept.
    pub(in crate::check) fn take(
        &mut self,
        cells: &[&Cells],
        eligible: &BooleanBuffer,
    ) -> Result<(BooleanBuffer, BooleanBuffer), EtlError> {
        let n = eligible.len();
        let (keys, by) = match self.seen {
            Seen::First(_) => (cells, None),
            _ => cells.split_last().map_or((cells, None), |(by, keys)| (keys, Some(*by))),
        };
        let assessed = &all_present(keys, n) & eligible;
        let hashes = hashes(keys, n);
        let mut failing = BooleanBufferBuilder::new(n);
        failing.append_n(n, false);
        match &mut self.seen {
            Seen::First(keys) => {
                for row in assessed.set_indices() {
                    if !keys.put(hashes[row], ())? {
                        failing.set_bit(row, true);
                    }
                }
                check_number(keys.n_keys_min(), self.keys_max)?;
            }
            Seen::Latest(keys) => {
                let rank = by.map(ranks).unwrap_or_default();
                for row in assessed.set_indices() {
                    let this = (rank.get(row).copied().unwrap_or(i64::MIN), self.n_rows + row as u64);
                    // Of two rows with the same value the later one is kept.
                    if !keys.put(hashes[row], this)? {
                        failing.set_bit(row, true);
                    }
                }
                check_number(keys.n_keys_min(), self.keys_max)?;
                self.n_rows += n as u64;
            }
            Seen::All(_) | Seen::Nothing => {}
        }
        Ok((assessed, failing.finish()))
    }

    /// All rows have come: now it is known which are the latest.
    pub(in crate::check) fn settle(&mut self) -> Result<(), EtlError> {
        self.seen = match std::mem::replace(&mut self.seen, Seen::Nothing) {
            Seen::Latest(keys) => Seen::All(keys.finish()?),
            other => other,
        };
        Ok(())
    }

    /// After all rows have come: which of these rows, the first of which has the number `first`, are not the latest of their key.
    pub(in crate::check) fn not_latest(
        &self,
        cells: &[&Cells],
        eligible: &BooleanBuffer,
        first: u64,
    ) -> Result<BooleanBuffer, EtlError> {
        let n = eligible.len();
        let keys = cells.split_last().map_or(cells, |(_, keys)| keys);
        let assessed = &all_present(keys, n) & eligible;
        let hashes = hashes(keys, n);
        let mut failing = BooleanBufferBuilder::new(n);
        failing.append_n(n, false);
        if let Seen::All(found) = &self.seen {
            for row in assessed.set_indices() {
                let best = found.get(hashes[row])?;
                failing.set_bit(row, best.is_some_and(|(_, best)| best != first + row as u64));
            }
        }
        Ok(failing.finish())
    }
}

/// What orders the rows; missing comes before everything.
fn ranks(by: &Cells) -> Vec<i64> {
    let n = by.present.len();
    let value = |row: usize| match by.scalars() {
        Some(Scalars::Whole(values) | Scalars::Micros(values)) => values[row],
        Some(Scalars::Days(values)) => values[row].into(),
        _ => i64::MIN,
    };
    (0..n).map(|row| if by.present.value(row) { value(row) } else { i64::MIN }).collect()
}
