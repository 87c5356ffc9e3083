//! Series through the tables: detectors, gaps, corrections, episodes, groups.

use clinical::Number;
use event::{Data, Event, Kind, Measurement, PopulationCount, SCHEMA, Status, Value};
use fhir::Instant;
use rules::{Finding, What};
use rusqlite::Connection;

use super::series::day_text;
use super::*;

const DAY_MICROS: i64 = 86_400_000_000;
/// 1 January 2026.
const FIRST: i32 = 20_454;

struct World {
    conn: Connection,
    config: SurveillanceConfig,
    n_events: u32,
}

impl World {
    fn new(measure: MeasureConfig) -> World {
        let conn = Connection::open_in_memory().unwrap();
        conn.execute_batch(include_str!("../migrations/3_surveillance.sql")).unwrap();
        let config = SurveillanceConfig { default: measure, ..SurveillanceConfig::default() };
        World { conn, config, n_events: 0 }
    }

    fn event(&mut self, at: Instant, data: Data) -> Event {
        self.n_events += 1;
        let (kind, patient) = match &data {
            Data::Population(_) => (Kind::PopulationHealth, None),
            _ => (Kind::LabResults, Some("Patient/1".to_owned())),
        };
        Event {
            schema: SCHEMA,
            id: format!("e{}", self.n_events),
            kind,
            patient,
            encounter: None,
            at,
            received_at: at,
            birth_date: None,
            device: None,
            source: "county".to_owned(),
            organization: None,
            unit: None,
            data,
            quality: None,
            privacy: Vec::new(),
            population: Vec::new(),
            region: Some("R1".to_owned()),
        }
    }

    fn report(&mut self, measure: &str, day: i32, days: u16, count: u64) -> Event {
        let at = Instant(i64::from(day) * DAY_MICROS + DAY_MICROS / 2);
        let (measure, day) = (measure.to_owned(), day_text(day));
        let (denominator, stratum, reference) = (None, None, None);
        let data = PopulationCount { measure, day, days, count, denominator, stratum, reference };
        self.event(at, Data::Population(data))
    }

    fn apply(&self, event: &Event) -> Vec<Finding> {
        on_event(&self.conn, "t", &self.config, event, event.received_at).unwrap()
    }

    /// Reports a count; gives what the outbreak rules say, without those that cannot look yet.
    fn count(&mut self, day: i32, count: u64) -> Vec<String> {
        let event = self.report("flu", FIRST + day, 1, count);
        said(&self.apply(&event))
    }

    fn look(&self, detector: Detector) -> Vec<Point> {
        look(&self.conn, "t", &self.config, &key("flu", ""), detector, 1000).unwrap().points
    }

    fn flagged(&self, detector: Detector) -> Vec<i32> {
        self.look(detector).iter().filter(|point| point.is_flagged).map(|point| point.day - FIRST).collect()
    }
}

fn key(measure: &str, stratum: &str) -> Key {
    Key { measure: measure.to_owned(), region: "R1".to_owned(), stratum: stratum.to_owned() }
}

fn said(findings: &[Finding]) -> Vec<String> {
    let one = |finding: &Finding| match &finding.what {
        What::Raise(severity) => {
            Some(format!("{} raise {} {}", finding.rule, severity.name(), finding.opening))
        }
        // It can be looked at.
        What::Clear if finding.rule == "outbreak" => None,
        What::Clear => Some(format!("{} clear {}", finding.rule, finding.opening)),
        What::Retract => Some(format!("{} retract {}", finding.rule, finding.opening)),
        What::NotEvaluated(_) => None,
    };
    findings.iter().filter_map(one).collect()
}

fn plain(detectors: &[Detector]) -> MeasureConfig {
    MeasureConfig {
        detectors: detectors.to_vec(),
        sd_min: 0.0,
        suppress_below: 0,
        ..MeasureConfig::default()
    }
}

const SERIES: [u64; 30] =
    [5, 7, 6, 4, 8, 6, 5, 7, 9, 6, 5, 8, 7, 6, 14, 21, 25, 18, 9, 7, 6, 5, 8, 6, 7, 5, 30, 6, 7, 6];

