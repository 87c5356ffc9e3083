//! The formulas and what each needs; the medicine is in `clinical`.

use clinical::Number;
use clinical::bmi::{bmi, value_of};
use clinical::egfr::egfr;
use clinical::fib4::{Risk, fib4};
use clinical::meld::{Labs, Renal, meld3};
use clinical::quantity::{
    AlbuminGPerDl, AltUPerL, AstUPerL, BilirubinMgPerDl, CreatinineMgPerDl, HeightCm, Inr, PlateletsE9PerL,
    SodiumMmolPerL, WeightKg,
};
use clinical::units::Unit;

use super::measure::{Lack, Needed};
use super::person::Person;
use super::score::Reason;

/// A formula.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Formula {
    /// Body mass index, with the adult classes of WHO.
    Bmi,
    /// CKD-EPI 2021 by creatinine, with the categories of KDIGO.
    Egfr,
    /// MELD 3.0.
    Meld3,
    /// FIB-4, with its risk.
    Fib4,
}

const WEIGHT: Needed = Needed { key: "weight", loinc: "29463-7", unit: Unit::Kg };
const HEIGHT: Needed = Needed { key: "height", loinc: "8302-2", unit: Unit::Cm };
const CREATININE: Needed = Needed { key: "creatinine", loinc: "2160-0", unit: Unit::MgPerDl };
const BILIRUBIN: Needed = Needed { key: "bilirubin", loinc: "1975-2", unit: Unit::MgPerDl };
const SODIUM: Needed = Needed { key: "sodium", loinc: "2951-2", unit: Unit::MmolPerL };
const INR: Needed = Needed { key: "inr", loinc: "6301-6", unit: Unit::Inr };
const ALBUMIN: Needed = Needed { key: "albumin", loinc: "1751-7", unit: Unit::GPerDl };
const AST: Needed = Needed { key: "ast", loinc: "1920-8", unit: Unit::UPerL };
const ALT: Needed = Needed { key: "alt", loinc: "1742-6", unit: Unit::UPerL };
const PLATELETS: Needed = Needed { key: "platelets", loinc: "777-3", unit: Unit::E9PerL };

/// The inputs of one row.
pub(super) struct Inputs<'a> {
    /// By measure and row.
    pub(super) values: &'a [Vec<Result<Number, Lack>>],
    pub(super) row: usize,
    pub(super) measures: &'static [Needed],
    pub(super) person: Person,
}

impl Inputs<'_> {
    /// The n-th measure.
    fn number(&self, at: usize) -> Result<Number, Reason> {
        self.values[at][self.row].map_err(|lack| Reason::Input(self.measures[at].key, lack))
    }
}

/// What a formula gives.
pub(super) struct Computed {
    /// Hundredths of a BMI, a MELD, an eGFR as it is reported.
    pub(super) whole: i64,
    /// An eGFR or a FIB-4, unrounded.
    pub(super) real: f64,
    /// The class, or why there is none.
    pub(super) class: Result<&'static str, Reason>,
}

impl Formula {
    /// Its name in the file.
    pub(super) fn name(self) -> &'static str {
        match self {
            Formula::Bmi => "bmi",
            Formula::Egfr => "egfr",
            Formula::Meld3 => "meld3",
            Formula::Fib4 => "fib4",
        }
    }

    /// The values it needs.
    pub(super) fn needed(self) -> &'static [Needed] {
        match self {
            Formula::Bmi => &[WEIGHT, HEIGHT],
            Formula::Egfr => &[CREATININE],
            Formula::Meld3 => &[BILIRUBIN, SODIUM, INR, CREATININE, ALBUMIN],
            Formula::Fib4 => &[AST, ALT, PLATELETS],
        }
    }

    /// The option that names the column of its class.
    pub(super) fn class_key(self) -> Option<&'static str> {
        match self {
            Formula::Bmi => Some("category"),
            Formula::Egfr => Some("stage"),
            Formula::Fib4 => Some("risk"),
            Formula::Meld3 => None,
        }
    }

    /// The value of a row.
    pub(super) fn compute(self, inputs: &Inputs<'_>, with_class: bool) -> Result<Computed, Reason> {
        match self {
            Formula::Bmi => bmi_of(inputs, with_class),
            Formula::Egfr => egfr_of(inputs),
            Formula::Meld3 => meld_of(inputs),
            Formula::Fib4 => fib4_of(inputs),
        }
    }
}

/// The value at any age; the class of adults only.
fn bmi_of(inputs: &Inputs<'_>, with_class: bool) -> Result<Computed, Reason> {
    let weight = WeightKg::of(inputs.number(0)?).map_err(Reason::Formula)?;
    let height = HeightCm::of(inputs.number(1)?).map_err(Reason::Formula)?;
    let (value, class) = match with_class.then(|| bmi(weight, height, inputs.person.subject)) {
        Some(Ok(bmi)) => (bmi.kg_per_m2, Ok(bmi.class.code())),
        Some(Err(why)) => (value_of(weight, height), Err(Reason::Formula(why))),
        None => (value_of(weight, height), Ok("")),
    };
    let (hundredths, _) = value.parts();
    Ok(Computed { whole: hundredths, real: 0.0, class })
}

fn egfr_of(inputs: &Inputs<'_>) -> Result<Computed, Reason> {
    let creatinine = CreatinineMgPerDl::of(inputs.number(0)?).map_err(Reason::Formula)?;
    let found = egfr(creatinine, inputs.person.subject, inputs.person.kidney()).map_err(Reason::Formula)?;
    let (whole, real) = (i64::from(found.reported), found.ml_per_min_per_173);
    Ok(Computed { whole, real, class: Ok(found.stage.code()) })
}

fn meld_of(inputs: &Inputs<'_>) -> Result<Computed, Reason> {
    let renal = if inputs.person.is_on_dialysis {
        Renal::Dialysis
    } else {
        Renal::Creatinine(CreatinineMgPerDl::of(inputs.number(3)?).map_err(Reason::Formula)?)
    };
    let labs = Labs {
        bilirubin: BilirubinMgPerDl::of(inputs.number(0)?).map_err(Reason::Formula)?,
        sodium: SodiumMmolPerL::of(inputs.number(1)?).map_err(Reason::Formula)?,
        inr: Inr::of(inputs.number(2)?).map_err(Reason::Formula)?,
        renal,
    };
    let albumin = AlbuminGPerDl::of(inputs.number(4)?).map_err(Reason::Formula)?;
    let found = meld3(&labs, albumin, inputs.person.subject).map_err(Reason::Formula)?;
    Ok(Computed { whole: i64::from(found.score), real: found.unrounded, class: Ok("") })
}

fn fib4_of(inputs: &Inputs<'_>) -> Result<Computed, Reason> {
    let ast = AstUPerL::of(inputs.number(0)?).map_err(Reason::Formula)?;
    let alt = AltUPerL::of(inputs.number(1)?).map_err(Reason::Formula)?;
    let platelets = PlateletsE9PerL::of(inputs.number(2)?).map_err(Reason::Formula)?;
    let found = fib4(ast, alt, platelets, inputs.person.subject).map_err(Reason::Formula)?;
    let risk = match found.risk {
        Risk::Low => "low",
        Risk::Indeterminate => "indeterminate",
        Risk::High => "high",
    };
    Ok(Computed { whole: 0, real: found.value, class: Ok(risk) })
}
