//! `_id`, `_lastUpdated`, `_list`.

use fhir::{IssueType, is_id};

use super::filter::Context;
use super::modifier::Modifier;
use super::{Refusal, date, problem, shown, wrong};
use crate::query::Filter;

impl Context<'_> {
    pub(super) fn id(&mut self, modifier: Option<Modifier<'_>>, value: &str) -> Result<Filter, Refusal> {
        let negated = match modifier {
            None => false,
            Some(Modifier::Not) => true,
            Some(other) => return Err(self.bad(other, "_id")),
        };
        let name = self.name;
        let any_of = self
            .values(value)?
            .into_iter()
            .map(|id| if is_id(id) { Ok(id.into()) } else { Err(no_id(name)) });
        Ok(Filter::Id { any_of: any_of.collect::<Result<_, _>>()?, negated })
    }

    pub(super) fn last_updated(
        &mut self,
        modifier: Option<Modifier<'_>>,
        value: &str,
    ) -> Result<Filter, Refusal> {
        if let Some(other) = modifier {
            return Err(self.bad(other, "_lastUpdated"));
        }
        let (name, now) = (self.name, self.options.now);
        let operands = self.values(value)?.into_iter().map(|text| date::operand(name, text, now));
        Ok(Filter::LastUpdated(operands.collect::<Result<_, _>>()?))
    }

    pub(super) fn list(&mut self, modifier: Option<Modifier<'_>>, value: &str) -> Result<Filter, Refusal> {
        if let Some(other) = modifier {
            return Err(self.bad(other, "_list"));
        }
        let name = self.name;
        let list = |text: &str| {
            if text.starts_with('$') {
                let text = format!(
                    "functional lists such as `{}` are not supported: name a `List` by its id",
                    shown(text)
                );
                return Err(Refusal::Wrong(problem(IssueType::NotSupported, "not-supported", name, text)));
            }
            let id = text.strip_prefix("List/").unwrap_or(text);
            if is_id(id) { Ok(id.into()) } else { Err(no_id(name)) }
        };
        Ok(Filter::List(self.values(value)?.into_iter().map(list).collect::<Result<_, _>>()?))
    }

    fn bad(&self, modifier: Modifier<'_>, code: &str) -> Refusal {
        let text = format!("`:{}` is not supported for `{code}`", shown(modifier.word()));
        Refusal::Wrong(problem(IssueType::NotSupported, "bad-modifier", self.name, text))
    }
}

fn no_id(name: &str) -> Refusal {
    wrong(name, "is not an id: letters, digits, `-` and `.`, 1 to 64 of them")
}
