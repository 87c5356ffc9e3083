//! Counts of flags by strata as they may be shown.
//!
//! One flag over one stratum is a table whose small cells are hidden one by one, with others that would give them away. Several tables share
//! totals, so that a cell hidden in one could be computed with another: then a table with a small cell is withheld as a whole, and only its
//! totals are shown, each total line with its own complementary suppression. How many rows there are in all is in the run's record anyway,
//! so that what could be computed from it is withheld too.

use clinical::statistics::suppression::{Cell, Limit, Line, suppress_line, suppress_table};
use serde_json::{Map, Value as Json, json};
use table::Batch;

use super::{EquityFlags, NAME, Stratum};
use crate::EtlError;
use crate::step::Output;
use crate::step::cells::PerValue;

const VALUES: [&str; 3] = ["true", "false", "unknown"];

/// Counts of all flags over all strata.
pub(super) struct Counts {
    flags: Vec<String>,
    /// By flag: true, false, unknown.
    of_flags: Vec<[u64; 3]>,
    strata: Vec<Counted>,
    limit: Limit,
    n_rows: u64,
}

struct Counted {
    stratum: Stratum,
    memory: PerValue<usize>,
    /// By flag, class and value.
    cells: Vec<Vec<[u64; 3]>>,
}

impl Counted {
    /// The codes, and what else there may be.
    fn classes(&self) -> Vec<&str> {
        let codes = self.stratum.codes.iter().map(String::as_str);
        codes.chain(["multiple", "other", "missing"]).collect()
    }
}

impl Counts {
    pub(super) fn of(spec: &EquityFlags) -> Counts {
        let counted = |stratum: &Stratum| Counted {
            stratum: stratum.clone(),
            memory: PerValue::new(),
            cells: vec![vec![[0; 3]; stratum.codes.len() + 3]; spec.flags.len()],
        };
        Counts {
            flags: spec.flags.iter().map(|flag| flag.name.text.clone()).collect(),
            of_flags: vec![[0; 3]; spec.flags.len()],
            strata: spec.strata.iter().map(counted).collect(),
            limit: Limit::of(spec.suppress_below),
            n_rows: 0,
        }
    }

    /// Adds a batch with the values of its flags.
    pub(super) fn add(&mut self, batch: &Batch, flags: &[Vec<Option<bool>>]) -> Result<(), EtlError> {
        self.n_rows += batch.n_rows() as u64;
        for (values, counts) in flags.iter().zip(&mut self.of_flags) {
            values.iter().for_each(|value| counts[value_number(*value)] += 1);
        }
        for counted in &mut self.strata {
            let text = batch.text(&counted.stratum.column)?;
            let codes = &counted.stratum.codes;
            let classes = counted.memory.map(&text, codes.len() + 2, |text| class_of(codes, text));
            for (values, cells) in flags.iter().zip(&mut counted.cells) {
                for (class, value) in classes.iter().zip(values) {
                    cells[*class][value_number(*value)] += 1;
                }
            }
        }
        Ok(())
    }

    /// Counts as facts.
    pub(super) fn report(&self, out: &mut dyn Output) {
        let lines: Vec<Line> = self.of_flags.iter().map(|counts| suppress_line(counts, self.limit)).collect();
        let classes: Vec<Vec<u64>> = self.strata.iter().map(Counted::of_classes).collect();
        let class_lines: Vec<Line> = classes.iter().map(|counts| suppress_line(counts, self.limit)).collect();
        // The number of rows is known: a line that is safe only without its total is not.
        let is_withheld = lines.iter().chain(&class_lines).any(|line| !matches!(line.total, Cell::Shown(_)));
        for (flag, line) in self.flags.iter().zip(&lines) {
            let shown = if is_withheld { Json::from("suppressed") } else { named(&VALUES, &line.cells) };
            out.fact(&format!("{NAME}.{flag}"), shown);
        }
        let is_single = self.flags.len() == 1 && self.strata.len() == 1;
        for (counted, line) in self.strata.iter().zip(&class_lines) {
            for (flag, cells) in self.flags.iter().zip(&counted.cells) {
                let shown = match is_withheld {
                    true => Json::from("suppressed"),
                    false if is_single => single(counted, cells, self.limit),
                    false => one_of_several(counted, cells, line, self.limit),
                };
                out.fact(&format!("{NAME}.{flag}.by.{}", counted.stratum.column), shown);
            }
        }
    }
}

