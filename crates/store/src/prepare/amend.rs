//! Patches: the new version is worked out on the version that was seen, and again when the writer finds another one.

use std::sync::Arc;

use fhir::{Instant, Kind, Resource, json};

use super::content::{Content, refresh};
use super::facts::Seen;
use super::plan::{Planner, Put};
use super::references::{Links, local_targets};
use crate::{Amendment, StoreError};

/// What is needed to work a patch out, once or again.
#[derive(Debug)]
pub(crate) struct Amending {
    amendment: Amendment,
    links: Arc<Links>,
    full_url: Option<String>,
    entry: usize,
    /// Why it cannot be worked out on the version that was seen. Told only to who may know of that version.
    failure: Option<StoreError>,
}

impl Amending {
    pub(crate) fn new(amendment: Amendment) -> Amending {
        Amending { amendment, links: Arc::default(), full_url: None, entry: 0, failure: None }
    }

    /// How references to other entries are resolved in what it makes.
    pub(super) fn link(&mut self, links: Arc<Links>, full_url: Option<String>, entry: usize) {
        (self.links, self.full_url, self.entry) = (links, full_url, entry);
    }

    /// Was it worked out.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        self.failure.clone().map_or(Ok(()), Err)
    }

    fn work_out(&self, stored: &Resource) -> Result<Resource, StoreError> {
        let mut resource = self.amendment.of(stored).map_err(StoreError::Unfit)?;
        let sent = self.amendment.references();
        let linked = self.links.apply_to_sent(&mut resource, self.full_url.as_deref(), sent);
        let entry = self.entry;
        linked.map_err(|(target, problem)| StoreError::Reference { entry, target, problem })?;
        Ok(resource)
    }
}

/// A resource that is only its name, until a patch has been worked out.
pub(super) fn nameplate(kind: Kind, id: &str) -> Resource {
    let value = json!({"resourceType": (kind.name()), "id": id});
    Resource::from_value(value).expect("a type and an id that was found or read from a path")
}

impl Planner {
    /// Works a patch out on the version that was seen; the writer does it again when it finds another one.
    pub(crate) fn amend(&self, put: &mut Put, seen: Seen, now: Instant) -> Result<(), StoreError> {
        let Some(amending) = &mut put.amending else { return Ok(()) };
        put.content = Content::default();
        let Some(stored) = seen.resource.clone() else {
            put.seen = seen;
            return Ok(());
        };
        amending.failure = None;
        match amending.work_out(&stored) {
            Ok(resource) => put.resource = resource,
            Err(failure) => {
                amending.failure = Some(failure);
                put.seen = seen;
                return Ok(());
            }
        }
        if self.referential_integrity {
            put.targets = local_targets(&put.resource, &self.bases);
        }
        refresh(put, seen, &self.extractor, now)
    }
}
