//! The partitioning itself: cut the widest quasi-identifier where both sides keep what must hold, else the next, else stop.

use super::quasi::Quasi;
use super::sensitive::Rule;

/// What every part must keep.
pub(super) struct Test<'a> {
    pub(super) k: usize,
    pub(super) sensitive: Option<Rule<'a>>,
}

impl Test<'_> {
    fn holds(&self, rows: &[u32]) -> bool {
        rows.len() >= self.k && self.sensitive.as_ref().is_none_or(|rule| rule.holds(rows))
    }
}

/// Parts of the rows that keep what must hold and cannot be cut further; none when not even all rows together do.
pub(super) fn partition(quasi: &[Quasi], n_rows: usize, test: &Test<'_>) -> Vec<Vec<u32>> {
    let all: Vec<u32> = (0..n_rows).map(|row| u32::try_from(row).expect("strata are smaller")).collect();
    if !test.holds(&all) {
        return Vec::new();
    }
    let mut todo = vec![all];
    let mut done = Vec::new();
    while let Some(rows) = todo.pop() {
        match cut(quasi, &rows, test) {
            // Reversed, so that the parts come out from low to high.
            Some(parts) => todo.extend(parts.into_iter().rev()),
            None => done.push(rows),
        }
    }
    done
}

fn cut(quasi: &[Quasi], rows: &[u32], test: &Test<'_>) -> Option<Vec<Vec<u32>>> {
    if rows.len() < 2 * test.k {
        return None;
    }
    let mut widths: Vec<(f64, &Quasi)> = quasi.iter().map(|column| (column.width(rows), column)).collect();
    // Stable: columns of the same width in their order.
    widths.sort_by(|a, b| b.0.total_cmp(&a.0));
    for (_, column) in widths.iter().filter(|(width, _)| *width > 0.0) {
        for bounds in column.cuts(rows) {
            let parts = parts_of(column, rows, &bounds);
            if parts.len() > 1 && parts.iter().all(|part| test.holds(part)) {
                return Some(parts);
            }
        }
    }
    None
}

/// Rows by the bounds at which their keys begin; empty parts left out, rows in their order.
fn parts_of(column: &Quasi, rows: &[u32], bounds: &[i64]) -> Vec<Vec<u32>> {
    let mut parts = vec![Vec::new(); bounds.len() + 1];
    for row in rows {
        parts[bounds.partition_point(|bound| *bound <= column.key(*row))].push(*row);
    }
    parts.retain(|part| !part.is_empty());
    parts
}
