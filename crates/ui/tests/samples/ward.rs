//! Sample views of the ward, alerts and vitals.

use ui::alerts::{
    Alert, AlertFacts, Delivery, Filter, ListView, OneView, Person, Said, Seen, Step, list_page, one_page,
};
use ui::parts::chip::Tone;
use ui::parts::empty::Notice;
use ui::vitals::{Line, Point};
use ui::ward::{Bed, Reading, Score, Trend};

use super::{Sample, at, frame};

pub(super) fn all() -> Vec<Sample> {
    let board = board();
    let empty = ui::ward::View { beds: Vec::new(), units: Vec::new(), ..board.clone() };
    let queue = queue();
    let none = ListView { alerts: Vec::new(), waiting: Vec::new(), ..queue.clone() };
    let filtered = ListView {
        filter: Filter { severity: "low".into(), unit: "Ward <3>".into(), ..Filter::default() },
        notice: Some(Notice {
            tone: Tone::Good,
            title: "2 alerts are acknowledged".into(),
            text: String::new(),
        }),
        has_more: true,
        ..queue.clone()
    };
    let looking = ListView { may_act: false, ..queue.clone() };
    let one = one();
    let mut closed = one.clone();
    closed.facts.alert.state = "retracted".into();
    closed.facts.deliveries.clear();
    closed.facts.said.truncate(1);
    let vitals = vitals();
    let silent = ui::vitals::View { bed: None, lines: Vec::new(), alerts: Vec::new(), ..vitals.clone() };
    vec![
        ("ward", ui::ward::page(&board)),
        ("ward-empty", ui::ward::page(&empty)),
        ("alerts", list_page(&queue)),
        ("alerts-none", list_page(&none)),
        ("alerts-filtered", list_page(&filtered)),
        ("alerts-looking", list_page(&looking)),
        ("alert", one_page(&one)),
        ("alert-retracted", one_page(&closed)),
        ("vitals", ui::vitals::page(&vitals)),
        ("vitals-none", ui::vitals::page(&silent)),
    ]
}

fn person() -> Person {
    Person {
        subject: "Patient/p1".into(),
        id: Some("p1".into()),
        name: Some("Okafor<script>alert(1)</script>, Ada".into()),
    }
}

fn reading(label: &str, value: &str, unit: &str, points: Option<u8>) -> Reading {
    Reading {
        label: label.into(),
        value: value.into(),
        unit: unit.into(),
        at: at("2026-11-25T13:16:00Z"),
        points,
        is_stale: false,
    }
}

fn bed(key: &str, score: Score) -> Bed {
    Bed {
        key: key.into(),
        person: Person {
            subject: format!("Patient/{key}"),
            id: Some(key.into()),
            name: Some(format!("Person {key}")),
        },
        unit: Some("Ward <3>".into()),
        score,
        trend: None,
        history: Vec::new(),
        last: Some(at("2026-11-25T13:17:00Z")),
        values: Vec::new(),
        alert: None,
    }
}

fn sick() -> Bed {
    let history = [("2026-11-25T06:00:00Z", 2), ("2026-11-25T09:00:00Z", 4), ("2026-11-25T13:16:00Z", 9)];
    Bed {
        person: person(),
        trend: Some(Trend::Worse),
        history: history.into_iter().map(|(time, points)| (at(time), points)).collect(),
        values: vec![
            reading("RR", "26", "/min", Some(3)),
            reading("SpO2", "91", "%", Some(3)),
            reading("Air/O2", "air", "", Some(0)),
            reading("SBP", "104", "mmHg", Some(1)),
            reading("Pulse", "118", "/min", Some(2)),
            reading("ACVPU", "A", "", Some(0)),
            reading("Temp", "37.2", "°C", Some(0)),
        ],
        alert: Some(("critical".into(), 2)),
        ..bed("p1", Score::Total { points: 9, band: "high".into() })
    }
}

fn board() -> ui::ward::View {
    let partial = |band: Option<&str>, at_least| Score::Partial {
        at_least,
        band: band.map(String::from),
        missing: vec!["consciousness".into(), "temperature".into()],
    };
    let mut stale = bed("p4", partial(None, 1));
    stale.values = vec![Reading { is_stale: true, ..reading("Temp", ">41", "°C", None) }];
    let mut stranger = bed("x9f2", Score::NoData);
    stranger.person = Person { subject: "http://h|77".into(), id: None, name: None };
    (stranger.unit, stranger.last) = (None, None);
    ui::ward::View {
        frame: frame(),
        unit: "Ward <3>".into(),
        units: vec!["ICU".into(), "Ward <3>".into()],
        beds: vec![
            sick(),
            bed("p2", Score::Total { points: 3, band: "low-medium".into() }),
            bed("p3", partial(Some("medium"), 5)),
            stale,
            stranger,
            Bed { trend: Some(Trend::Same), ..bed("p5", Score::Total { points: 5, band: "medium".into() }) },
            Bed { trend: Some(Trend::Better), ..bed("p6", Score::Total { points: 0, band: "low".into() }) },
            bed("p7", Score::NotEvaluated("NEWS2 is for people from 16 years".into())),
        ],
        has_more: false,
        cursor: "a12-v3".into(),
    }
}

