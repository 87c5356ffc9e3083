//! The table of search parameters, built once when first asked for from R4's definitions and those of salus.

use std::ops::Range;
use std::sync::OnceLock;

use fhir::Kind;
use fhir::definitions::{self, SearchParam, SearchType};

use crate::event;
use crate::param::{ComponentDef, Derived, ParamDef, ParamId, Source};

/// All parameters, sorted by type and code.
pub(crate) struct Registry {
    defs: Vec<ParamDef>,
    ranges: Vec<Range<u16>>,
}

/// The one table of this process.
pub(crate) fn registry() -> &'static Registry {
    static REGISTRY: OnceLock<Registry> = OnceLock::new();
    REGISTRY.get_or_init(Registry::build)
}

impl Registry {
    fn build() -> Registry {
        let mut registry = Registry { defs: Vec::with_capacity(4_000), ranges: Vec::with_capacity(146) };
        for kind in Kind::all() {
            let start = short(registry.defs.len());
            let known = definitions::search_params(kind);
            let mut defs: Vec<ParamDef> = known.iter().map(|param| of_definition(kind, param)).collect();
            let own =
                derived(kind).into_iter().filter(|def| known.iter().all(|param| param.code != def.code));
            defs.extend(own);
            defs.sort_unstable_by_key(|def| def.code);
            registry.defs.append(&mut defs);
            registry.ranges.push(start..short(registry.defs.len()));
        }
        registry
    }

    pub(crate) fn find(&self, kind: Kind, code: &str) -> Option<ParamId> {
        let range = self.ranges[kind.index()].clone();
        let defs = &self.defs[usize::from(range.start)..usize::from(range.end)];
        let at = defs.binary_search_by_key(&code, |def| def.code).ok()?;
        Some(ParamId(range.start + short(at)))
    }

    pub(crate) fn def(&self, param: ParamId) -> &ParamDef {
        &self.defs[param.index()]
    }

    pub(crate) fn at_index(&self, index: usize) -> Option<ParamId> {
        (index < self.defs.len()).then(|| ParamId(short(index)))
    }

    pub(crate) fn all(&self) -> impl ExactSizeIterator<Item = ParamId> + Clone + use<> {
        (0..short(self.defs.len())).map(ParamId)
    }

    pub(crate) fn of_kind(&self, kind: Kind) -> impl ExactSizeIterator<Item = ParamId> + Clone + use<> {
        self.ranges[kind.index()].clone().map(ParamId)
    }
}

fn short(number: usize) -> u16 {
    u16::try_from(number).expect("there are fewer than 65,536 search parameters")
}

fn of_definition(kind: Kind, param: &SearchParam) -> ParamDef {
    let source = match param.code {
        "_id" | "_lastUpdated" => Source::Store,
        _ if param.ty == SearchType::Special || param.expression.is_empty() => Source::Unsupported,
        _ => Source::Expression(param.expression),
    };
    let components = param.components.iter().map(|part| ComponentDef {
        code: part.code,
        ty: part.ty,
        expression: corrected(param.code, part.code, part.expression),
    });
    ParamDef {
        code: param.code,
        kind,
        ty: param.ty,
        source,
        targets: narrowed(param),
        components: components.collect(),
        url: param.url,
    }
}

/// R4 gives the two parts of `DocumentReference.relationship` each other's expression (put right in R5).
fn corrected(code: &str, part: &str, expression: &'static str) -> &'static str {
    match (code, part, expression) {
        ("relationship", "relatesto", "code") => "target",
        ("relationship", "relation", "target") => "code",
        _ => expression,
    }
}

/// `subject.where(resolve() is Patient)` leads to patients only, whatever the definition (which several types share) lists.
fn narrowed(param: &SearchParam) -> &'static [Kind] {
    let mut parts = param.expression.split('|').map(|part| {
        let (_, name) = part.trim().strip_suffix(')')?.rsplit_once(".where(resolve() is ")?;
        Kind::parse(name)
    });
    let Some(first) = parts.next().flatten() else { return param.targets };
    if param.targets.len() == 1 || parts.any(|other| other != Some(first)) {
        return param.targets;
    }
    // Once per parameter for the life of the process.
    Box::leak(vec![first].into_boxed_slice())
}

