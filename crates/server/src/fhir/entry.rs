//! One entry of a batch or transaction: from JSON to what it asks for.

use bytes::Bytes;
use fhir::definitions::{self, TypeId};
use fhir::{Kind, Resource, Value};
use gate::{Action, WriteOp};
use http::Method;

use crate::error::ServerError;
use crate::fhir::ask::Ask;
use crate::fhir::conditions::Conditions;
use crate::fhir::controls::Controls;
use crate::fhir::interactions::{self, Interaction, Takes};
use crate::fhir::place::Place;
use crate::fhir::{create, delete, patch, query, update};

/// What an entry asks for.
pub(crate) enum Step {
    /// A write, which the store does.
    Write(Box<WriteOp>),
    /// Anything else that the table of interactions knows; done after the writes.
    Look(Box<Look>),
}

/// A request of another interaction.
pub(crate) struct Look {
    code: &'static str,
    run: fn(Ask) -> crate::fhir::ask::Answer,
    ask: Ask,
}

impl Look {
    /// Is it asked for rightly, as far as that can be told before the writes of its transaction are done.
    pub(crate) fn check(&self) -> Result<(), ServerError> {
        let ask = &self.ask;
        match self.code {
            "search-type" | "search-system" | "search-compartment" => {
                let kind = if self.code == "search-compartment" { ask.place.inside } else { ask.place.kind };
                query::of(ask, kind, &ask.controls.rest).map(drop)
            }
            "read" | "vread" => ask.controls.subset(ask.place.kind()).map(drop),
            _ => Ok(()),
        }
    }

    /// Runs it.
    pub(crate) fn run(self) -> crate::fhir::ask::Answer {
        (self.run)(self.ask)
    }
}

/// Takes an entry apart. `at` is its FHIRPath.
pub(crate) fn step_of(bundle: &Ask, mut entry: Value, at: &str) -> Result<Step, ServerError> {
    check_members(&entry, "Bundle.entry", at)?;
    let request = entry.get_mut("request").map(Value::take);
    let request = request.ok_or_else(|| wrong(at, "an entry needs a `request` with `method` and `url`"))?;
    let at_request = format!("{at}.request");
    check_members(&request, "Bundle.entry.request", &at_request)?;
    let need = |name: &str| {
        request
            .text(name)
            .ok_or_else(|| wrong(&format!("{at_request}.{name}"), "it is needed, and is a string"))
    };
    let method = method_of(need("method")?, &at_request)?;
    let (path, query) = split(need("url")?, bundle.app.base());
    let (_, row, place) = interactions::find(&method, path)?;
    let conditions = Conditions::from_texts(
        request.text("ifMatch"),
        request.text("ifNoneMatch"),
        request.text("ifModifiedSince"),
        request.text("ifNoneExist"),
    )?;
    let resource = entry.get_mut("resource").map(Value::take);
    let full_url = entry.text("fullUrl").map(str::to_string);
    let entry = Entry { bundle, row, place, conditions, query };
    match row.takes {
        Takes::Bundle | Takes::Form => {
            Err(wrong(&at_request, "this cannot be part of a bundle: send it by itself"))
        }
        Takes::Resource => entry.with_resource(resource, full_url, at),
        Takes::Patch => entry.with_patch(resource, full_url, at),
        Takes::Nothing if resource.is_some() => {
            Err(wrong(&format!("{at}.resource"), "a request with this method has no resource"))
        }
        Takes::Nothing => entry.without_resource(full_url),
    }
}

struct Entry<'a> {
    bundle: &'a Ask,
    row: &'static Interaction,
    place: Place,
    conditions: Conditions,
    query: &'a str,
}

