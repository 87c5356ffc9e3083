//! The analytes whose units can be converted: LOINC codes, factors and their molar masses.

use super::{NotConverted, Unit};

/// How a unit lies to the first unit of its analyte: `(value - offset) × multiplier ÷ divisor`.
pub(super) struct Scale {
    unit: Unit,
    pub(super) multiplier: i64,
    pub(super) divisor: i64,
    /// As `(digits, decimal places)`; only temperatures have one.
    pub(super) offset: (i64, u8),
    /// Decimal places of a result in this unit.
    pub(super) places: u8,
}

/// A substance or measure with its units.
pub struct Analyte {
    /// Its name.
    pub name: &'static str,
    /// LOINC codes that measure it, by mass or by moles.
    pub loincs: &'static [&'static str],
    scales: &'static [Scale],
}

impl Analyte {
    /// Its units.
    pub fn units(&self) -> impl Iterator<Item = Unit> {
        self.scales.iter().map(|scale| scale.unit)
    }

    pub(super) fn scale_of(&self, unit: Unit) -> Result<&Scale, NotConverted> {
        let found = self.scales.iter().find(|scale| scale.unit == unit);
        found.ok_or(NotConverted::WrongUnit { analyte: self.name, unit })
    }
}

/// One row of a table of scales.
const fn scale(unit: Unit, multiplier: i64, divisor: i64, places: u8) -> Scale {
    Scale { unit, multiplier, divisor, offset: (0, 0), places }
}

/// `mg/dL`, `g/L` and `mmol/L` for a substance of which one mmol/L is this many thousandths of a mg/dL.
const fn by_mmol(thousandths: i64) -> [Scale; 3] {
    [
        scale(Unit::MgPerDl, 1, 1, 3),
        scale(Unit::GPerL, 100, 1, 6),
        scale(Unit::MmolPerL, thousandths, 1000, 4),
    ]
}

/// `mg/dL` and `umol/L` for a substance of which one mg/dL is this many thousandths of a µmol/L.
const fn by_umol(thousandths: i64) -> [Scale; 2] {
    [scale(Unit::MgPerDl, 1, 1, 5), scale(Unit::UmolPerL, 1000, thousandths, 3)]
}

const GLUCOSE: &[Scale] = &by_mmol(18_016);
const CALCIUM: &[Scale] = &by_mmol(4_008);
const MAGNESIUM: &[Scale] = &by_mmol(2_431);
const LACTATE: &[Scale] = &by_mmol(9_008);
const CHOLESTEROL: &[Scale] = &by_mmol(38_670);
const TRIGLYCERIDES: &[Scale] = &by_mmol(88_570);
const CREATININE: &[Scale] = &by_umol(88_400);
const BILIRUBIN: &[Scale] = &by_umol(17_104);
const PROTEIN: &[Scale] = &[scale(Unit::GPerDl, 1, 1, 4), scale(Unit::GPerL, 1, 10, 3)];

/// 760 mmHg are 101.325 kPa by definition.
const PRESSURE: &[Scale] = &[scale(Unit::MmHg, 1, 1, 4), scale(Unit::KPa, 760_000, 101_325, 5)];
const PER_MIN: &[Scale] = &[scale(Unit::PerMin, 1, 1, 4)];
const PERCENT: &[Scale] = &[scale(Unit::Percent, 1, 1, 4)];

/// An ion of one charge: a milliequivalent is a millimole.
const MONOVALENT: &[Scale] = &[scale(Unit::MmolPerL, 1, 1, 4), scale(Unit::MeqPerL, 1, 1, 4)];
const ENZYME: &[Scale] = &[scale(Unit::UPerL, 1, 1, 4)];
/// Cells per volume: 10⁹/L is the same number as 10³/µL.
const CELLS: &[Scale] =
    &[scale(Unit::E9PerL, 1, 1, 5), scale(Unit::E3PerUl, 1, 1, 5), scale(Unit::PerUl, 1, 1000, 2)];

