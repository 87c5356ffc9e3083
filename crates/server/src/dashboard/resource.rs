//! `GET /resources/{}/{}`: tree, JSON, versions, and what changed between two of them.

use axum::response::Response;
use fhir::{Kind, is_id};
use gate::{Change, GateError, HistoryOf, HistoryQuery, Op, Stored};
use http::StatusCode;
use ui::facts::summary_of;
use ui::json::diff;
use ui::resource::{Compared, Part, Version, View, page};

use super::answer::html;
use super::frame::frame_of;
use super::{PageAsk, query};
use crate::error::ServerError;
use crate::fhir::controls::encode;

pub(crate) async fn show(ask: PageAsk) -> Result<Response, ServerError> {
    let kind = Kind::parse(&ask.parts[0]).ok_or_else(|| ServerError::UnknownKind(ask.parts[0].clone()))?;
    let id = ask.parts[1].as_str();
    if !is_id(id) {
        return Err(GateError::NotFound { kind, id: id.to_string() }.into());
    }
    let number = |name: &str| ask.asked(name).and_then(|text| text.parse::<u64>().ok());
    let resource = OfResource { ask: &ask, kind, id };
    let view = match (ask.asked("view"), number("a"), number("b")) {
        (Some("versions"), _, _) => resource.versions().await,
        (Some("compare"), Some(a), Some(b)) => resource.compared(a.min(b), a.max(b)).await,
        (Some("json"), _, _) => resource.content(number("version"), Part::Json).await,
        _ => resource.content(number("version"), Part::Tree).await,
    };
    Ok(html(StatusCode::OK, page(&view?)))
}

/// Questions about one resource.
struct OfResource<'a> {
    ask: &'a PageAsk,
    kind: Kind,
    id: &'a str,
}

impl OfResource<'_> {
    /// The current version, or a given one.
    async fn content(
        &self,
        version: Option<u64>,
        part: fn(fhir::Value) -> Part,
    ) -> Result<View, ServerError> {
        let gate = self.ask.app.gate();
        let (stored, is_current) = match version {
            None => (gate.read(&self.ask.access, self.kind, self.id).await?, true),
            Some(version) => {
                let stored = gate.vread(&self.ask.access, self.kind, self.id, version).await?;
                let newest = self.history(HistoryQuery { count: 1, ..HistoryQuery::default() }).await?;
                let is_current = newest.entries.first().is_some_and(|newest| newest.version == version);
                (stored, is_current)
            }
        };
        let resource = stored.body.resource().map_err(GateError::Store)?;
        let mut view = self.view(&stored, is_current, Part::Versions(Vec::new(), None))?;
        view.part = part(resource.into_value());
        Ok(view)
    }

    async fn versions(&self) -> Result<View, ServerError> {
        let page = self
            .history(HistoryQuery {
                count: query::ROWS,
                cursor: self.ask.asked("cursor").map(String::from),
                ..HistoryQuery::default()
            })
            .await?;
        let changes = self.ask.app.gate().changes_of(&self.ask.access, self.kind, self.id).await?;
        let versions = page.entries.iter().map(|stored| version_of(stored, &changes)).collect();
        let older = page.next.map(|next| {
            format!("{}?view=versions&cursor={}", ui::url::resource(self.kind.name(), self.id), encode(&next))
        });
        let newest = page.entries.first();
        let shown = newest.into_iter().chain(&page.entries).find(|stored| stored.op != Op::Delete).or(newest);
        let shown = shown.ok_or_else(|| GateError::NotFound { kind: self.kind, id: self.id.to_string() })?;
        // A later page of versions does not hold the current one.
        let is_current = self.ask.asked("cursor").is_none()
            && newest.is_some_and(|newest| newest.version == shown.version);
        self.view(shown, is_current, Part::Versions(versions, older))
    }

    async fn compared(&self, a: u64, b: u64) -> Result<View, ServerError> {
        let gate = self.ask.app.gate();
        let before = gate.vread(&self.ask.access, self.kind, self.id, a).await?;
        let after = gate.vread(&self.ask.access, self.kind, self.id, b).await?;
        let value = |stored: &Stored| Ok::<_, GateError>(stored.body.resource()?.into_value());
        let authors = gate.changes_of(&self.ask.access, self.kind, self.id).await?;
        let changes = diff(&value(&before)?, &value(&after)?);
        let part =
            Compared { before: version_of(&before, &authors), after: version_of(&after, &authors), changes };
        self.view(&after, true, Part::Compared(part))
    }

    async fn history(&self, query: HistoryQuery) -> Result<gate::HistoryPage, GateError> {
        let of = HistoryOf::Instance(self.kind, self.id.into());
        self.ask.app.gate().history(&self.ask.access, of, query).await
    }

    fn view(&self, stored: &Stored, is_current: bool, part: Part) -> Result<View, ServerError> {
        let summary = if stored.op == Op::Delete {
            ui::facts::Summary { title: None, measured: None, status: None, when: None, subject: None }
        } else {
            summary_of(&stored.body.resource().map_err(GateError::Store)?)
        };
        Ok(View {
            frame: frame_of(self.ask),
            kind: self.kind.name().to_string(),
            id: self.id.to_string(),
            version: stored.version,
            updated: stored.updated,
            is_current,
            summary,
            part,
            fhir_base: self.ask.app.base().to_string(),
        })
    }
}

fn version_of(stored: &Stored, changes: &[Change]) -> Version {
    let change = changes.iter().find(|change| change.version == stored.version);
    let who =
        change.map(|change| change.author.on_behalf_of.as_ref().unwrap_or(&change.author.principal).clone());
    Version { version: stored.version, at: stored.updated, is_deletion: stored.op == Op::Delete, who }
}
