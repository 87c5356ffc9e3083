//! A ward whose monitors send vital signs, with deteriorations planted from the seed: the same seed, start and rate give the same bytes.

use fhir::json::Number;
use fhir::{Instant, Object, Value, json};

use crate::random::Draw;

/// What happens to one patient of the ward.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Course {
    /// Nothing.
    Stable,
    /// Fever, fast heart and breath, falling pressure, confusion.
    Sepsis,
    /// The oxygen saturation falls.
    Hypoxia,
    /// The heart becomes slow.
    Bradycardia,
    /// The pressure rises far.
    Hypertension,
    /// The probe falls off: zeros and artefacts.
    ProbeOff,
}

impl Course {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Course::Stable => "stable",
            Course::Sepsis => "sepsis",
            Course::Hypoxia => "hypoxia",
            Course::Bradycardia => "bradycardia",
            Course::Hypertension => "hypertension",
            Course::ProbeOff => "probe_off",
        }
    }
}

/// Courses that are planted, in turn.
const PLANTED: [Course; 5] =
    [Course::Sepsis, Course::Hypoxia, Course::Bradycardia, Course::Hypertension, Course::ProbeOff];

/// A ward.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WardConfig {
    /// How many beds.
    pub beds: u32,
    /// The seed.
    pub seed: u64,
    /// The ward's name.
    pub unit: String,
    /// Patients by bed, as events name them; beds beyond the list get an identifier of the simulation.
    pub patients: Vec<String>,
    /// Of so many beds, one deteriorates.
    pub one_of: u32,
    /// Within this time after the start, deteriorations begin.
    pub within_secs: u32,
    /// From the beginning of a deterioration until it is full; it lasts three times as long, then the patient recovers.
    pub ramp_secs: u32,
}

impl Default for WardConfig {
    fn default() -> WardConfig {
        WardConfig {
            beds: 12,
            seed: 1,
            unit: "7A".to_owned(),
            patients: Vec::new(),
            one_of: 3,
            within_secs: 60,
            ramp_secs: 60,
        }
    }
}

/// What was planted in one bed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plant {
    /// The bed, from 0.
    pub bed: u32,
    /// What happens.
    pub course: Course,
    /// When it begins, after the start.
    pub begins_secs: u32,
}

/// A ward that is computed when it is asked for.
#[derive(Debug)]
pub struct Ward {
    config: WardConfig,
    beds: Vec<Bed>,
}

#[derive(Debug)]
struct Bed {
    patient: String,
    plant: Plant,
    usual: Vitals,
}

#[derive(Clone, Copy, Debug)]
struct Vitals {
    heart: f64,
    breath: f64,
    saturation: f64,
    systolic: f64,
    diastolic: f64,
    temperature: f64,
}

impl Ward {
    /// The ward of a configuration.
    ///
    /// ```
    /// use synth::{Ward, WardConfig};
    /// let ward = Ward::new(WardConfig { beds: 6, ..WardConfig::default() });
    /// let start = fhir::Instant::parse("2026-11-25T08:00:00Z").unwrap();
    /// assert_eq!(ward.vitals(0, 7, 35.0, start).text("kind"), Some("vital_signs"));
    /// assert_eq!(ward.planted().len(), 2);
    /// ```
    pub fn new(config: WardConfig) -> Ward {
        let mut beds = Vec::with_capacity(config.beds as usize);
        let mut n_planted = 0;
        for bed in 0..config.beds {
            let mut draw = Draw::of(config.seed, u64::from(bed) + 1);
            let is_planted = bed % config.one_of.max(1) == 0;
            let course = if is_planted { PLANTED[n_planted % PLANTED.len()] } else { Course::Stable };
            n_planted += usize::from(is_planted);
            let begins_secs = (draw.unit() * f64::from(config.within_secs)) as u32;
            let own = format!("urn:salus:simulation|{}-{}", config.seed, bed + 1);
            beds.push(Bed {
                patient: config.patients.get(bed as usize).cloned().unwrap_or(own),
                plant: Plant { bed, course, begins_secs },
                usual: Vitals {
                    heart: draw.normal(76.0, 5.0).clamp(62.0, 92.0),
                    breath: draw.normal(15.0, 1.2).clamp(13.0, 18.0),
                    saturation: draw.normal(97.5, 0.6).clamp(96.2, 99.0),
                    systolic: draw.normal(124.0, 6.0).clamp(113.0, 140.0),
                    diastolic: draw.normal(76.0, 4.0).clamp(66.0, 86.0),
                    temperature: draw.normal(36.8, 0.15).clamp(36.4, 37.2),
                },
            });
        }
        Ward { config, beds }
    }

