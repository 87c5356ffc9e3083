//! FIB-4: age, AST, ALT and platelets to a number that tells how likely advanced liver fibrosis is.
//!
//! Formula: Sterling et al., Hepatology 2006;43:1317. Cut-offs 1.3 and 2.67: Shah et al., Clin Gastroenterol Hepatol 2009;7:1104; 2.0 from 65
//! years and no use below 35: McPherson et al., Am J Gastroenterol 2017;112:740.

use crate::quantity::{AltUPerL, AstUPerL, PlateletsE9PerL};
use crate::{NotComputed, Subject};

/// Below 35 years it is not reliable.
pub const AGE_YEARS_MIN: u16 = 35;
/// From here on the lower cut-off is 2.0.
const AGE_YEARS_HIGHER_CUT: u16 = 65;

/// How likely advanced fibrosis is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Risk {
    /// Below 1.3, from 65 years below 2.0.
    Low,
    /// Up to and including 2.67.
    Indeterminate,
    /// Above 2.67.
    High,
}

/// A FIB-4.
#[derive(Clone, Copy, PartialEq)]
pub struct Fib4 {
    /// Without unit, unrounded.
    pub value: f64,
    /// Its class at this age.
    pub risk: Risk,
}

impl std::fmt::Debug for Fib4 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Fib4")
    }
}

fn risk_of(value: f64, age_years: u16) -> Risk {
    let low = if age_years >= AGE_YEARS_HIGHER_CUT { 2.0 } else { 1.3 };
    match value {
        _ if value < low => Risk::Low,
        _ if value <= 2.67 => Risk::Indeterminate,
        _ => Risk::High,
    }
}

/// age × AST / (platelets × √ALT).
///
/// # Errors
/// Age unknown or below 35.
pub fn fib4(
    ast: AstUPerL,
    alt: AltUPerL,
    platelets: PlateletsE9PerL,
    subject: Subject,
) -> Result<Fib4, NotComputed> {
    let age = subject.age_from(AGE_YEARS_MIN)?;
    let denominator = platelets.number().to_f64() * alt.number().to_f64().sqrt();
    let value = f64::from(age) * ast.number().to_f64() / denominator;
    Ok(Fib4 { value, risk: risk_of(value, age) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quantity::tests::number;
    use crate::subject::tests::person;

    fn of(age: u16, ast: &str, alt: &str, platelets: &str) -> Result<Fib4, NotComputed> {
        let ast = AstUPerL::of(number(ast)).unwrap();
        let alt = AltUPerL::of(number(alt)).unwrap();
        fib4(ast, alt, PlateletsE9PerL::of(number(platelets)).unwrap(), person(age, false))
    }

    #[test]
    fn values() {
        let check = |age, ast, alt, platelets, expected: f64, risk| {
            let found = of(age, ast, alt, platelets).unwrap();
            assert!(
                (found.value - expected).abs() < 0.0005,
                "{age} {ast} {alt} {platelets}: {}",
                found.value
            );
            assert_eq!(found.risk, risk);
        };
        check(60, "80", "40", "150", 5.060, Risk::High);
        check(52, "25", "25", "200", 1.300, Risk::Indeterminate);
        check(51, "25", "25", "200", 1.275, Risk::Low);
        check(64, "30", "25", "200", 1.920, Risk::Indeterminate);
        check(65, "30", "25", "200", 1.950, Risk::Low);
        check(80, "25", "25", "200", 2.000, Risk::Indeterminate);
        check(35, "20", "25", "280", 0.5, Risk::Low);
        assert_eq!(of(34, "20", "25", "280"), Err(NotComputed::TooYoung { age_years_min: 35 }));
    }

    #[test]
    fn edges() {
        for (value, age, risk) in [
            (1.2999, 64, Risk::Low),
            (1.3, 64, Risk::Indeterminate),
            (1.9999, 65, Risk::Low),
            (2.0, 65, Risk::Indeterminate),
            (2.67, 40, Risk::Indeterminate),
            (2.6701, 40, Risk::High),
        ] {
            assert_eq!(risk_of(value, age), risk, "{value} at {age}");
        }
    }
}
