//! One parameter of a query on one resource type → one filter. Dispatches by the form of the name, then by the type of the parameter.

use fhir::definitions::SearchType;
use fhir::{IssueType, Kind};

use super::modifier::Modifier;
use super::{Options, Refusal, composite, date, hint, number, problem, quantity, reference, relation, shown};
use super::{string, token, uri, wrong};
use crate::ParamId;
use crate::param::{Derived, ParamDef, Source};
use crate::query::{Filter, Relation, Test};

/// What the parts of one parameter share.
pub(super) struct Context<'a> {
    pub(super) options: &'a Options,
    /// The whole name as it was sent, for messages.
    pub(super) name: &'a str,
    /// Values so far.
    pub(super) n_values: usize,
    /// Types that chains lead over so far.
    pub(super) n_branches: usize,
}

impl<'a> Context<'a> {
    /// The filter of `path` (`code`, `code:modifier`, `code.chain`, `_has:..`) with its values on a type.
    pub(super) fn filter(
        &mut self,
        kind: Kind,
        path: &str,
        value: &str,
        depth: usize,
    ) -> Result<Filter, Refusal> {
        if let Some(rest) = path.strip_prefix("_has:") {
            return self.has(kind, rest, value, depth);
        }
        let (head, rest) = path.split_once('.').map_or((path, None), |(head, rest)| (head, Some(rest)));
        let (code, modifier) = head.split_once(':').map_or((head, None), |(code, word)| (code, Some(word)));
        let modifier = modifier.map(|word| Modifier::parse(self.name, word)).transpose()?;
        if let Some(rest) = rest {
            return self.chain(kind, code, modifier, rest, value, depth);
        }
        match code {
            "_id" => self.id(modifier, value),
            "_lastUpdated" => self.last_updated(modifier, value),
            "_list" => self.list(modifier, value),
            "_has" => Err(self.bad_has()),
            _ => {
                let param = self.param(kind, code)?;
                self.value(param, modifier, value)
            }
        }
    }

    /// The parameter of a name, when a search can use it.
    pub(super) fn param(&self, kind: Kind, code: &str) -> Result<ParamId, Refusal> {
        match ParamId::find(kind, code) {
            Some(param) if param.def().is_supported() => Ok(param),
            Some(_) => {
                let text = format!("`{}` is not supported by this server", shown(code));
                Err(Refusal::Unknown(problem(IssueType::NotSupported, "not-supported", self.name, text)))
            }
            None => {
                let hint = hint::param(kind, code);
                let text = format!("unknown search parameter `{}` for `{kind}`{hint}", shown(code));
                Err(Refusal::Unknown(problem(IssueType::NotSupported, "unknown-parameter", self.name, text)))
            }
        }
    }

    /// The values of an OR list, counted.
    pub(super) fn values<'v>(&mut self, value: &'v str) -> Result<Vec<&'v str>, Refusal> {
        let values = super::text::split(value, b',');
        if values.iter().any(|value| value.is_empty()) {
            return Err(wrong(
                self.name,
                "is a list with an empty item: write `\\,` for a comma inside a value",
            ));
        }
        self.n_values += values.len();
        if self.n_values > self.options.values_max {
            let text = format!("the query has more than {} values", self.options.values_max);
            let issue = problem(IssueType::TooLong, "too-many-values", self.name, text);
            return Err(Refusal::Wrong(issue));
        }
        Ok(values)
    }

    fn value(
        &mut self,
        param: ParamId,
        modifier: Option<Modifier<'_>>,
        value: &str,
    ) -> Result<Filter, Refusal> {
        let def = param.def();
        if let Some(relation) = relation_of(def) {
            let negated = self.only_not(def, modifier)?;
            let values = self.values(value)?;
            let operands = values.iter().map(|text| relation::operand(self.name, relation, text));
            return Ok(Filter::Relation { relation, any_of: operands.collect::<Result<_, _>>()?, negated });
        }
        if modifier == Some(Modifier::Missing) {
            return match value {
                "true" => Ok(Filter::Missing { param, missing: true }),
                "false" => Ok(Filter::Missing { param, missing: false }),
                _ => Err(wrong(self.name, "is neither `true` nor `false`")),
            };
        }
        let test = self.test(param, modifier, value)?;
        Ok(Filter::Value { param, test })
    }

    fn test(&mut self, param: ParamId, modifier: Option<Modifier<'_>>, value: &str) -> Result<Test, Refusal> {
        let def = param.def();
        let name = self.name;
        let values = self.values(value)?;
        match def.ty {
            SearchType::Token => token::test(self, def, modifier, &values),
            SearchType::String => string::test(self, def, modifier, &values),
            SearchType::Reference => reference::test(self, def, modifier, &values),
            SearchType::Uri => uri::test(self, def, modifier, &values),
            SearchType::Date => {
                self.no_modifier(def, modifier)?;
                let operands = values.iter().map(|text| date::operand(name, text, self.options.now));
                Ok(Test::Date(operands.collect::<Result<_, _>>()?))
            }
            SearchType::Number => {
                self.no_modifier(def, modifier)?;
                Ok(Test::Number(
                    values.iter().map(|text| number::operand(name, text)).collect::<Result<_, _>>()?,
                ))
            }
            SearchType::Quantity => {
                self.no_modifier(def, modifier)?;
                let operands = values.iter().map(|text| quantity::operand(name, text));
                Ok(Test::Quantity(operands.collect::<Result<_, _>>()?))
            }
            SearchType::Composite => {
                self.no_modifier(def, modifier)?;
                let operands = values.iter().map(|text| composite::operand(self, def, text));
                Ok(Test::Composite(operands.collect::<Result<_, _>>()?))
            }
            SearchType::Special => Err(self.no_such_modifier(def, "")),
        }
    }

    /// `:not` or nothing.
    pub(super) fn only_not(&self, def: &ParamDef, modifier: Option<Modifier<'_>>) -> Result<bool, Refusal> {
        match modifier {
            None => Ok(false),
            Some(Modifier::Not) => Ok(true),
            Some(other) => Err(self.no_such_modifier(def, other.word())),
        }
    }

    fn no_modifier(&self, def: &ParamDef, modifier: Option<Modifier<'_>>) -> Result<(), Refusal> {
        modifier.map_or(Ok(()), |modifier| Err(self.no_such_modifier(def, modifier.word())))
    }

    /// The modifier exists, but not for this parameter.
    pub(super) fn no_such_modifier(&self, def: &ParamDef, word: &str) -> Refusal {
        let kind = if def.ty == SearchType::Special { "special parameter" } else { def.ty.code() };
        let text = format!("`:{}` is not supported for `{}`, which is a {kind}", shown(word), def.code);
        Refusal::Wrong(problem(IssueType::NotSupported, "bad-modifier", self.name, text))
    }
}

/// The relation of a patient that a parameter asks for. Places state their own region, so there it is a plain token.
fn relation_of(def: &ParamDef) -> Option<Relation> {
    let of_patient = def.kind == Kind::PATIENT || crate::event::tells_of_patients(def.kind);
    match def.source {
        Source::Derived(Derived::Region) if of_patient => Some(Relation::Region),
        Source::Derived(Derived::Population) => Some(Relation::Population),
        Source::Derived(Derived::Risk) => Some(Relation::Risk),
        _ => None,
    }
}