/// Parameters that salus adds to a type.
fn derived(kind: Kind) -> Vec<ParamDef> {
    const SDOH: [&str; 5] = ["Condition", "Goal", "Observation", "Procedure", "ServiceRequest"];
    const PLACES: [&str; 3] = ["Location", "Organization", "Practitioner"];
    let of_patient = kind == Kind::PATIENT || event::tells_of_patients(kind);
    let def = |code, ty, derived| ParamDef {
        code,
        kind,
        ty,
        source: Source::Derived(derived),
        targets: &[],
        components: Vec::new(),
        url: "",
    };
    let mut defs = vec![
        def("equity-flag", SearchType::Token, Derived::EquityFlag),
        def("quality", SearchType::Number, Derived::Quality),
    ];
    if of_patient {
        defs.push(def("population", SearchType::Token, Derived::Population));
        defs.push(def("risk", SearchType::Token, Derived::Risk));
    }
    if of_patient || PLACES.contains(&kind.name()) {
        defs.push(def("region", SearchType::Token, Derived::Region));
    }
    if SDOH.contains(&kind.name()) {
        defs.push(def("sdoh-category", SearchType::Token, Derived::SdohCategory));
    }
    defs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_parameter_is_found_by_its_name() {
        assert!(ParamId::all().len() > 3_000);
        for param in ParamId::all() {
            let def = param.def();
            assert_eq!(ParamId::find(def.kind, def.code), Some(param), "{param}");
            assert_eq!(ParamId::at_index(param.index()), Some(param));
        }
        assert_eq!(ParamId::at_index(ParamId::all().len()), None);
        assert_eq!(ParamId::find(Kind::PATIENT, "color"), None);
    }

    #[test]
    fn patients_are_the_only_targets_of_patient() {
        let param = ParamId::find(Kind::named("Observation"), "patient").unwrap();
        assert_eq!(param.def().targets, [Kind::PATIENT]);
        assert!(!param.def().leads_to(Kind::GROUP));
        let place = ParamId::hierarchy_of(Kind::named("Location")).unwrap();
        assert_eq!(place.to_string(), "Location.partof");
        assert_eq!(ParamId::hierarchy_of(Kind::PATIENT), None);
    }

    #[test]
    fn types_with_canonical_addresses_are_known() {
        let kinds: Vec<Kind> = Kind::all().filter(|kind| ParamId::canonical_of(*kind).is_some()).collect();
        assert_eq!(kinds.len(), 28, "{kinds:?}");
        for (kind, expected) in
            [("Questionnaire", true), ("Device", false), ("Contract", false), ("Subscription", false)]
        {
            assert_eq!(kinds.contains(&Kind::named(kind)), expected, "{kind}");
        }
        let holds =
            |kind: &str, code: &str| ParamId::find(Kind::named(kind), code).unwrap().holds_addresses();
        assert!(holds("QuestionnaireResponse", "questionnaire") && holds("PlanDefinition", "depends-on"));
        assert!(holds("ConceptMap", "source-uri") && holds("StructureDefinition", "base"));
        assert!(!holds("Observation", "subject") && !holds("Provenance", "target"));
    }

    #[test]
    fn salus_adds_what_makes_sense() {
        let own = |kind: &str| -> Vec<&str> {
            ParamId::of_kind(Kind::named(kind))
                .filter(|param| matches!(param.def().source, Source::Derived(_)))
                .map(|param| param.def().code)
                .collect()
        };
        assert_eq!(own("Patient"), ["equity-flag", "population", "quality", "region", "risk"]);
        assert_eq!(own("Organization"), ["equity-flag", "quality", "region"]);
        assert_eq!(own("RiskAssessment"), ["equity-flag", "population", "quality", "region"]);
        assert!(own("Condition").contains(&"sdoh-category"));
    }
}
