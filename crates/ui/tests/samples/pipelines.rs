//! Sample pages about pipelines: nothing yet, a file that does not parse, a run at work, a run with every kind of end, quality, quarantine.

use ui::parts::chip::Tone;
use ui::parts::empty::Notice;
use ui::parts::pager::Paging;
use ui::pipelines::{
    Advice, Count, Fault, Flow, Gate, ListView, Listed, Opened, Point, Progress, QualityView, QuarantineView,
    Row, RowFilter, Rule, RunFacts, RunRow, RunView, RunsView, Schedule, Source, SourceTrend, Step, Sums,
    Target, Unit, list_page, quality_page, quarantine_page, run_page, runs_page, unconfigured_page,
};

use super::{Sample, at, frame};

const RUN: &str = "019ac1d2-77c2-7f00-9a1c-2b7f3a4d9c10";

pub(super) fn all() -> Vec<Sample> {
    let list = list_view();
    let nothing = ListView { pipelines: Vec::new(), ..list.clone() };
    let runs = RunsView {
        frame: frame(),
        pipeline: String::new(),
        status: String::new(),
        pipelines: vec!["analytics-patients".into(), "labs".into()],
        rows: vec![row("running"), row("completed_with_errors"), row("interrupted")],
        rows_max: 100,
    };
    let no_runs = RunsView { rows: Vec::new(), pipelines: Vec::new(), ..runs.clone() };
    let no_match = RunsView { rows: Vec::new(), status: "failed".into(), ..runs.clone() };
    let ended = run_view("completed_with_errors", vec![patients(), refused()]);
    let live = run_view("running", vec![at_work("running"), at_work("waiting")]);
    let mut dead = run_view("interrupted", vec![patients()]);
    dead.run.row.sums = None;
    let mut broken = run_view("failed", Vec::new());
    broken.run.error = Some("12:7: the column `sex` is in no source".into());
    let quality = quality_view();
    let unassessed = QualityView { sources: Vec::new(), ..quality.clone() };
    let rows = quarantine_view();
    let mut opened = rows.clone();
    opened.filter.run = RUN.into();
    opened.opened = Some(Opened {
        id: 17,
        place: "patients-2026-11.csv line 42".into(),
        text: "42,<b>not bold</b>,2031-01-01".into(),
    });
    let empty = QuarantineView {
        rows: Vec::new(),
        counts: Vec::new(),
        filter: RowFilter::default(),
        paging: Paging::default(),
        ..rows.clone()
    };
    vec![
        ("pipelines", list_page(&list)),
        ("pipelines-none", list_page(&nothing)),
        ("pipelines-unconfigured", unconfigured_page(&frame())),
        ("runs", runs_page(&runs)),
        ("runs-none", runs_page(&no_runs)),
        ("runs-nothing", runs_page(&no_match)),
        ("run", run_page(&ended)),
        ("run-live", run_page(&live)),
        ("run-interrupted", run_page(&dead)),
        ("run-broken", run_page(&broken)),
        ("quality", quality_page(&quality)),
        ("quality-none", quality_page(&unassessed)),
        ("quarantine", quarantine_page(&rows)),
        ("quarantine-opened", quarantine_page(&opened)),
        ("quarantine-none", quarantine_page(&empty)),
    ]
}

fn sums() -> Sums {
    Sums {
        read: 1_000_000,
        loaded: 941_318,
        quarantined: 1_204,
        filtered: 57_402,
        deduplicated: 76,
        ..Sums::default()
    }
}

fn row(status: &str) -> RunRow {
    let is_live = status == "running";
    RunRow {
        run: RUN.into(),
        pipeline: "analytics-patients".into(),
        status: status.into(),
        started_at: at("2026-11-25T13:15:00Z"),
        ended_at: (!is_live).then(|| at("2026-11-25T13:16:12Z")),
        duration_secs: (!is_live).then_some(72.4),
        by: "session:0192f3a1-77c2-7f00-9a1c-2b7f3a4d9c10".into(),
        attempts: if status == "interrupted" { 2 } else { 1 },
        is_dry: false,
        sums: (!is_live).then(sums),
    }
}

