//! Which rows of a spooled table stay when one row per key does: in memory that does not grow with the number of keys.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::EtlError;
use crate::engine::Spooled;
use crate::step::key::{hashes, orders};
use crate::world::World;

/// Memory of a key in a hash table, about.
const KEY_BYTES: u64 = 64;

/// As many keys as an eighth of the memory holds; the rest is for sorts and queries.
pub(crate) fn keys_max(world: &World) -> usize {
    usize::try_from(world.engine.memory_bytes_max() / 8 / KEY_BYTES).unwrap_or(usize::MAX)
}

/// Chooses one row per key.
pub(crate) struct Chooser<'a> {
    /// Columns of the key. Rows without one must not be there.
    pub(crate) key: &'a [String],
    /// The row with the largest value here stays, of equal ones the last. Without it, the last (or first) row.
    pub(crate) by: Option<&'a str>,
    /// The first row stays, not the last.
    pub(crate) keeps_first: bool,
    pub(crate) world: &'a World,
}

impl Chooser<'_> {
    /// A bit per row, set where it stays. The keys are treated in as many parts as their memory needs; the rows are read once per part.
    pub(crate) fn choose(&self, rows: &Spooled) -> Result<Bits, EtlError> {
        let n_rows = usize::try_from(rows.n_rows()).unwrap_or(usize::MAX);
        let mut stays = Bits::new(n_rows);
        let n_parts = (n_rows / keys_max(self.world).max(1)) as u128 + 1;
        for part in 0..n_parts {
            let mut best: HashMap<u128, (Option<i128>, usize)> = HashMap::new();
            let mut row = 0;
            for batch in rows.read()? {
                self.world.check_cancelled()?;
                let batch = batch?;
                let keys = hashes(&batch, self.key)?;
                let orders = match self.by {
                    Some(by) => orders(&batch, by)?,
                    None => vec![None; batch.n_rows()],
                };
                for (key, order) in keys.into_iter().zip(orders) {
                    if let Some(key) = key.filter(|key| key % n_parts == part) {
                        self.compare(&mut best, key, (order, row));
                    }
                    row += 1;
                }
            }
            best.values().for_each(|(_, row)| stays.set(*row));
        }
        Ok(stays)
    }

    fn compare(
        &self,
        best: &mut HashMap<u128, (Option<i128>, usize)>,
        key: u128,
        row: (Option<i128>, usize),
    ) {
        match best.entry(key) {
            Entry::Vacant(free) => {
                free.insert(row);
            }
            Entry::Occupied(mut held) => {
                // Rows come in order, so a larger pair is a later row of equal order.
                if !self.keeps_first && row > *held.get() {
                    held.insert(row);
                }
            }
        }
    }
}

/// One bit per row.
pub(crate) struct Bits(Vec<u64>);

impl Bits {
    /// None is set.
    pub(crate) fn new(n: usize) -> Bits {
        Bits(vec![0; n.div_ceil(64)])
    }

    /// Sets the bit of a row.
    pub(crate) fn set(&mut self, n: usize) {
        self.0[n / 64] |= 1 << (n % 64);
    }

    /// None is set any more.
    pub(crate) fn clear(&mut self) {
        self.0.fill(0);
    }

    /// How many are set.
    pub(crate) fn count(&self) -> u64 {
        self.0.iter().map(|word| u64::from(word.count_ones())).sum()
    }

    /// Whether the bit of a row is set.
    pub(crate) fn get(&self, n: usize) -> bool {
        self.0[n / 64] >> (n % 64) & 1 == 1
    }
}
