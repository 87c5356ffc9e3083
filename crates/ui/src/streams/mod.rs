//! Operation of the streams: how far behind each group is, how fast events become alerts, what could not be processed, how many alarms there are.

mod dead;
mod event;

pub use dead::{Cause, Letter, Opened, View as DeadView, page as dead_page};
pub use event::{View as EventView, page as event_page};

use fhir::Instant;
use maud::{Markup, html};

use crate::alerts::Burden;
use crate::frame::{Frame, Place, framed};
use crate::parts::chip::{Tone, chip};
use crate::parts::empty::{Notice, empty, notice};
use crate::parts::icon::Icon;
use crate::parts::number::{grouped, share};
use crate::parts::time::ago;
use crate::parts::{head, how, ticked};
use crate::url;

/// What the page shows.
#[derive(Clone)]
pub struct View {
    /// Who is looking.
    pub frame: Frame,
    /// How the streams stand.
    pub status: Status,
    /// Something that just happened.
    pub notice: Option<Notice>,
}

/// How the streams stand.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Status {
    /// `embedded` or `kafka`.
    pub log: String,
    /// Events appended since the server started.
    pub appended: Option<u64>,
    /// Times of the stages.
    pub times: Vec<Times>,
    /// Each group and partition.
    pub lags: Vec<Lag>,
    /// Dead letters that wait.
    pub dead_waiting: u64,
    /// Events that were refused at a door since the server started.
    pub rejected: u64,
    /// The alarm burden.
    pub burden: Option<Burden>,
    /// What does not work, in words.
    pub troubles: Vec<String>,
}

/// How long a stage takes.
#[derive(Clone, Debug, PartialEq)]
pub struct Times {
    /// `fsync`, `event to alert`, ...
    pub stage: String,
    /// How many were measured.
    pub n: u64,
    /// Half are faster, in milliseconds.
    pub p50_ms: Option<f64>,
    /// 99 of 100 are faster, in milliseconds.
    pub p99_ms: Option<f64>,
}

/// How far behind a group is in a partition of a topic.
#[derive(Clone, Debug, PartialEq)]
pub struct Lag {
    /// The group.
    pub group: String,
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: u32,
    /// The next offset that it will process.
    pub offset: u64,
    /// The next offset that will be appended.
    pub end: u64,
    /// When it last moved, since the server started.
    pub moved_at: Option<Instant>,
    /// `running`, `stopped`, `waiting`: of its loop.
    pub state: String,
}

impl Lag {
    fn behind(&self) -> u64 {
        self.end.saturating_sub(self.offset)
    }
}

/// The page.
pub fn page(view: &View) -> Markup {
    let status = &view.status;
    let body = html! {
        (head("Streams", "Whether events are processed, how fast, and what could not be."))
        (tabs("Operation"))
        @if let Some(told) = &view.notice { (notice(told)) }
        @for trouble in &status.troubles { (notice(&Notice { tone: Tone::Critical, title: trouble.clone(), text: String::new() })) }
        (tiles(status))
        div.columns {
            (lags(view))
            div { (times(status)) (burden(status.burden.as_ref())) }
        }
    };
    framed(&view.frame, Some(Place::Streams), "Streams", &body)
}

/// The page of a server without streams.
pub fn unconfigured_page(frame: &Frame, place: Place, title: &str) -> Markup {
    let body = html! {
        (head(title, "Events, alerts and rules of this server."))
        section.panel aria-label=(title) { (empty(Icon::Stream, "Streams are not running", "This server was started without them:", Some("salus serve --data-dir DIR"))) }
    };
    framed(frame, Some(place), title, &body)
}

/// Links between the pages about streams.
pub(crate) fn tabs(here: &str) -> Markup {
    let pages = [("Operation", url::STREAMS), ("Dead letters", url::DEAD_LETTERS), ("Rules", url::RULES)];
    html! {
        nav.tabs aria-label="About streams" {
            ul { @for (name, path) in pages { li { a href=(path) aria-current=[(name == here).then_some("page")] { (name) } } } }
        }
    }
}

fn tiles(status: &Status) -> Markup {
    let behind: u64 = status.lags.iter().map(Lag::behind).sum();
    let time = status.times.iter().find(|times| times.stage == "event to alert");
    html! {
        dl.tiles.four {
            div.panel.tile { dt { "Log" } dd.value { (status.log) } dd.note { @match status.appended { Some(n) => { (grouped(n)) " events since start" }, None => span.unknown { "events not counted" } } } }
            div.panel.tile { dt { "Behind" } dd.value { (grouped(behind)) } dd.note { "events over all groups" } }
            div.panel.tile { dt { "Event to alert, p99" } dd.value { @match time.and_then(|time| time.p99_ms) { Some(ms) => (millis(ms)), None => "–" } } dd.note { @match time { Some(time) => { "of " (grouped(time.n)) }, None => "nothing measured yet" } } }
            div.panel.tile { dt { "Dead letters" } dd.value { a href=(url::DEAD_LETTERS) { (grouped(status.dead_waiting)) } } dd.note { "wait for somebody; " (grouped(status.rejected)) " refused at the door since start" } }
        }
    }
}

