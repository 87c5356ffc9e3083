//! The whole record of one person: visits in order, and what each visit leaves behind.

use compact_str::CompactString;
use fhir::Value;

use crate::course::{Reason, Visit, visits_of};
use crate::day::{Day, Moment};
use crate::disease::{Chronic, INSULIN, METFORMIN};
use crate::person::Person;
use crate::random::Draw;
use crate::record::Record;
use crate::resource::{
    allergy, claim, condition, consent, coverage, encounter, immunization, labs, medication, patient,
    procedure, risk, sdoh, vitals,
};

/// Every resource of a person, the Patient first.
pub(crate) fn chart_of(person: &Person, mut draw: Draw, end: Day, years: i32) -> Vec<Value> {
    let visits = visits_of(&mut draw, person, end, years);
    let mut record = Record::new(person, draw, end);
    patient::add(&mut record);
    let cover = coverage::add(&mut record, end.plus(-365 * years));
    let encounters: Vec<CompactString> = visits.iter().map(|_| record.next_id()).collect();
    let problems = problems(&mut record, &visits, &encounters);
    for (visit, id) in visits.iter().zip(&encounters) {
        add_visit(&mut record, visit, id, &problems);
    }
    once(&mut record, &visits, &encounters, &problems);
    if let Some(cover) = cover {
        claim::add_all(&mut record, &visits, &encounters, &cover);
    }
    record.into_resources()
}

/// Chronic conditions with their ids and, for those that have one, the visit of their first treatment.
struct Problem {
    chronic: Chronic,
    onset: Day,
    id: CompactString,
}

fn problems(record: &mut Record<'_>, visits: &[Visit], encounters: &[CompactString]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (chronic, onset) in record.person.diseases.iter().copied() {
        let old = visits.first().is_none_or(|visit| onset < visit.day());
        let visit =
            visits.iter().zip(encounters).find(|(visit, _)| visit.is_ambulatory() && visit.day() >= onset);
        let (before, after) = (visit.filter(|_| !old), visit);
        let seen = before.map(|(visit, id)| (id.as_str(), visit.day()));
        let id = condition::add_chronic(record, (chronic, onset), seen);
        if let Some((visit, encounter)) = after {
            prescribe(record, chronic, &id, (encounter, visit.start));
        }
        problems.push(Problem { chronic, onset, id });
    }
    problems
}

fn prescribe(record: &mut Record<'_>, chronic: Chronic, condition: &str, (encounter, at): (&str, Moment)) {
    let drugs = chronic.disease().drugs;
    if drugs.is_empty() || !record.draw.chance(0.85) {
        return;
    }
    let drug = *record.draw.pick(drugs);
    let dead = record.person.death.is_some();
    medication::add(record, drug, condition, (encounter, at), dead);
    if drug == METFORMIN && record.person.hba1c_high && record.draw.chance(0.6) {
        medication::add(record, INSULIN, condition, (encounter, at), dead);
    }
}

fn add_visit(record: &mut Record<'_>, visit: &Visit, id: &CompactString, problems: &[Problem]) {
    let mut about = Vec::new();
    match visit.reason {
        Reason::Complaint(complaint) => {
            let condition = condition::add_complaint(record, complaint, visit, id);
            if let Some(drug) = complaint.drug {
                let over = visit.day().plus(complaint.days) < record.person.last_day(record.end);
                let is_over = over || record.person.death.is_some();
                medication::add(record, drug, &condition, (id, visit.start), is_over);
            }
            about.push(condition);
        }
        Reason::Chronic(chronic) => {
            about.extend(
                problems
                    .iter()
                    .filter(|problem| problem.chronic == chronic)
                    .map(|problem| problem.id.clone()),
            );
        }
        Reason::KneeReplacement | Reason::CheckUp => (),
    }
    encounter::add(record, id.clone(), visit, &about);
    vitals::add_all(record, visit, id);
    labs::add_all(record, visit, id);
    procedure::add_all(record, visit, id);
    immunization::add_due(record, visit, id);
    if visit.screens {
        sdoh::add_screening(record, visit, id);
    }
}

/// What happens once in a record, at the last clinic visit or outside of visits.
fn once(record: &mut Record<'_>, visits: &[Visit], encounters: &[CompactString], problems: &[Problem]) {
    immunization::add_influenza(record);
    procedure::add_colonoscopy(record);
    let Some((visit, id)) = visits.iter().zip(encounters).rfind(|(visit, _)| visit.is_ambulatory()) else {
        return;
    };
    allergy::add(record, visit.start);
    consent::add(record, visit.start);
    sdoh::add_circumstances(record, visit, id);
    let known = problems.iter().filter(|problem| problem.onset <= visit.day());
    let known: Vec<CompactString> = known.map(|problem| problem.id.clone()).collect();
    risk::add(record, &known, (id, visit.start));
    if let Some(diabetes) = problems.iter().find(|problem| problem.chronic == Chronic::Diabetes) {
        labs::add_hba1c(record, visit, id);
        if diabetes.onset <= visit.day() {
            risk::add_goal(record, &diabetes.id, visit.start);
        }
    }
}
