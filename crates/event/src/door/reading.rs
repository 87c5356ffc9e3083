//! One value as any door hands it over, made a measurement: name to LOINC, unit to canonical unit, limits. The same for JSON, HL7 v2 and FHIR.

use clinical::Number;
use clinical::code::check_loinc;
use clinical::units::{convert, parse_unit};

use super::number::number_of;
use crate::measure::{Form, breathing, consciousness, named};
use crate::{
    Comparator, Measure, Measurement, SourceConfig, Status, UNREADABLE, Value, Why, measure_of_loinc,
};

/// Longest text of a value.
const TEXT_CHARS_MAX: usize = 1024;

/// The flag of a value whose name nobody knows here.
const UNMAPPED: &str = "unmapped";

/// The value as it stands.
#[derive(Clone, Copy)]
pub(crate) enum Raw<'a> {
    /// A number or a text.
    Text(&'a str),
    /// Yes or no.
    Bool(bool),
    /// Said to be absent, and why.
    Absent(&'a str),
    /// Something that is no value, such as a list.
    Unfit,
}

/// One value as it was sent.
#[derive(Clone)]
pub(crate) struct Reading<'a> {
    pub(crate) name: Option<&'a str>,
    pub(crate) loinc: Option<&'a str>,
    pub(crate) raw: Raw<'a>,
    pub(crate) comparator: Option<Comparator>,
    pub(crate) unit: Option<&'a str>,
    pub(crate) status: Status,
    pub(crate) result: Option<String>,
    pub(crate) flags: Vec<String>,
    /// What an event that went through a door before was made of.
    pub(crate) sent: Option<String>,
}

impl<'a> Reading<'a> {
    /// A value with a name and nothing else.
    pub(crate) fn of(name: &'a str, raw: Raw<'a>) -> Reading<'a> {
        let (loinc, comparator, unit, status) = (None, None, None, Status::default());
        let (result, flags, sent) = (None, Vec::new(), None);
        Reading { name: Some(name), loinc, raw, comparator, unit, status, result, flags, sent }
    }

    /// The measurement. `keep_unknown`: a name that nobody knows is kept, with the flag `unmapped`, rather than an error.
    pub(crate) fn measured(&self, source: &SourceConfig, keep_unknown: bool) -> Result<Measurement, Why> {
        let meaning = self.meaning(source, keep_unknown)?;
        let sane = Measurement {
            name: match (meaning.measure, self.name, &meaning.loinc) {
                (Some(measure), _, _) => measure.name.into(),
                (None, _, Some(loinc)) => loinc.as_str().into(),
                (None, name, None) => name.unwrap_or_default().into(),
            },
            loinc: meaning.loinc.as_deref().map(Into::into),
            value: Value::Absent(String::new()),
            comparator: None,
            unit: None,
            sent: self.sent.clone(),
            status: self.status,
            result: self.result.clone(),
            flags: self.flags.clone(),
        };
        let text = match self.raw {
            Raw::Absent(reason) => {
                return Ok(Measurement { value: Value::Absent(reason.to_owned()), ..sane });
            }
            Raw::Unfit => return Err(Why::Expected("a number, a text or an object with `value`")),
            Raw::Bool(true) => "true",
            Raw::Bool(false) => "false",
            Raw::Text(text) if text.chars().count() > TEXT_CHARS_MAX => {
                return Err(Why::TooLarge { max: TEXT_CHARS_MAX, of: "characters" });
            }
            Raw::Text(text) => text,
        };
        match meaning.measure {
            Some(measure) => self.known(measure, meaning.unit, text, source, sane),
            None => Ok(self.unknown(text, meaning.loinc.is_none(), sane)),
        }
    }

    /// What stays of a value that could not be read: its name, what came, and why.
    pub(crate) fn unreadable(&self, why: &crate::Refusal) -> Measurement {
        let measure = self.name.and_then(named).map(|named| named.measure);
        let measure = measure.or_else(|| self.loinc.and_then(measure_of_loinc));
        let came = match self.raw {
            Raw::Text(text) => text.chars().take(TEXT_CHARS_MAX).collect(),
            Raw::Bool(truth) => truth.to_string(),
            Raw::Absent(_) | Raw::Unfit => String::new(),
        };
        let mut flags = self.flags.clone();
        flags.push(UNREADABLE.to_owned());
        let name = self.name.or(self.loinc).unwrap_or("?");
        Measurement {
            name: measure.map_or(name, |measure| measure.name).into(),
            loinc: measure.and_then(Measure::loinc).or(self.loinc).map(Into::into),
            value: Value::Absent(why.to_string()),
            comparator: None,
            unit: None,
            sent: Some(said(self.comparator, &came, self.unit)).filter(|sent| !sent.is_empty()),
            status: self.status,
            result: self.result.clone(),
            flags,
        }
    }

    fn meaning(&self, source: &SourceConfig, keep_unknown: bool) -> Result<Meaning, Why> {
        // What a door has marked as unreadable is read again as it stands.
        let is_marked = self.flags.iter().any(|flag| flag == UNREADABLE);
        if let Some(code) = self.loinc {
            if is_marked {
                return Ok(Meaning::of_loinc(code));
            }
            check_loinc(code).map_err(|_| Why::Expected("a LOINC code"))?;
            return Ok(Meaning::of_loinc(code));
        }
        let name = self.name.ok_or(Why::Missing)?;
        let name = source.codes.get(name).map_or(name, String::as_str);
        if let Some(found) = named(name) {
            let loinc = found.measure.loinc().map(str::to_owned);
            return Ok(Meaning { measure: Some(found.measure), loinc, unit: found.unit });
        }
        if check_loinc(name).is_ok() {
            return Ok(Meaning::of_loinc(name));
        }
        if keep_unknown || is_marked {
            return Ok(Meaning { measure: None, loinc: None, unit: None });
        }
        Err(Why::UnknownName)
    }

    /// A value of a measure that is known here.
    fn known(
        &self,
        measure: &'static Measure,
        unit_of_name: Option<&'static str>,
        text: &str,
        source: &SourceConfig,
        sane: Measurement,
    ) -> Result<Measurement, Why> {
        let word = match measure.form {
            Form::Consciousness => Some(
                consciousness(text)
                    .ok_or(Why::Expected("`A`, `C`, `V`, `P`, `U` or the word for one of them"))?,
            ),
            Form::Breathing => Some(breathing(text).ok_or(Why::Expected("`air` or `oxygen`"))?),
            Form::Number => None,
        };
        if let Some(word) = word {
            return Ok(Measurement { value: Value::Text(word.to_owned()), ..sane });
        }
        let (comparator, number) = number_of(text)?;
        let comparator = self.comparator.or(comparator);
        let configured =
            || source.units.get(measure.name).or_else(|| source.units.get(sane.loinc.as_deref()?));
        let unit = match self.unit.map(str::trim).filter(|unit| !unit.is_empty()).or(unit_of_name) {
            Some(unit) => unit,
            None => match configured() {
                Some(unit) => unit.as_str(),
                None if measure.is_conventional => measure.unit,
                None => return Err(Why::MissingUnit { usual: measure.unit }),
            },
        };
        let value = in_canonical_unit(measure, number, unit)?;
        if !measure.is_sane(value) {
            let (low, high) = (measure.low.to_string(), measure.high.to_string());
            return Err(Why::Absurd { low, high, unit: measure.unit });
        }
        let is_same = unit == measure.unit;
        Ok(Measurement {
            value: Value::Number(value),
            comparator,
            unit: Some(measure.unit.into()),
            sent: if is_same {
                sane.sent.clone()
            } else {
                Some(said(comparator, &number.to_string(), Some(unit)))
            },
            ..sane
        })
    }

    /// A value of which only the code or the name is known: as it came.
    fn unknown(&self, text: &str, is_unmapped: bool, mut sane: Measurement) -> Measurement {
        if is_unmapped && !sane.flags.iter().any(|flag| flag == UNMAPPED) {
            sane.flags.push(UNMAPPED.to_owned());
        }
        let unit = self.unit.map(str::trim).filter(|unit| !unit.is_empty());
        match number_of(text) {
            Ok((comparator, number)) => Measurement {
                value: Value::Number(number),
                comparator: self.comparator.or(comparator),
                unit: unit.map(Into::into),
                ..sane
            },
            Err(_) => Measurement { value: Value::Text(text.to_owned()), unit: unit.map(Into::into), ..sane },
        }
    }
}

