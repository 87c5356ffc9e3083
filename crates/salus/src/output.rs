//! Writing to standard output. A reader that went away (`| head`) ends the command quietly.

use std::io::{self, Write};

/// Writes a line.
pub(crate) fn say(line: impl AsRef<str>) -> anyhow::Result<()> {
    write_all(format!("{}\n", line.as_ref()).as_bytes())
}

/// Writes bytes as they are.
pub(crate) fn write_all(bytes: &[u8]) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => std::process::exit(0),
        other => Ok(other?),
    }
}

/// Writes one JSON document.
pub(crate) fn say_json(document: &impl serde::Serialize) -> anyhow::Result<()> {
    say(serde_json::to_string_pretty(document)?)
}

/// A table with aligned columns, under the names in the first row. Numbers and what else begins like one are aligned to the right, text to
/// the left.
pub(crate) fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let is_number =
        |cell: &str| cell.starts_with(|first: char| first.is_ascii_digit() || "+-–<>".contains(first));
    let is_right = |column: usize| {
        let mut cells = rows.iter().skip(1).filter_map(|row| row.get(column)).filter(|cell| !cell.is_empty());
        column > 0 && cells.all(|cell| is_number(cell))
    };
    let right: Vec<bool> = (0..columns).map(is_right).collect();
    let mut text = String::new();
    for row in rows {
        let cells: Vec<String> = row
            .iter()
            .enumerate()
            .map(|(column, cell)| match right[column] {
                true => format!("{cell:>width$}", width = widths[column]),
                false => format!("{cell:<width$}", width = widths[column]),
            })
            .collect();
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
    text
}

/// `1234567` as `1,234,567`.
pub(crate) fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        let check = |n, expected: &str| assert_eq!(grouped(n), expected);
        check(0, "0");
        check(999, "999");
        check(1_000, "1,000");
        check(1_234_567, "1,234,567");
    }

    #[test]
    fn columns_are_aligned() {
        let check = |rows: &[[&str; 3]], expected: &str| {
            let rows: Vec<Vec<String>> = rows.iter().map(|row| row.map(str::to_owned).to_vec()).collect();
            assert_eq!(table(&rows), expected);
        };
        let rows = [["type", "n", "message"], ["a", "100", "too high: 9"], ["bc", "", "low"]];
        check(&rows, "type    n  message\na     100  too high: 9\nbc         low\n");
        check(&[["", "a", "b"], ["x", "1.5", "-"], ["y", "10", "2"]], "     a  b\nx  1.5  -\ny   10  2\n");
    }
}
