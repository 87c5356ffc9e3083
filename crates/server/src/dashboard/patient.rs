//! `GET /patients/{}`: demographics, what holds now, and the timeline in pages.

mod timeline;

use axum::response::Response;
use fhir::{Kind, Resource, is_id};
use gate::GateError;
use http::StatusCode;
use ui::facts::{Category, Event, event_of, person_of};
use ui::patient::{View, days_of, page};

use super::answer::html;
use super::calendar::{Day, first_day, text_of};
use super::frame::frame_of;
use super::rights::Rights;
use super::{PageAsk, query};
use crate::error::ServerError;

/// Types of the timeline.
const KINDS: [&str; 15] = [
    "Encounter",
    "Condition",
    "AllergyIntolerance",
    "Procedure",
    "MedicationRequest",
    "MedicationStatement",
    "MedicationAdministration",
    "MedicationDispense",
    "Immunization",
    "DiagnosticReport",
    "DocumentReference",
    "Observation",
    "QuestionnaireResponse",
    "CarePlan",
    "Goal",
];
/// Rows of the lists beside the timeline.
const SIDE_ROWS: u32 = 20;
/// Newest measurements among which the last value of each is found.
const MEASUREMENTS: u32 = 100;
/// Kinds of measurement whose last value is shown.
const LATEST: usize = 10;

pub(crate) async fn show(ask: PageAsk) -> Result<Response, ServerError> {
    let id = ask.parts[0].clone();
    if !is_id(&id) {
        return Err(GateError::NotFound { kind: Kind::PATIENT, id }.into());
    }
    let shown = ask.asked("show").and_then(Category::parse);
    let until = ask.asked("until").and_then(first_day);
    let patient = OfPatient { ask: &ask, id: &id };
    Ok(html(StatusCode::OK, page(&patient.view(shown, until).await?)))
}

/// Questions about one patient.
struct OfPatient<'a> {
    ask: &'a PageAsk,
    id: &'a str,
}

impl OfPatient<'_> {
    async fn view(&self, shown: Option<Category>, until: Option<Day>) -> Result<View, ServerError> {
        let stored = self.ask.app.gate().read(&self.ask.access, Kind::PATIENT, self.id).await?;
        let resource = stored.body.resource().map_err(GateError::Store)?;
        let kinds = KINDS
            .into_iter()
            .map(Kind::named)
            .filter(|kind| self.ask.access.principal.may_search(*kind))
            .collect::<Vec<_>>();
        let numbers = self.counts(&kinds).await?;
        let present: Vec<Kind> =
            kinds.iter().zip(&numbers).filter(|(_, n)| **n > 0).map(|(kind, _)| *kind).collect();
        let is_wanted = |kind: &Kind| shown.is_none_or(|category| Category::of(*kind) == category);
        let wanted: Vec<Kind> = present.iter().copied().filter(is_wanted).collect();
        let timeline = timeline::page(self, &wanted, until).await?;
        let older = timeline.older.map(|day| {
            let show = shown.map(|category| format!("show={}&", category.slug())).unwrap_or_default();
            format!("{}?{show}until={}", ui::url::patient(self.id), text_of(day))
        });
        Ok(View {
            frame: frame_of(self.ask),
            id: self.id.to_string(),
            person: person_of(resource.value()),
            updated: stored.updated,
            counts: counts_of(&kinds, &numbers),
            shown,
            days: days_of(timeline.events),
            older,
            cut: timeline.cut.map(text_of),
            problems: self.list(&present, "Condition", "clinical-status=active,recurrence,relapse").await?,
            medications: self.list(&present, "MedicationRequest", "status=active").await?,
            latest: self.latest(&present).await?,
        })
    }

    /// How many resources of each type there are.
    async fn counts(&self, kinds: &[Kind]) -> Result<Vec<u64>, ServerError> {
        let text = format!("patient=Patient/{}&_summary=count", self.id);
        let parse = |kind: &Kind| query::parse(self.ask, *kind, &text);
        let queries: Vec<search::Query> = kinds.iter().map(parse).collect::<Result<_, _>>()?;
        Ok(self.ask.app.gate().tally(&self.ask.access, &queries, 0).await?)
    }

    /// Resources of a type that pass a filter, and whether there are more.
    async fn search(
        &self,
        kind: Kind,
        filter: &str,
        count: u32,
    ) -> Result<(Vec<Resource>, bool), ServerError> {
        let text = format!("patient=Patient/{}&{filter}", self.id);
        let query = query::parse(self.ask, kind, text.trim_end_matches('&'))?;
        let page = self.ask.app.gate().search(&self.ask.access, &query, count).await?;
        let resources = page.matches.iter().map(|stored| stored.body.resource());
        let resources: Vec<Resource> = resources.collect::<Result<_, _>>().map_err(GateError::Store)?;
        Ok((resources, page.next.is_some()))
    }

    async fn list(&self, present: &[Kind], kind: &str, filter: &str) -> Result<Vec<Event>, ServerError> {
        let kind = Kind::named(kind);
        if !present.contains(&kind) {
            return Ok(Vec::new());
        }
        let date = search::event_date_param(kind).map_or("_lastUpdated", |param| param.def().code);
        let (resources, _) = self.search(kind, &format!("{filter}&_sort=-{date}"), SIDE_ROWS).await?;
        Ok(resources.iter().filter_map(event_of).collect())
    }

    /// The last value of each measurement among the newest ones.
    async fn latest(&self, present: &[Kind]) -> Result<Vec<Event>, ServerError> {
        let kind = Kind::named("Observation");
        if !present.contains(&kind) {
            return Ok(Vec::new());
        }
        let filter = "category=vital-signs,laboratory&_sort=-date";
        let (resources, _) = self.search(kind, filter, MEASUREMENTS).await?;
        let mut latest: Vec<Event> = Vec::new();
        for event in resources.iter().filter_map(event_of).filter(|event| event.measured.is_some()) {
            if latest.len() < LATEST && latest.iter().all(|known| known.title != event.title) {
                latest.push(event);
            }
        }
        Ok(latest)
    }
}

fn counts_of(kinds: &[Kind], numbers: &[u64]) -> Vec<(Category, u64)> {
    let of = |category| {
        kinds.iter().zip(numbers).filter(|(kind, _)| Category::of(**kind) == category).map(|(_, n)| n).sum()
    };
    Category::ALL.into_iter().map(|category| (category, of(category))).collect()
}