impl Entry<'_> {
    fn with_resource(
        self,
        resource: Option<Value>,
        full_url: Option<String>,
        at: &str,
    ) -> Result<Step, ServerError> {
        let value =
            resource.ok_or_else(|| wrong(&format!("{at}.resource"), "this method needs a resource"))?;
        let resource = Resource::from_value(value).map_err(ServerError::Body)?;
        let (kind, if_match) = (self.place.kind(), self.conditions.if_match);
        if self.row.code.ends_with("update") {
            self.conditions.check_update()?;
        }
        let action = match self.row.code {
            "create" => {
                create::action_of(self.bundle, kind, resource, self.conditions.if_none_exist.as_deref())?
            }
            "update" => update::action_of(kind, &self.place.id, resource, if_match)?,
            "conditional-update" => {
                update::conditional_action_of(self.bundle, kind, self.query, resource, if_match)?
            }
            _ => return self.look(Bytes::from(resource.into_value().to_bytes())),
        };
        Ok(Step::Write(Box::new(WriteOp { full_url, action })))
    }

    fn with_patch(
        self,
        resource: Option<Value>,
        full_url: Option<String>,
        at: &str,
    ) -> Result<Step, ServerError> {
        let value = resource.ok_or_else(|| {
            wrong(&format!("{at}.resource"), "a patch is a `Parameters`, or a JSON Patch in a `Binary`")
        })?;
        self.conditions.check_update()?;
        let amendment = patch::amendment_of_entry(value)?;
        let (kind, if_match) = (self.place.kind(), self.conditions.if_match);
        let action = if self.row.code == "patch" {
            patch::action_of(kind, &self.place.id, amendment, if_match)
        } else {
            patch::conditional_action_of(self.bundle, kind, self.query, amendment, if_match)?
        };
        Ok(Step::Write(Box::new(WriteOp { full_url, action })))
    }

    fn without_resource(self, full_url: Option<String>) -> Result<Step, ServerError> {
        let kind = self.place.kind;
        let action = match (self.row.code, kind) {
            ("delete", Some(kind)) => {
                Action::Delete { kind, id: self.place.id.as_str().into(), if_match: self.conditions.if_match }
            }
            ("conditional-delete", Some(kind)) => {
                delete::conditional_action_of(self.bundle, kind, self.query)?
            }
            _ => return self.look(Bytes::new()),
        };
        Ok(Step::Write(Box::new(WriteOp { full_url, action })))
    }

    fn look(self, body: Bytes) -> Result<Step, ServerError> {
        let ask = Ask {
            app: self.bundle.app.clone(),
            access: self.bundle.access.clone(),
            place: self.place,
            controls: Controls::of(self.query)?,
            conditions: self.conditions,
            prefer: self.bundle.prefer,
            body,
        };
        Ok(Step::Look(Box::new(Look { code: self.row.code, run: self.row.run, ask })))
    }
}

fn method_of(text: &str, at: &str) -> Result<Method, ServerError> {
    match text {
        "GET" => Ok(Method::GET),
        "HEAD" => Ok(Method::HEAD),
        "POST" => Ok(Method::POST),
        "PUT" => Ok(Method::PUT),
        "DELETE" => Ok(Method::DELETE),
        "PATCH" => Ok(Method::PATCH),
        _ => Err(wrong(&format!("{at}.method"), "use GET, HEAD, POST, PUT, PATCH or DELETE")),
    }
}

/// Path and query below the base; the base itself may stand before them.
fn split<'u>(url: &'u str, base: &str) -> (&'u str, &'u str) {
    let below = url.strip_prefix(base).unwrap_or(url);
    below.split_once('?').unwrap_or((below, ""))
}

/// Refuses members that R4 does not know: a misspelt condition must not be passed over.
pub(crate) fn check_members(value: &Value, ty: &str, at: &str) -> Result<(), ServerError> {
    let Some(object) = value.as_object() else {
        return Err(wrong(at, format!("this must be an object, it is {}", value.type_name())));
    };
    let ty = TypeId::named(ty).expect("the parts of a bundle are types of R4");
    for key in object.keys() {
        let bare = key.strip_prefix('_').unwrap_or(key);
        let names_type = key == "resourceType" && ty == TypeId::of_kind(Kind::BUNDLE);
        if !names_type && definitions::child(ty, bare).is_none() {
            return Err(wrong(at, format!("`{key}` is unknown here: leave it out")));
        }
    }
    Ok(())
}

/// Something in a bundle is not as it must be.
pub(crate) fn wrong(at: &str, why: impl Into<String>) -> ServerError {
    ServerError::Bundle { at: at.to_string(), why: why.into() }
}