/// Factors: molar masses in g/mol, as clinical chemistry rounds them: glucose 180.16, calcium 40.08, magnesium 24.31, cholesterol 386.7,
/// triglycerides 885.7 (triolein), lactate 90.08, creatinine 113.12 (88.4 µmol/L per mg/dL), bilirubin 584.66. Pound and inch: international, exact.
static ANALYTES: [Analyte; 32] = [
    Analyte {
        name: "glucose",
        loincs: &["2345-7", "2339-0", "1558-6", "41653-7", "14749-6", "15074-8"],
        scales: GLUCOSE,
    },
    Analyte { name: "creatinine", loincs: &["2160-0", "38483-4", "14682-9", "59826-8"], scales: CREATININE },
    Analyte { name: "calcium", loincs: &["17861-6", "49765-1", "2000-8"], scales: CALCIUM },
    Analyte { name: "ionised calcium", loincs: &["1994-3", "1995-0", "12180-6", "17864-0"], scales: CALCIUM },
    Analyte { name: "lactate", loincs: &["2524-7", "32693-4", "14118-4"], scales: LACTATE },
    Analyte { name: "arterial lactate", loincs: &["2518-9"], scales: LACTATE },
    Analyte { name: "venous lactate", loincs: &["2519-7"], scales: LACTATE },
    Analyte { name: "bicarbonate", loincs: &["1963-8", "1959-6"], scales: MONOVALENT },
    Analyte { name: "chloride", loincs: &["2075-0"], scales: MONOVALENT },
    Analyte { name: "leukocytes", loincs: &["6690-2", "26464-8"], scales: CELLS },
    Analyte { name: "heart rate", loincs: &["8867-4", "8889-8"], scales: PER_MIN },
    Analyte { name: "respiratory rate", loincs: &["9279-1"], scales: PER_MIN },
    Analyte { name: "oxygen saturation", loincs: &["2708-6", "59408-5"], scales: PERCENT },
    Analyte { name: "blood pressure", loincs: &["8480-6", "8462-4", "8478-0"], scales: PRESSURE },
    Analyte { name: "arterial carbon dioxide", loincs: &["2019-8"], scales: PRESSURE },
    Analyte { name: "inhaled oxygen", loincs: &["3150-0"], scales: PERCENT },
    Analyte { name: "band neutrophils", loincs: &["764-1", "26508-2"], scales: PERCENT },
    Analyte { name: "magnesium", loincs: &["19123-9", "2601-3"], scales: MAGNESIUM },
    Analyte {
        name: "cholesterol",
        loincs: &[
            "2093-3", "14647-2", "2085-9", "14646-4", "2089-1", "13457-7", "18262-6", "22748-8", "39469-2",
            "69419-0",
        ],
        scales: CHOLESTEROL,
    },
    Analyte { name: "triglycerides", loincs: &["2571-8", "14927-8"], scales: TRIGLYCERIDES },
    Analyte { name: "bilirubin", loincs: &["1975-2", "14631-6"], scales: BILIRUBIN },
    Analyte { name: "haemoglobin", loincs: &["718-7"], scales: PROTEIN },
    Analyte { name: "albumin", loincs: &["1751-7"], scales: PROTEIN },
    Analyte { name: "sodium", loincs: &["2951-2", "2947-0"], scales: MONOVALENT },
    Analyte { name: "potassium", loincs: &["2823-3", "6298-4"], scales: MONOVALENT },
    Analyte { name: "AST", loincs: &["1920-8"], scales: ENZYME },
    Analyte { name: "ALT", loincs: &["1742-6"], scales: ENZYME },
    Analyte { name: "platelets", loincs: &["777-3", "26515-7"], scales: CELLS },
    Analyte { name: "INR", loincs: &["6301-6", "34714-6"], scales: &[scale(Unit::Inr, 1, 1, 4)] },
    Analyte {
        name: "body temperature",
        loincs: &["8310-5", "8331-1", "8332-9", "8333-7"],
        scales: &[
            scale(Unit::Celsius, 1, 1, 4),
            Scale { unit: Unit::Fahrenheit, multiplier: 5, divisor: 9, offset: (32, 0), places: 4 },
            Scale { unit: Unit::Kelvin, multiplier: 1, divisor: 1, offset: (27_315, 2), places: 4 },
        ],
    },
    Analyte {
        name: "body weight",
        loincs: &["29463-7", "3141-9"],
        scales: &[
            scale(Unit::Kg, 1, 1, 6),
            scale(Unit::G, 1, 1000, 3),
            scale(Unit::Pound, 45_359_237, 100_000_000, 6),
        ],
    },
    Analyte {
        name: "body height",
        loincs: &["8302-2", "8308-9"],
        scales: &[scale(Unit::Cm, 1, 1, 4), scale(Unit::M, 100, 1, 6), scale(Unit::Inch, 254, 100, 4)],
    },
];

/// All analytes.
pub fn analytes() -> &'static [Analyte] {
    &ANALYTES
}

/// The analyte that a LOINC code measures.
pub fn analyte_of(loinc: &str) -> Option<&'static Analyte> {
    ANALYTES.iter().find(|analyte| analyte.loincs.contains(&loinc))
}
