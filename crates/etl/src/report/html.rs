//! The quality of a run as one page that needs nothing else: no script, no image, no other file.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest as _, Sha256};

use crate::report::body::{body, chip_of_level};
use crate::report::words::{counted, grouped};
use crate::report::{Level, SourceQuality};

/// The style of the page. The dashboard has its own, with the same class names.
const STYLE: &str = include_str!("style.css");

/// The quality of all sources of a run.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct RunQuality {
    /// The pipeline's name.
    pub pipeline: String,
    /// The run's id.
    pub run: String,
    /// When it began: RFC 3339, UTC.
    pub at: String,
    /// Its sources, in the order of the file.
    pub sources: Vec<SourceQuality>,
}

/// The page.
pub fn html(run: &RunQuality) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { "Data quality: " (run.pipeline) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header.top {
                    h1 { "Data quality of " (run.pipeline) }
                    p { "Run " code { (run.run) } ", begun " time datetime=(run.at) { (run.at) } }
                }
                main {
                    (contents(run))
                    @for (at, source) in run.sources.iter().enumerate() {
                        section.source id={ "source-" (at + 1) } aria-labelledby={ "source-" (at + 1) "-name" } {
                            h2.source-name id={ "source-" (at + 1) "-name" } { "Source " code { (source.source) } }
                            (body(source))
                        }
                    }
                    @if run.sources.is_empty() { p { "The run read no source." } }
                }
                footer {
                    p { "Values are never shown: samples give the place of a row and the shape of its value (letters as A or a, digits as 9)." }
                }
            }
        }
    };
    page.into_string()
}

/// What a content security policy must allow in `style-src` for the page: `'sha256-…'` of its style. It needs nothing else.
pub fn style_hash() -> String {
    let digest = Sha256::digest(STYLE.as_bytes());
    format!("'sha256-{}'", STANDARD.encode(digest))
}

/// The same as JSON.
pub fn json(run: &RunQuality) -> Result<String, serde_json::Error> {
    serde_json::to_string_pretty(run)
}

fn contents(run: &RunQuality) -> Markup {
    let n_refused = run.sources.iter().filter(|source| !source.refused.is_empty()).count();
    html! {
        @if run.sources.len() > 1 {
            section.panel aria-labelledby="contents" {
                header {
                    h2 id="contents" { "Sources" }
                    p {
                        (counted(run.sources.len() as u64, "source", "sources"))
                        @if n_refused > 0 { ", " (n_refused) " not loaded" }
                    }
                }
                div.scroll tabindex="0" role="region" aria-label="Table of sources" { table {
                    caption.sr { "Sources with their quality" }
                    thead { tr {
                        th scope="col" { "Source" } th scope="col" { "Level" } th.number scope="col" { "Score" } th.number scope="col" { "Rows" }
                        th scope="col" { "Loaded" }
                    } }
                    tbody {
                        @for (at, source) in run.sources.iter().enumerate() {
                            tr {
                                th scope="row" { a href={ "#source-" (at + 1) } { (source.source) } }
                                td { (chip_of_level(source.level)) }
                                td.number { (crate::report::words::score(source.overall)) }
                                td.number { (grouped(source.n_rows)) }
                                td { @if source.refused.is_empty() && source.level != Some(Level::Unacceptable) { "yes" } @else { "no" } }
                            }
                        }
                    }
                } }
            }
        }
    }
}
