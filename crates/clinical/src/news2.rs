//! NEWS2: seven vital signs to a score of acute illness, 0 to 20, and the answer it asks for.
//!
//! Source: Royal College of Physicians, National Early Warning Score (NEWS) 2, London 2017 (reproduced with acknowledgement). For adults from 16
//! years, not in pregnancy. Nothing is assumed: without every parameter there is no total, but what is there may already ask for help.

use crate::quantity::{PulsePerMin, RespirationsPerMin, Spo2Percent, SystolicMmHg, TemperatureCelsius};
use crate::{NotComputed, Number, Rounding, Subject};

/// From 16 years.
pub const AGE_YEARS_MIN: u16 = 16;
/// A parameter that alone asks for an urgent review.
const RED: u8 = 3;
const MEDIUM: u8 = 5;
const HIGH: u8 = 7;

/// What the patient breathes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Breathing {
    /// Room air.
    Air,
    /// Any supplemental oxygen.
    Oxygen,
}

/// Level of consciousness, ACVPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Consciousness {
    /// Alert.
    Alert,
    /// New confusion.
    Confusion,
    /// Responds to voice.
    Voice,
    /// Responds to pain.
    Pain,
    /// Unresponsive.
    Unresponsive,
}

/// Which oxygen saturation is aimed at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Scale {
    /// 96 % and more.
    #[default]
    One,
    /// 88 to 92 %, in hypercapnic respiratory failure: only by a prescriber's coded order.
    Two,
}

/// What was measured; `None` is missing, and never normal.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Vitals {
    /// Respiratory rate.
    pub respirations: Option<RespirationsPerMin>,
    /// Oxygen saturation.
    pub spo2: Option<Spo2Percent>,
    /// Air or oxygen.
    pub breathing: Option<Breathing>,
    /// Systolic blood pressure.
    pub systolic: Option<SystolicMmHg>,
    /// Pulse.
    pub pulse: Option<PulsePerMin>,
    /// Level of consciousness.
    pub consciousness: Option<Consciousness>,
    /// Body temperature.
    pub temperature: Option<TemperatureCelsius>,
}

/// Vital signs are patient data and do not print.
impl std::fmt::Debug for Vitals {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vitals")
    }
}

/// The answer that a score asks for (RCP 2017, chart 2 and 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Band {
    /// 0 to 4.
    Low,
    /// A single parameter scores 3: urgent review by a ward clinician.
    LowMedium,
    /// 5 to 6: urgent assessment, within 60 minutes.
    Medium,
    /// From 7: emergency assessment, within 30 minutes, continuous monitoring.
    High,
}

impl Band {
    /// Its code.
    pub fn code(self) -> &'static str {
        match self {
            Band::Low => "low",
            Band::LowMedium => "low-medium",
            Band::Medium => "medium",
            Band::High => "high",
        }
    }
}

/// The points of each parameter; `None` is missing.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Points {
    /// Respiratory rate.
    pub respirations: Option<u8>,
    /// Oxygen saturation; missing too on scale 2 from 93 % when it is unknown whether oxygen is given.
    pub spo2: Option<u8>,
    /// Air or oxygen.
    pub breathing: Option<u8>,
    /// Systolic blood pressure.
    pub systolic: Option<u8>,
    /// Pulse.
    pub pulse: Option<u8>,
    /// Level of consciousness.
    pub consciousness: Option<u8>,
    /// Body temperature.
    pub temperature: Option<u8>,
}

impl Points {
    /// In the order of the chart, with their names.
    pub fn named(&self) -> [(&'static str, Option<u8>); 7] {
        [
            ("rr", self.respirations),
            ("spo2", self.spo2),
            ("breathing", self.breathing),
            ("sbp", self.systolic),
            ("pulse", self.pulse),
            ("consciousness", self.consciousness),
            ("temperature", self.temperature),
        ]
    }
}

/// A NEWS2, whole or in part.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct News2 {
    /// Points per parameter.
    pub points: Points,
    /// The score, when nothing is missing.
    pub total: Option<u8>,
    /// The points that are there; the score is at least this.
    pub partial: u8,
    /// How many parameters are missing.
    pub n_missing: usize,
    /// Does any parameter score 3.
    pub red: bool,
    /// The answer asked for. With missing parameters, only what is certain already; never [`Band::Low`].
    pub band: Option<Band>,
}

/// Scores are patient data and do not print.
impl std::fmt::Debug for News2 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("News2")
    }
}

/// Points by the highest value of each row; above the last row its points.
type Rows = &'static [(i32, u8)];

