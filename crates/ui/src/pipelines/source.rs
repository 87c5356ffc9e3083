//! A source of a run: its steps as bars and as a table, the sum written out, its targets, units and gates.

use maud::{Markup, html};

use super::facts::{Source, Step, Sums, Target};
use super::{level, run, score, secs, status};
use crate::parts::chart::{percent, share};
use crate::parts::chip::{Tone, chip};
use crate::parts::number::{counted, grouped};
use crate::parts::ticked;
use crate::url;

const ROW: usize = 40;

/// The five ways of a row, by class of the style sheet.
const WAYS: [(&str, &str); 5] = [
    ("on", "goes on"),
    ("aside", "quarantined"),
    ("out", "filtered"),
    ("same", "deduplicated"),
    ("used", "used up"),
];

/// The panel of one source.
pub(super) fn panel(source: &Source, at: usize, run_id: &str) -> Markup {
    let id = format!("source-{at}");
    html! {
        section.panel aria-labelledby=(id) {
            header {
                h2 id=(id) { (source.name) }
                p { (source.kind) }
                div.end { (status(&source.status)) @if source.duration_secs > 0.0 { " " span.muted { (secs(source.duration_secs)) } } }
            }
            @if let Some(error) = &source.error { (run::failed(error, source.failure.as_deref())) }
            @if !source.refused.is_empty() && source.error.is_none() { (run::failed(&source.refused.join("; "), source.failure.as_deref())) }
            div.body {
                @if let Some(progress) = &source.progress {
                    p.going { strong { (grouped(progress.read)) } " read · " (grouped(progress.given)) " given to targets · " (grouped(progress.quarantined)) " quarantined" @if progress.bytes > 0 { " · " (bytes(progress.bytes)) } }
                    @if source.status == "running" { progress aria-label={ "Source " (source.name) " is being read" } {} }
                } @else {
                    (equation(&source.sums, &source.name))
                }
                @if !source.steps.is_empty() { (drawing(source)) (legend()) details.fold { summary { "Steps as a table" } (step_table(source)) } }
                @if !source.targets.is_empty() { h3 { "Targets" } (target_table(source)) }
                @if !source.gates.is_empty() { details.fold open[source.gates.iter().any(|gate| gate.passed == Some(false))] { summary { "Gates" (quality(source)) } (gate_table(source)) } }
                (facts(source))
                @if !source.units.is_empty() { details.fold { summary { (counted(source.units.len() as u64, "unit", "units")) " read" } (unit_table(source)) } }
                @if source.sums.quarantined > 0 { p { a href=(url::with_query(url::QUARANTINE, &[("run", run_id), ("source", &source.name)])) { (counted(source.sums.quarantined, "quarantined row", "quarantined rows")) " of this source" } } }
            }
        }
    }
}

fn quality(source: &Source) -> Markup {
    html! { @if let Some((word, overall)) = &source.quality { ": quality " (score(*overall)) " " @if let Some(word) = word { (level(word)) } } }
}

/// Every row that was read, and where it went, as a sum that is checked.
pub(super) fn equation(sums: &Sums, of: &str) -> Markup {
    let mut right = vec![
        (sums.loaded, "loaded"),
        (sums.quarantined, "quarantined"),
        (sums.filtered, "filtered"),
        (sums.deduplicated, "deduplicated"),
    ];
    right.extend(
        [(sums.already, "there before"), (sums.consumed, "used up"), (sums.held_back, "held back")]
            .into_iter()
            .filter(|(n, _)| *n > 0),
    );
    html! {
        p.sum aria-label={ "The sum of " (of) } {
            span.term { strong { (grouped(sums.read)) } " read" }
            @if sums.produced > 0 { span.sign { "+" } span.term { strong { (grouped(sums.produced)) } " made by steps" } }
            span.sign { "=" }
            @for (at, (n, word)) in right.iter().enumerate() { @if at > 0 { span.sign { "+" } } span.term { strong { (grouped(*n)) } " " (word) } }
            @if sums.adds_up() { (chip(Tone::Good, "adds up")) }
            @else { (chip(Tone::Critical, &format!("{} not accounted for", grouped((sums.read + sums.produced).abs_diff(sums.accounted()))))) }
        }
    }
}