impl Counted {
    /// How many rows each class has.
    fn of_classes(&self) -> Vec<u64> {
        let first = self.cells.first().map(Vec::as_slice).unwrap_or_default();
        first.iter().map(|values| values.iter().sum()).collect()
    }
}

fn value_number(value: Option<bool>) -> usize {
    match value {
        Some(true) => 0,
        Some(false) => 1,
        None => 2,
    }
}

/// The number of the class of a cell: one of the codes, several codes, another one, none.
fn class_of(codes: &[String], text: &str) -> usize {
    let mut parts = text.split('|').map(str::trim).filter(|part| !part.is_empty());
    match (parts.next(), parts.next()) {
        (None, _) => codes.len() + 2,
        (Some(_), Some(_)) => codes.len(),
        (Some(code), None) => codes.iter().position(|known| known == code).unwrap_or(codes.len() + 1),
    }
}

fn shown(cell: Cell) -> Json {
    match cell {
        Cell::Shown(count) => Json::from(count),
        Cell::Small | Cell::Complementary => Json::Null,
    }
}

fn named(names: &[&str], cells: &[Cell]) -> Json {
    Json::Object(
        names.iter().zip(cells).map(|(name, cell)| ((*name).to_owned(), shown(*cell))).collect::<Map<_, _>>(),
    )
}

/// A table, with the rows that have something to show, and whether something is hidden.
fn table_of(rows: impl Iterator<Item = (String, Json)>, is_suppressed: bool) -> Json {
    let mut object: Map<String, Json> = rows.collect();
    if is_suppressed {
        object.insert("suppressed".to_owned(), Json::Bool(true));
    }
    Json::Object(object)
}

/// The only table there is: cell by cell.
fn single(counted: &Counted, cells: &[[u64; 3]], limit: Limit) -> Json {
    let rows: Vec<Vec<u64>> = cells.iter().map(|row| row.to_vec()).collect();
    let mut table = suppress_table(&rows, limit).rows;
    let totals = table.last().map(|row| row.iter().any(|cell| !matches!(cell, Cell::Shown(_))));
    // The totals of the flag and the number of rows are shown elsewhere: a table that is safe only without them is withheld.
    if totals.unwrap_or(true) {
        return one_of_several(counted, cells, &suppress_line(&counted.of_classes(), limit), limit);
    }
    table.pop();
    let is_suppressed = table.iter().flatten().any(|cell| !matches!(cell, Cell::Shown(_)));
    let classes = counted.classes();
    let rows =
        classes.iter().zip(&table).map(|(class, cells)| ((*class).to_owned(), row_of(&cells[..3], cells[3])));
    table_of(rows, is_suppressed)
}

/// A table beside others: as a whole, or its totals alone.
fn one_of_several(counted: &Counted, cells: &[[u64; 3]], line: &Line, limit: Limit) -> Json {
    let is_small = |count: &u64| matches!(suppress_line(&[*count], limit).total, Cell::Small);
    let is_hidden =
        cells.iter().flatten().any(is_small) || line.cells.iter().any(|cell| !matches!(cell, Cell::Shown(_)));
    let of_flag = |value: usize| cells.iter().map(|row| row[value]).sum::<u64>();
    let is_hidden = is_hidden || (0..3).any(|value| is_small(&of_flag(value)));
    let classes = counted.classes();
    let rows = classes.iter().zip(cells.iter().zip(&line.cells)).map(|(class, (values, total))| {
        let row = if is_hidden {
            json!({"total": shown(*total)})
        } else {
            row_of(&values.map(Cell::Shown), *total)
        };
        ((*class).to_owned(), row)
    });
    table_of(rows, is_hidden)
}

fn row_of(values: &[Cell], total: Cell) -> Json {
    let mut row = named(&VALUES, values);
    row["total"] = shown(total);
    row
}
