//! When a person meets the health system: stays, emergency and clinic visits in order. Knows nothing of FHIR.

use crate::day::{Day, Moment};
use crate::disease::{ADMISSIONS, AMBULATORY, Chronic, Complaint, EMERGENCIES, age_band};
use crate::person::{Payer, Person};
use crate::planted;
use crate::random::Draw;

/// Where a visit takes place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Setting {
    Wellness,
    Clinic,
    Emergency,
    Inpatient,
}

/// How a stay ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Disposition {
    Home,
    Nursing,
    HomeHealth,
    AgainstAdvice,
    Died,
}

/// Why a person came.
#[derive(Clone, Copy)]
pub(crate) enum Reason {
    CheckUp,
    Complaint(&'static Complaint),
    Chronic(Chronic),
    KneeReplacement,
}

/// One visit.
pub(crate) struct Visit {
    pub(crate) setting: Setting,
    pub(crate) start: Moment,
    pub(crate) end: Moment,
    pub(crate) reason: Reason,
    pub(crate) is_readmission: bool,
    pub(crate) disposition: Disposition,
    /// Are social needs asked about.
    pub(crate) screens: bool,
}

impl Visit {
    pub(crate) fn day(&self) -> Day {
        self.start.day()
    }

    pub(crate) fn is_ambulatory(&self) -> bool {
        matches!(self.setting, Setting::Wellness | Setting::Clinic)
    }
}

/// Yearly probability of a first admission at the ages of [`age_band`].
const ADMISSION: [f64; 6] = [0.02, 0.06, 0.07, 0.10, 0.18, 0.26];

/// Every visit of a person in the last `years` years, in order; there is at least one to a clinic.
pub(crate) fn visits_of(draw: &mut Draw, person: &Person, end: Day, years: i32) -> Vec<Visit> {
    let span = Span {
        first: end.plus(-365 * years).max(person.birth.plus(1)),
        last: person.last_day(end),
        end,
        years,
    };
    let mut visits = stays(draw, person, &span);
    emergencies(draw, person, &span, &mut visits);
    clinic(draw, person, &span, &mut visits);
    screen(draw, person, &span, &mut visits);
    visits.sort_by_key(|visit| visit.start);
    visits
}

/// The time in which visits may fall: from `first` up to but not including `last`.
struct Span {
    first: Day,
    last: Day,
    end: Day,
    years: i32,
}

impl Span {
    /// A day of a year counted back from the end, when it lies within.
    fn day_of_year(&self, draw: &mut Draw, years_back: i32) -> Option<Day> {
        let day = self.end.plus(-365 * (years_back + 1) + draw.between(2, 362));
        (day >= self.first && day < self.last).then_some(day)
    }
}

fn stays(draw: &mut Draw, person: &Person, span: &Span) -> Vec<Visit> {
    let serious = [Chronic::HeartFailure, Chronic::Copd, Chronic::Diabetes, Chronic::Coronary, Chronic::Ckd];
    let n_serious = serious.iter().filter(|chronic| person.has(**chronic)).count();
    let yearly = ADMISSION[age_band(person.age)] * (1.0 + 0.35 * n_serious as f64);
    let back = planted::READMISSION.rate(person.county.is_vulnerable());
    let (mut visits, mut free_from) = (Vec::new(), span.first);
    for year in (0..span.years).rev() {
        if !draw.chance(yearly) {
            continue;
        }
        let Some(mut day) = span.day_of_year(draw, year).filter(|day| *day >= free_from) else { continue };
        let mut is_readmission = false;
        while let Some(stay) = stay(draw, person, day, span.last, is_readmission) {
            let leaves_well = stay.disposition != Disposition::AgainstAdvice;
            let discharge = stay.end.day();
            // 46 days keep one chain of stays from being counted as the readmission of another.
            free_from = discharge.plus(46);
            day = discharge.plus(draw.between(1, 30));
            visits.push(stay);
            is_readmission = leaves_well && draw.chance(back);
            if !is_readmission {
                break;
            }
        }
    }
    visits.extend(last_stay(draw, person, free_from));
    visits
}

fn stay(draw: &mut Draw, person: &Person, day: Day, last: Day, is_readmission: bool) -> Option<Visit> {
    let reason = admission_reason(draw, person, day, is_readmission);
    let ends = [Disposition::Home, Disposition::Nursing, Disposition::HomeHealth, Disposition::AgainstAdvice];
    let old = if person.age >= 75 { 0.3 } else { 0.06 };
    let start = day.at(draw.between(5 * 60, 22 * 60), person.county.offset_hours);
    let n_days = 1 + draw.between(0, 4) + draw.between(0, 4);
    let discharge = day.plus(n_days);
    let visit = Visit {
        setting: Setting::Inpatient,
        start,
        end: discharge.at(draw.between(9 * 60, 17 * 60), person.county.offset_hours),
        reason,
        is_readmission,
        disposition: ends[draw.weighted(&[0.72, old, 0.12, 0.02])],
        screens: false,
    };
    (discharge < last).then_some(visit)
}

fn admission_reason(draw: &mut Draw, person: &Person, day: Day, is_readmission: bool) -> Reason {
    let causes =
        [Chronic::HeartFailure, Chronic::Copd, Chronic::Asthma, Chronic::AtrialFibrillation, Chronic::Stroke];
    let known =
        |chronic: Chronic| person.diseases.iter().any(|(one, onset)| *one == chronic && *onset <= day);
    let sick: Vec<Chronic> = causes.into_iter().filter(|chronic| known(*chronic)).collect();
    if !is_readmission && known(Chronic::Osteoarthritis) && person.age >= 50 && draw.chance(0.3) {
        return Reason::KneeReplacement;
    }
    if !sick.is_empty() && draw.chance(0.6) {
        return Reason::Chronic(*draw.pick(&sick));
    }
    Reason::Complaint(draw.pick(&ADMISSIONS))
}

/// A third of the dying die in hospital, unless they were there in the weeks before.
fn last_stay(draw: &mut Draw, person: &Person, free_from: Day) -> Option<Visit> {
    let death = person.death?;
    let day = death.day().plus(-draw.between(2, 9));
    let in_hospital = draw.chance(0.35) && day >= free_from;
    in_hospital.then(|| Visit {
        setting: Setting::Inpatient,
        start: day.at(draw.between(5 * 60, 22 * 60), person.county.offset_hours),
        end: death,
        reason: Reason::Complaint(draw.pick(&ADMISSIONS)),
        is_readmission: false,
        disposition: Disposition::Died,
        screens: false,
    })
}

fn emergencies(draw: &mut Draw, person: &Person, span: &Span, visits: &mut Vec<Visit>) {
    let yearly = planted::EMERGENCY.rate(person.payer == Payer::Medicaid);
    for year in 0..span.years {
        if !draw.chance(yearly) {
            continue;
        }
        let Some(day) = span.day_of_year(draw, year) else { continue };
        let start = day.at(draw.between(0, 1_100), person.county.offset_hours);
        let end = start.plus(draw.between(60, 330));
        let reason = Reason::Complaint(complaint(draw, person, &EMERGENCIES));
        add(visits, Setting::Emergency, start, end, reason);
    }
}

/// Some complaints are not those of children.
fn complaint(draw: &mut Draw, person: &Person, all: &'static [Complaint]) -> &'static Complaint {
    let found = draw.pick(all);
    if found.is_of_adults && person.age < 18 { &all[1] } else { found }
}

fn clinic(draw: &mut Draw, person: &Person, span: &Span, visits: &mut Vec<Visit>) {
    let by_age = [1.0, 0.7, 0.8, 1.1, 1.7, 1.9][age_band(person.age)];
    let insured = if person.is_insured() { 1.0 } else { 0.7 };
    let yearly: f64 = (by_age + 0.35 * person.diseases.len().min(5) as f64) * insured;
    for year in 0..span.years {
        let n_visits = yearly as i32 + i32::from(draw.chance(yearly - f64::from(yearly as i32)));
        for visit in 0..n_visits {
            if let Some(day) = span.day_of_year(draw, year) {
                let setting =
                    if visit == 0 && draw.chance(0.7) { Setting::Wellness } else { Setting::Clinic };
                add_clinic(draw, person, setting, day, visits);
            }
        }
    }
    if !visits.iter().any(Visit::is_ambulatory) {
        let day = Day(draw.between(span.first.0.max(span.last.0 - 900), span.last.0 - 1));
        visits.retain(|visit| visit.end.day() < day || visit.day() > day);
        add_clinic(draw, person, Setting::Wellness, day, visits);
    }
}

fn add_clinic(draw: &mut Draw, person: &Person, setting: Setting, day: Day, visits: &mut Vec<Visit>) {
    let start = day.at(draw.between(8 * 12, 17 * 12) * 5, person.county.offset_hours);
    let end = start.plus(draw.between(3, 9) * 5);
    let reason = match setting {
        Setting::Wellness => Reason::CheckUp,
        _ if person.diseases.is_empty() || draw.chance(0.4) => {
            Reason::Complaint(complaint(draw, person, &AMBULATORY))
        }
        _ => match draw.pick(&person.diseases) {
            (chronic, onset) if *onset <= day => Reason::Chronic(*chronic),
            _ => Reason::Complaint(complaint(draw, person, &AMBULATORY)),
        },
    };
    add(visits, setting, start, end, reason);
}

/// Adds a visit unless the person is in another one on that day.
fn add(visits: &mut Vec<Visit>, setting: Setting, start: Moment, end: Moment, reason: Reason) {
    let busy = |visit: &Visit| visit.day() <= end.day() && start.day() <= visit.end.day();
    if !visits.iter().any(busy) {
        let disposition = Disposition::Home;
        visits.push(Visit {
            setting,
            start,
            end,
            reason,
            is_readmission: false,
            disposition,
            screens: false,
        });
    }
}

/// Days before the end in which the screening of social needs is planted.
const SCREENING_DAYS: i32 = 1_000;

fn screen(draw: &mut Draw, person: &Person, span: &Span, visits: &mut Vec<Visit>) {
    if !draw.chance(planted::SDOH_SCREENING.rate(!person.is_insured())) {
        return;
    }
    let from = span.first.max(span.end.plus(-SCREENING_DAYS));
    let recent = |visit: &Visit| visit.is_ambulatory() && visit.day() >= from;
    if !visits.iter().any(recent) && from < span.last {
        let day = Day(draw.between(from.0, span.last.0 - 1));
        add_clinic(draw, person, Setting::Wellness, day, visits);
    }
    let mut candidates: Vec<&mut Visit> = visits.iter_mut().filter(|visit| recent(visit)).collect();
    if !candidates.is_empty() {
        let at = draw.between(0, i32::try_from(candidates.len()).expect("a person has few visits") - 1);
        candidates[at as usize].screens = true;
    }
}
