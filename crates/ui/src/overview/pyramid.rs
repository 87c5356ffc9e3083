//! Population pyramid: people by age band and sex, as a drawing and as a table. Who does not fit the drawing is counted beside it.

use maud::{Markup, html};

use crate::parts::chart::{percent, share, ticks};
use crate::parts::empty::empty;
use crate::parts::how;
use crate::parts::icon::Icon;
use crate::parts::number::{counted, grouped};

/// People by age and sex.
#[derive(Clone, Default)]
pub struct Pyramid {
    /// From the youngest to the oldest.
    pub bands: Vec<Band>,
    /// People without a birth date that gives an age.
    pub unknown_age: u64,
    /// How ages were counted, for the definition: `2026-11-25`.
    pub as_of: String,
}

/// One band of ages.
#[derive(Clone, Default)]
pub struct Band {
    /// `0–4`, `100+`.
    pub label: String,
    /// Women and girls.
    pub female: u64,
    /// Men and boys.
    pub male: u64,
    /// Sex `other`.
    pub other: u64,
    /// Sex unknown or not recorded.
    pub unknown: u64,
}

impl Band {
    fn total(&self) -> u64 {
        self.female + self.male + self.other + self.unknown
    }
}

const ROW: usize = 18;
/// Each side takes this share of the width; the middle holds the ages.
const SIDE_PERCENT: f64 = 44.0;

pub(super) fn panel(pyramid: &Pyramid) -> Markup {
    let total: u64 = pyramid.bands.iter().map(Band::total).sum::<u64>() + pyramid.unknown_age;
    html! {
        section.panel aria-labelledby="pyramid" {
            header {
                h2 id="pyramid" { "Population by age and sex" }
                p { (counted(total, "person", "people")) ", living" }
                div.end.legend {
                    span { svg aria-hidden="true" viewBox="0 0 10 10" { rect.a width="10" height="10" rx="2" {} } "female" }
                    span { svg aria-hidden="true" viewBox="0 0 10 10" { rect.b width="10" height="10" rx="2" {} } "male" }
                }
            }
            @if total == 0 {
                (empty(Icon::People, "No people yet", "Load patients, or make some:", Some("salus demo --patients 500")))
            } @else {
                div.body {
                    (drawing(pyramid))
                    (beside(pyramid))
                    details.fold { summary { "As a table" } (table(pyramid)) }
                }
                (how("population by age and sex", &[
                    ("Age", format!("whole years on {}, from the birth date; bands of five years", pyramid.as_of)),
                    ("Sex", "administrative gender of the Patient resource".into()),
                    ("People", "Patient resources that you may see, without those recorded as deceased; counted at most a minute ago".into()),
                    ("Unknown", format!("{}; nobody is left out or guessed", counted(pyramid.unknown_age, "person without a birth date", "people without a birth date"))),
                    ("n", grouped(total)),
                ]))
            }
        }
    }
}

/// The two columns of bars; the oldest on top. The axis starts at 0 on both sides and has one scale.
fn drawing(pyramid: &Pyramid) -> Markup {
    let most = pyramid.bands.iter().flat_map(|band| [band.female, band.male]).max().unwrap_or(0);
    let ticks = ticks(most);
    let top = ticks.last().copied().unwrap_or(1);
    let height = pyramid.bands.len() * ROW;
    let length = |n: u64| percent(n, top) * SIDE_PERCENT / 100.0;
    html! {
        svg.chart width="100%" height=(height + 26) role="img" aria-label="Population pyramid: people by age band, female to the left, male to the right. The numbers are in the table below." {
            @for tick in &ticks {
                @let (left, right) = (share(SIDE_PERCENT - length(*tick)), share(100.0 - SIDE_PERCENT + length(*tick)));
                @let (left_anchor, right_anchor) = if *tick == top { ("start", "end") } else { ("middle", "middle") };
                line class=(if *tick == 0 { "axis" } else { "grid" }) x1=(left) x2=(left) y1="0" y2=(height) {}
                line class=(if *tick == 0 { "axis" } else { "grid" }) x1=(right) x2=(right) y1="0" y2=(height) {}
                text x=(left) y=(height + 18) text-anchor=(left_anchor) { (grouped(*tick)) }
                text x=(right) y=(height + 18) text-anchor=(right_anchor) { (grouped(*tick)) }
            }
            @for (at, band) in pyramid.bands.iter().rev().enumerate() {
                g.row {
                    title { (band.label) " years: " (grouped(band.female)) " female, " (grouped(band.male)) " male" }
                    rect.ground x="0" y=(at * ROW) width="100%" height=(ROW) {}
                    rect.a x=(share(SIDE_PERCENT - length(band.female))) y=(at * ROW + 2) width=(share(length(band.female))) height=(ROW - 4) rx="2" {}
                    rect.b x=(share(100.0 - SIDE_PERCENT)) y=(at * ROW + 2) width=(share(length(band.male))) height=(ROW - 4) rx="2" {}
                    text x="50%" y=(at * ROW + 13) text-anchor="middle" { (band.label) }
                }
            }
            text x="50%" y=(height + 18) text-anchor="middle" { "age" }
        }
    }
}

fn beside(pyramid: &Pyramid) -> Markup {
    let other: u64 = pyramid.bands.iter().map(|band| band.other).sum();
    let unknown: u64 = pyramid.bands.iter().map(|band| band.unknown).sum();
    html! {
        @if other + unknown + pyramid.unknown_age > 0 {
            p.muted { "Not drawn, but in the table: " (grouped(other)) " with sex other, " (grouped(unknown)) " with sex unknown, " (grouped(pyramid.unknown_age)) " with unknown age." }
        }
    }
}

fn table(pyramid: &Pyramid) -> Markup {
    let sum = |of: fn(&Band) -> u64| grouped(pyramid.bands.iter().map(of).sum());
    html! {
        div.scroll tabindex="0" role="region" aria-label="Table of people by age and sex" {
            table {
                caption.sr { "People by age band and sex" }
                thead { tr {
                    th scope="col" { "Age" } th.number scope="col" { "Female" } th.number scope="col" { "Male" }
                    th.number scope="col" { "Other" } th.number scope="col" { "Unknown sex" } th.number scope="col" { "All" }
                } }
                tbody {
                    @for band in pyramid.bands.iter().rev() {
                        tr {
                            th scope="row" { (band.label) }
                            td.number { (grouped(band.female)) } td.number { (grouped(band.male)) }
                            td.number { (grouped(band.other)) } td.number { (grouped(band.unknown)) } td.number { (grouped(band.total())) }
                        }
                    }
                    tr {
                        th scope="row" { "Known age" }
                        td.number { (sum(|b| b.female)) } td.number { (sum(|b| b.male)) }
                        td.number { (sum(|b| b.other)) } td.number { (sum(|b| b.unknown)) } td.number { (sum(Band::total)) }
                    }
                    tr { th scope="row" { "Unknown age" } td.number colspan="5" { (grouped(pyramid.unknown_age)) } }
                }
            }
        }
    }
}