#[test]
fn the_worked_series_through_the_tables() {
    let mut world = World::new(plain(&[]));
    for (day, count) in (1..).zip(SERIES) {
        world.count(day, count);
    }
    assert_eq!(world.flagged(Detector::EarsC1), [15, 16, 27]);
    assert_eq!(world.flagged(Detector::EarsC2), [15, 16, 17, 18, 27]);
    assert_eq!(world.flagged(Detector::EarsC3), [15, 16, 17, 18, 19, 20, 27, 28, 29]);
    let point = world.look(Detector::EarsC2)[14];
    assert!((point.statistic.unwrap() - 4.9135).abs() < 5e-5);
    assert_eq!((point.observed, point.is_tested), (Some(14), true));
    assert!(!world.look(Detector::EarsC2)[8].is_tested, "nine days before are needed");
}

#[test]
fn an_episode_is_raised_once_and_ends() {
    let mut world = World::new(plain(&[Detector::EarsC2]));
    let mut heard = Vec::new();
    for (day, count) in (1..).zip(SERIES) {
        for one in world.count(day, count) {
            heard.push(format!("{day}: {one}"));
        }
    }
    assert_eq!(
        heard,
        [
            "15: outbreak-ears-c2 raise high e15",
            "16: outbreak-ears-c2 raise high e15",
            "17: outbreak-ears-c2 raise high e15",
            "18: outbreak-ears-c2 raise high e15",
            "21: outbreak-ears-c2 clear e15",
            "27: outbreak-ears-c2 raise high e27",
            "30: outbreak-ears-c2 clear e27",
        ]
    );
}

#[test]
fn the_same_event_again_says_nothing() {
    let mut world = World::new(plain(&[Detector::EarsC1]));
    for day in 1..=14 {
        world.count(day, 5 + u64::from(day % 2 == 0));
    }
    let event = world.report("flu", FIRST + 15, 1, 40);
    assert_eq!(said(&world.apply(&event)), ["outbreak-ears-c1 raise high e15"]);
    assert!(world.apply(&event).is_empty());
}

#[test]
fn a_correction_retracts_and_an_older_report_does_not_win() {
    let mut world = World::new(plain(&[Detector::EarsC1]));
    for day in 1..=14 {
        world.count(day, 5 + u64::from(day % 2 == 0));
    }
    assert_eq!(world.count(15, 40), ["outbreak-ears-c1 raise high e15"]);
    let mut older = world.report("flu", FIRST + 15, 1, 90);
    older.at = Instant(older.at.0 - 1);
    assert!(world.apply(&older).is_empty());
    let mut corrected = world.report("flu", FIRST + 15, 1, 5);
    corrected.at = Instant(corrected.at.0 + 1);
    assert_eq!(said(&world.apply(&corrected)), ["outbreak-ears-c1 retract e15"]);
    assert!(!list(&world.conn, "t").unwrap()[0].is_flagged);
}

/// A late count of a day that calm days have followed is told, and ends with the next look.
#[test]
fn a_late_count_is_evaluated() {
    let mut world = World::new(plain(&[Detector::EarsC1]));
    for day in (1..=20).filter(|day| *day != 15) {
        world.count(day, 5 + u64::from(day % 2 == 0));
    }
    let mut late = world.report("flu", FIRST + 15, 1, 40);
    late.received_at = Instant(i64::from(FIRST + 20) * DAY_MICROS);
    assert_eq!(said(&world.apply(&late)), ["outbreak-ears-c1 raise high e20"]);
    assert_eq!(world.count(21, 6), ["outbreak-ears-c1 clear e20"]);
}

#[test]
fn history_is_no_outbreak_of_today() {
    let mut world = World::new(plain(&[Detector::EarsC1]));
    for day in 1..=14 {
        world.count(day, 5 + u64::from(day % 2 == 0));
    }
    let event = world.report("flu", FIRST + 15, 1, 40);
    let years_later = Instant(event.at.0 + 400 * DAY_MICROS);
    let found = on_event(&world.conn, "t", &world.config, &event, years_later).unwrap();
    assert_eq!(said(&found), [""; 0]);
    assert_eq!(world.flagged(Detector::EarsC1), [15]);
}