fn lags(view: &View) -> Markup {
    html! {
        section.panel aria-labelledby="lag" {
            header { h2 id="lag" { "Lag" } p { "Each group and partition." } }
            @if view.status.lags.is_empty() { (empty(Icon::Stream, "Nothing was appended yet", "Send an event:", Some("salus stream publish event.json"))) }
            @else {
                div.scroll tabindex="0" role="region" aria-label="Table of lags" {
                    table.stacks {
                        caption.sr { "Lag per group and partition" }
                        thead { tr { th scope="col" { "Group" } th scope="col" { "Topic" } th.number scope="col" { "Partition" } th.number scope="col" { "Offset" } th.number scope="col" { "End" } th.number scope="col" { "Behind" } th scope="col" { "Moved" } th scope="col" { "State" } } }
                        tbody { @for lag in &view.status.lags { (lag_row(lag, view.frame.now)) } }
                    }
                }
            }
            (how("lag", &[
                ("Offset", "committed with the effects of the events before it, in one transaction".into()),
                ("Behind", "appended and not processed yet, at the time of this page".into()),
                ("Moved", "when events of this partition were last processed, since the server started".into()),
            ]))
        }
    }
}

fn lag_row(lag: &Lag, now: Instant) -> Markup {
    let tone = match lag.state.as_str() {
        "running" => Tone::Good,
        "stopped" => Tone::Critical,
        _ => Tone::Info,
    };
    html! {
        tr data-row {
            th scope="row" { (lag.group) }
            td.mono data-label="Topic" { (lag.topic) }
            td.number data-label="Partition" { (lag.partition) }
            td.number data-label="Offset" { (grouped(lag.offset)) }
            td.number data-label="End" { (grouped(lag.end)) }
            td.number data-label="Behind" { @if lag.behind() > 0 { strong { (grouped(lag.behind())) } } @else { "0" } }
            td.nowrap data-label="Moved" { @match lag.moved_at { Some(at) => (ago(at, now)), None => span.muted { "not since the start" } } }
            td data-label="State" { (chip(tone, &lag.state)) }
        }
    }
}

fn times(status: &Status) -> Markup {
    let ms = |value: Option<f64>| html! { @match value { Some(value) => (millis(value)), None => span.muted { "–" } } };
    html! {
        section.panel aria-labelledby="times" {
            header { h2 id="times" { "Times" } p { "Since the server started." } }
            @if status.times.is_empty() { p.body.muted { "Nothing was measured yet." } } @else {
                div.scroll tabindex="0" role="region" aria-label="Table of times" {
                    table {
                        caption.sr { "Times of the stages" }
                        thead { tr { th scope="col" { "Stage" } th.number scope="col" { "p50" } th.number scope="col" { "p99" } th.number scope="col" { "n" } } }
                        tbody { @for one in &status.times { tr { th scope="row" { (one.stage) } td.number { (ms(one.p50_ms)) } td.number { (ms(one.p99_ms)) } td.number { (grouped(one.n)) } } } }
                    }
                }
            }
        }
    }
}

/// Milliseconds with the precision they deserve.
fn millis(ms: f64) -> String {
    match ms {
        ms if ms < 1.0 => format!("{:.0} µs", ms * 1_000.0),
        ms if ms < 10.0 => format!("{ms:.1} ms"),
        ms if ms < 10_000.0 => format!("{ms:.0} ms"),
        ms => format!("{:.0} s", ms / 1_000.0),
    }
}

fn burden(burden: Option<&Burden>) -> Markup {
    html! {
        section.panel aria-labelledby="burden" {
            header { h2 id="burden" { "Alarm burden" } @if let Some(burden) = burden { p { "The last " (burden.hours) " hours." } } }
            @match burden {
                None => p.body.muted { "Alarms are not counted on this server." },
                Some(burden) => (burden_table(burden)),
            }
        }
    }
}

fn burden_table(burden: &Burden) -> Markup {
    let none = || html! { span.muted { "no alert" } };
    html! {
        div.body {
            table {
                caption.sr { "Alarm burden" }
                tbody {
                    tr { th scope="row" { "Alerts raised" } td.number { (grouped(burden.raised)) } }
                    tr { th scope="row" { "Per bed and day" } td.number { @match burden.per_bed_day { Some(rate) => (format!("{rate:.2}")), None => span.muted { "no beds with data" } } } }
                    tr { th scope="row" { "Acknowledged" } td.number { @match share(burden.acknowledged, burden.raised) { Some(share) => (share), None => (none()) } } }
                    tr { th scope="row" { "Overridden" } td.number { @match share(burden.overridden, burden.raised) { Some(share) => (share), None => (none()) } } }
                    tr { th scope="row" { "Median time to acknowledgement" } td.number { @match burden.median_ack_secs { Some(secs) => (crate::pipelines::secs(secs)), None => span.muted { "nobody yet" } } } }
                }
            }
        }
        (how("the alarm burden", &[
            ("Overridden", "snoozed, silenced or resolved with a reason before it was acknowledged".into()),
            ("Bed", "a patient and a day with at least one reading".into()),
            ("Why", "alarms that nobody needs make people deaf to those that they need".into()),
        ]))
    }
}

/// Text with code between backticks, for other pages of this folder.
pub(crate) fn cause(text: &str) -> Markup {
    ticked(text)
}