/// What a name or a code means.
struct Meaning {
    measure: Option<&'static Measure>,
    loinc: Option<String>,
    /// The unit that the name says.
    unit: Option<&'static str>,
}

impl Meaning {
    fn of_loinc(code: &str) -> Meaning {
        Meaning { measure: measure_of_loinc(code), loinc: Some(code.to_owned()), unit: None }
    }
}

fn said(comparator: Option<Comparator>, value: &str, unit: Option<&str>) -> String {
    let unit = unit.map(str::trim).filter(|unit| !unit.is_empty());
    format!(
        "{}{value}{}{}",
        comparator.map_or("", Comparator::sign),
        unit.map_or("", |_| " "),
        unit.unwrap_or("")
    )
}

/// The value in the measure's unit.
fn in_canonical_unit(measure: &Measure, value: Number, unit: &str) -> Result<Number, Why> {
    if unit == measure.unit {
        return Ok(value);
    }
    // A letter alone means nothing elsewhere; of a temperature it can only be one of two.
    let unit = match (measure.name, unit) {
        ("temperature", "F") => "[degF]",
        ("temperature", "C") => "Cel",
        _ => unit,
    };
    let wrong = || Why::UnknownUnit { usual: measure.unit };
    let unit = parse_unit(unit).ok_or_else(wrong)?;
    if unit.ucum() == measure.unit {
        return Ok(value);
    }
    let canonical = parse_unit(measure.unit).ok_or_else(wrong)?;
    let loinc = measure.loinc().ok_or_else(wrong)?;
    convert(loinc, value, unit, canonical).map_err(|problem| match problem {
        clinical::units::NotConverted::OutOfRange => Why::TooManyDigits,
        _ => wrong(),
    })
}