/// Measles: thirty days of nothing, then one.
#[test]
fn a_baseline_of_zero_alerts() {
    let mut world = World::new(plain(&[Detector::Simple]));
    for day in 1..=37 {
        assert!(world.count(day, 0).is_empty());
    }
    let event = world.report("flu", FIRST + 38, 1, 1);
    let findings = world.apply(&event);
    assert_eq!(said(&findings), ["outbreak-simple raise high e38"]);
    assert_eq!(findings[0].message, "flu in R1: 1 on 2026-02-08, expected 0.0 (Twice the baseline)");
    assert_eq!((findings[0].subject.as_str(), findings[0].topic.as_str()), ("population:flu@R1", "outbreak"));
}

/// Without being told, a day is unknown; with another group, or `*`, reported by the same source it is zero.
#[test]
fn gaps_are_zero_only_when_reporting_is_known() {
    let mut world = World::new(plain(&[]));
    for day in [1, 2, 5, 6] {
        world.count(day, 4);
    }
    let counts = |world: &World| -> Vec<Option<u64>> {
        world.look(Detector::EarsC1).iter().map(|p| p.observed).collect()
    };
    assert_eq!(counts(&world), [Some(4), Some(4), None, None, Some(4), Some(4)]);
    let mut group = world.report("flu", FIRST + 3, 1, 2);
    if let Data::Population(count) = &mut group.data {
        count.stratum = Some("age=0-4".to_owned());
    }
    world.apply(&group);
    let all = world.report("*", FIRST + 4, 1, 0);
    world.apply(&all);
    assert_eq!(counts(&world), [Some(4), Some(4), Some(0), Some(0), Some(4), Some(4)]);
    let mut elsewhere = world.report("*", FIRST + 7, 1, 0);
    elsewhere.source = "someone else".to_owned();
    world.apply(&elsewhere);
    assert_eq!(counts(&world).len(), 6, "another source's silence says nothing of this one");
}

/// The baseline is of the days before the outbreak, however long it lasts within a month; without the guard it would be its own baseline.
#[test]
fn an_outbreak_is_not_its_own_baseline() {
    let mut world = World::new(plain(&[Detector::Simple]));
    for day in 1..=40 {
        world.count(day, 10);
    }
    for day in 41..=65 {
        world.count(day, 30);
    }
    let points = world.look(Detector::Simple);
    let during: Vec<&Point> = points.iter().filter(|point| point.day > FIRST + 40).collect();
    assert!(during.iter().all(|point| point.is_flagged && point.expected == Some(10.0)));
    let mut cusum = World::new(plain(&[Detector::Cusum]));
    for day in 1..=60 {
        cusum.count(day, 10 + u64::from(day % 2 == 0));
    }
    assert!(cusum.flagged(Detector::Cusum).is_empty());
    for day in 61..=63 {
        cusum.count(day, 13);
    }
    assert!(!cusum.flagged(Detector::Cusum).is_empty());
}

#[test]
fn nothing_is_said_to_be_normal_without_a_baseline() {
    let mut world = World::new(plain(&[Detector::EarsC2, Detector::Simple]));
    let event = world.report("flu", FIRST, 1, 90);
    let findings = world.apply(&event);
    assert!(
        matches!(&findings[..], [one] if one.rule == "outbreak" && matches!(one.what, What::NotEvaluated(_)))
    );
}

