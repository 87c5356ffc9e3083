//! What stands around every page: bar, places, purpose, person, help. Without script, menus are `details`.

use fhir::Instant;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::assets::path_of;
use crate::facts::initials_of;
use crate::parts::icon::{Icon, mark};
use crate::url;

/// A place of the rail. Only what exists and what the person may see is handed in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "each is the page of its name")]
pub enum Place {
    Overview,
    Patients,
    Search,
    Ward,
    Alerts,
    Surveillance,
    Pipelines,
    Streams,
    Rules,
    Audit,
    Settings,
}

impl Place {
    fn title(self) -> &'static str {
        match self {
            Place::Overview => "Overview",
            Place::Patients => "Patients",
            Place::Search => "Search",
            Place::Ward => "Ward",
            Place::Alerts => "Alerts",
            Place::Surveillance => "Surveillance",
            Place::Pipelines => "Pipelines",
            Place::Streams => "Streams",
            Place::Rules => "Rules",
            Place::Audit => "Audit",
            Place::Settings => "Settings",
        }
    }

    /// Address, icon, and the letter that leads there after `g`.
    fn leads(self) -> (&'static str, Icon, &'static str) {
        match self {
            Place::Overview => (url::OVERVIEW, Icon::Overview, "o"),
            Place::Patients => (url::PATIENTS, Icon::People, "p"),
            Place::Search => (url::SEARCH, Icon::Search, "s"),
            Place::Ward => (url::WARD, Icon::Bed, "w"),
            Place::Alerts => (url::ALERTS, Icon::Bell, "e"),
            Place::Surveillance => (url::SURVEILLANCE, Icon::Chart, "v"),
            Place::Pipelines => (url::PIPELINES, Icon::Flow, "l"),
            Place::Streams => (url::STREAMS, Icon::Stream, "m"),
            Place::Rules => (url::RULES, Icon::Rule, "r"),
            Place::Audit => (url::AUDIT, Icon::Ledger, "a"),
            Place::Settings => (url::SETTINGS, Icon::Settings, "t"),
        }
    }
}

/// Who is looking, and why; the same on every page.
#[derive(Clone)]
pub struct Frame {
    /// The server's time.
    pub now: Instant,
    /// What people call the person.
    pub name: String,
    /// Their roles, `clinician analyst`.
    pub roles: String,
    /// The purpose of use, a v3 code.
    pub purpose: String,
    /// Purposes they may choose.
    pub purposes: Vec<String>,
    /// What every form that is sent must carry.
    pub csrf: String,
    /// Places they may go.
    pub places: Vec<Place>,
}

/// A purpose of use in words.
pub fn purpose_text(code: &str) -> &'static str {
    match code {
        "TREAT" => "treatment",
        "ETREAT" => "emergency treatment",
        "CAREMGT" => "care management",
        "HPAYMT" => "payment",
        "HOPERAT" => "operations",
        "PUBHLTH" => "public health",
        "HQUALIMP" => "quality improvement",
        "HRESCH" => "research",
        "RECORDMGT" => "record management",
        "PATRQT" => "patient request",
        "HCOMPL" => "compliance",
        "HSYSADMIN" => "system administration",
        _ => "other purpose",
    }
}

/// The hidden field of every form that is sent.
pub(crate) fn csrf(frame: &Frame) -> Markup {
    html! { input type="hidden" name="csrf" value=(frame.csrf); }
}

/// A page in its frame. The title names no person: browsers remember titles.
pub(crate) fn framed(frame: &Frame, here: Option<Place>, title: &str, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" data-now=(frame.now) {
            (document_head(title))
            body {
                a.skip href="#main" { "Skip to content" }
                (bar(frame))
                (rail(frame, here))
                main id="main" tabindex="-1" { (body) }
                (help(frame))
            }
        }
    }
}

/// A page without a frame, for those who are not signed in.
pub(crate) fn bare(title: &str, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            (document_head(title))
            body.bare {
                main id="main" { p.brand { (mark()) span { "salus" } } (body) }
            }
        }
    }
}

