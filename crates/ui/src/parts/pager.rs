//! Pages of a list: how much is shown of how much, and where the next page is.

use maud::{Markup, html};

use super::number::grouped;

/// Where in a list one is. Pages are found by the last row, so there is a next one and a first one, and no numbers.
#[derive(Clone, Default)]
pub struct Paging {
    /// Rows on this page.
    pub shown: u64,
    /// Rows in all; `None` when nobody counted.
    pub total: Option<u64>,
    /// Address of the first page, when this is another.
    pub first: Option<String>,
    /// Address of the next page.
    pub next: Option<String>,
}

/// The line under a list.
pub fn pager(paging: &Paging, one: &str, many: &str) -> Markup {
    let what = if paging.total.unwrap_or(paging.shown) == 1 { one } else { many };
    html! {
        nav.pager aria-label="Pages" {
            p {
                (grouped(paging.shown))
                @match paging.total {
                    Some(total) => { " of " (grouped(total)) " " (what) },
                    None => { " " (what) " on this page; nobody counted them all" },
                }
            }
            div.end {
                @if let Some(first) = &paging.first { a.button href=(first) { "First page" } }
                @if let Some(next) = &paging.next { a.button href=(next) rel="next" { "Next page" } }
            }
        }
    }
}