const RESPIRATIONS: Rows = &[(8, 3), (11, 1), (20, 0), (24, 2), (i32::MAX, 3)];
const SPO2_ONE: Rows = &[(91, 3), (93, 2), (95, 1), (i32::MAX, 0)];
const SPO2_TWO_AIR: Rows = &[(83, 3), (85, 2), (87, 1), (i32::MAX, 0)];
const SPO2_TWO_OXYGEN: Rows = &[(83, 3), (85, 2), (87, 1), (92, 0), (94, 1), (96, 2), (i32::MAX, 3)];
const SYSTOLIC: Rows = &[(90, 3), (100, 2), (110, 1), (219, 0), (i32::MAX, 3)];
const PULSE: Rows = &[(40, 3), (50, 1), (90, 0), (110, 1), (130, 2), (i32::MAX, 3)];
/// In tenths of a degree Celsius.
const TEMPERATURE: Rows = &[(350, 3), (360, 1), (380, 0), (390, 1), (i32::MAX, 2)];

fn row(rows: Rows, value: i32) -> u8 {
    rows.iter().find(|(highest, _)| value <= *highest).map_or(0, |(_, points)| *points)
}

fn whole(number: Number, rounding: Rounding) -> i32 {
    let (digits, _) = number.rounded(0, rounding).parts();
    i32::try_from(digits).expect("vital signs are below 400")
}

/// A value between two whole numbers has the points of the worse one.
fn worse(rows: Rows, number: Number) -> u8 {
    row(rows, whole(number, Rounding::Down)).max(row(rows, whole(number, Rounding::Up)))
}

fn spo2_points(spo2: Spo2Percent, breathing: Option<Breathing>, scale: Scale) -> Option<u8> {
    let points = |rows| worse(rows, spo2.number());
    match (scale, breathing) {
        (Scale::One, _) => Some(points(SPO2_ONE)),
        (Scale::Two, Some(Breathing::Air)) => Some(points(SPO2_TWO_AIR)),
        (Scale::Two, Some(Breathing::Oxygen)) => Some(points(SPO2_TWO_OXYGEN)),
        (Scale::Two, None) => Some(points(SPO2_TWO_AIR)).filter(|air| *air == points(SPO2_TWO_OXYGEN)),
    }
}

fn temperature_points(temperature: TemperatureCelsius) -> u8 {
    let tenths = temperature.number().scaled(10, 1, 0, Rounding::HalfUp).expect("below 470 tenths");
    row(TEMPERATURE, whole(tenths, Rounding::HalfUp))
}

/// The answer asked for by points of which `whole` says whether they are all.
fn band_of(partial: u8, red: bool, whole: bool) -> Option<Band> {
    match partial {
        HIGH.. => Some(Band::High),
        MEDIUM.. => Some(Band::Medium),
        _ if red => Some(Band::LowMedium),
        _ => whole.then_some(Band::Low),
    }
}

/// NEWS2 of what was measured. Fractions of rates, pressures and saturations count as the worse neighbour; temperature is rounded half up to 0.1 °C.
///
/// # Errors
/// The age is unknown or below 16 years; pregnancy or post-partum.
pub fn news2(vitals: &Vitals, scale: Scale, subject: Subject) -> Result<News2, NotComputed> {
    subject.age_from(AGE_YEARS_MIN)?;
    subject.not_pregnant()?;
    let points = Points {
        respirations: vitals.respirations.map(|rate| worse(RESPIRATIONS, rate.number())),
        spo2: vitals.spo2.and_then(|spo2| spo2_points(spo2, vitals.breathing, scale)),
        breathing: vitals.breathing.map(|breathing| if breathing == Breathing::Oxygen { 2 } else { 0 }),
        systolic: vitals.systolic.map(|pressure| worse(SYSTOLIC, pressure.number())),
        pulse: vitals.pulse.map(|pulse| worse(PULSE, pulse.number())),
        consciousness: vitals.consciousness.map(|level| if level == Consciousness::Alert { 0 } else { RED }),
        temperature: vitals.temperature.map(temperature_points),
    };
    let each = points.named().map(|(_, points)| points);
    let partial = each.iter().flatten().sum();
    let n_missing = each.iter().filter(|points| points.is_none()).count();
    let red = each.contains(&Some(RED));
    Ok(News2 {
        points,
        total: (n_missing == 0).then_some(partial),
        partial,
        n_missing,
        red,
        band: band_of(partial, red, n_missing == 0),
    })
}

#[cfg(test)]
mod tests;
