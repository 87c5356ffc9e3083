//! Suppression of small cells, with as many others as it takes that no small one can be computed from what is shown.
//!
//! Of a suppressed cell a reader knows that it is at least 1 (zeros are shown), and every sum that is shown. A table is safe when each small
//! cell could, for all the reader knows, be as large as the limit. For one line with its total that is a sum; for rows and columns it is the
//! largest flow that can go round the table through the cell (Gusfield, SIAM J Comput 1988;17:552), which is computed exactly.

use std::collections::BTreeSet;

/// Counts from 1 to below this are suppressed; 11 in data of CMS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    count_min: u64,
}

impl Limit {
    /// Cell size suppression of CMS: 1 to 10 are not shown.
    pub const CMS: Limit = Limit { count_min: 11 };

    /// Counts from 1 to below `count_min` are suppressed.
    pub fn of(count_min: u64) -> Limit {
        Limit { count_min }
    }

    fn is_small(self, count: u64) -> bool {
        count > 0 && count < self.count_min
    }
}

/// What is shown of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cell {
    /// The count.
    Shown(u64),
    /// Suppressed because it is small.
    Small,
    /// Suppressed because a small one could be computed from it.
    Complementary,
}

/// A line of counts as it may be published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The counts, in their order.
    pub cells: Vec<Cell>,
    /// Their sum.
    pub total: Cell,
}

fn cell(count: u64, hidden: bool, limit: Limit) -> Cell {
    match (hidden, limit.is_small(count)) {
        (false, _) => Cell::Shown(count),
        (true, true) => Cell::Small,
        (true, false) => Cell::Complementary,
    }
}

/// What may be published of one line of counts and its total.
pub fn suppress_line(counts: &[u64], limit: Limit) -> Line {
    let total: u64 = counts.iter().sum();
    let mut hidden: Vec<bool> = counts.iter().map(|count| limit.is_small(*count)).collect();
    let mut total_hidden = limit.is_small(total);
    while !total_hidden && hidden.contains(&true) {
        let n_hidden = hidden.iter().filter(|hidden| **hidden).count() as u64;
        let sum: u64 =
            counts.iter().zip(&hidden).filter(|(_, hidden)| **hidden).map(|(count, _)| count).sum();
        // The others may all be 1, so one could be the sum without them.
        if n_hidden > 1 && sum + 1 - n_hidden >= limit.count_min {
            break;
        }
        let next =
            (0..counts.len()).filter(|at| !hidden[*at] && counts[*at] > 0).min_by_key(|at| counts[*at]);
        match next {
            Some(at) => hidden[at] = true,
            None => total_hidden = true,
        }
    }
    let cells = counts.iter().zip(&hidden).map(|(count, hidden)| cell(*count, *hidden, limit)).collect();
    Line { cells, total: cell(total, total_hidden, limit) }
}

/// A table as it may be published; the last row and the last column are the totals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Rows of cells, with one more row and one more column for the totals.
    pub rows: Vec<Vec<Cell>>,
}

/// The counts and their totals as a network: rows and columns are places, each cell a road between its row and its column.
struct Network {
    /// With totals; row and column counts.
    n_rows: usize,
    n_columns: usize,
    counts: Vec<u64>,
    hidden: BTreeSet<usize>,
}

/// One step of a way through the network: a cell that rises or falls.
#[derive(Clone, Copy)]
struct Step {
    from: usize,
    cell: usize,
    rises: bool,
}

impl Network {
    fn of(rows: &[Vec<u64>], limit: Limit) -> Network {
        let n_inner = rows.iter().map(Vec::len).max().unwrap_or(0);
        let (n_rows, n_columns) = (rows.len() + 1, n_inner + 1);
        let mut counts = vec![0; n_rows * n_columns];
        for (row, cells) in rows.iter().enumerate() {
            for (column, count) in cells.iter().enumerate() {
                for (row, column) in
                    [(row, column), (row, n_inner), (rows.len(), column), (rows.len(), n_inner)]
                {
                    counts[row * n_columns + column] += count;
                }
            }
        }
        let hidden = (0..counts.len()).filter(|at| limit.is_small(counts[*at])).collect();
        Network { n_rows, n_columns, counts, hidden }
    }

