//! `compare`: a value stands in an order to the value of another column of the same row.

use std::cmp::Ordering;

use arrow::array::AsArray as _;
use arrow::buffer::BooleanBuffer;
use table::{Batch, Type};

use crate::check::cells::{Cells, Scalars, all_present};
use crate::check::rule::{Judged, RowTest, Rule, Start, Test};
use crate::check::spec::Planned;
use crate::yaml::Fields;
use crate::{EtlError, Problems, Word};

const DAY_MICROS: i64 = 86_400_000_000;

/// How two values stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Relation {
    Less,
    LessOrEqual,
    Equal,
    NotEqual,
    GreaterOrEqual,
    Greater,
}

const WORDS: [(&str, Relation); 6] = [
    ("<", Relation::Less),
    ("<=", Relation::LessOrEqual),
    ("=", Relation::Equal),
    ("!=", Relation::NotEqual),
    (">=", Relation::GreaterOrEqual),
    (">", Relation::Greater),
];

impl Relation {
    fn holds(self, ordering: Ordering) -> bool {
        match self {
            Relation::Less => ordering.is_lt(),
            Relation::LessOrEqual => ordering.is_le(),
            Relation::Equal => ordering.is_eq(),
            Relation::NotEqual => ordering.is_ne(),
            Relation::GreaterOrEqual => ordering.is_ge(),
            Relation::Greater => ordering.is_gt(),
        }
    }

    fn word(self) -> &'static str {
        WORDS.iter().find(|(_, relation)| *relation == self).map_or("", |(word, _)| word)
    }
}

#[derive(Debug)]
struct Compare {
    /// `<`, `<=`, `=`, `!=`, `>=` or `>`.
    relation: Relation,
    /// The other column.
    other: Word,
}

pub(super) fn decode(fields: &mut Fields<'_>, problems: &mut Problems) -> Option<Box<dyn Rule>> {
    fields.required("is", problems)?;
    let relation = fields.choice("is", &WORDS, problems);
    let other = fields.required_text("than", problems);
    Some(Box::new(Compare { relation: relation?, other: other? }))
}

/// What can be compared with what.
#[derive(PartialEq, Eq)]
enum Family {
    Text,
    Number,
    Time,
    Boolean,
}

fn family_of(kind: Type) -> Family {
    match kind {
        Type::Text => Family::Text,
        Type::Integer | Type::Decimal { .. } | Type::Number => Family::Number,
        Type::Date | Type::Instant => Family::Time,
        Type::Boolean => Family::Boolean,
    }
}

impl Rule for Compare {
    fn plan(&self, planned: &Planned<'_>, problems: &mut Problems) {
        let column = &planned.columns[0];
        let Some(other) = planned.all.get(&self.other) else {
            problems.add(self.other.at, format!("there is no column `{}` to compare with", self.other));
            return;
        };
        let family = family_of(column.kind);
        if family != family_of(other.kind) {
            problems.add(
                self.other.at,
                format!(
                    "`{}` is {} and `{}` is {}: declare both as numbers or both as dates",
                    column.name, column.kind, other.name, other.kind
                ),
            );
        } else if matches!(family, Family::Text | Family::Boolean)
            && !matches!(self.relation, Relation::Equal | Relation::NotEqual)
        {
            problems.add(
                self.other.at,
                format!("`{}` is {}: it can be compared with `=` and `!=` only", column.name, column.kind),
            );
        }
    }

    fn start(&self, _start: &Start<'_>) -> Result<Test, EtlError> {
        Ok(Test::Row(Box::new(Comparing { relation: self.relation })))
    }

    fn must(&self) -> String {
        format!("must be {} `{}`", self.relation.word(), self.other)
    }

    fn hint(&self) -> String {
        format!(
            "look at both columns of the rows: one of them is wrong, or `{}` holds something else than its name says",
            self.other
        )
    }

    fn more_columns(&self) -> Vec<&Word> {
        vec![&self.other]
    }
}