    /// What was planted, by bed.
    pub fn planted(&self) -> Vec<Plant> {
        let plants = self.beds.iter().map(|bed| bed.plant);
        plants.filter(|plant| plant.course != Course::Stable).collect()
    }

    /// The patient of a bed.
    pub fn patient(&self, bed: u32) -> &str {
        &self.beds[bed as usize].patient
    }

    /// The `n`th event of a bed, `secs` after the start, as it is published.
    pub fn vitals(&self, bed: u32, n: u64, secs: f64, start: Instant) -> Value {
        let one = &self.beds[bed as usize];
        let mut draw = Draw::of(self.config.seed ^ 0x77a2_d000, (u64::from(bed) << 40) | n);
        let strength = self.strength(&one.plant, secs);
        let vitals = changed(one.usual, one.plant.course, strength);
        let noisy = |mean: f64, deviation: f64, draw: &mut Draw| mean + draw.normal(0.0, deviation);
        let mut data = Object::new();
        let is_off = one.plant.course == Course::ProbeOff && strength > 0.5;
        data.insert("heart_rate", number(if is_off { 0.0 } else { noisy(vitals.heart, 1.2, &mut draw) }, 0));
        data.insert("respiratory_rate", number(noisy(vitals.breath, 0.4, &mut draw), 0));
        data.insert(
            "spo2",
            number(if is_off { 0.0 } else { noisy(vitals.saturation, 0.3, &mut draw).min(100.0) }, 0),
        );
        data.insert("systolic", number(noisy(vitals.systolic, 1.5, &mut draw), 0));
        data.insert("diastolic", number(noisy(vitals.diastolic, 1.2, &mut draw), 0));
        data.insert(
            "temperature",
            json!({"value": (number(noisy(vitals.temperature, 0.03, &mut draw), 1)), "unit": "Cel"}),
        );
        let is_confused = one.plant.course == Course::Sepsis && strength > 0.8;
        data.insert("consciousness", if is_confused { "C" } else { "A" }.into());
        data.insert(
            "breathing",
            if one.plant.course == Course::Hypoxia && strength > 0.7 { "oxygen" } else { "air" }.into(),
        );
        let at = Instant(start.0 + (secs * 1e6) as i64);
        json!({
            "id": (format!("w{}-{}-{}-{n}", self.config.seed, start.0, bed + 1)),
            "kind": "vital_signs",
            "patient": (one.patient.as_str()),
            "at": (at.to_rfc3339_millis()),
            "source": "ward-simulator",
            "unit": (self.config.unit.as_str()),
            "device": (format!("monitor-{}", bed + 1)),
            "data": (Value::from(data))
        })
    }

    /// How far the deterioration is, 0 to 1.
    fn strength(&self, plant: &Plant, secs: f64) -> f64 {
        let ramp = f64::from(self.config.ramp_secs.max(1));
        let since = secs - f64::from(plant.begins_secs);
        if since <= 0.0 {
            return 0.0;
        }
        // A ramp up, three ramps in full, two ramps of recovery.
        (since / ramp).min(1.0).min(((6.0 * ramp - since) / (2.0 * ramp)).clamp(0.0, 1.0))
    }
}