fn list_view() -> ListView {
    let flow = |source: &str, kind: &str| Flow {
        source: source.into(),
        kind: kind.into(),
        targets: vec![("warehouse".into(), "postgres".into())],
    };
    ListView {
        frame: frame(),
        folder: "./pipelines".into(),
        pipelines: vec![
            Listed {
                name: "analytics-patients".into(),
                description: Some("Patients for analysts, de-identified; <b>nightly</b>".into()),
                file: Some("pipelines/analytics.yaml".into()),
                flows: vec![flow("ehr", "postgres"), flow("labs", "csv")],
                schedule: Some(Schedule {
                    written: "0 3 * * *".into(),
                    next: Some(at("2026-11-26T03:00:00Z")),
                }),
                last: Some(row("completed")),
                quality: Some(("good".into(), Some(0.912))),
                ..Listed::default()
            },
            Listed {
                name: "labs".into(),
                last: Some(row("interrupted")),
                trouble: Some("the run of 03:00 failed: cannot find `labs`".into()),
                ..Listed::default()
            },
            Listed {
                name: "broken.yaml".into(),
                file: Some("pipelines/broken.yaml".into()),
                faults: vec![
                    Fault {
                        line: 4,
                        column: 7,
                        message: "there is no source type `cvs`: did you mean `csv`".into(),
                    },
                    Fault { line: 19, column: 3, message: "unknown key `stpes`".into() },
                ],
                ..Listed::default()
            },
        ],
        may_run: true,
        notice: None,
    }
}

fn step(name: &str, rows_in: u64, quarantined: u64, filtered: u64, deduplicated: u64) -> Step {
    Step {
        name: name.into(),
        rows_in,
        rows_out: rows_in - quarantined - filtered - deduplicated,
        quarantined,
        filtered: if filtered > 0 { vec![("in-state".into(), filtered)] } else { Vec::new() },
        deduplicated: if deduplicated > 0 { vec![("patient_id".into(), deduplicated)] } else { Vec::new() },
        ..Step::default()
    }
}

fn patients() -> Source {
    let mut standardize = step("standardize_demographics", 998_796, 0, 0, 0);
    standardize.facts = vec![("rows_without_sex".into(), "112".into())];
    Source {
        name: "ehr".into(),
        kind: "csv".into(),
        status: "completed".into(),
        attempts: 1,
        duration_secs: 71.2,
        sums: sums(),
        steps: vec![
            step("checks", 1_000_000, 1_204, 0, 0),
            standardize,
            step("filter", 998_796, 0, 57_402, 0),
            step("dedupe", 941_394, 0, 0, 76),
        ],
        targets: vec![Target {
            name: "warehouse".into(),
            kind: "postgres".into(),
            status: "committed".into(),
            offered: 941_318,
            inserted: 900_000,
            updated: 41_000,
            unchanged: 318,
            ..Target::default()
        }],
        units: vec![Unit {
            name: "patients-2026-11.csv".into(),
            watermark: Some("2026-11-25T03:00:00Z".into()),
        }],
        quality: Some((Some("good".into()), Some(0.912))),
        gates: vec![gate("completeness", 0.95, Some(0.971)), gate("timeliness", 0.85, None)],
        ..Source::default()
    }
}

fn gate(dimension: &str, threshold: f64, score: Option<f64>) -> Gate {
    let passed = score.map(|score| score >= threshold);
    Gate { dimension: dimension.into(), threshold, score, passed }
}

fn refused() -> Source {
    Source {
        name: "labs".into(),
        kind: "csv".into(),
        status: "failed".into(),
        failure: Some("gate".into()),
        error: Some("completeness is 0.8112, and the gate is 0.95".into()),
        attempts: 1,
        duration_secs: 12.0,
        sums: Sums { read: 2_000, quarantined: 11, held_back: 1_989, ..Sums::default() },
        steps: vec![step("checks", 2_000, 11, 0, 0)],
        targets: vec![Target {
            name: "lab_results".into(),
            kind: "parquet".into(),
            status: "aborted".into(),
            offered: 1_989,
            n_bytes: Some(183_000),
            ..Target::default()
        }],
        quality: Some((Some("unacceptable".into()), Some(0.871))),
        gates: vec![gate("completeness", 0.95, Some(0.8112))],
        refused: vec!["completeness is 0.8112, and the gate is 0.95".into()],
        ..Source::default()
    }
}

