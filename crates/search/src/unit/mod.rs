//! UCUM units: a code → the canonical unit of its dimension and an exact factor. Substances are never converted into each other: `mol`, `[IU]`,
//! `eq` and `osm` are dimensions of their own here, although UCUM calls some of them plain numbers.

mod convert;
mod factor;
mod grammar;
mod table;

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use compact_str::CompactString;
use fhir::Decimal;

use factor::Factor;
use table::{BASES, N_BASES};

/// The system of UCUM codes.
pub const UCUM: &str = "http://unitsofmeasure.org";

/// Most units that a thread remembers.
const UNITS_MAX: usize = 1_000;

/// A unit that can be converted.
#[derive(Clone, Debug, PartialEq)]
pub struct Unit {
    factor: Factor,
    /// Added to the number before it is multiplied: degrees of temperature do not begin at zero.
    offset: Option<Decimal>,
    /// The factor's numerator, when it is not 1.
    numerator: Option<Decimal>,
    canonical: CompactString,
}

/// Exponents of the base units.
type Dimensions = [i8; N_BASES];

/// The unit of a UCUM code; `None` when the code is not UCUM, or cannot be converted.
pub fn parse(code: &str) -> Option<Unit> {
    let (factor, dimensions, offset) = match table::special(grammar::without_annotation(code)) {
        Some((factor, offset)) => (factor, table::kelvin(), Some(Decimal::parse(offset)?)),
        None => {
            let (factor, dimensions) = grammar::parse(code)?;
            (factor, dimensions, None)
        }
    };
    let numerator = factor.numerator();
    Some(Unit { factor, offset, numerator, canonical: name_of(&dimensions) })
}

/// The same, remembered by this thread: resources use few units over and over.
pub(crate) fn cached(code: &str) -> Option<Arc<Unit>> {
    thread_local! {
        static UNITS: RefCell<HashMap<CompactString, Option<Arc<Unit>>>> = RefCell::default();
    }
    UNITS.with_borrow_mut(|units| {
        if let Some(known) = units.get(code) {
            return known.clone();
        }
        if units.len() >= UNITS_MAX {
            units.clear();
        }
        let unit = parse(code).map(Arc::new);
        units.insert(code.into(), unit.clone());
        unit
    })
}

impl Unit {
    /// The canonical unit.
    pub fn canonical(&self) -> &str {
        &self.canonical
    }

    /// The sort key of a number in canonical units. Two numbers that mean the same have the same key: fractions that do not end are cut at
    /// [`convert::DIGITS`] digits, always in the same way.
    pub fn convert(&self, number: &Decimal) -> Vec<u8> {
        let moved;
        let mut number = number;
        if let Some(offset) = &self.offset {
            moved = number.plus(offset);
            number = &moved;
        }
        let scaled;
        if let Some(numerator) = &self.numerator {
            scaled = number.times(numerator);
            number = &scaled;
        }
        if self.factor.denominator() == 1 {
            number.key()
        } else {
            convert::quotient(number, self.factor.denominator()).key()
        }
    }
}

/// `g.m-3`; `1` without dimensions.
fn name_of(dimensions: &Dimensions) -> CompactString {
    let mut name = CompactString::default();
    for (base, exponent) in BASES.iter().zip(dimensions).filter(|(_, exponent)| **exponent != 0) {
        if !name.is_empty() {
            name.push('.');
        }
        name.push_str(base);
        if *exponent != 1 {
            name.push_str(&exponent.to_string());
        }
    }
    if name.is_empty() { "1".into() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: &str, code: &str) -> (Vec<u8>, String) {
        let unit = parse(code).unwrap_or_else(|| panic!("{code} is a unit"));
        (unit.convert(&Decimal::parse(number).unwrap()), unit.canonical().to_string())
    }

    fn same(a: (&str, &str), b: (&str, &str)) {
        assert_eq!(key(a.0, a.1), key(b.0, b.1), "{a:?} {b:?}");
    }

    #[test]
    fn what_means_the_same_has_the_same_key() {
        same(("1", "mg/dL"), ("10", "mg/L"));
        same(("1", "g/L"), ("1000", "ug/mL"));
        same(("120", "mm[Hg]"), ("12", "cm[Hg]"));
        same(("37", "Cel"), ("98.6", "[degF]"));
        same(("310.15", "K"), ("37.0", "Cel"));
        same(("1", "[lb_av]"), ("0.45359237", "kg"));
        same(("1", "[in_i]"), ("2.54", "cm"));
        same(("60", "/min"), ("1", "/s"));
        same(("60", "{beats}/min"), ("3600", "/h"));
        same(("2", "wk"), ("14", "d"));
        same(("1", "a"), ("12", "mo"));
        same(("50", "%"), ("0.5", "1"));
        same(("4.5", "10*3/uL"), ("4500000", "/mL"));
        same(("1", "10*9/L"), ("1", "10*3/uL"));
        same(("1", "U/L"), ("1000", "mU/L"));
        same(("1", "U"), ("1", "umol/min"));
        same(("1", "k[IU]"), ("1000", "[IU]"));
        same(("22", "kg/m2"), ("22000", "g.m-2"));
        same(("1", "mL/min/{1.73_m2}"), ("60", "mL/h"));
        same(("1", "kcal"), ("4184", "J"));
        same(("3", "{score}"), ("3", "1"));
        same(("1", "N"), ("1", "kg.m/s2"));
        same(("1", "(mg/dL)"), ("10", "mg/L"));
        same(("1", "m3"), ("1000", "L"));
        same(("1", "dar"), ("1", "dar"));
    }

    #[test]
    fn substances_stay_apart() {
        let unit = |code| parse(code).unwrap().canonical().to_string();
        assert_ne!(unit("mmol/L"), unit("mg/dL"));
        assert_ne!(unit("mmol/L"), unit("/L"));
        assert_ne!(unit("meq/L"), unit("mmol/L"));
        assert_ne!(unit("[IU]/L"), unit("U/L"));
        assert_eq!(unit("mg/dL"), "m-3.g");
    }

    #[test]
    fn what_is_no_unit_is_refused() {
        for code in [
            "", "foo", "mg/", "/", "mg..L", "mg dL", "(mg", "mg)", "[pH]", "Cel/min", "kCel", "mg/dL/",
            "m300", "{", "}", "{a", "10*", "kmin", "é",
        ] {
            assert_eq!(parse(code).map(|unit| unit.canonical().to_string()), None, "{code}");
        }
        assert_eq!(parse(&"(".repeat(100_000)), None);
        assert_eq!(parse(&"m.".repeat(100_000)), None);
    }

    #[test]
    fn order_is_kept() {
        let unit = parse("/min").unwrap();
        let keys: Vec<Vec<u8>> = ["-1", "0", "0.001", "59", "59.9", "60", "61"]
            .iter()
            .map(|n| unit.convert(&Decimal::parse(n).unwrap()))
            .collect();
        assert!(keys.is_sorted());
    }

    proptest::proptest! {
        #[test]
        fn no_text_breaks_the_parser(code in "\\PC{0,20}") {
            parse(&code);
        }
    }
}