/// The weekly series of the shared data, as R's package `surveillance` bounds it with its defaults.
#[test]
fn farrington_through_the_tables() {
    let Some(folder) = testkit::shared_data("surveillance-reference.tar.zst") else { return };
    let rows = |name: &str| -> Vec<Vec<String>> {
        let text = std::fs::read_to_string(folder.join("surv").join(name)).unwrap();
        text.lines()
            .skip(1)
            .map(|line| line.split(',').map(|cell| cell.trim_matches('"').to_owned()).collect())
            .collect()
    };
    let mut world = World::new(plain(&[]));
    let epoch = |text: &str| clinical::age::parse_day(text).unwrap().epoch_days();
    for row in rows("ears_momo.csv") {
        let event = world.report("flu", epoch(&row[4]), 7, row[5].parse().unwrap());
        world.apply(&event);
    }
    let points = world.look(Detector::FarringtonOriginal);
    let mut n_compared = 0;
    for row in rows("farrington_momo.csv") {
        let (upper, alarm): (f64, u8) = (row[4].parse().unwrap(), row[5].parse().unwrap());
        let point = points.iter().find(|point| point.day == epoch(&row[2]));
        if let Some(point) = point.filter(|point| point.is_tested && upper > 0.0) {
            let bound = point.bound.unwrap();
            assert!((bound - upper).abs() < 1e-6 * upper.max(1.0), "{}: {bound} {upper}", row[2]);
            assert_eq!(point.is_flagged, alarm == 1);
            n_compared += 1;
        }
    }
    assert!(n_compared > 450, "{n_compared}");
}

fn lab(world: &mut World, day: i32, patient: &str, result: &str, value: &str, status: Status) -> Event {
    let measured = Measurement {
        name: "92142-9".into(),
        loinc: Some("92142-9".into()),
        value: if value == "7" { Value::Number(Number::from(7)) } else { Value::Text(value.to_owned()) },
        comparator: None,
        unit: None,
        sent: None,
        status,
        result: Some(result.to_owned()),
        flags: Vec::new(),
    };
    let at = Instant(i64::from(FIRST + day) * DAY_MICROS);
    let mut event = world.event(at, Data::Measurements(vec![measured]));
    event.patient = Some(patient.to_owned());
    event
}

#[test]
fn results_are_counted_once_and_taken_back() {
    let mut world = World::new(plain(&[]));
    let condition = Condition {
        measure: "flu".to_owned(),
        loincs: vec!["92142-9".to_owned()],
        values: vec!["detected".to_owned()],
        once_in_days: 14,
    };
    world.config.conditions.push(condition);
    let observed = |world: &World| -> Vec<Option<u64>> {
        world.look(Detector::EarsC1).iter().map(|p| p.observed).collect()
    };
    let sent = [
        (1, "Patient/1", "r1", "Detected", Status::Final),
        (2, "Patient/1", "r2", "Detected", Status::Final),
        (2, "Patient/2", "r3", "Not detected", Status::Final),
        (3, "Patient/3", "r4", "DETECTED", Status::Preliminary),
        (3, "Patient/4", "r5", "7", Status::Final),
    ];
    for (day, patient, result, value, status) in sent {
        let event = lab(&mut world, day, patient, result, value, status);
        world.apply(&event);
        world.apply(&event);
    }
    assert_eq!(observed(&world), [Some(1), Some(0), Some(1)]);
    let wrong = lab(&mut world, 3, "Patient/1", "r1", "Detected", Status::EnteredInError);
    world.apply(&wrong);
    assert_eq!(observed(&world), [Some(0), Some(1), Some(1)], "the patient's other result takes its place");
    let corrected = lab(&mut world, 3, "Patient/3", "r4", "Not detected", Status::Corrected);
    world.apply(&corrected);
    assert_eq!(observed(&world), [Some(0), Some(1), Some(0)]);
}

/// Groups of one day: name, events, people. What the last event says, and each group's ratio.
#[track_caller]
fn check_groups(config: &MeasureConfig, groups: &[(&str, u64, u64)], expected: &[&str]) {
    let mut world = World::new(MeasureConfig { detectors: Vec::new(), ..config.clone() });
    let mut heard = Vec::new();
    for (stratum, events, people) in groups {
        let mut event = world.report("flu", FIRST, 1, *events);
        if let Data::Population(count) = &mut event.data {
            (count.stratum, count.denominator) = (Some((*stratum).to_owned()), Some(*people));
        }
        heard = world.apply(&event);
    }
    let shown =
        heard.iter().filter(|finding| finding.rule == "disparity").map(|finding| match &finding.what {
            What::NotEvaluated(why) => why.clone(),
            _ => finding.message.clone(),
        });
    assert_eq!(shown.collect::<Vec<String>>(), expected);
}

