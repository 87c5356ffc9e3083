//! Parameters whose values are those of two others taken together: `combo-code` is `code` and `component-code`.

use std::sync::OnceLock;

use crate::ParamId;
use crate::param::{ParamDef, Source};
use crate::rows::IndexRows;

impl ParamId {
    /// The two parameters whose values together are the values of this one; empty for one that stands for itself. An index need not keep
    /// what the parts have.
    pub fn parts(self) -> &'static [ParamId] {
        static PARTS: OnceLock<Vec<Option<[ParamId; 2]>>> = OnceLock::new();
        let all = PARTS.get_or_init(|| ParamId::all().map(parts_of).collect());
        all.get(self.index()).and_then(Option::as_ref).map_or(&[], |parts| parts.as_slice())
    }
}

impl IndexRows {
    /// Leaves out what the parts of a parameter have already.
    pub fn drop_unions(&mut self) {
        self.tokens.retain(|row| row.param.parts().is_empty());
        self.token_texts.retain(|row| row.param.parts().is_empty());
        self.quantities.retain(|row| row.param.parts().is_empty());
        self.composites.retain(|row| row.param.parts().is_empty());
    }
}

/// R4 names them so; that it means so is read from the expressions.
fn parts_of(param: ParamId) -> Option<[ParamId; 2]> {
    let whole = param.def();
    let name = whole.code.strip_prefix("combo-")?;
    let of_resource = ParamId::find(whole.kind, name)?;
    let of_component = ParamId::find(whole.kind, &format!("component-{name}"))?;
    let parts = [of_resource, of_component];
    let mut found = Vec::new();
    for part in parts {
        let part = part.def();
        if part.ty != whole.ty || !same_components(part, whole) {
            return None;
        }
        found.extend(alternatives(part)?);
    }
    let mut wanted = alternatives(whole)?;
    wanted.sort_unstable();
    found.sort_unstable();
    (wanted == found).then_some(parts)
}

fn same_components(a: &ParamDef, b: &ParamDef) -> bool {
    a.components.len() == b.components.len()
        && a.components.iter().zip(&b.components).all(|(a, b)| (a.ty, a.expression) == (b.ty, b.expression))
}

/// What stands between the `|` of an expression.
fn alternatives(def: &ParamDef) -> Option<Vec<&'static str>> {
    match def.source {
        Source::Expression(text) => Some(text.split('|').map(str::trim).collect()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use fhir::{Instant, Kind, Resource, json::Limits};

    use super::*;
    use crate::{EquityRules, Extractor};

    #[test]
    fn six_parameters_of_observations_have_parts() {
        let unions: Vec<String> = ParamId::all()
            .filter(|param| !param.parts().is_empty())
            .map(|param| format!("{param} = {:?}", param.parts()))
            .collect();
        assert_eq!(
            unions,
            [
                "Observation.combo-code = [Observation.code, Observation.component-code]",
                "Observation.combo-code-value-concept = [Observation.code-value-concept, Observation.component-code-value-concept]",
                "Observation.combo-code-value-quantity = [Observation.code-value-quantity, Observation.component-code-value-quantity]",
                "Observation.combo-data-absent-reason = [Observation.data-absent-reason, Observation.component-data-absent-reason]",
                "Observation.combo-value-concept = [Observation.value-concept, Observation.component-value-concept]",
                "Observation.combo-value-quantity = [Observation.value-quantity, Observation.component-value-quantity]",
            ]
        );
    }

    /// Rows under the name of the parameter they are asked for by.
    fn rows_of(rows: &IndexRows, param: ParamId, name: ParamId) -> Vec<String> {
        let mut texts = Vec::new();
        let mut add = |text: String| texts.push(text.replace(&param.to_string(), &name.to_string()));
        rows.tokens.iter().filter(|row| row.param == param).for_each(|row| add(format!("{row:?}")));
        rows.token_texts.iter().filter(|row| row.param == param).for_each(|row| add(format!("{row:?}")));
        rows.quantities.iter().filter(|row| row.param == param).for_each(|row| add(format!("{row:?}")));
        rows.composites.iter().filter(|row| row.param == param).for_each(|row| add(format!("{row:?}")));
        texts
    }

    #[test]
    fn the_rows_of_the_parts_are_the_rows() {
        let text = r#"{"resourceType":"Observation","status":"final","code":{"text":"panel","coding":[{"system":"s","code":"1"}]},
            "valueQuantity":{"value":5,"unit":"mg","system":"http://unitsofmeasure.org","code":"mg"},
            "dataAbsentReason":{"coding":[{"code":"x"}]},
            "component":[{"code":{"coding":[{"code":"2"}]},"valueQuantity":{"value":7.10}},
            {"code":{"coding":[{"code":"3"}]},"valueCodeableConcept":{"text":"t","coding":[{"code":"4"}]}},
            {"code":{"coding":[{"code":"5"}]},"dataAbsentReason":{"coding":[{"code":"y"}]}}]}"#;
        let resource = Resource::parse(text.as_bytes(), &Limits::default()).unwrap();
        let extractor = Extractor::new(Vec::new(), EquityRules::default());
        let mut rows = extractor.extract(&resource, Instant(0));
        let mut n_rows = 0;
        for param in ParamId::of_kind(Kind::named("Observation")).filter(|param| !param.parts().is_empty()) {
            let mut whole = rows_of(&rows, param, param);
            let mut parts: Vec<String> =
                param.parts().iter().flat_map(|part| rows_of(&rows, *part, param)).collect();
            whole.sort_unstable();
            parts.sort_unstable();
            assert_eq!(whole, parts, "{param}");
            n_rows += whole.len();
        }
        assert!(n_rows >= 12, "only {n_rows} rows were compared");
        rows.drop_unions();
        let left = ParamId::all().filter(|param| !param.parts().is_empty());
        assert_eq!(left.map(|param| rows_of(&rows, param, param).len()).sum::<usize>(), 0);
        assert!(!rows.tokens.is_empty() && !rows.composites.is_empty());
    }
}
