//! Names of patients for pages about streams: read through the gate, one search for all that are new, and only what the caller may see.

use std::collections::HashMap;

use fhir::Kind;
use gate::{Access, GateError};
use ui::alerts::Person;
use ui::facts::name_of;

use super::facts::person_id;
use crate::dashboard::rights::Rights;
use crate::error::ServerError;
use crate::state::AppState;

/// Names that one search asks for.
const NAMES_MAX: usize = 200;

/// Who was looked up already. A page has its own, a live stream keeps one while it lasts.
#[derive(Default)]
pub(crate) struct People(HashMap<String, Option<String>>);

impl People {
    /// The people of these subjects, in order. Who is no Patient of the store, or may not be seen, has no name.
    pub(crate) async fn of(
        &mut self,
        app: &AppState,
        access: &Access,
        subjects: &[&str],
    ) -> Result<Vec<Person>, ServerError> {
        let mut new: Vec<&str> = subjects.iter().filter_map(|subject| person_id(subject)).collect();
        new.retain(|id| fhir::is_id(id) && !self.0.contains_key(*id));
        new.sort_unstable();
        new.dedup();
        if access.principal.may_search(Kind::PATIENT) {
            for some in new.chunks(NAMES_MAX) {
                self.look_up(app, access, some).await?;
            }
        }
        Ok(subjects.iter().map(|subject| self.person(subject)).collect())
    }

    async fn look_up(&mut self, app: &AppState, access: &Access, ids: &[&str]) -> Result<(), ServerError> {
        let options = search::Options::new(true, vec![app.base().to_string()], app.gate().now());
        let text = format!("_id={}", ids.join(","));
        let query = search::parse(Some(Kind::PATIENT), &text, &options).map_err(ServerError::Query)?.query;
        let page = app.gate().search(access, &query, NAMES_MAX as u32).await?;
        for id in ids {
            self.0.insert((*id).to_owned(), None);
        }
        for stored in &page.matches {
            let resource = stored.body.resource().map_err(GateError::Store)?;
            let name = name_of(resource.value()).unwrap_or_default();
            self.0.insert(stored.id.to_string(), Some(name));
        }
        Ok(())
    }

    fn person(&self, subject: &str) -> Person {
        let found = person_id(subject).and_then(|id| Some((id, self.0.get(id)?.as_ref()?)));
        Person {
            subject: subject.to_owned(),
            id: found.map(|(id, _)| id.to_owned()),
            name: found.map(|(_, name)| name.clone()).filter(|name| !name.is_empty()),
        }
    }
}
