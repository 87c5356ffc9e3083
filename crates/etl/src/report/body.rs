//! The quality of one source as part of a page: the report and the dashboard show the same.

use maud::{Markup, html};

use crate::check::{OnFail, Severity};
use crate::report::words::{counted, grouped, percent, score, ticked};
use crate::report::{GateQuality, Level, RuleQuality, Sample, SourceQuality, charts, dimension_label};

/// The quality of one source. Uses the class names of the dashboard's style sheet, no inline style and no script; headings begin with `h3`.
pub fn body(quality: &SourceQuality) -> Markup {
    html! {
        (summary(quality))
        (recommendations(quality))
        (dimensions(quality))
        (rules(quality))
        (trend(quality))
        (columns(quality))
    }
}

/// A level as a shape and a word.
pub(super) fn chip_of_level(level: Option<Level>) -> Markup {
    let (class, shape) = match level {
        Some(Level::Excellent | Level::Good) => ("good", "✓"),
        Some(Level::Acceptable) => ("low", "◆"),
        Some(Level::Poor) => ("medium", "■"),
        Some(Level::Unacceptable) => ("critical", "●"),
        None => ("info", "○"),
    };
    chip(class, shape, level.map_or("not assessed", Level::name))
}

fn chip(class: &str, shape: &str, word: &str) -> Markup {
    html! { span class={ "chip " (class) } { span.shape aria-hidden="true" { (shape) } (word) } }
}

fn chip_of_pass(passed: Option<bool>) -> Markup {
    match passed {
        Some(true) => chip("good", "✓", "passed"),
        Some(false) => chip("critical", "●", "failed"),
        None => chip("info", "○", "not assessed"),
    }
}

fn panel(title: &str, about: &str, inner: &Markup) -> Markup {
    html! { section.panel { header { h3 { (title) } @if !about.is_empty() { p { (about) } } } div.body { (inner) } } }
}

fn summary(quality: &SourceQuality) -> Markup {
    let facts = html! {
        dl.facts {
            div { dt { "Level" } dd { (chip_of_level(quality.level)) } }
            div { dt { "Overall score" } dd { (score(quality.overall)) } }
            div { dt { "Rows assessed" } dd { (grouped(quality.n_rows)) } }
            div { dt { "Put into quarantine by checks" } dd { (grouped(quality.n_quarantined)) } }
            div { dt { "Unreadable records" } dd { (grouped(quality.n_unreadable)) } }
            div { dt { "Measured" } dd { time datetime=(quality.at) { (quality.at) } } }
        }
        @if !quality.refused.is_empty() {
            div.notice.critical role="status" {
                span.shape aria-hidden="true" { "●" }
                div {
                    p { strong { "The source was not loaded." } }
                    ul { @for why in &quality.refused { li { (ticked(why)) } } }
                }
            }
        }
    };
    panel("Summary", "", &facts)
}

fn recommendations(quality: &SourceQuality) -> Markup {
    let list = html! {
        @if quality.recommendations.is_empty() {
            p.muted { "No rule fails: there is nothing to do." }
        } @else {
            ol.advice {
                @for advice in &quality.recommendations {
                    li {
                        p { strong { (ticked(&advice.found)) } " " span.muted { "(" (advice.rule) ")" } }
                        p { (ticked(&advice.hint)) }
                    }
                }
            }
        }
    };
    panel("What to do", "The gravest first", &list)
}

fn dimensions(quality: &SourceQuality) -> Markup {
    let gate_of = |name: &str| quality.gates.iter().find(|gate| gate.dimension == name);
    let others: Vec<&GateQuality> = quality
        .gates
        .iter()
        .filter(|gate| !quality.dimensions.iter().any(|own| own.dimension.name() == gate.dimension))
        .collect();
    let inner = html! {
        (charts::dimensions(quality))
        div.scroll tabindex="0" role="region" aria-label={ "Table of dimensions of " (quality.source) } { table {
            caption.sr { "Score and gate per dimension" }
            thead { tr {
                th scope="col" { "Dimension" } th.number scope="col" { "Score" } th.number scope="col" { "Gate" } th scope="col" { "Result" }
                th.number scope="col" { "Rules" } th scope="col" { "Lowest rule" }
            } }
            tbody {
                @for own in &quality.dimensions {
                    @let gate = gate_of(own.dimension.name());
                    tr {
                        th scope="row" { (dimension_label(own.dimension)) }
                        td.number { (score(own.score)) }
                        td.number { (gate.map_or("none".to_owned(), |gate| gate.threshold.to_string())) }
                        td { @match gate { Some(gate) => (chip_of_pass(gate.passed)), None => "–" } }
                        td.number { (own.n_rules) }
                        td { @match &own.worst { Some(id) => code { (id) }, None => "–" } }
                    }
                }
                @for gate in others {
                    tr {
                        th scope="row" { (gate.dimension) }
                        td.number { (score(gate.score)) } td.number { (gate.threshold) } td { (chip_of_pass(gate.passed)) }
                        td.number { "–" } td { "–" }
                    }
                }
            }
        } }
    };
    panel(
        "Dimensions and gates",
        "The mean of the passing shares of the rules; a gate that fails is not averaged away",
        &inner,
    )
}