fn alert(id: &str, severity: &str, state: &str) -> Alert {
    Alert {
        id: id.into(),
        rule: "ward/heart-rate-high".into(),
        version: "1.2.0".into(),
        severity: severity.into(),
        state: state.into(),
        message: "Heart rate <b>not bold</b> 131 /min, limit 120 /min; measured by monitor-7; before: 118 /min; rule heart-rate-high 1.2.0".into(),
        person: person(),
        unit: Some("Ward <3>".into()),
        at: at("2026-11-25T13:10:00Z"),
        raised_at: at("2026-11-25T13:10:01Z"),
        respond_by: Some(at("2026-11-25T13:15:01Z")),
        snoozed_until: (state == "snoozed").then(|| at("2026-11-25T13:30:00Z")),
        owner: (state == "acknowledged").then(|| "Ada Lopez".into()),
        n_grouped: 1,
        snooze_max_mins: 15,
        seq: 41,
        measure: Some("heart_rate".into()),
        quiet: None,
    }
}

fn queue() -> ListView {
    let late = Alert { n_grouped: 3, ..alert("a1", "critical", "open") };
    let early = Alert {
        respond_by: Some(at("2026-11-25T13:40:00Z")),
        quiet: Some("silenced".into()),
        ..alert("a2", "medium", "open")
    };
    let mut outbreak = alert("a6", "info", "escalated");
    outbreak.person = Person { subject: "population:measles@36061".into(), id: None, name: None };
    (outbreak.unit, outbreak.respond_by) = (None, None);
    let mut stranger = alert("a7", "low", "resolved");
    stranger.person = Person { subject: "http://h|77".into(), id: None, name: None };
    ListView {
        frame: frame(),
        filter: Filter::default(),
        units: vec!["ICU".into(), "Ward <3>".into()],
        alerts: vec![
            late,
            alert("a3", "high", "acknowledged"),
            early,
            alert("a4", "high", "snoozed"),
            outbreak,
            stranger,
        ],
        has_more: false,
        waiting: vec![("critical".into(), 1), ("medium".into(), 1), ("info".into(), 1)],
        may_act: true,
        cursor: "a12-v3".into(),
        notice: None,
    }
}

fn seen(name: &str, value: &str, time: &str) -> Seen {
    Seen {
        name: name.into(),
        value: value.into(),
        unit: Some("/min".into()),
        at: at(time),
        event: format!("ev-{time}"),
        source: "monitor-7".into(),
        position: Some("vital_signs:3:1042".into()),
    }
}

fn said(rule: &str, severity: &str, state: &str) -> Said {
    Said {
        rule: rule.into(),
        version: "1.2.0".into(),
        severity: severity.into(),
        state: state.into(),
        message: "Heart rate <b>not bold</b> 131 /min".into(),
        at: at("2026-11-25T13:10:00Z"),
    }
}

fn one() -> OneView {
    let step = |time: &str, what: &str, state: &str, by: &str, reason: Option<&str>| Step {
        at: at(time),
        what: what.into(),
        state: state.into(),
        by: by.into(),
        reason: reason.map(String::from),
    };
    let delivery = |channel: &str, status: &str, error: Option<&str>| Delivery {
        channel: channel.into(),
        to: "ward-3".into(),
        status: status.into(),
        attempts: 2,
        at: Some(at("2026-11-25T13:10:04Z")),
        error: error.map(String::from),
    };
    OneView {
        frame: frame(),
        facts: AlertFacts {
            alert: alert("a1", "critical", "escalated"),
            seen: vec![
                seen("heart_rate", "131", "2026-11-25T13:10:00Z"),
                Seen { position: None, ..seen("heart_rate", ">118", "2026-11-25T12:58:00Z") },
            ],
            trail: vec![
                step("2026-11-25T13:10:01Z", "raised", "open", "rules", None),
                step(
                    "2026-11-25T13:12:00Z",
                    "snoozed",
                    "snoozed",
                    "session:0192",
                    Some("sensor <b>not bold</b>, checked"),
                ),
                step(
                    "2026-11-25T13:15:01Z",
                    "escalated",
                    "escalated",
                    "escalation",
                    Some("nobody answered in 5 minutes"),
                ),
            ],
            deliveries: vec![
                delivery("email", "delivered", None),
                delivery("sms", "failed", Some("the gateway answered `503`")),
                delivery("push", "waiting", None),
            ],
            said: vec![
                said("ward/heart-rate-high", "critical", "active"),
                said("scores/news2", "high", "cleared"),
            ],
        },
        may_act: true,
        may_open: true,
        cursor: "a12-v3".into(),
        notice: None,
    }
}

fn vitals() -> ui::vitals::View {
    let point = |value: &str, time: &str| Point {
        number: value.trim_start_matches('>').parse().ok(),
        seen: seen("heart_rate", value, time),
        flags: if value.starts_with('>') { vec!["artefact".into()] } else { Vec::new() },
    };
    let line = |name: &str, title: &str, points: Vec<Point>| Line {
        name: name.into(),
        title: title.into(),
        unit: "/min".into(),
        usual: Some((51.0, 90.0)),
        points,
    };
    let pulse = vec![
        point("88", "2026-11-25T11:00:00Z"),
        point("97", "2026-11-25T11:30:00Z"),
        point(">131", "2026-11-25T13:10:00Z"),
    ];
    ui::vitals::View {
        frame: frame(),
        person: person(),
        hours: 6,
        bed: Some(sick()),
        lines: vec![
            line("heart_rate", "Heart rate", pulse),
            line("consciousness", "Consciousness", vec![point("A", "2026-11-25T13:00:00Z")]),
        ],
        alerts: vec![alert("a1", "critical", "open")],
        is_cut: true,
        may_act: true,
        may_open: true,
        cursor: "a12-v3".into(),
    }
}
