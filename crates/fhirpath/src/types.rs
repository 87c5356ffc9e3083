//! Types of items: FHIR types by their definitions, and the System types of FHIRPath.

use std::fmt;
use std::sync::OnceLock;

use fhir::definitions::{TypeId, is_primitive};

use crate::error::Problem;
use crate::syntax::TypeName;

/// A type of FHIRPath itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SystemType {
    /// A truth value.
    Boolean,
    /// A text.
    String,
    /// A whole number.
    Integer,
    /// An exact decimal.
    Decimal,
    /// A date.
    Date,
    /// A date with perhaps a time.
    DateTime,
    /// A time of day.
    Time,
    /// A number with a unit.
    Quantity,
    /// What `type()` gives.
    TypeInfo,
}

impl SystemType {
    const ALL: [(SystemType, &'static str); 9] = [
        (SystemType::Boolean, "Boolean"),
        (SystemType::String, "String"),
        (SystemType::Integer, "Integer"),
        (SystemType::Decimal, "Decimal"),
        (SystemType::Date, "Date"),
        (SystemType::DateTime, "DateTime"),
        (SystemType::Time, "Time"),
        (SystemType::Quantity, "Quantity"),
        (SystemType::TypeInfo, "SimpleTypeInfo"),
    ];

    /// The name, without namespace.
    pub fn name(self) -> &'static str {
        SystemType::ALL[self as usize].1
    }

    fn named(name: &str) -> Option<SystemType> {
        SystemType::ALL.iter().find(|(_, known)| *known == name).map(|(ty, _)| *ty)
    }
}

/// The type of an item.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum Type {
    /// A type of FHIR R4.
    Fhir(TypeId),
    /// A type of FHIRPath.
    System(SystemType),
}

impl Type {
    /// The name, without namespace.
    pub fn name(self) -> &'static str {
        match self {
            Type::Fhir(ty) => ty.name(),
            Type::System(ty) => ty.name(),
        }
    }

    /// `FHIR` or `System`.
    pub fn namespace(self) -> &'static str {
        match self {
            Type::Fhir(_) => "FHIR",
            Type::System(_) => "System",
        }
    }

    /// Is it the other type or a specialisation of it.
    pub fn is_a(self, other: Type) -> bool {
        match (self, other) {
            (Type::Fhir(a), Type::Fhir(b)) => a.is_a(b),
            _ => self == other,
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.namespace(), self.name())
    }
}

impl fmt::Debug for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// What a type name of an expression means; a bare `Quantity` means both, the one of FHIR and the one of System.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TypeTest {
    pub(crate) fhir: Option<TypeId>,
    pub(crate) system: Option<SystemType>,
}

impl TypeTest {
    pub(crate) fn parse(name: &TypeName) -> Result<TypeTest, Problem> {
        let test = match name.namespace.as_deref() {
            None => TypeTest { fhir: TypeId::named(&name.name), system: SystemType::named(&name.name) },
            Some("FHIR") => TypeTest { fhir: TypeId::named(&name.name), system: None },
            Some("System") => {
                let system = SystemType::named(&name.name);
                // `System.Patient` is no type, but asking for it is no mistake of spelling.
                if system.is_none() && TypeId::named(&name.name).is_some() {
                    return Ok(TypeTest { fhir: None, system: None });
                }
                TypeTest { fhir: None, system }
            }
            // `Patient.contact` is the type of an element.
            Some(owner) => TypeTest { fhir: TypeId::named(&format!("{owner}.{}", name.name)), system: None },
        };
        if test.fhir.is_none() && test.system.is_none() {
            let spelled = match &name.namespace {
                Some(namespace) => format!("{namespace}.{}", name.name),
                None => name.name.to_string(),
            };
            return Err(Problem::UnknownType(spelled));
        }
        Ok(test)
    }

    /// `is`: the type or a specialisation.
    pub(crate) fn holds(&self, ty: Type) -> bool {
        match ty {
            Type::Fhir(ty) => self.fhir.is_some_and(|wanted| ty.is_a(wanted)),
            Type::System(ty) => self.system == Some(ty),
        }
    }

    /// `as` and `ofType`: a specialisation of a primitive (`code` of `string`) is another type.
    pub(crate) fn selects(&self, ty: Type) -> bool {
        match ty {
            Type::Fhir(ty) => self
                .fhir
                .is_some_and(|wanted| ty == wanted || (ty.is_a(wanted) && Class::of(ty) >= Class::Quantity)),
            Type::System(ty) => self.system == Some(ty),
        }
    }
}

/// How values of a FHIR type become System values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Class {
    Boolean,
    Integer,
    Decimal,
    String,
    Date,
    DateTime,
    Time,
    /// `Quantity` and its specialisations; this and what follows are objects.
    Quantity,
    Complex,
    /// `Resource`, `DomainResource` and their specialisations.
    Resource,
}

/// Types that the engine itself knows, and the class of each type.
pub(crate) struct Known {
    classes: Vec<Class>,
    pub(crate) resource: TypeId,
    pub(crate) reference: TypeId,
    pub(crate) extension: TypeId,
}

/// The types that the engine itself knows.
pub(crate) fn known() -> &'static Known {
    static KNOWN: OnceLock<Known> = OnceLock::new();
    KNOWN.get_or_init(|| {
        let named = |name: &str| TypeId::named(name).expect("R4 defines this type");
        let (resource, quantity) = (named("Resource"), named("Quantity"));
        let class = |ty: TypeId| match ty.name() {
            "boolean" => Class::Boolean,
            "integer" | "positiveInt" | "unsignedInt" => Class::Integer,
            "decimal" => Class::Decimal,
            "date" => Class::Date,
            "dateTime" | "instant" => Class::DateTime,
            "time" => Class::Time,
            _ if is_primitive(ty) => Class::String,
            _ if ty.is_a(quantity) => Class::Quantity,
            _ if ty.is_a(resource) => Class::Resource,
            _ => Class::Complex,
        };
        Known {
            classes: TypeId::all().map(class).collect(),
            resource,
            reference: named("Reference"),
            extension: named("Extension"),
        }
    })
}

impl Class {
    pub(crate) fn of(ty: TypeId) -> Class {
        known().classes[ty.index()]
    }

    pub(crate) fn is_primitive(self) -> bool {
        self < Class::Quantity
    }
}