    /// Where a cell leads when it rises: from its row to its column, the other way round for the totals of rows and of columns.
    fn ends(&self, cell: usize) -> (usize, usize) {
        let (row, column) = (cell / self.n_columns, cell % self.n_columns);
        let reversed = (row + 1 == self.n_rows) != (column + 1 == self.n_columns);
        if reversed { (self.n_rows + column, row) } else { (row, self.n_rows + column) }
    }

    /// The cheapest way from `start` to `goal` that does not use `without`: hidden cells cost nothing, others what they count, and zeros stay.
    /// `moved` is what the cells have risen (or fallen) so far; none falls below 1.
    fn way(&self, start: usize, goal: usize, without: usize, moved: &[i64]) -> Option<Vec<Step>> {
        let n_places = self.n_rows + self.n_columns;
        let mut cost = vec![u64::MAX; n_places];
        let mut by: Vec<Option<Step>> = vec![None; n_places];
        let mut done = vec![false; n_places];
        cost[start] = 0;
        while let Some(place) =
            (0..n_places).filter(|p| !done[*p] && cost[*p] < u64::MAX).min_by_key(|p| cost[*p])
        {
            done[place] = true;
            for cell in (0..self.counts.len()).filter(|cell| *cell != without && self.counts[*cell] > 0) {
                let (from, to) = self.ends(cell);
                let count = i64::try_from(self.counts[cell]).unwrap_or(i64::MAX);
                let (rises, next) = match place {
                    _ if place == from => (true, to),
                    _ if place == to && count + moved[cell] > 1 => (false, from),
                    _ => continue,
                };
                let price = if self.hidden.contains(&cell) { 0 } else { self.counts[cell] };
                let total = cost[place].saturating_add(price);
                if total < cost[next] {
                    cost[next] = total;
                    by[next] = Some(Step { from: place, cell, rises });
                }
            }
        }
        let mut way = Vec::new();
        let mut place = goal;
        while place != start {
            let step = by[place]?;
            way.push(step);
            place = step.from;
        }
        Some(way)
    }

    /// Hides cells until `small` could be as large as the limit. `false`: there are not enough cells.
    fn protect(&mut self, small: usize, limit: Limit) -> bool {
        let (from, to) = self.ends(small);
        let mut moved = vec![0; self.counts.len()];
        for _ in self.counts[small]..limit.count_min {
            let Some(way) = self.way(to, from, small, &moved) else { return false };
            for step in way {
                moved[step.cell] += if step.rises { 1 } else { -1 };
                self.hidden.insert(step.cell);
            }
        }
        true
    }
}

