//! Ranges of measurements beyond which a record is wrong, not a person ill. By LOINC code and UCUM unit.
//!
//! Wide on purpose, a little beyond the extremes that were ever reported of living people: 272 cm and 635 kg (the tallest and the heaviest
//! man), 0.21 kg (the lightest newborn that lived), 11.8 °C and 46.5 °C (survived), 370/360 mm Hg (lifting weights), a glucose of
//! 2,656 mg/dL (survived). They find mixed-up units and slipped points.

/// Unit, lowest and highest plausible value.
pub(crate) type Range = (&'static str, f64, f64);

/// The ranges of a LOINC code, one per unit; none when nothing is known.
pub(crate) fn ranges_of(loinc: &str) -> &'static [Range] {
    RANGES.binary_search_by_key(&loinc, |(code, _)| code).map_or(&[], |at| RANGES[at].1)
}

#[rustfmt::skip]
const RANGES: &[(&str, &[Range])] = &[
    ("1751-7",  &[("g/dL", 0.3, 8.0)]),                                             // albumin
    ("2093-3",  &[("mg/dL", 10.0, 3000.0), ("mmol/L", 0.25, 80.0)]),                // cholesterol
    ("2160-0",  &[("mg/dL", 0.02, 60.0), ("umol/L", 2.0, 5500.0)]),                 // creatinine, serum
    ("2339-0",  &[("mg/dL", 1.0, 3000.0), ("mmol/L", 0.05, 170.0)]),                // glucose, blood
    ("2345-7",  &[("mg/dL", 1.0, 3000.0), ("mmol/L", 0.05, 170.0)]),                // glucose, serum
    ("2708-6",  &[("%", 5.0, 100.0)]),                                              // oxygen saturation, arterial
    ("2823-3",  &[("mmol/L", 0.8, 16.0)]),                                          // potassium, serum
    ("29463-7", &[("kg", 0.2, 650.0), ("g", 200.0, 650_000.0), ("[lb_av]", 0.4, 1433.0)]), // body weight
    ("2947-0",  &[("mmol/L", 80.0, 260.0)]),                                        // sodium, blood
    ("2951-2",  &[("mmol/L", 80.0, 260.0)]),                                        // sodium, serum
    ("33914-3", &[("mL/min", 0.0, 300.0), ("mL/min/{1.73_m2}", 0.0, 300.0)]),       // eGFR
    ("39156-5", &[("kg/m2", 4.0, 210.0)]),                                          // body mass index
    ("4548-4",  &[("%", 2.0, 30.0)]),                                               // HbA1c
    ("59408-5", &[("%", 5.0, 100.0)]),                                              // oxygen saturation, pulse oximetry
    ("6298-4",  &[("mmol/L", 0.8, 16.0)]),                                          // potassium, blood
    ("718-7",   &[("g/dL", 0.5, 30.0)]),                                            // haemoglobin
    ("8302-2",  &[("cm", 15.0, 280.0), ("m", 0.15, 2.8), ("[in_i]", 6.0, 110.0)]),  // body height
    ("8310-5",  &[("Cel", 11.0, 47.0), ("[degF]", 52.0, 117.0)]),                   // body temperature
    ("8462-4",  &[("mm[Hg]", 0.0, 365.0)]),                                         // diastolic blood pressure
    ("8480-6",  &[("mm[Hg]", 0.0, 375.0)]),                                         // systolic blood pressure
    ("8867-4",  &[("/min", 0.0, 480.0), ("{beats}/min", 0.0, 480.0)]),              // heart rate
    ("9279-1",  &[("/min", 0.0, 150.0), ("{breaths}/min", 0.0, 150.0)]),            // respiratory rate
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_sorted_and_found() {
        assert!(RANGES.is_sorted_by(|a, b| a.0 < b.0));
        assert_eq!(ranges_of("8867-4")[0].2, 480.0);
        assert!(ranges_of("0-0").is_empty());
        assert!(RANGES.iter().flat_map(|(_, ranges)| *ranges).all(|(_, low, high)| low < high));
    }
}
