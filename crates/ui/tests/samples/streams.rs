//! Sample views of surveillance, streams and rules.

use ui::alerts::Burden;
use ui::frame::Place;
use ui::parts::pager::Paging;
use ui::rules::{Change, Limit, Rule};
use ui::streams::{Cause, DeadView, EventView, Lag, Letter, Opened, Status, Times};
use ui::surveillance::{Point, Series, Shown};

use super::{Sample, at, frame};

pub(super) fn all() -> Vec<Sample> {
    let curve = surveillance();
    let no_counts = ui::surveillance::View { series: Vec::new(), shown: None, ..curve.clone() };
    let running = ui::streams::View { frame: frame(), status: status(), notice: None };
    let idle = ui::streams::View {
        status: Status { log: "embedded".into(), ..Status::default() },
        ..running.clone()
    };
    let dead = dead();
    let opened = DeadView {
        opened: Some(Opened { id: 7, text: "{\"note\":\"<b>not bold</b>\"}".into() }),
        ..dead.clone()
    };
    let nothing = DeadView {
        causes: Vec::new(),
        letters: Vec::new(),
        state: String::new(),
        paging: Paging::default(),
        ..dead.clone()
    };
    let event = EventView {
        frame: frame(),
        position: "vital_signs:3:1042".into(),
        appended_at: Some(at("2026-11-25T13:10:00Z")),
        headers: vec![("tenant".into(), "main".into())],
        text: "{\"heart_rate\":131}".into(),
        patient: Some("p1".into()),
    };
    let rules = ui::rules::View {
        frame: frame(),
        rules: vec![
            rule("founding/heart-rate", Some((4, 4))),
            rule("own-rule", Some((1, 3))),
            rule("bare", None),
        ],
        faults: vec![
            "`rules/own.yaml` 4:7: there is no measure `hart_rate`: did you mean `heart_rate`".into(),
        ],
    };
    let no_rules = ui::rules::View { rules: Vec::new(), faults: Vec::new(), ..rules.clone() };
    vec![
        ("surveillance", ui::surveillance::page(&curve)),
        ("surveillance-none", ui::surveillance::page(&no_counts)),
        ("streams", ui::streams::page(&running)),
        ("streams-idle", ui::streams::page(&idle)),
        ("streams-unconfigured", ui::streams::unconfigured_page(&frame(), Place::Streams, "Streams")),
        ("dead-letters", ui::streams::dead_page(&dead)),
        ("dead-letters-opened", ui::streams::dead_page(&opened)),
        ("dead-letters-none", ui::streams::dead_page(&nothing)),
        ("event", ui::streams::event_page(&event)),
        ("rules", ui::rules::page(&rules)),
        ("rules-none", ui::rules::page(&no_rules)),
        ("rule", ui::rules::one_page(&one_rule())),
    ]
}

fn surveillance() -> ui::surveillance::View {
    let series = Series {
        measure: "influenza".into(),
        region: Some("36061".into()),
        stratum: None,
        n_points: 30,
        last: "2026-11-24".into(),
        is_flagged: true,
    };
    let counts = [5u64, 7, 6, 4, 8, 6, 5, 7, 9, 6, 5, 8, 7, 6, 14, 21];
    let point = |(at, n): (usize, &u64)| Point {
        day: format!("2026-11-{:02}", at + 9),
        observed: (*n > 4).then_some(*n),
        expected: (at >= 7).then_some(6.0),
        bound: (at >= 7).then_some(11.0),
        statistic: (at >= 7).then_some((*n as f64 - 6.0) / 1.7),
        is_flagged: at >= 14,
    };
    let shown = Shown {
        series: series.clone(),
        algorithm: "c1".into(),
        definition: vec![("Detector".into(), "EARS C1: 7 days before, z above 3".into())],
        points: counts.iter().enumerate().map(point).collect(),
        suppressed_below: 5,
    };
    let other = Series {
        measure: "readmission".into(),
        region: None,
        stratum: Some("race=<b>42</b>".into()),
        is_flagged: false,
        ..series.clone()
    };
    ui::surveillance::View {
        frame: frame(),
        series: vec![series, other],
        shown: Some(shown),
        algorithms: vec![
            ("c1".into(), "EARS C1".into()),
            ("farrington".into(), "Farrington flexible".into()),
        ],
    }
}