fn at_work(status: &str) -> Source {
    let read = if status == "running" { 412_000 } else { 0 };
    Source {
        name: format!("source-{status}"),
        status: status.into(),
        progress: Some(Progress { bytes: read * 170, read, given: read / 2, quarantined: read / 1_000 }),
        ..Source::default()
    }
}

fn run_view(status: &str, sources: Vec<Source>) -> RunView {
    RunView {
        frame: frame(),
        run: RunFacts {
            row: row(status),
            file: "pipelines/analytics.yaml".into(),
            hash: "9f2ab3c4d5e6f7089f2ab3c4d5e6f708".into(),
            error: None,
            warnings: Vec::new(),
            sources,
        },
        may_run: true,
        waiting: 1_215,
        notice: None,
    }
}

fn quality_view() -> QualityView {
    let point = |run: &str, when: &str, scores: [Option<f64>; 3], level: &str| Point {
        run: format!("{run}{}", &RUN[4..]),
        at: at(when),
        n_rows: 1_000_000,
        overall: Some(0.9),
        level: Some(level.into()),
        scores: scores.into(),
    };
    QualityView {
        frame: frame(),
        pipeline: "analytics-patients".into(),
        sources: vec![SourceTrend {
            source: "ehr".into(),
            dimensions: ["Completeness", "Validity", "Timeliness"].map(String::from).to_vec(),
            points: vec![
                point("019a", "2026-11-23T03:00:00Z", [Some(0.99), Some(0.97), None], "excellent"),
                point("019b", "2026-11-24T03:00:00Z", [Some(0.93), None, None], "unacceptable"),
                point("019c", "2026-11-25T03:00:00Z", [Some(0.971), Some(0.88), None], "good"),
            ],
            gates: vec![gate("completeness", 0.95, Some(0.971))],
            refused: Vec::new(),
            rules: vec![Rule {
                id: "birth-date-past".into(),
                columns: vec!["birth_date".into()],
                must: "must not lie in the future".into(),
                dimension: "Accuracy (plausibility)".into(),
                on_fail: "quarantine".into(),
                n_assessed: 1_000_000,
                n_failed: 1_204,
                samples: vec![
                    ui::pipelines::Sample {
                        unit: "patients-2026-11.csv".into(),
                        line: 42,
                        byte: Some(7_140),
                        shape: Some("9999-99-99".into()),
                    },
                    ui::pipelines::Sample {
                        unit: "patients-2026-11.csv".into(),
                        line: 77,
                        byte: None,
                        shape: None,
                    },
                ],
            }],
            advice: vec![Advice {
                rule: "birth-date-past".into(),
                found: "`birth_date` must not lie in the future: 1204 of 1000000 rows fail".into(),
                hint: "look for two-digit years, and for clocks that are ahead".into(),
            }],
        }],
    }
}

fn quarantine_view() -> QuarantineView {
    let row = |id: u64, rule: &str, state: &str, column: Option<&str>| Row {
        id,
        run: RUN.into(),
        pipeline: "analytics-patients".into(),
        source: "ehr".into(),
        unit: "patients-2026-11.csv".into(),
        line: 42 + id,
        byte: column.map(|_| 7_140),
        rule: rule.into(),
        column: column.map(String::from),
        reason: "not_past".into(),
        message: "`birth_date` lies in the future".into(),
        state: state.into(),
        state_at: (state != "open").then(|| at("2026-11-25T13:00:00Z")),
    };
    let count = |rule: &str, state: &str, n: u64| Count {
        source: "ehr".into(),
        rule: rule.into(),
        state: state.into(),
        n,
    };
    QuarantineView {
        frame: frame(),
        filter: RowFilter { pipeline: "analytics-patients".into(), ..RowFilter::default() },
        counts: vec![count("birth-date-past", "open", 1_200), count("record", "waived", 4)],
        rows: vec![row(17, "birth-date-past", "open", Some("birth_date")), row(18, "record", "waived", None)],
        paging: Paging {
            shown: 2,
            total: Some(1_204),
            first: None,
            next: Some("/quarantine?after=18".into()),
        },
        opened: None,
        may_open: true,
        may_change: true,
        notice: Some(Notice { tone: Tone::Good, title: "4 rows are waived".into(), text: String::new() }),
    }
}