#[test]
fn groups_are_compared() {
    let higher_is_better = MeasureConfig { direction: Direction::HigherIsBetter, ..MeasureConfig::default() };
    let (a, b) = (("g=a", 45, 1000), ("g=b", 30, 1200));
    let worse =
        "flu in R1, g=a: ratio to the others 1.80 (95 % interval 1.14 to 2.84); this group is worse off";
    check_groups(&MeasureConfig::default(), &[b, a], &[worse]);
    let others =
        "flu in R1, g=b: ratio to the others 0.56 (95 % interval 0.35 to 0.88); the others are worse off";
    check_groups(&MeasureConfig::default(), &[a, b], &[others]);
    check_groups(&higher_is_better, &[a, b], &[&others.replace("the others are", "this group is")]);
    // A ratio of 1.4, and one of 1.8 whose interval includes 1.
    check_groups(&MeasureConfig::default(), &[("g=b", 300, 10_000), ("g=a", 420, 10_000)], &[]);
    check_groups(&MeasureConfig::default(), &[("g=b", 11, 1000), ("g=a", 20, 1000)], &[]);
    let small = "g=a: fewer than 11 cases in a group";
    check_groups(&MeasureConfig::default(), &[("g=b", 30, 1200), ("g=a", 10, 100)], &[small]);
    check_groups(&MeasureConfig::default(), &[("g=b", 10, 1200), ("g=a", 45, 1000)], &[small]);
    check_groups(
        &MeasureConfig::default(),
        &[("g=a", 45, 1000)],
        &["g=a: not estimable: the denominator is zero"],
    );
}

#[test]
fn an_explicit_reference_and_an_end() {
    let mut world = World::new(MeasureConfig { detectors: Vec::new(), ..MeasureConfig::default() });
    let report = |world: &mut World, count: u64| {
        let mut event = world.report("flu", FIRST, 1, count);
        if let Data::Population(data) = &mut event.data {
            data.stratum = Some("race=2054-5".to_owned());
            (data.denominator, data.reference) = (Some(1000), Some((30, 1200)));
        }
        event.received_at = Instant(event.at.0 + i64::from(world.n_events));
        said(&world.apply(&event))
    };
    assert_eq!(report(&mut world, 45), ["disparity raise medium e1"]);
    let found = disparities(&world.conn, "t", ("flu", "R1"), &world.config.default).unwrap();
    let ratio = found[0].ratio.as_ref().unwrap();
    assert!((ratio.value - 1.8).abs() < 1e-9 && (ratio.interval.low - 1.142827).abs() < 1e-6);
    assert!((ratio.interval.high - 2.835074).abs() < 1e-6);
    assert_eq!(report(&mut world, 46), ["disparity raise medium e1"]);
    assert_eq!(report(&mut world, 26), ["disparity clear e1"]);
}

#[test]
fn small_counts_are_not_shown() {
    let measure = MeasureConfig { suppress_below: 11, ..plain(&[Detector::EarsC1]) };
    let mut world = World::new(measure);
    for day in 1..=14 {
        world.count(day, u64::from(day % 2 == 0));
    }
    let event = world.report("flu", FIRST + 15, 1, 9);
    let findings = world.apply(&event);
    assert_eq!(findings[0].message, "flu in R1: <11 on 2026-01-16 (EARS C1)");
    assert_eq!(findings[0].seen[0].value, "<11");
    let points = world.look(Detector::EarsC1);
    assert_eq!((points[14].observed, points[14].statistic, points[14].is_flagged), (None, None, true));
    assert_eq!(points[13].observed, None);
    assert_eq!(points[12].observed, Some(0));
    let listed = list(&world.conn, "t").unwrap();
    assert_eq!((listed[0].n_points, listed[0].last.as_str(), listed[0].is_flagged), (15, "2026-01-16", true));
}