fn parts_of(step: &Step) -> [u64; 5] {
    let sum = |by: &[(String, u64)]| by.iter().map(|(_, n)| n).sum();
    [
        step.rows_out.saturating_sub(step.produced),
        step.quarantined,
        sum(&step.filtered),
        sum(&step.deduplicated),
        step.consumed,
    ]
}

/// One bar a step, all on one scale from 0, so that it is seen where rows are left.
fn drawing(source: &Source) -> Markup {
    let most = source.steps.iter().map(|step| step.rows_in.max(step.rows_out)).max().unwrap_or(0);
    let label = format!(
        "Steps of {}: rows that go on, are quarantined, filtered, deduplicated or used up. The numbers are in the table below.",
        source.name
    );
    html! {
        svg.chart.steps width="100%" height=(source.steps.len() * ROW) role="img" aria-label=(label) {
            @for (at, step) in source.steps.iter().enumerate() {
                @let top = at * ROW;
                @let parts = parts_of(step);
                g.row {
                    title { (sentence(step)) }
                    rect.ground x="0" y=(top) width="100%" height=(ROW) {}
                    text.strong x="0" y=(top + 13) { (step.name) }
                    text x="100%" y=(top + 13) text-anchor="end" { (grouped(step.rows_in)) " in, " (grouped(step.rows_out)) " out" }
                    @for (way, (n, (class, _))) in parts.iter().zip(WAYS).enumerate() {
                        @let before: u64 = parts[..way].iter().sum();
                        // What there is a little of is still seen.
                        @if *n > 0 { rect class=(class) x=(share(percent(before, most).min(99.4))) y=(top + 19) width=(share(percent(*n, most).max(0.6))) height="12" rx="2" {} }
                    }
                    @if step.produced > 0 { rect.made x="0" y=(top + 33) width=(share(percent(step.produced, most).max(0.6))) height="3" {} }
                }
            }
        }
    }
}

fn sentence(step: &Step) -> String {
    let parts = parts_of(step);
    let words: Vec<String> = parts
        .iter()
        .zip(WAYS)
        .filter(|(n, _)| **n > 0)
        .map(|(n, (_, word))| format!("{} {word}", grouped(*n)))
        .collect();
    format!("{}: {}", step.name, words.join(", "))
}

fn legend() -> Markup {
    html! { p.legend.steps { @for (class, word) in WAYS { span { svg aria-hidden="true" viewBox="0 0 10 10" { rect class=(class) width="10" height="10" rx="2" {} } (word) } } } }
}

fn step_table(source: &Source) -> Markup {
    let by = |list: &[(String, u64)]| {
        html! {
            (grouped(list.iter().map(|(_, n)| n).sum()))
            @for (rule, n) in list { div.sub { (rule) " " (grouped(*n)) } }
        }
    };
    html! {
        div.scroll tabindex="0" role="region" aria-label={ "Table of steps of " (source.name) } {
            table.stacks {
                caption.sr { "Steps of " (source.name) }
                thead { tr {
                    th scope="col" { "Step" } th.number scope="col" { "In" } th.number scope="col" { "Out" } th.number scope="col" { "Quarantined" } th.number scope="col" { "Filtered, by rule" }
                    th.number scope="col" { "Deduplicated, by key" } th.number scope="col" { "Used up" } th.number scope="col" { "Made" }
                } }
                tbody { @for step in &source.steps { tr {
                    th scope="row" { (step.name) }
                    td.number data-label="In" { (grouped(step.rows_in)) } td.number data-label="Out" { (grouped(step.rows_out)) }
                    td.number data-label="Quarantined" { (grouped(step.quarantined)) } td.number data-label="Filtered" { (by(&step.filtered)) }
                    td.number data-label="Deduplicated" { (by(&step.deduplicated)) } td.number data-label="Used up" { (grouped(step.consumed)) } td.number data-label="Made" { (grouped(step.produced)) }
                } } }
            }
        }
    }
}

