//! Tests that stand in rule files: values at and beside every limit, times, and whole stories of events.

mod story;

use clinical::age::Day;
use clinical::{Number, Pregnancy};
use event::Comparator;
use fhir::Instant;
use yaml::Point;

use crate::applies::day_of;
use crate::hash::key;
use crate::model::{Body, Rule};
use crate::span::{Age, AgeUnit, Span};
use crate::{Finding, PatientState, RuleSet, Severity, Subject, What};

/// When tests begin: 2026-06-15T12:00:00Z.
const START: i64 = 1_781_524_800_000_000;
const SECOND: i64 = 1_000_000;
const HOUR: i64 = 3_600 * SECOND;
const DAY: i64 = 24 * HOUR;

/// A test of one rule.
#[derive(Clone, Debug)]
pub(crate) struct Test {
    pub(crate) name: String,
    pub(crate) rule: String,
    pub(crate) patient: TestPatient,
    /// One value and what it must raise.
    pub(crate) levels: Vec<(TestValue, Option<Severity>)>,
    pub(crate) ages: Vec<(TestValue, Age, Option<Severity>)>,
    pub(crate) respond: Vec<(TestValue, u32)>,
    pub(crate) clears: Vec<ClearTest>,
    pub(crate) sustained: Vec<SustainedTest>,
    pub(crate) refractory: Vec<RefractoryTest>,
    pub(crate) steps: Vec<Step>,
    pub(crate) until: Option<Span>,
    /// Minutes of the last finding of a story that names some.
    pub(crate) respond_last: Option<u32>,
    pub(crate) expect: Option<Vec<Expected>>,
    pub(crate) at: Point,
}

#[derive(Clone, Debug)]
pub(crate) struct TestPatient {
    pub(crate) age: Option<Age>,
    pub(crate) pregnancy: Pregnancy,
    pub(crate) spo2_target_88_92: bool,
    pub(crate) dialysis: bool,
    pub(crate) medications: Vec<String>,
    pub(crate) allergies: Vec<String>,
    /// Where the patient is.
    pub(crate) ward: Option<String>,
}

impl Default for TestPatient {
    fn default() -> TestPatient {
        TestPatient {
            age: Some(Age { count: 40, unit: AgeUnit::Years }),
            pregnancy: Pregnancy::NotStated,
            spo2_target_88_92: false,
            dialysis: false,
            medications: Vec::new(),
            allergies: Vec::new(),
            ward: None,
        }
    }
}

/// A value of a test: made up, no patient's.
#[derive(Clone, Debug)]
pub(crate) enum TestValue {
    Number(Number, Option<Comparator>),
    Text(String),
}

/// Raised by `from`; not over at `not_at`, over at `at` after a time.
#[derive(Clone, Debug)]
pub(crate) struct ClearTest {
    pub(crate) from: TestValue,
    pub(crate) not_at: TestValue,
    pub(crate) at: TestValue,
    pub(crate) after: Span,
}

/// Not raised before a time, raised then.
#[derive(Clone, Debug)]
pub(crate) struct SustainedTest {
    pub(crate) value: TestValue,
    pub(crate) after: Span,
    pub(crate) level: Severity,
}

/// After it was over, the same is said again only after a time; what is worse at once.
#[derive(Clone, Debug)]
pub(crate) struct RefractoryTest {
    pub(crate) from: TestValue,
    pub(crate) clear: TestValue,
    pub(crate) worse: Option<TestValue>,
    pub(crate) after: Span,
}

#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) at: Span,
    pub(crate) id: Option<String>,
    pub(crate) unit: Option<String>,
    pub(crate) quality: Option<f64>,
    pub(crate) data: Vec<StepData>,
}

#[derive(Clone, Debug)]
pub(crate) enum StepData {
    Measured {
        measure: String,
        value: TestValue,
        unit: Option<String>,
        status: Option<event::Status>,
        result: Option<String>,
        flags: Vec<String>,
    },
    Order {
        rxnorm: Option<String>,
        ingredients: Vec<String>,
        status: String,
    },
}

/// What a story must lead to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    Raise(Severity),
    Clear,
    Retract,
    NotEvaluated,
}

/// How a test went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestOutcome {
    /// The file.
    pub path: String,
    /// Where the test stands.
    pub at: Point,
    /// The rule that it is about.
    pub rule: String,
    /// Its name.
    pub name: String,
    /// What is not as expected; empty: passed.
    pub failures: Vec<String>,
}