fn document_head(title: &str) -> Markup {
    html! {
        head {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="color-scheme" content="light dark";
            meta name="referrer" content="no-referrer";
            meta name="robots" content="noindex";
            title { (title) " · salus" }
            link rel="stylesheet" href=(path_of(".css"));
            link rel="icon" type="image/svg+xml" href=(path_of(".svg"));
            // Render-blocking, so that a chosen theme is there at the first paint.
            script type="module" async blocking="render" src=(path_of(".js")) {}
        }
    }
}

fn bar(frame: &Frame) -> Markup {
    html! {
        header.bar {
            a.brand href=(url::OVERVIEW) aria-label="salus, to the overview" { (mark()) span { "salus" } }
            form.find role="search" method="post" action=(url::FIND) {
                (csrf(frame))
                (Icon::Search.svg())
                input id="find" type="search" name="q" maxlength="200" autocomplete="off" placeholder="Find a patient, or Type/id" aria-label="Find a patient by name, or a resource by type and id";
                kbd aria-hidden="true" { "/" }
            }
            div.bar-end {
                (purpose_menu(frame))
                button.icon-button type="button" data-do="theme" data-script hidden aria-label="Switch between light and dark" {
                    span.to-dark { (Icon::Moon.svg()) }
                    span.to-light { (Icon::Sun.svg()) }
                }
                button.icon-button.wide-only type="button" data-do="help" data-script hidden aria-label="Keyboard help" { (Icon::Help.svg()) }
                (person_menu(frame))
            }
        }
    }
}

fn purpose_menu(frame: &Frame) -> Markup {
    html! {
        details.menu.purpose {
            summary aria-label={ "Purpose of use: " (purpose_text(&frame.purpose)) } {
                (Icon::Purpose.svg())
                span.long { (purpose_text(&frame.purpose)) }
            }
            form.sheet method="post" action=(url::PURPOSE) {
                (csrf(frame))
                p.muted { "Every access is recorded with its purpose." }
                @for code in &frame.purposes {
                    button name="purpose" value=(code) aria-current=[(code == &frame.purpose).then_some("true")] {
                        (purpose_text(code)) span.code { (code) }
                    }
                }
            }
        }
    }
}

fn person_menu(frame: &Frame) -> Markup {
    html! {
        details.menu {
            summary aria-label={ "Signed in as " (frame.name) } {
                span.avatar aria-hidden="true" { (initials_of(&frame.name)) }
            }
            div.sheet {
                p.who { (frame.name) }
                p.muted { (frame.roles.replace(' ', ", ")) }
                hr;
                a.item href=(url::SETTINGS) { (Icon::Settings.svg()) "Settings" }
                form method="post" action=(url::SIGN_OUT) {
                    (csrf(frame))
                    button { (Icon::Out.svg()) "Sign out" }
                }
            }
        }
    }
}

fn rail(frame: &Frame, here: Option<Place>) -> Markup {
    let link = |place: Place| {
        let (href, icon, key) = place.leads();
        html! {
            li { a href=(href) data-key=(key) aria-current=[(here == Some(place)).then_some("page")] { (icon.svg()) (place.title()) } }
        }
    };
    let (last, first): (Vec<Place>, Vec<Place>) =
        frame.places.iter().partition(|place| **place == Place::Settings);
    html! {
        nav.rail aria-label="Places" {
            ul { @for place in first { (link(place)) } }
            @if !last.is_empty() { ul.last { @for place in last { (link(place)) } } }
        }
    }
}

fn help(frame: &Frame) -> Markup {
    let keys = [
        ("Find", "/"),
        ("Next row", "j"),
        ("Row before", "k"),
        ("Open the row", "Enter"),
        ("Acknowledge the alert of the row", "a"),
        ("Escalate the alert of the row", "e"),
        ("Light or dark", "t"),
        ("This help", "?"),
        ("Close", "Esc"),
    ];
    html! {
        dialog id="help" aria-labelledby="help-title" {
            div.top {
                h2 id="help-title" { "Keyboard" }
                button.small type="button" data-do="help-close" { "Close" }
            }
            dl {
                @for (what, key) in keys { dt { (what) } dd { kbd { (key) } } }
                @for place in &frame.places {
                    dt { "Go to " (place.title().to_lowercase()) }
                    dd { kbd { "g" } (PreEscaped("&nbsp;")) kbd { (place.leads().2) } }
                }
            }
        }
    }
}