fn rules(quality: &SourceQuality) -> Markup {
    let inner = html! {
        @if quality.rules.is_empty() {
            p.muted { "No checks are defined for this source: nothing was assessed." }
        } @else {
            (charts::rules(&quality.rules))
            div.scroll tabindex="0" role="region" aria-label={ "Table of rules of " (quality.source) } { table {
                caption.sr { "Every rule with its counts" }
                thead { tr {
                    th scope="col" { "Rule" } th scope="col" { "What must hold" } th scope="col" { "Counts to" } th.number scope="col" { "Assessed" }
                    th.number scope="col" { "Failed" } th.number scope="col" { "Share" } th scope="col" { "Allowed" } th scope="col" { "Result" }
                } }
                tbody { @for rule in &quality.rules { (rule_row(rule)) } }
            } }
            @for rule in quality.rules.iter().filter(|rule| !rule.samples.is_empty()) { (drill_down(&quality.source, rule)) }
        }
    };
    let about = counted(quality.rules.len() as u64, "rule", "rules");
    panel("Rules", &about, &inner)
}

fn rule_row(rule: &RuleQuality) -> Markup {
    let on_fail = match rule.on_fail {
        OnFail::Warn => "counted",
        OnFail::Quarantine => "quarantined",
        OnFail::Fail => "source not loaded",
    };
    html! {
        tr {
            th scope="row" { code { (rule.id) } }
            td {
                @for (at, column) in rule.columns.iter().enumerate() { @if at > 0 { " and " } code { (column) } }
                " " (ticked(&rule.must))
                @if let Some(when) = &rule.when { span.muted { " (only when " code { (when) } ")" } }
                @if let Some(detail) = &rule.detail { span.muted { " " code { (detail) } } }
            }
            td {
                (dimension_label(rule.dimension)) br; span.muted { (rule.kahn.label()) }
                @if rule.severity == Severity::Characterization { br; span.muted { "measured only" } }
            }
            td.number { (grouped(rule.n_assessed)) }
            td.number { (grouped(rule.n_failed)) }
            td.number { (percent(rule.share)) }
            td { (rule.max_fail.map_or("any number".to_owned(), |max_fail| max_fail.to_string())) br; span.muted { (on_fail) } }
            td { (chip_of_pass(rule.passed)) @if let Some(why) = &rule.not_assessed { br; span.muted { (why) } } }
        }
    }
}

fn drill_down(source: &str, rule: &RuleQuality) -> Markup {
    let n = rule.samples.len() as u64;
    html! {
        details.fold {
            summary { "Rows that fail " code { (rule.id) } " (" (grouped(n)) " of " (grouped(rule.n_failed.max(n))) ")" }
            div.scroll tabindex="0" role="region" aria-label={ "Rows of " (source) " that fail " (rule.id) } { table {
                caption.sr { "Places of rows that fail " (rule.id) ", with the shape of the value" }
                thead { tr {
                    th scope="col" { "Unit" } th.number scope="col" { "Line or row" } th.number scope="col" { "Byte offset" } th scope="col" { "Shape of the value" }
                } }
                tbody { @for sample in &rule.samples { (sample_row(sample)) } }
            } }
        }
    }
}

fn sample_row(sample: &Sample) -> Markup {
    html! {
        tr {
            th scope="row" { @match &sample.unit_name { Some(name) => (name), None => { "unit " (sample.unit) } } }
            td.number { (grouped(sample.line)) }
            td.number { @match sample.offset { Some(offset) => (grouped(offset)), None => "–" } }
            td { @match &sample.shape { Some(shape) => code { (shape) }, None => span.muted { "missing or hidden" } } }
        }
    }
}

fn trend(quality: &SourceQuality) -> Markup {
    panel("Trend", "Overall score of this run and those before", &charts::trend(quality))
}

fn columns(quality: &SourceQuality) -> Markup {
    let inner = html! {
        div.scroll tabindex="0" role="region" aria-label={ "Table of columns of " (quality.source) } { table {
            caption.sr { "How complete every column is" }
            thead { tr {
                th scope="col" { "Column" } th.number scope="col" { "With a value" } th.number scope="col" { "Missing" } th.number scope="col" { "Completeness" }
            } }
            tbody {
                @for column in &quality.columns {
                    tr {
                        th scope="row" { code { (column.column) } }
                        td.number { (grouped(column.n_present)) } td.number { (grouped(column.n_missing)) } td.number { (percent(column.completeness)) }
                    }
                }
            }
        } }
    };
    panel("Columns", "Every column, whether a rule looks at it or not", &inner)
}