/// What may be published of a table of counts with the totals of its rows and columns. When a small cell cannot be protected otherwise,
/// everything but zeros is suppressed.
pub fn suppress_table(rows: &[Vec<u64>], limit: Limit) -> Table {
    let mut network = Network::of(rows, limit);
    let small: Vec<usize> = network.hidden.iter().copied().collect();
    if !small.into_iter().all(|cell| network.protect(cell, limit)) {
        network.hidden = (0..network.counts.len()).filter(|at| network.counts[*at] > 0).collect();
    }
    let cells = network.counts.iter().enumerate();
    let cells: Vec<Cell> =
        cells.map(|(at, count)| cell(*count, network.hidden.contains(&at), limit)).collect();
    Table { rows: cells.chunks(network.n_columns).map(<[Cell]>::to_vec).collect() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(cells: &[Cell]) -> String {
        let text = |cell: &Cell| match cell {
            Cell::Shown(count) => count.to_string(),
            Cell::Small => "<".to_owned(),
            Cell::Complementary => "*".to_owned(),
        };
        cells.iter().map(text).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn lines() {
        let check = |counts: &[u64], expected: &str| {
            let line = suppress_line(counts, Limit::CMS);
            assert_eq!(format!("{} = {}", shown(&line.cells), shown(&[line.total])), expected, "{counts:?}");
        };
        check(&[20, 30, 50], "20 30 50 = 100");
        check(&[0, 30, 50], "0 30 50 = 80");
        // One small cell would be the total less the others.
        check(&[5, 30, 50], "< * 50 = 85");
        check(&[10, 11, 50], "< * 50 = 71");
        // Two small cells that sum to less than the limit and one are small for sure.
        check(&[3, 4, 50, 60], "< < * 60 = 117");
        check(&[10, 10, 50], "< < 50 = 70");
        check(&[1, 10, 50], "< < * = 61");
        check(&[5, 0, 0], "< 0 0 = <");
        check(&[5, 6, 0], "< < 0 = *");
        check(&[], " = 0");
    }

    #[test]
    fn tables() {
        let check = |rows: &[&[u64]], expected: &[&str]| {
            let rows: Vec<Vec<u64>> = rows.iter().map(|row| row.to_vec()).collect();
            let found: Vec<String> =
                suppress_table(&rows, Limit::CMS).rows.iter().map(|row| shown(row)).collect();
            assert_eq!(found, expected, "{rows:?}");
        };
        check(&[&[20, 30], &[40, 50]], &["20 30 50", "40 50 90", "60 80 140"]);
        // A rectangle of four hides one.
        check(
            &[&[5, 20, 90], &[30, 40, 90], &[90, 90, 90]],
            &["< * 90 115", "* * 90 160", "90 90 90 270", "125 150 270 545"],
        );
        // Zeros are shown and protect nothing.
        check(&[&[5, 0], &[0, 50]], &["< 0 <", "0 50 50", "< 50 *"]);
    }

    /// All tables that a reader holds for possible, by trying: the largest value of each inner cell and total.
    fn largest(table: &Table, highest: u64) -> Vec<u64> {
        let inner: Vec<(usize, usize)> = vec![(0, 0), (0, 1), (1, 0), (1, 1)];
        let mut largest = vec![0; 9];
        let fits = |at: (usize, usize), value: u64| match table.rows[at.0][at.1] {
            Cell::Shown(count) => count == value,
            Cell::Small | Cell::Complementary => value >= 1,
        };
        let n_values = highest + 1;
        for code in 0..n_values.pow(4) {
            let values: Vec<u64> = (0..4).map(|at| code / n_values.pow(at) % n_values).collect();
            if !inner.iter().zip(&values).all(|(at, value)| fits(*at, *value)) {
                continue;
            }
            let (a, b, c, d) = (values[0], values[1], values[2], values[3]);
            let all = [a, b, a + b, c, d, c + d, a + c, b + d, a + b + c + d];
            if (0..9).all(|at| fits((at / 3, at % 3), all[at])) {
                for (largest, value) in largest.iter_mut().zip(all) {
                    *largest = value.max(*largest);
                }
            }
        }
        largest
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn no_small_cell_of_a_table_can_be_proven_small(counts in proptest::collection::vec(0u64..8, 4)) {
            let limit = Limit::of(4);
            let table = suppress_table(&[counts[..2].to_vec(), counts[2..].to_vec()], limit);
            let largest = largest(&table, 16);
            for (at, cell) in table.rows.iter().flatten().enumerate() {
                if *cell == Cell::Small {
                    prop_assert!(largest[at] >= 4, "cell {} of {:?} as {:?}", at, counts, table);
                }
                if let Cell::Shown(count) = cell {
                    prop_assert!(*count == 0 || *count >= 4);
                }
            }
        }

        #[test]
        fn no_small_cell_of_a_line_can_be_proven_small(counts in proptest::collection::vec(0u64..30, 0..7)) {
            let line = suppress_line(&counts, Limit::CMS);
            let Cell::Shown(total) = line.total else { return Ok(()) };
            let shown: u64 = line.cells.iter().map(|cell| if let Cell::Shown(count) = cell { *count } else { 0 }).sum();
            let n_hidden = line.cells.iter().filter(|cell| !matches!(cell, Cell::Shown(_))).count() as u64;
            if n_hidden > 0 {
                prop_assert!(total - shown - (n_hidden - 1) >= 11);
            }
        }
    }
}