/// Runs a test.
pub(crate) fn run(set: &RuleSet, test: &Test) -> Vec<String> {
    let Some((_, rule)) = set.rule_of(key(&test.rule)) else {
        return vec![format!("the rule `{}` is not known", test.rule)];
    };
    let mut failures = Vec::new();
    for (value, expected) in &test.levels {
        failures.extend(level(set, rule, &test.patient, value, *expected));
    }
    for (value, age, expected) in &test.ages {
        let patient = TestPatient { age: Some(*age), ..test.patient.clone() };
        failures.extend(
            level(set, rule, &patient, value, *expected).map(|failure| format!("at {age}: {failure}")),
        );
    }
    for (value, minutes) in &test.respond {
        let mut bed = Bed::new(set, rule, &test.patient);
        bed.feed(value, START);
        bed.pass(START + HOUR);
        let found = bed.found.iter().rev().find_map(|finding| finding.respond_within_mins);
        if found != Some(*minutes) {
            failures
                .push(format!("{}: respond within {minutes} min expected, found {found:?}", value.text()));
        }
    }
    failures.extend(test.clears.iter().filter_map(|case| clears(set, rule, &test.patient, case)));
    failures.extend(test.sustained.iter().filter_map(|case| sustained(set, rule, &test.patient, case)));
    failures.extend(test.refractory.iter().filter_map(|case| refractory(set, rule, &test.patient, case)));
    failures.extend(test.expect.as_ref().and_then(|expected| story::run(set, rule, test, expected)));
    failures
}

fn level(
    set: &RuleSet,
    rule: &Rule,
    patient: &TestPatient,
    value: &TestValue,
    expected: Option<Severity>,
) -> Option<String> {
    let mut bed = Bed::new(set, rule, patient);
    bed.feed(value, START);
    bed.pass(START + HOUR);
    let found = bed.raised();
    let name = |severity: Option<Severity>| severity.map_or("none", Severity::name);
    (found != expected)
        .then(|| format!("{}: {} expected, found {}", value.text(), name(expected), name(found)))
}

/// The last value at which the alert must go on, and the first at which it must end.
fn clears(set: &RuleSet, rule: &Rule, patient: &TestPatient, case: &ClearTest) -> Option<String> {
    let mut bed = Bed::new(set, rule, patient);
    let place = format!("{} to {}", case.from.text(), case.at.text());
    bed.feed(&case.from, START);
    bed.pass(START + DAY);
    let Some(severity) = bed.raised() else { return Some(format!("{place}: nothing was raised")) };
    let active = |bed: &Bed<'_>| bed.is_active(severity);
    bed.feed(&case.not_at, START + DAY);
    bed.pass(START + 9 * DAY);
    if !active(&bed) {
        return Some(format!("{place}: it was over at {} already", case.not_at.text()));
    }
    let start = START + 9 * DAY;
    bed.feed(&case.at, start);
    bed.pass(start + case.after.micros() - SECOND);
    if case.after.count > 0 && !active(&bed) {
        return Some(format!("{place}: it was over before {}", case.after));
    }
    bed.pass(start + case.after.micros());
    active(&bed).then(|| format!("{place}: it was not over after {}", case.after))
}

fn sustained(set: &RuleSet, rule: &Rule, patient: &TestPatient, case: &SustainedTest) -> Option<String> {
    let mut bed = Bed::new(set, rule, patient);
    bed.feed(&case.value, START);
    bed.pass(START + case.after.micros() - SECOND);
    if bed.raised().is_some_and(|raised| raised >= case.level) {
        return Some(format!("{}: it was raised before {}", case.value.text(), case.after));
    }
    bed.pass(START + case.after.micros());
    (bed.raised() != Some(case.level))
        .then(|| format!("{}: it was not raised after {}", case.value.text(), case.after))
}

fn refractory(set: &RuleSet, rule: &Rule, patient: &TestPatient, case: &RefractoryTest) -> Option<String> {
    let after_one = |next: &TestValue| -> Option<(Bed<'_>, i64)> {
        let mut bed = Bed::new(set, rule, patient);
        bed.feed(&case.from, START);
        bed.pass(START + DAY);
        bed.feed(&case.clear, START + DAY);
        bed.pass(START + 2 * DAY);
        let over = bed.found.iter().find(|finding| finding.what == What::Clear)?.at.0;
        bed.found.clear();
        bed.feed(next, over + SECOND);
        Some((bed, over))
    };
    let text = case.from.text();
    let Some((mut bed, over)) = after_one(&case.from) else {
        return Some(format!("{text}: it was never over"));
    };
    bed.pass(over + case.after.micros() - SECOND);
    if bed.raised().is_some() {
        return Some(format!("{text}: it was said again before {}", case.after));
    }
    bed.pass(over + case.after.micros());
    if bed.raised().is_none() {
        return Some(format!("{text}: it was not said again after {}", case.after));
    }
    let worse = case.worse.as_ref()?;
    let (bed, _) = after_one(worse)?;
    bed.raised().is_none().then(|| format!("{}: it is worse and was not said at once", worse.text()))
}

