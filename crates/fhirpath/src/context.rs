//! What an expression is evaluated on, and how much it may cost.

use fhir::definitions::TypeId;
use fhir::{Instant, Kind, Reference, Resource, Value};

use crate::item::Item;

/// How much one evaluation may take; what goes beyond is an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most items that are looked at, comparisons included.
    pub steps_max: usize,
    /// Most items of one collection.
    pub items_max: usize,
    /// Longest text that is computed, in bytes.
    pub text_bytes_max: usize,
}

impl Default for Limits {
    /// Enough for every rule of R4 on a large bundle, and less than a second.
    fn default() -> Limits {
        Limits { steps_max: 10_000_000, items_max: 1_000_000, text_bytes_max: 10_000_000 }
    }
}

/// What a reference leads to.
pub enum Resolved<'a> {
    /// A resource.
    Resource(&'a Value),
    /// A resource of this type that was not fetched.
    Kind(Kind),
    /// Nothing that is known.
    Unknown,
}

/// Finds what a reference text leads to. Contained resources are found without it.
pub trait Resolver: Sync {
    /// What `reference` leads to.
    fn resolve<'a>(&'a self, reference: &str) -> Resolved<'a>;
}

/// Knows only the type that a reference text names (`Patient/42`, `http://host/fhir/Patient/42`), and fetches nothing.
pub struct TypeOnly;

impl Resolver for TypeOnly {
    fn resolve<'a>(&'a self, reference: &str) -> Resolved<'a> {
        let kind = match Reference::parse(reference) {
            Reference::Local { kind, .. } | Reference::Conditional { kind, .. } => Some(kind),
            Reference::Url(url) => Reference::tail_of(url).map(|(kind, _)| kind),
            Reference::Urn(_) | Reference::Contained(_) | Reference::Malformed(_) => None,
        };
        kind.map_or(Resolved::Unknown, Resolved::Kind)
    }
}

/// What an expression is evaluated on.
#[derive(Clone)]
pub struct Context<'a> {
    /// Where evaluation starts: `$this` and `%context`.
    pub focus: Item<'a>,
    /// The resource that the focus is in: `%resource`.
    pub resource: Item<'a>,
    /// The outermost resource: `%rootResource`, in which `#id` is looked up.
    pub root: Item<'a>,
    /// Finds what references lead to.
    pub resolver: &'a dyn Resolver,
    /// Other environment variables.
    pub variables: &'a [(&'a str, Item<'a>)],
    /// The time of `now()`; without it `now()` is an error.
    pub now: Option<Instant>,
    /// How much the evaluation may take.
    pub limits: Limits,
}

impl<'a> Context<'a> {
    /// Evaluation on a resource.
    pub fn new(resource: &'a Resource) -> Context<'a> {
        Context::of(Item::element(TypeId::of_kind(resource.kind()), Some(resource.value()), None))
    }

    /// Evaluation on a resource that is known as an item only.
    pub fn of(resource: Item<'a>) -> Context<'a> {
        Context {
            focus: resource.clone(),
            root: resource.clone(),
            resource,
            resolver: &TypeOnly,
            variables: &[],
            now: None,
            limits: Limits::default(),
        }
    }

    /// The same, starting at an element of the resource.
    #[must_use]
    pub fn at(self, focus: Item<'a>) -> Context<'a> {
        Context { focus, ..self }
    }

    /// The same, at a time.
    #[must_use]
    pub fn now(self, now: Instant) -> Context<'a> {
        Context { now: Some(now), ..self }
    }

    /// The same, with a resolver.
    #[must_use]
    pub fn resolver(self, resolver: &'a dyn Resolver) -> Context<'a> {
        Context { resolver, ..self }
    }
}