fn status() -> Status {
    let lag = |partition, offset, end, state: &str| Lag {
        group: "rules".into(),
        topic: "healthcare.vital_signs".into(),
        partition,
        offset,
        end,
        moved_at: (offset > 0).then(|| super::at("2026-11-25T08:00:00Z")),
        state: state.into(),
    };
    let times = |stage: &str, n, p50_ms, p99_ms| Times { stage: stage.into(), n, p50_ms, p99_ms };
    Status {
        log: "embedded".into(),
        appended: Some(120_411),
        times: vec![
            times("fsync", 1_200, Some(3.62), Some(11.9)),
            times("event to alert", 41, Some(0.41), Some(18.0)),
            times("decode", 0, None, None),
        ],
        lags: vec![lag(0, 120_000, 120_000, "running"), lag(1, 0, 411, "stopped")],
        dead_waiting: 3,
        rejected: 2,
        burden: Some(Burden {
            hours: 24,
            raised: 40,
            acknowledged: 31,
            overridden: 4,
            per_bed_day: Some(1.74),
            median_ack_secs: Some(184.0),
        }),
        troubles: vec!["partition 1 of `healthcare.vital_signs` stopped: the disk is full".into()],
    }
}

fn dead() -> DeadView {
    let letter = |id, state: &str, position: Option<&str>| Letter {
        id,
        at: at("2026-11-25T13:00:00Z"),
        kind: position.map(|_| "lab_results".into()),
        source: "lab <b>42</b>".into(),
        reason: "unit-missing".into(),
        message: "`glucose` has no unit, and the source does not say one".into(),
        position: position.map(String::from),
        state: state.into(),
    };
    DeadView {
        frame: frame(),
        state: "open".into(),
        causes: vec![
            Cause { reason: "unit-missing".into(), open: 2, all: 3 },
            Cause { reason: "kind-unknown".into(), open: 0, all: 1 },
        ],
        letters: vec![letter(7, "open", Some("lab_results:2:9")), letter(6, "replayed", None)],
        paging: Paging {
            shown: 2,
            total: Some(3),
            first: None,
            next: Some("/streams/dead-letters?state=open&after=7".into()),
        },
        opened: None,
        may_open: true,
        may_replay: true,
        notice: None,
    }
}

fn rule(name: &str, tests: Option<(u64, u64)>) -> Rule {
    let limit = |limit: &str, severity: &str| Limit {
        limit: limit.into(),
        severity: severity.into(),
        clear: "at most 115 /min for 5m".into(),
        ..Limit::default()
    };
    let immediate = Limit {
        is_immediate: true,
        sustained: Some("2m".into()),
        respond_within: Some("15m".into()),
        says: Some("check patient <b>not bold</b>".into()),
        ..limit("below 30 /min", "high")
    };
    Rule {
        name: name.into(),
        version: "1.2.0".into(),
        hash: "9f2ab3c4".into(),
        about: "Limits of the `founding` chapter.".into(),
        looks_at: "heart rate".into(),
        applies: "everybody".into(),
        source: if name == "bare" { String::new() } else { "founding design, table 2".into() },
        topic: "heart-rate".into(),
        limits: if name == "bare" {
            Vec::new()
        } else {
            vec![limit("above 120 /min", "critical"), immediate]
        },
        refractory: Some("10m".into()),
        is_enabled: name != "bare",
        tests,
        active: 2,
    }
}

fn one_rule() -> ui::rules::OneView {
    ui::rules::OneView {
        frame: frame(),
        rule: rule("own-rule", Some((1, 2))),
        cases: vec![
            ("121 raises".into(), None),
            ("120 does not".into(), Some("expected nothing, found `critical`".into())),
        ],
        versions: vec!["1.2.0".into(), "1.1.0".into()],
        asked: Some(ui::rules::Used {
            version: "1.0.0".into(),
            since: super::at("2026-10-01T06:00:00Z"),
            says: vec!["looks at: heart rate".into(), "applies to: everybody".into()],
            file: Some(("rules/ward.yaml".into(), "pack: ward\nversion: 1.0.0\n".into())),
        }),
        compared: Some((
            "1.1.0".into(),
            vec![
                Change::Same("name: own-rule".into()),
                Change::Gone("limit: 125".into()),
                Change::New("limit: 120".into()),
            ],
        )),
    }
}
