//! A measured value as the input of a formula: a column, its unit, and the unit of the formula. Imputed values do not count.

use arrow::array::{Array as _, AsArray as _, BooleanArray};
use clinical::Number;
use clinical::units::{NotConverted, Unit, convert, parse_unit};
use table::{Batch, Columns, Type};

use super::NAME;
use crate::step::cells::{NumberCell, PerValue, is_number, need, numbers_of};
use crate::yaml::{Fields, Kind};
use crate::{EtlError, Problems, Word};

/// What a formula needs: a name for texts, the LOINC code by which units convert, the unit of the formula.
#[derive(Clone, Copy, Debug)]
pub(super) struct Needed {
    pub(super) key: &'static str,
    pub(super) loinc: &'static str,
    pub(super) unit: Unit,
}

/// A column with its unit.
#[derive(Clone, Debug)]
pub(super) struct Measure {
    pub(super) needed: Needed,
    pub(super) column: Word,
    unit: UnitOf,
}

/// Where the unit of a value is said.
#[derive(Clone, Debug)]
enum UnitOf {
    /// In the file.
    Fixed(Unit),
    /// In a column of the row.
    Column(Word),
}

/// Why there is no value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Lack {
    Missing,
    Imputed,
    NoNumber,
    NoUnit,
    WrongUnit,
}

impl Lack {
    pub(super) fn text(self) -> &'static str {
        match self {
            Lack::Missing => "missing",
            Lack::Imputed => "imputed",
            Lack::NoNumber => "no number",
            Lack::NoUnit => "no unit",
            Lack::WrongUnit => "unit does not convert",
        }
    }
}

impl Measure {
    /// Decodes `weight: {column: weight_kg, unit: kg}`; `unit: {column: weight_unit}` when the rows say it.
    pub(super) fn decode(
        needed: Needed,
        fields: &mut Fields<'_>,
        problems: &mut Problems,
    ) -> Option<Measure> {
        let node = fields.required(needed.key, problems)?;
        let what = format!("`{}` of {}", needed.key, fields.what());
        if !matches!(node.kind, Kind::Map(_)) {
            let unit = needed.unit.ucum();
            problems.add(node.at, format!("{what} needs its unit: write `{{column: name, unit: {unit}}}`"));
            return None;
        }
        let mut own = node.fields(what.clone(), problems);
        let column = own.required_text("column", problems);
        let unit = own.required("unit", problems).and_then(|node| {
            if let Kind::Map(_) = node.kind {
                let mut of_row = node.fields(format!("the unit of {what}"), problems);
                let column = of_row.required_text("column", problems);
                of_row.end(problems);
                return column.map(UnitOf::Column);
            }
            let word = node.text(&format!("the unit of {what}"), problems)?;
            match parse_unit(&word).filter(|unit| converts(needed, *unit)) {
                Some(unit) => Some(UnitOf::Fixed(unit)),
                None => {
                    let message = format!(
                        "`{word}` is no unit of {what}: it converts to {} only from its own units",
                        needed.unit
                    );
                    problems.add(word.at, message);
                    None
                }
            }
        });
        own.end(problems);
        Some(Measure { needed, column: column?, unit: unit? })
    }

    pub(super) fn plan(&self, columns: &Columns, problems: &mut Problems) {
        need(columns, &self.column, NAME, is_number, "a number", problems);
        if let UnitOf::Column(column) = &self.unit {
            need(columns, column, NAME, |kind| kind == Type::Text, "text: a unit", problems);
        }
    }

    /// The columns that are read.
    pub(super) fn columns(&self) -> Vec<String> {
        let mut columns = vec![self.column.text.clone()];
        columns.extend(if let UnitOf::Column(column) = &self.unit {
            Some(column.text.clone())
        } else {
            None
        });
        columns
    }
}

fn converts(needed: Needed, unit: Unit) -> bool {
    !matches!(
        convert(needed.loinc, Number::from(1), unit, needed.unit),
        Err(NotConverted::WrongUnit { .. } | NotConverted::UnknownAnalyte)
    )
}

/// A measured value at work.
pub(super) struct Measuring {
    pub(super) measure: Measure,
    units: PerValue<Option<Unit>>,
    /// Columns that say that a value was imputed.
    flags: Vec<String>,
}

impl Measuring {
    pub(super) fn of(measure: &Measure, columns: &Columns) -> Measuring {
        let flags = ["imputed", "was_missing"].map(|suffix| format!("{}_{suffix}", measure.column));
        let is_flag = |name: &String| columns.get(name).is_some_and(|column| column.kind == Type::Boolean);
        let flags = flags.into_iter().filter(is_flag).collect();
        Measuring { measure: measure.clone(), units: PerValue::new(), flags }
    }

    /// The values in the unit of the formula.
    pub(super) fn read(&mut self, batch: &Batch) -> Result<Vec<Result<Number, Lack>>, EtlError> {
        let Needed { loinc, unit: to, .. } = self.measure.needed;
        let mut values: Vec<Result<Number, Lack>> = numbers_of(batch, &self.measure.column)?
            .into_iter()
            .map(|cell| match cell {
                NumberCell::Number(number) => Ok(number),
                NumberCell::Missing => Err(Lack::Missing),
                NumberCell::Bad => Err(Lack::NoNumber),
            })
            .collect();
        for flag in &self.flags {
            let flags: &BooleanArray = batch.array(flag)?.as_boolean();
            for (row, value) in values.iter_mut().enumerate() {
                if !flags.is_null(row) && flags.value(row) {
                    *value = Err(Lack::Imputed);
                }
            }
        }
        let converted =
            |number: Number, from: Unit| convert(loinc, number, from, to).map_err(|_| Lack::WrongUnit);
        match &self.measure.unit {
            UnitOf::Fixed(from) if *from == to => {}
            UnitOf::Fixed(from) => {
                values
                    .iter_mut()
                    .for_each(|value| *value = value.and_then(|number| converted(number, *from)));
            }
            UnitOf::Column(column) => {
                let text = batch.text(column)?;
                let units = &mut self.units;
                // `None`: missing. `Some(None)`: no unit that is known.
                let units = text.map(|text| {
                    let text = text.map(str::trim_ascii).filter(|text| !text.is_empty())?;
                    Some(units.get(text, parse_unit))
                });
                for (value, unit) in values.iter_mut().zip(units) {
                    *value = value.and_then(|number| match unit {
                        Some(Some(from)) => converted(number, from),
                        Some(None) => Err(Lack::WrongUnit),
                        None => Err(Lack::NoUnit),
                    });
                }
            }
        }
        Ok(values)
    }
}
