//! Measured values whose unit is in their type: a wrong unit does not compile, an implausible value is refused.
//!
//! The windows are wide on purpose: they refuse typing errors and other units, not the very ill. Height and weight end at the extremes on
//! record (Wadlow 272 cm, Minnoch 635 kg); the others are a choice of this crate, set so that the other usual unit of a normal value falls
//! outside where that is possible (creatinine 88 µmol/L is no 88 mg/dL, albumin 40 g/L no 40 g/dL, 250,000 platelets/µL no 250,000 × 10⁹/L).

use std::sync::LazyLock;

use crate::{NotComputed, Number};

macro_rules! quantity {
    ($(#[$doc:meta])* $name:ident, $what:literal, $low:literal to $high:literal, $unit:literal) => {
        $(#[$doc])*
        #[doc = concat!("\n\nPlausible from ", $low, " to ", $high, " ", $unit, ".")]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub struct $name(Number);

        impl $name {
            #[doc = concat!("Of a number of `", $unit, "`.")]
            ///
            /// # Errors
            /// The value is outside the plausible window.
            pub fn of(number: Number) -> Result<$name, NotComputed> {
                static LIMITS: LazyLock<[Number; 2]> =
                    LazyLock::new(|| [$low, $high].map(|text| Number::parse(text).expect("limits are numbers")));
                if number < LIMITS[0] || number > LIMITS[1] {
                    let (what, low, high, unit) = ($what, $low, $high, $unit);
                    return Err(NotComputed::OutOfRange { what, low, high, unit });
                }
                Ok($name(number))
            }

            /// The number, without its unit.
            pub fn number(self) -> Number {
                self.0
            }
        }
    };
}

quantity!(/// Body weight in kilograms (`kg`; LOINC 29463-7).
    WeightKg, "weight", "2" to "635", "kg");
quantity!(/// Body height in centimetres (`cm`; LOINC 8302-2).
    HeightCm, "height", "50" to "272", "cm");
quantity!(/// Creatinine in serum or plasma in milligrams per decilitre (`mg/dL`; LOINC 2160-0).
    CreatinineMgPerDl, "creatinine", "0.1" to "40", "mg/dL");
quantity!(/// Creatinine in serum or plasma in micromoles per litre (`umol/L`; LOINC 14682-9).
    CreatinineUmolPerL, "creatinine", "8.84" to "3536", "umol/L");
quantity!(/// Total bilirubin in milligrams per decilitre (`mg/dL`; LOINC 1975-2).
    BilirubinMgPerDl, "bilirubin", "0.1" to "80", "mg/dL");
quantity!(/// Sodium in millimoles per litre (`mmol/L`; LOINC 2951-2).
    SodiumMmolPerL, "sodium", "90" to "200", "mmol/L");
quantity!(/// International normalised ratio of the prothrombin time (`{INR}`; LOINC 6301-6).
    Inr, "INR", "0.5" to "20", "{INR}");
quantity!(/// Albumin in grams per decilitre (`g/dL`; LOINC 1751-7).
    AlbuminGPerDl, "albumin", "0.5" to "8", "g/dL");
quantity!(/// Aspartate aminotransferase in units per litre (`U/L`; LOINC 1920-8).
    AstUPerL, "AST", "1" to "30000", "U/L");
quantity!(/// Alanine aminotransferase in units per litre (`U/L`; LOINC 1742-6).
    AltUPerL, "ALT", "1" to "30000", "U/L");
quantity!(/// Platelets in 10⁹ per litre, the same number as thousands per microlitre (`10*9/L`; LOINC 777-3).
    PlateletsE9PerL, "platelets", "1" to "3000", "10*9/L");

quantity!(/// Respirations per minute (`/min`; LOINC 9279-1). None is a value.
    RespirationsPerMin, "respiratory rate", "0" to "120", "/min");
quantity!(/// Oxygen saturation by pulse oximetry in percent (`%`; LOINC 59408-5, 2708-6).
    Spo2Percent, "oxygen saturation", "0" to "100", "%");
quantity!(/// Systolic blood pressure in millimetres of mercury (`mm[Hg]`; LOINC 8480-6). None is a value.
    SystolicMmHg, "systolic blood pressure", "0" to "350", "mm[Hg]");
quantity!(/// Pulse per minute (`/min`; LOINC 8867-4). None is a value.
    PulsePerMin, "pulse", "0" to "350", "/min");
quantity!(/// Body temperature in degrees Celsius (`Cel`; LOINC 8310-5). A normal temperature in Fahrenheit is outside.
    TemperatureCelsius, "temperature", "10" to "47", "Cel");

impl From<CreatinineUmolPerL> for CreatinineMgPerDl {
    /// By 88.4 µmol/L per mg/dL, to six places. The windows correspond.
    fn from(value: CreatinineUmolPerL) -> CreatinineMgPerDl {
        let number = value.0.scaled(10, 884, 6, crate::Rounding::HalfUp);
        CreatinineMgPerDl(number.expect("at most 40, to six places"))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// The number of a text.
    pub(crate) fn number(text: &str) -> Number {
        Number::parse(text).unwrap_or_else(|| panic!("{text} is a number"))
    }

    #[test]
    fn windows_are_closed() {
        macro_rules! check {
            ($name:ident, $($text:literal $expected:literal),*) => {
                $(assert_eq!($name::of(number($text)).is_ok(), $expected, "{} {}", stringify!($name), $text);)*
            };
        }
        check!(WeightKg, "1.9" false, "2" true, "635" true, "635.1" false);
        check!(HeightCm, "49.9" false, "50" true, "272.0" true, "272.1" false, "0" false);
        check!(CreatinineMgPerDl, "0.09" false, "0.1" true, "40" true, "40.1" false, "88" false);
        check!(CreatinineUmolPerL, "8.83" false, "8.84" true, "3536" true, "3536.1" false, "1.0" false);
        check!(BilirubinMgPerDl, "0.09" false, "0.1" true, "80" true, "80.1" false);
        check!(SodiumMmolPerL, "89" false, "90" true, "200" true, "201" false);
        check!(Inr, "0.4" false, "0.5" true, "20" true, "20.1" false);
        check!(AlbuminGPerDl, "0.4" false, "0.5" true, "8" true, "8.1" false, "40" false);
        check!(AstUPerL, "0" false, "1" true, "30000" true, "30001" false);
        check!(AltUPerL, "0" false, "1" true, "30000" true, "30001" false);
        check!(PlateletsE9PerL, "0" false, "1" true, "3000" true, "3001" false, "250000" false, "-1" false);
        check!(RespirationsPerMin, "-1" false, "0" true, "120" true, "121" false);
        check!(Spo2Percent, "-1" false, "0" true, "100" true, "100.1" false);
        check!(SystolicMmHg, "-1" false, "0" true, "350" true, "351" false);
        check!(PulsePerMin, "-1" false, "0" true, "350" true, "351" false);
        check!(TemperatureCelsius, "9.9" false, "10" true, "47" true, "47.1" false, "98.6" false);
    }

    #[test]
    fn micromoles_become_milligrams() {
        let check = |umol: &str, mg: &str| {
            let value = CreatinineMgPerDl::from(CreatinineUmolPerL::of(number(umol)).unwrap());
            assert_eq!(value.number().to_string(), mg);
        };
        check("88.4", "1.000000");
        check("8.84", "0.100000");
        check("3536", "40.000000");
        check("100", "1.131222");
    }

    #[test]
    fn a_refusal_names_the_limit_and_not_the_value() {
        let error = WeightKg::of(number("900")).unwrap_err().to_string();
        assert_eq!(error, "not computed: `weight` is outside 2 to 635 kg; check value and unit");
    }
}
