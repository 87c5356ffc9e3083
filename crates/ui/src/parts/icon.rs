//! Line icons, 24 × 24, drawn with the colour of the text around them.

use maud::{Markup, html};

/// What an icon stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "each is named for what it shows")]
pub enum Icon {
    Overview,
    People,
    Search,
    Flow,
    Ledger,
    Settings,
    Sun,
    Moon,
    Help,
    Purpose,
    Out,
    Visit,
    Pulse,
    Hand,
    Pill,
    Shield,
    Document,
    Gauge,
    Dot,
    Box,
    Down,
    Bed,
    Bell,
    Chart,
    Stream,
    Rule,
}

impl Icon {
    fn path(self) -> &'static str {
        match self {
            Icon::Overview => "M4 4h7v9H4zM13 4h7v5h-7zM13 11h7v9h-7zM4 15h7v5H4z",
            Icon::People => {
                "M9 11.5a3.75 3.75 0 1 0 0-7.5 3.75 3.75 0 0 0 0 7.5zM2.5 20c.4-3.6 3-5.8 6.5-5.8s6.1 2.2 6.5 5.8M16 4.4a3.6 3.6 0 0 1 0 6.8M18.5 14.8c1.8.9 2.8 2.7 3 5.2"
            }
            Icon::Search => "M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM20.5 20.5 16 16",
            Icon::Flow => {
                "M4 6h5v4H4zM4 14h5v4H4zM15 10h5v4h-5zM9 8h2.5a1.5 1.5 0 0 1 1.5 1.5V12h2M9 16h2.5a1.5 1.5 0 0 0 1.5-1.5V12"
            }
            Icon::Ledger => "M8 6h12M8 12h12M8 18h8M4 6h.01M4 12h.01M4 18h.01",
            Icon::Settings => "M4 7h9M17 7h3M4 17h3M11 17h9M15 4.5v5M9 14.5v5",
            Icon::Sun => {
                "M12 16.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9zM12 2v2M12 20v2M2 12h2M20 12h2M4.9 4.9l1.4 1.4M17.7 17.7l1.4 1.4M4.9 19.1l1.4-1.4M17.7 6.3l1.4-1.4"
            }
            Icon::Moon => "M20 14.5A8.3 8.3 0 0 1 9.5 4a8.3 8.3 0 1 0 10.5 10.5z",
            Icon::Help => {
                "M9.2 9.2a2.8 2.8 0 1 1 4.2 2.4c-.9.6-1.4 1.1-1.4 2.2M12 17.2h.01M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18z"
            }
            Icon::Purpose => {
                "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM12 12h.01"
            }
            Icon::Out => "M14 4h5v16h-5M4 12h11M11 8l4 4-4 4",
            Icon::Visit => "M5 6h14v14H5zM5 10.5h14M9 3.5v4M15 3.5v4",
            Icon::Pulse => "M3 12.5h4l2.5-7 4.5 13 2.5-6H21",
            Icon::Hand => "M14.5 5.5a4 4 0 0 1 4.8 5.2L9.5 20.5a2.1 2.1 0 0 1-3-3L16 8M4 4l4 4",
            Icon::Pill => "M10.5 20a4.6 4.6 0 0 1-6.5-6.5l9.5-9.5A4.6 4.6 0 0 1 20 10.5zM8.5 8.8l6.7 6.7",
            Icon::Shield => "M12 3l7.5 3v5.5c0 4.6-3 8-7.5 9.5-4.5-1.5-7.5-4.9-7.5-9.5V6zM12 8.5v7M8.5 12h7",
            Icon::Document => "M6 3.5h8l4 4v13H6zM14 3.5v4h4M9 12h6M9 16h6",
            Icon::Gauge => "M4 18a9 9 0 1 1 16 0M12 15l4-5",
            Icon::Dot => "M12 14a2 2 0 1 0 0-4 2 2 0 0 0 0 4z",
            Icon::Box => "M4 8l8-4.5L20 8v8.5L12 21l-8-4.5zM4 8l8 4.5L20 8M12 12.5V21",
            Icon::Down => "M6 9.5l6 6 6-6",
            Icon::Bed => {
                "M3 5v14M3 15h18v4M21 15v-3a3 3 0 0 0-3-3h-8v6M6.5 12.5a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3z"
            }
            Icon::Bell => "M6 16.5V11a6 6 0 1 1 12 0v5.5l1.5 2h-15zM10 21h4",
            Icon::Chart => "M4 4v16h16M8 16v-4M12 16V8M16 16v-6M20 16V6",
            Icon::Stream => "M3 7c3-3 6 3 9 0s6 3 9 0M3 12c3-3 6 3 9 0s6 3 9 0M3 17c3-3 6 3 9 0s6 3 9 0",
            Icon::Rule => "M5 4h14v5H5zM5 15h6v5H5zM15 15h4v5h-4zM12 9v3M8 15v-3h9v3",
        }
    }

    /// The icon, hidden from readers of the page: the word beside it says the same.
    pub fn svg(self) -> Markup {
        html! {
            svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" {
                path d=(self.path()) {}
            }
        }
    }
}

/// The mark of the house.
pub(crate) fn mark() -> Markup {
    html! {
        svg viewBox="0 0 24 24" aria-hidden="true" {
            rect.mark-ground width="24" height="24" rx="6" {}
            path.mark-line d="M4 13h3.6l2.2-6 4.2 10.4 2.4-4.4H20" {}
        }
    }
}
