//! Counts and samples of one check. Samples are places with the shape of the value, never the value.

use arrow::buffer::BooleanBuffer;
use table::{Batch, Value};

use crate::check::cells::Cells;
use crate::report::{RuleQuality, Sample};

/// Places kept per check.
const SAMPLES_MAX: usize = 20;
const SHAPE_CHARS_MAX: usize = 24;

/// Counts the rows of a batch that a check assessed and found failing, and keeps the first places. Both masks are exact: failing rows
/// are assessed ones.
pub(super) fn count(
    rule: &mut RuleQuality,
    assessed: &BooleanBuffer,
    failing: &BooleanBuffer,
    cells: &[&Cells],
    batch: &Batch,
) -> u64 {
    let n_failed = failing.count_set_bits() as u64;
    rule.n_assessed += assessed.count_set_bits() as u64;
    rule.n_failed += n_failed;
    if n_failed > 0 {
        sample_rows(rule, failing, cells, batch);
    }
    n_failed
}

/// Keeps the places of the first rows that fail.
pub(super) fn sample_rows(rule: &mut RuleQuality, failing: &BooleanBuffer, cells: &[&Cells], batch: &Batch) {
    for row in failing.set_indices().take(SAMPLES_MAX.saturating_sub(rule.samples.len())) {
        rule.samples.push(sample(batch, cells, row));
    }
}

fn sample(batch: &Batch, cells: &[&Cells], row: usize) -> Sample {
    let place = batch.place(row);
    let shape = cells.first().and_then(|cells| Value::of(&cells.array, row).ok()?.to_text());
    Sample {
        unit: place.unit,
        unit_name: None,
        line: place.line,
        offset: place.offset,
        shape: shape.map(|text| shape_of(&text)),
    }
}

/// The shape of a text: letters become `A` or `a`, digits `9`, other characters stay. At most 24 characters.
pub(super) fn shape_of(text: &str) -> String {
    let mut chars = text.chars();
    let mut shape: String = chars.by_ref().take(SHAPE_CHARS_MAX - 1).map(shape_of_char).collect();
    match (chars.next(), chars.next()) {
        (Some(last), None) => shape.push(shape_of_char(last)),
        (Some(_), Some(_)) => shape.push('…'),
        (None, _) => {}
    }
    shape
}

fn shape_of_char(c: char) -> char {
    match c {
        _ if c.is_numeric() => '9',
        _ if c.is_uppercase() => 'A',
        _ if c.is_alphabetic() => 'a',
        ' ' => ' ',
        _ if c.is_ascii_punctuation() => c,
        // Blanks, marks and signs of other scripts could stand for what they are.
        _ => '?',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shape_shows_the_form_and_nothing_else() {
        let check = |text: &str, shape: &str| assert_eq!(shape_of(text), shape);
        check("", "");
        check("O'Neil 7", "A'Aaaa 9");
        check("1976-04-07", "9999-99-99");
        check("Ärzte١\u{200d}", "Aaaaa9?");
        check("abcdefghijklmnopqrstuvwx", "aaaaaaaaaaaaaaaaaaaaaaaa");
        check("abcdefghijklmnopqrstuvwxy", "aaaaaaaaaaaaaaaaaaaaaaa…");
    }

    proptest::proptest! {
        #[test]
        fn no_letter_or_digit_survives(text in "\\PC{0,40}") {
            let shape = shape_of(&text);
            proptest::prop_assert!(shape.chars().count() <= SHAPE_CHARS_MAX);
            proptest::prop_assert!(shape.chars().all(|c| matches!(c, 'A' | 'a' | '9' | '…') || !c.is_alphanumeric()));
        }
    }
}
