//! Functions that FHIR adds: references, extensions, conformance, and the keys of SQL on FHIR.

use ::fhir::definitions::TypeId;
use ::fhir::{Kind, Reference, Value};

use super::{Eval, Scope};
use crate::context::Resolved;
use crate::error::{Problem, Result};
use crate::function::Function as F;
use crate::item::{Data, Item, Items};
use crate::navigate::{contained, extensions};
use crate::plan::Call;
use crate::types::{Type, known};

impl<'a> Eval<'_, 'a> {
    /// What a reference, or the text of one, leads to.
    pub(super) fn resolve(&self, item: &Item<'a>) -> Option<Item<'a>> {
        let reference = match (&item.data, item.ty) {
            (Data::Element(Some(Value::Object(object)), _), Type::Fhir(ty)) if ty == known().reference => {
                Some(object)
            }
            _ => None,
        };
        let text = match reference {
            Some(object) => object.get("reference")?.as_str()?,
            None => item.as_str()?,
        };
        if let Some(id) = text.strip_prefix('#') {
            let root = &self.context.root;
            return if id.is_empty() { Some(root.clone()) } else { contained(root, id) };
        }
        match self.context.resolver.resolve(text) {
            Resolved::Resource(value) => Some(Item::resource(value)),
            Resolved::Kind(kind) => Some(Item::element(TypeId::of_kind(kind), None, None)),
            // `urn:uuid:…` says no type, but `Reference.type` may.
            Resolved::Unknown => {
                let kind = Kind::parse(reference?.get("type")?.as_str()?)?;
                Some(Item::element(TypeId::of_kind(kind), None, None))
            }
        }
    }

    pub(super) fn has_extension(&self, call: &Call, scope: Scope<'_, 'a>, at: u32) -> Result<Option<bool>> {
        let Some(url) = self.argument_text(call, 0, scope, at)? else { return Ok(None) };
        let mut found = false;
        self.run(&call.input, scope, &mut |item| {
            extensions(&item, &url, &mut |_| {
                found = true;
                Ok(false)
            })
        })?;
        Ok(Some(found))
    }

    /// `getResourceKey()` is the id, and `getReferenceKey(Patient)` the id that a reference to a patient names, so that the two join.
    pub(super) fn key(&self, call: &Call, scope: Scope<'_, 'a>) -> Result<Items<'a>> {
        let mut keys = Items::new();
        self.run(&call.input, scope, &mut |item| {
            let (Data::Element(Some(value), _), Type::Fhir(ty)) = (&item.data, item.ty) else {
                return Ok(true);
            };
            let key = match call.function {
                F::GetResourceKey if ty.is_a(known().resource) => value.text("id"),
                F::GetReferenceKey if ty == known().reference => value.text("reference").and_then(|text| {
                    let (kind, id) = match Reference::parse(text) {
                        Reference::Local { kind, id, .. } => (kind, id),
                        _ => Reference::tail_of(text)?,
                    };
                    let wanted = call.ty.is_none_or(|test| test.holds(Type::Fhir(TypeId::of_kind(kind))));
                    wanted.then_some(id)
                }),
                _ => None,
            };
            keys.extend(key.map(Item::string));
            Ok(true)
        })?;
        Ok(keys)
    }

    /// Only the types of R4 are known: is the item of the type whose definition has this address.
    pub(super) fn conforms_to(&self, call: &Call, scope: Scope<'_, 'a>, at: u32) -> Result<Option<bool>> {
        let item = self.one(&call.input, scope, call.name)?;
        let url = self.argument_text(call, 0, scope, at)?;
        let (Some(item), Some(url)) = (item, url) else { return Ok(None) };
        let name = url.strip_prefix("http://hl7.org/fhir/StructureDefinition/");
        match (name.and_then(TypeId::named), item.fhir_type()) {
            (Some(wanted), Some(ty)) => Ok(Some(ty.is_a(wanted))),
            (Some(_), None) => Ok(Some(false)),
            (None, _) => Err(Problem::Unsupported("`conformsTo` with a profile".into()).at(at)),
        }
    }

    pub(super) fn extension(&self, call: &Call, scope: Scope<'_, 'a>) -> Result<Items<'a>> {
        let mut found = Items::new();
        let Some(url) = self.argument_text(call, 0, scope, call.arguments[0].at)? else { return Ok(found) };
        self.run(&call.input, scope, &mut |item| {
            extensions(&item, &url, &mut |child| {
                found.push(child);
                Ok(true)
            })
        })?;
        Ok(found)
    }
}