fn changed(usual: Vitals, course: Course, strength: f64) -> Vitals {
    let toward = |from: f64, to: f64| from + (to - from) * strength;
    let mut vitals = usual;
    match course {
        Course::Stable | Course::ProbeOff => {}
        Course::Sepsis => {
            vitals.heart = toward(usual.heart, 134.0);
            vitals.breath = toward(usual.breath, 29.0);
            vitals.systolic = toward(usual.systolic, 84.0);
            vitals.diastolic = toward(usual.diastolic, 48.0);
            vitals.temperature = toward(usual.temperature, 39.4);
            vitals.saturation = toward(usual.saturation, 92.5);
        }
        Course::Hypoxia => {
            vitals.saturation = toward(usual.saturation, 85.0);
            vitals.breath = toward(usual.breath, 27.0);
            vitals.heart = toward(usual.heart, 112.0);
        }
        Course::Bradycardia => {
            vitals.heart = toward(usual.heart, 36.0);
            vitals.systolic = toward(usual.systolic, 96.0);
        }
        Course::Hypertension => {
            vitals.systolic = toward(usual.systolic, 208.0);
            vitals.diastolic = toward(usual.diastolic, 122.0);
        }
    }
    vitals
}

/// Rounded to so many places, by whole numbers.
fn number(value: f64, places: u32) -> Value {
    let unit = 10_i64.pow(places);
    let scaled = (value * unit as f64).round() as i64;
    let text = if places == 0 {
        scaled.to_string()
    } else {
        let sign = if scaled < 0 { "-" } else { "" };
        let (whole, part) = (scaled.abs() / unit, scaled.abs() % unit);
        format!("{sign}{whole}.{part:0width$}", width = places as usize)
    };
    Number::parse(&text).map_or(Value::Null, Value::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start() -> Instant {
        Instant::parse("2026-11-25T08:00:00Z").unwrap()
    }

    fn value(ward: &Ward, bed: u32, secs: u32, name: &str) -> f64 {
        let event = ward.vitals(bed, u64::from(secs), f64::from(secs), start());
        let data = event.get("data").unwrap();
        data.get(name).unwrap().as_number().unwrap().as_str().parse().unwrap()
    }

    #[test]
    fn the_same_seed_gives_the_same_bytes() {
        let of = |seed| {
            Ward::new(WardConfig { seed, ..WardConfig::default() }).vitals(3, 9, 45.0, start()).to_text()
        };
        assert_eq!(of(1), of(1));
        assert_ne!(of(1), of(2));
    }

    #[test]
    fn planted_deteriorations_come_and_go() {
        let ward = Ward::new(WardConfig::default());
        let planted = ward.planted();
        assert_eq!(planted.len(), 4);
        let worst = |plant: &Plant, name: &str| value(&ward, plant.bed, plant.begins_secs + 120, name);
        assert!(worst(&planted[0], "heart_rate") > 120.0 && worst(&planted[0], "systolic") < 95.0);
        assert!(worst(&planted[1], "spo2") < 90.0);
        assert!(worst(&planted[2], "heart_rate") < 45.0);
        assert!(worst(&planted[3], "systolic") > 195.0);
        for plant in &planted {
            assert!(value(&ward, plant.bed, plant.begins_secs, "heart_rate") > 55.0, "{plant:?}");
            assert!(value(&ward, plant.bed, plant.begins_secs + 361, "heart_rate") > 55.0, "{plant:?}");
        }
    }

    #[test]
    fn a_stable_patient_stays_within_normal_limits() {
        let ward = Ward::new(WardConfig { beds: 30, ..WardConfig::default() });
        for bed in (0..30).filter(|bed| bed % 3 != 0) {
            for secs in (0..600).step_by(20) {
                assert!((55.0..105.0).contains(&value(&ward, bed, secs, "heart_rate")));
                assert!((95.0..=100.0).contains(&value(&ward, bed, secs, "spo2")));
                assert!((105.0..165.0).contains(&value(&ward, bed, secs, "systolic")));
            }
        }
    }
}
