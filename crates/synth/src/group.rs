//! Programmes as Groups of actual people with periods of membership. Members are gathered while patients are written.

use compact_str::{CompactString, format_compact};
use fhir::Value;

use crate::day::{Day, Moment};
use crate::disease::Chronic;
use crate::make::{Code, code, object, period, reference, word};
use crate::person::{Payer, Person};

/// At most so many members are in one Group; more make a second one (`…-2`), so that no Group outgrows a request.
pub const GROUP_MEMBERS_MAX: usize = 20_000;

/// Id, name and code of each programme.
const PROGRAMMES: [(&str, &str); 4] = [
    ("diabetes-care", "Diabetes care"),
    ("medicaid-2025", "Medicaid 2025"),
    ("hypertension-control", "Hypertension control"),
    ("heart-failure-follow-up", "Heart failure follow-up"),
];

/// One person in one programme.
pub(crate) struct Membership {
    programme: usize,
    patient: CompactString,
    start: Day,
    end: Option<Day>,
}

/// The memberships of a person: by the same facts as everywhere, without chance.
pub(crate) fn memberships_of(person: &Person, end: Day, years: i32) -> Vec<Membership> {
    let window = end.plus(-365 * years);
    let last = person.last_day(end);
    let left = person.death.map(Moment::day);
    let mut all = Vec::new();
    let mut join = |programme, start: Day, until: Option<Day>| {
        let until = until.filter(|day| *day < last).or(left);
        if start < last {
            all.push(Membership { programme, patient: person.id.clone(), start, end: until });
        }
    };
    for (chronic, onset) in &person.diseases {
        let programme = match chronic {
            Chronic::Diabetes => 0,
            Chronic::Hypertension if person.number.is_multiple_of(2) => 2,
            Chronic::HeartFailure => 3,
            _ => continue,
        };
        let start = onset.plus(30).max(window);
        // Every seventh leaves after a year.
        join(programme, start, (person.number.is_multiple_of(7)).then(|| start.plus(365)));
    }
    if person.payer == Payer::Medicaid {
        let (start, stop) = (Day::of(2025, 1, 1).max(person.birth), Day::of(2025, 12, 31));
        if start < stop {
            join(1, start, Some(stop));
        }
    }
    all
}

/// The Groups of all memberships in the order of the programmes, one at a time.
pub(crate) fn groups_of(memberships: &[Membership], seed: u64) -> impl Iterator<Item = Value> {
    (0..PROGRAMMES.len()).flat_map(move |at| {
        let members: Vec<&Membership> = memberships.iter().filter(|one| one.programme == at).collect();
        let n_parts = members.len().div_ceil(GROUP_MEMBERS_MAX);
        (0..n_parts).map(move |part| {
            let (slug, name) = PROGRAMMES[at];
            let number = if part == 0 { CompactString::default() } else { format_compact!("-{}", part + 1) };
            let of_part = members.iter().skip(part * GROUP_MEMBERS_MAX).take(GROUP_MEMBERS_MAX);
            let id = format_compact!("s{seed}-{slug}{number}");
            group(&id, slug, name, of_part.map(|membership| member(membership)).collect())
        })
    })
}

fn member(membership: &Membership) -> Value {
    let end = membership.end;
    object([
        ("entity", reference("Patient", &membership.patient)),
        ("period", period(membership.start.text(), end.map(Day::text))),
        ("inactive", end.is_some().into()),
    ])
}

fn group(id: &CompactString, slug: &'static str, name: &'static str, members: Vec<Value>) -> Value {
    let kind: Code = code("urn:salus:population", slug, name);
    let quantity = u32::try_from(members.len()).expect("a group has a limit");
    object([
        ("resourceType", word("Group")),
        ("id", id.clone().into()),
        ("active", true.into()),
        ("type", word("person")),
        ("actual", true.into()),
        ("code", kind.concept()),
        ("name", word(name)),
        ("quantity", quantity.into()),
        ("member", members.into()),
    ])
}
