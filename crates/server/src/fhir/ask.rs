//! One request of an interaction, whether it came by HTTP or as an entry of a bundle.

use std::future::Future;
use std::pin::Pin;

use bytes::Bytes;
use gate::Access;

use crate::error::ServerError;
use crate::fhir::conditions::Conditions;
use crate::fhir::controls::Controls;
use crate::fhir::place::Place;
use crate::fhir::prefer::Prefer;
use crate::fhir::reply::Reply;
use crate::state::AppState;

/// Everything a handler may look at.
#[derive(Clone)]
pub(crate) struct Ask {
    /// The gate, limits, base.
    pub(crate) app: AppState,
    /// Who asks and why.
    pub(crate) access: Access,
    /// What the path names.
    pub(crate) place: Place,
    /// Form of the answer, and the query.
    pub(crate) controls: Controls,
    /// Conditions.
    pub(crate) conditions: Conditions,
    /// Preferences.
    pub(crate) prefer: Prefer,
    /// The body; empty for interactions without one.
    pub(crate) body: Bytes,
}

/// What a handler gives back.
pub(crate) type Answer = Pin<Box<dyn Future<Output = Result<Reply, ServerError>> + Send>>;
