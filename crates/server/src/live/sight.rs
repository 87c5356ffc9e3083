//! Who watches a stream and what they may see: asked of the gate at the start and once a minute; patients are recorded before they are shown.

use std::collections::{BTreeSet, HashMap};

use fhir::Instant;
use gate::{Access, Matter, Permit, Subject};
use stream::Platform;
use ui::frame::Frame;

use super::{Origin, Wanted, after_of};
use crate::caller::{Caller, Session};
use crate::dashboard::{self, People};
use crate::error::ServerError;
use crate::state::AppState;

/// A record of a patient holds so long.
const RECORD_MICROS: i64 = 60_000_000;

pub(super) struct Sight {
    app: AppState,
    origin: Origin,
    pub(super) wanted: Wanted,
    pub(super) access: Access,
    session: Option<Session>,
    pub(super) permit: Permit,
    /// Patients that are recorded for this minute.
    told: BTreeSet<String>,
    renewed_at: Instant,
    pub(super) people: People,
    /// Scores of the hours before, which a new reading does not change; read once a minute.
    histories: HashMap<String, Vec<(Instant, u8)>>,
}

impl Sight {
    pub(super) async fn open(app: &AppState, origin: Origin, wanted: Wanted) -> Result<Sight, ServerError> {
        let (access, session) = who(app, &origin).await?;
        let permit = app.gate().permit(&access, Subject::new(Matter::Alerts, "stream")).await?;
        let renewed_at = app.gate().now();
        let people = People::default();
        Ok(Sight {
            app: app.clone(),
            origin,
            wanted,
            access,
            session,
            permit,
            told: BTreeSet::new(),
            renewed_at,
            people,
            histories: HashMap::new(),
        })
    }

    pub(super) fn after(&self) -> Option<&str> {
        after_of(&self.origin.headers, self.wanted.after.as_deref())
    }

    /// Is it still who it was, and may they still. Their session may have ended, or their role.
    pub(super) async fn renew(&mut self) -> Result<(), ServerError> {
        let now = self.app.gate().now();
        if (0..RECORD_MICROS).contains(&(now.0 - self.renewed_at.0)) {
            return Ok(());
        }
        let (access, session) = who(&self.app, &self.origin).await?;
        let subject = Subject::new(Matter::Alerts, "stream");
        self.permit = self.app.gate().permit(&access, subject).await?;
        (self.access, self.session, self.renewed_at) = (access, session, now);
        self.told.clear();
        self.histories.clear();
        Ok(())
    }

    /// Records patients of whom something is about to be told.
    pub(super) async fn tell(&mut self, patients: BTreeSet<String>) -> Result<(), ServerError> {
        let new: Vec<String> = patients.difference(&self.told).cloned().collect();
        if new.is_empty() {
            return Ok(());
        }
        let subject =
            Subject::new(Matter::Alerts, "stream").of_rows(new.len() as u64).of_patients(new.clone());
        self.permit = self.app.gate().permit(&self.access, subject).await?;
        self.told.extend(new);
        Ok(())
    }

    /// The scores of a patient in the hours before.
    pub(super) async fn history(
        &mut self,
        platform: &Platform,
        subject: &str,
    ) -> Result<Vec<(Instant, u8)>, ServerError> {
        if let Some(known) = self.histories.get(subject) {
            return Ok(known.clone());
        }
        let history = platform.score_history(&self.permit, subject).await?;
        self.histories.insert(subject.to_owned(), history.clone());
        Ok(history)
    }

    /// The frame that pieces of pages are made for: its forms carry the session's token.
    pub(super) fn frame(&self) -> Frame {
        dashboard::frame_for(&self.app, &self.access, self.session.as_ref())
    }

    pub(super) fn app(&self) -> &AppState {
        &self.app
    }
}

/// As for pages: a person's chosen purpose holds here too.
async fn who(app: &AppState, origin: &Origin) -> Result<(Access, Option<Session>), ServerError> {
    let caller = Caller::of(app, &origin.peer, &origin.headers, &origin.request).await?;
    let access = dashboard::access_of(&caller, &origin.headers, &origin.request)?;
    Ok((access, caller.session))
}