fn target_table(source: &Source) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label={ "Table of targets of " (source.name) } {
            table.stacks {
                caption.sr { "Targets of " (source.name) }
                thead { tr {
                    th scope="col" { "Target" } th scope="col" { "Status" } th.number scope="col" { "Offered" } th.number scope="col" { "New" } th.number scope="col" { "Replaced" }
                    th.number scope="col" { "Unchanged" } th.number scope="col" { "There before" } th.number scope="col" { "Quarantined" } th.number scope="col" { "Deduplicated" } th.number scope="col" { "Written" }
                } }
                tbody { @for target in &source.targets { (target_row(target)) } }
            }
        }
    }
}

fn target_row(target: &Target) -> Markup {
    let cell = |label: &str, n: u64| html! { td.number data-label=(label) { (grouped(n)) } };
    html! {
        tr {
            th scope="row" { (target.name) div.sub { (target.kind) } @if let Some(error) = &target.error { div.sub.words { (ticked(error)) } } }
            td.nowrap data-label="Status" { (status(&target.status)) }
            (cell("Offered", target.offered)) (cell("New", target.inserted)) (cell("Replaced", target.updated)) (cell("Unchanged", target.unchanged))
            (cell("There before", target.already)) (cell("Quarantined", target.quarantined)) (cell("Deduplicated", target.deduplicated))
            td.number data-label="Written" { @match target.n_bytes { Some(n) => (bytes(n)), None => span.unknown { "unknown" } } }
        }
    }
}

fn gate_table(source: &Source) -> Markup {
    html! {
        table {
            caption.sr { "Gates of " (source.name) }
            thead { tr { th scope="col" { "Gate" } th.number scope="col" { "Must reach" } th.number scope="col" { "Reached" } th scope="col" { "Outcome" } } }
            tbody { @for gate in &source.gates { tr {
                th scope="row" { (gate.dimension) } td.number { (format!("{:.2}", gate.threshold)) } td.number { (score(gate.score)) }
                td { @match gate.passed { Some(true) => (chip(Tone::Good, "passed")), Some(false) => (chip(Tone::Critical, "failed")), None => span.unknown { "not assessed" } } }
            } } }
        }
    }
}

fn unit_table(source: &Source) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label={ "Table of units of " (source.name) } {
            table {
                caption.sr { "Units of " (source.name) }
                thead { tr { th scope="col" { "File or window" } th scope="col" { "The next run goes on behind" } } }
                tbody { @for unit in &source.units { tr { td.mono { (unit.name) } td.mono { @match &unit.watermark { Some(mark) => (mark), None => span.muted { "–" } } } } } }
            }
        }
    }
}

fn facts(source: &Source) -> Markup {
    let with_facts: Vec<&Step> = source.steps.iter().filter(|step| !step.facts.is_empty()).collect();
    html! {
        @if !with_facts.is_empty() {
            details.fold {
                summary { "What the steps say" }
                @for step in with_facts { h3 { (step.name) } dl.facts.first { @for (name, value) in &step.facts { div { dt { (name.replace('_', " ")) } dd { (value) } } } } }
            }
        }
    }
}

/// `12.3 MiB`.
pub(super) fn bytes(n: u64) -> String {
    match n {
        0..1_024 => format!("{n} B"),
        1_024..1_048_576 => format!("{:.1} KiB", n as f64 / 1_024.0),
        1_048_576..1_073_741_824 => format!("{:.1} MiB", n as f64 / 1_048_576.0),
        _ => format!("{:.1} GiB", n as f64 / 1_073_741_824.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_row_is_said() {
        let check = |sums: Sums, expected: &str| {
            let text = equation(&sums, "all").into_string();
            assert!(text.contains(expected), "{text}");
        };
        let whole = Sums { read: 10, loaded: 7, quarantined: 2, filtered: 1, ..Sums::default() };
        check(whole, "adds up");
        check(Sums { loaded: 5, ..whole }, "2 not accounted for");
        check(Sums { loaded: 0, held_back: 7, ..whole }, "held back");
    }
}