/// One patient, one rule.
struct Bed<'a> {
    set: &'a RuleSet,
    rule: &'a Rule,
    state: PatientState,
    subject: Subject,
    found: Vec<Finding>,
    n_events: usize,
    ward: Option<String>,
}

impl<'a> Bed<'a> {
    fn new(set: &'a RuleSet, rule: &'a Rule, patient: &TestPatient) -> Bed<'a> {
        let (state, subject) = (PatientState::default(), patient.subject());
        Bed { set, rule, state, subject, found: Vec::new(), n_events: 0, ward: patient.ward.clone() }
    }

    fn keep(&mut self, found: Vec<Finding>) {
        self.found.extend(found.into_iter().filter(|finding| finding.rule == self.rule.name));
    }

    fn pass(&mut self, at: i64) {
        let found = self.set.on_time(&mut self.state, &self.subject, Instant(at));
        self.keep(found);
    }

    /// A value of the measure of the rule; computed ones are handed to the rule as they are.
    fn feed(&mut self, value: &TestValue, at: i64) {
        let Body::Limits { measure, .. } = &self.rule.body else { return };
        let Some(indexed) = self.set.measure(measure) else { return };
        self.n_events += 1;
        let found = match (indexed.measure.derive, value) {
            (Some(_), TestValue::Number(number, comparator)) => self.set.on_computed(
                &mut self.state,
                &self.subject,
                indexed,
                (*number, *comparator),
                Instant(at),
            ),
            _ => {
                let step = StepData::Measured {
                    measure: measure.clone(),
                    value: value.clone(),
                    unit: None,
                    status: None,
                    result: None,
                    flags: Vec::new(),
                };
                let mut event = story::event(self.set, &[step], &format!("e{}", self.n_events), at);
                event.unit.clone_from(&self.ward);
                self.set.on_event(&mut self.state, &self.subject, &event)
            }
        };
        self.keep(found);
    }

    /// The worst severity that was raised.
    fn raised(&self) -> Option<Severity> {
        let severity = |finding: &Finding| match finding.what {
            What::Raise(severity) => Some(severity),
            _ => None,
        };
        self.found.iter().filter_map(severity).max()
    }

    /// Is a row of this severity active.
    fn is_active(&self, severity: Severity) -> bool {
        let key = key(&self.rule.name);
        let rows = self
            .state
            .episodes
            .iter()
            .filter(|episode| episode.rule == key)
            .flat_map(|episode| &episode.rows);
        let of =
            |row_key: u8| self.rule.rows().iter().any(|row| row.key() == row_key && row.severity == severity);
        rows.into_iter().any(|row| row.active && of(row.key))
    }
}

impl TestPatient {
    fn subject(&self) -> Subject {
        Subject {
            birth_date: self.age.and_then(birth_of),
            pregnancy: self.pregnancy,
            spo2_target_88_92: self.spo2_target_88_92,
            dialysis: self.dialysis,
            medications: self.medications.clone(),
            allergies: self.allergies.clone(),
        }
    }
}

/// Who has completed this age on the day of the test, and not a day more.
fn birth_of(age: Age) -> Option<String> {
    let today = day_of(Instant(START))?;
    let count = i16::try_from(age.count).ok()?;
    let (year, month, day) = today.ymd();
    let birth = match age.unit {
        AgeUnit::Days => today.plus_days(-i64::from(age.count)),
        AgeUnit::Months => {
            let months = year * 12 + i16::from(month) - 1 - count;
            Day::of(months / 12, u8::try_from(months % 12 + 1).ok()?, day)
        }
        AgeUnit::Years => today.years_before(count),
    };
    let (year, month, day) = birth?.ymd();
    Some(format!("{year:04}-{month:02}-{day:02}"))
}

impl TestValue {
    fn text(&self) -> String {
        match self {
            TestValue::Number(number, comparator) => {
                format!("{}{number}", crate::limit::sign_of(*comparator))
            }
            TestValue::Text(text) => text.clone(),
        }
    }
}
