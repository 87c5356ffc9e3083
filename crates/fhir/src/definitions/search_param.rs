//! The search parameters of each resource type, parsed once from `search.txt`.

use std::collections::HashMap;
use std::sync::OnceLock;

use super::lines;
use crate::Kind;

/// How the values of a search parameter are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SearchType {
    /// A number with its precision.
    Number,
    /// A date or period.
    Date,
    /// Text.
    String,
    /// System and code.
    Token,
    /// A resource.
    Reference,
    /// Several parameters on one part.
    Composite,
    /// A number with unit.
    Quantity,
    /// An address.
    Uri,
    /// By rules of its own.
    Special,
}

impl SearchType {
    const ALL: [SearchType; 9] = [
        SearchType::Number,
        SearchType::Date,
        SearchType::String,
        SearchType::Token,
        SearchType::Reference,
        SearchType::Composite,
        SearchType::Quantity,
        SearchType::Uri,
        SearchType::Special,
    ];

    /// The code of R4.
    pub fn code(self) -> &'static str {
        match self {
            SearchType::Number => "number",
            SearchType::Date => "date",
            SearchType::String => "string",
            SearchType::Token => "token",
            SearchType::Reference => "reference",
            SearchType::Composite => "composite",
            SearchType::Quantity => "quantity",
            SearchType::Uri => "uri",
            SearchType::Special => "special",
        }
    }
}

/// A search parameter of one resource type.
#[derive(Clone, Copy, Debug)]
pub struct SearchParam {
    /// What stands in the query: `birthdate`.
    pub code: &'static str,
    /// How values are compared.
    pub ty: SearchType,
    /// FHIRPath from the resource to the values, cut down to this type; empty for `_text`, `_content` and `_query`.
    pub expression: &'static str,
    /// Types that a reference may lead to; none means any.
    pub targets: &'static [Kind],
    /// Parts of a composite, in order.
    pub components: &'static [Component],
    /// The canonical address of the definition.
    pub url: &'static str,
}

/// One part of a composite.
#[derive(Clone, Copy, Debug)]
pub struct Component {
    /// The code of the parameter that the part is.
    pub code: &'static str,
    /// How its values are compared.
    pub ty: SearchType,
    /// FHIRPath from an item of the composite's expression to the values.
    pub expression: &'static str,
}

/// The parameters of a resource type, those of `Resource` and `DomainResource` included, sorted by code.
pub fn search_params(kind: Kind) -> &'static [SearchParam] {
    static PARAMS: OnceLock<Vec<Vec<SearchParam>>> = OnceLock::new();
    &PARAMS.get_or_init(|| parse(include_str!("../../definitions/search.txt")))[kind.index()]
}

fn parse(text: &'static str) -> Vec<Vec<SearchParam>> {
    let mut by_base: HashMap<&'static str, Vec<SearchParam>> = HashMap::new();
    let mut pools = Pools::default();
    let mut base = "";
    for line in lines(text) {
        match line.strip_prefix('\t') {
            None => base = line,
            Some(rest) => by_base.entry(base).or_default().push(pools.param(rest)),
        }
    }
    Kind::all()
        .map(|kind| {
            let plain = ["Bundle", "Binary", "Parameters"].contains(&kind.name());
            let bases: &[&str] =
                if plain { &["Resource", kind.name()] } else { &["Resource", "DomainResource", kind.name()] };
            let mut params: Vec<SearchParam> =
                bases.iter().filter_map(|base| by_base.get(base)).flatten().copied().collect();
            params.sort_unstable_by_key(|param| param.code);
            params
        })
        .collect()
}

/// Lists and addresses that several parameters share; they live as long as the process.
#[derive(Default)]
struct Pools {
    targets: HashMap<&'static str, &'static [Kind]>,
    urls: HashMap<&'static str, &'static str>,
}

impl Pools {
    fn param(&mut self, line: &'static str) -> SearchParam {
        let mut words = line.split('\t');
        let mut word = || words.next().expect("a parameter has six fields");
        let (code, ty, name, targets, components, expression) =
            (word(), word(), word(), word(), word(), word());
        let components: Vec<Component> = components.split(';').filter_map(component).collect();
        SearchParam {
            code,
            ty: type_of(ty),
            expression,
            targets: self.targets.entry(targets).or_insert_with(|| {
                let list: Vec<Kind> =
                    targets.split(',').filter(|name| !name.is_empty()).map(Kind::named).collect();
                Box::leak(list.into())
            }),
            components: Box::leak(components.into()),
            url: self.urls.entry(name).or_insert_with(|| {
                Box::leak(format!("http://hl7.org/fhir/SearchParameter/{name}").into_boxed_str())
            }),
        }
    }
}

fn component(text: &'static str) -> Option<Component> {
    let (head, expression) = text.split_once('=')?;
    let (code, ty) = head.split_once(':')?;
    Some(Component { code, ty: type_of(ty), expression })
}

fn type_of(text: &str) -> SearchType {
    let found = SearchType::ALL.into_iter().find(|ty| ty.code() == text);
    found.unwrap_or_else(|| panic!("`{text}` is not a type of search parameters"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(kind: &str, code: &str, expected: &str) {
        let params = search_params(Kind::named(kind));
        let param = params.iter().find(|param| param.code == code).unwrap_or_else(|| panic!("{kind} {code}"));
        assert_eq!(format!("{:?} {}", param.ty, param.expression), expected);
    }

    #[test]
    fn parameters_are_cut_down_and_inherited() {
        check("Patient", "birthdate", "Date Patient.birthDate");
        check("Patient", "_id", "Token Resource.id");
        check("Patient", "_text", "Special ");
        check("Patient", "death-date", "Date (Patient.deceased as dateTime)");
        check("Condition", "patient", "Reference Condition.subject.where(resolve() is Patient)");
        check("Location", "near", "Special Location.position");
        check("InsurancePlan", "name", "String InsurancePlan.name | InsurancePlan.alias");
        assert!(search_params(Kind::BUNDLE).iter().all(|param| param.code != "_text"));
    }

    #[test]
    fn composites_have_components_and_all_are_sorted() {
        let params = search_params(Kind::named("Observation"));
        let param = params.iter().find(|param| param.code == "code-value-quantity").unwrap();
        let parts: Vec<String> = param
            .components
            .iter()
            .map(|part| format!("{} {:?} {}", part.code, part.ty, part.expression))
            .collect();
        assert_eq!(parts, ["code Token code", "value-quantity Quantity value.as(Quantity)"]);
        for kind in Kind::all() {
            let params = search_params(kind);
            assert!(params.is_sorted_by(|a, b| a.code < b.code), "{kind}");
            for param in params {
                assert_eq!(
                    param.components.is_empty(),
                    param.ty != SearchType::Composite,
                    "{kind} {}",
                    param.code
                );
            }
        }
    }
}