struct Comparing {
    relation: Relation,
}

impl RowTest for Comparing {
    fn judge(&mut self, cells: &[&Cells], batch: &Batch) -> Result<Judged, EtlError> {
        let (one, other, n) = (cells[0], cells[1], batch.n_rows());
        let relation = self.relation;
        let assessed = all_present(cells, n);
        let passing = match (one.text(), other.text()) {
            (Some(one), Some(other)) => BooleanBuffer::collect_bool(n, |row| {
                one.get(row).zip(other.get(row)).is_some_and(|(one, other)| relation.holds(one.cmp(other)))
            }),
            _ => match (one.scalars(), other.scalars()) {
                (Some(one), Some(other)) => BooleanBuffer::collect_bool(n, |row| {
                    ordering(&one, &other, row).is_some_and(|ordering| relation.holds(ordering))
                }),
                _ => {
                    let (one, other) = (one.array.as_boolean(), other.array.as_boolean());
                    BooleanBuffer::collect_bool(n, |row| {
                        relation.holds(one.value(row).cmp(&other.value(row)))
                    })
                }
            },
        };
        Ok(Judged { assessed, failing: !&passing })
    }
}

/// The order of two cells of one row. A day and a moment are compared by their days.
fn ordering(one: &Scalars<'_>, other: &Scalars<'_>, row: usize) -> Option<Ordering> {
    use Scalars::{Days, Decimal, Micros, Number, Whole};
    Some(match (one, other) {
        (Whole(a), Whole(b)) | (Micros(a), Micros(b)) => a[row].cmp(&b[row]),
        (Days(a), Days(b)) => a[row].cmp(&b[row]),
        (Days(a), Micros(b)) => i64::from(a[row]).cmp(&b[row].div_euclid(DAY_MICROS)),
        (Micros(a), Days(b)) => a[row].div_euclid(DAY_MICROS).cmp(&i64::from(b[row])),
        (Number(a), Number(b)) => a[row].partial_cmp(&b[row])?,
        (Number(a), Whole(b)) => a[row].partial_cmp(&(b[row] as f64))?,
        (Whole(a), Number(b)) => (a[row] as f64).partial_cmp(&b[row])?,
        (Number(a), Decimal(b, scale)) => a[row].partial_cmp(&float_of(b[row], *scale))?,
        (Decimal(a, scale), Number(b)) => float_of(a[row], *scale).partial_cmp(&b[row])?,
        (Decimal(a, sa), Decimal(b, sb)) => decimals((a[row], *sa), (b[row], *sb)),
        (Decimal(a, sa), Whole(b)) => decimals((a[row], *sa), (b[row].into(), 0)),
        (Whole(a), Decimal(b, sb)) => decimals((a[row].into(), 0), (b[row], *sb)),
        _ => return None,
    })
}

fn float_of(unscaled: i128, scale: u8) -> f64 {
    unscaled as f64 / 10_f64.powi(i32::from(scale))
}

/// Exact, also where the digits of one do not fit beside those of the other.
fn decimals((a, sa): (i128, u8), (b, sb): (i128, u8)) -> Ordering {
    let scale = sa.max(sb);
    let scaled = |n: i128, own: u8| n.checked_mul(10_i128.checked_pow(u32::from(scale - own))?);
    match (scaled(a, sa), scaled(b, sb)) {
        (Some(a), Some(b)) => a.cmp(&b),
        // What does not fit is further from zero than anything that does.
        (None, _) => a.cmp(&0),
        (_, None) => 0.cmp(&b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_compared_exactly() {
        assert_eq!(decimals((150, 2), (15, 1)), Ordering::Equal);
        assert_eq!(decimals((151, 2), (15, 1)), Ordering::Greater);
        assert_eq!(decimals((i128::MAX, 0), (1, 38)), Ordering::Greater);
        assert_eq!(decimals((1, 38), (i128::MIN, 0)), Ordering::Greater);
    }
}
