//! Chains (`subject:Patient.name=x`) and reverse chains (`_has:Observation:patient:code=x`), nested in any order.

use fhir::definitions::SearchType;
use fhir::{IssueType, Kind};

use super::filter::Context;
use super::modifier::Modifier;
use super::{Refusal, hint, problem, shown, wrong};
use crate::query::{Branch, Filter};

impl Context<'_> {
    /// `code[:Type].rest=value`: over every type that the reference may lead to and that knows the rest.
    pub(super) fn chain(
        &mut self,
        kind: Kind,
        code: &str,
        modifier: Option<Modifier<'_>>,
        rest: &str,
        value: &str,
        depth: usize,
    ) -> Result<Filter, Refusal> {
        let depth = self.deeper(depth)?;
        let param = self.param(kind, code)?;
        let def = param.def();
        if def.ty != SearchType::Reference {
            let text = format!("`{}` is no reference, so nothing can be chained to it", def.code);
            return Err(Refusal::Wrong(problem(IssueType::Value, "bad-chain", self.name, text)));
        }
        let one;
        let targets: &[Kind] = match modifier {
            Some(Modifier::Type(target, _)) => {
                self.check_target(def.leads_to(target), def.code, target)?;
                one = [target];
                &one
            }
            Some(other) => return Err(self.no_such_modifier(def, other.word())),
            None if def.targets.is_empty() => &Kind::all().collect::<Vec<_>>(),
            None => def.targets,
        };
        let mut any_of = Vec::new();
        let mut unknown = None;
        let n_values = self.n_values;
        for target in targets {
            // The values are the same for every type: they count once.
            self.n_values = n_values;
            match self.filter(*target, rest, value, depth) {
                Ok(filter) => any_of.push(Branch { kind: *target, filters: vec![filter] }),
                Err(Refusal::Unknown(issue)) => unknown = Some(issue),
                // Of several types, one may have something else by this name.
                Err(Refusal::Wrong(issue))
                    if targets.len() > 1 && ["bad-chain", "bad-modifier"].contains(&issue.slug) =>
                {
                    unknown = Some(issue);
                }
                Err(wrong) => return Err(wrong),
            }
        }
        match unknown {
            Some(issue) if any_of.is_empty() && targets.len() == 1 => Err(Refusal::Unknown(issue)),
            _ if any_of.is_empty() => {
                let text = format!("no type that `{param}` leads to has `{}`", shown(rest));
                Err(Refusal::Unknown(problem(IssueType::NotSupported, "unknown-parameter", self.name, text)))
            }
            _ => {
                self.more_branches(any_of.len())?;
                Ok(Filter::Chain { param, any_of })
            }
        }
    }

    /// `Type:reference:rest=value`.
    pub(super) fn has(
        &mut self,
        kind: Kind,
        text: &str,
        value: &str,
        depth: usize,
    ) -> Result<Filter, Refusal> {
        let depth = self.deeper(depth)?;
        let mut words = text.splitn(3, ':');
        let (Some(source), Some(code), Some(rest)) = (words.next(), words.next(), words.next()) else {
            let text =
                "`_has` is written `_has:Type:reference:parameter`, such as `_has:Observation:patient:code`";
            return Err(Refusal::Wrong(problem(IssueType::Value, "bad-chain", self.name, text)));
        };
        let Some(source) = Kind::parse(source) else {
            let text = format!("`{}` is not a resource type of R4{}", shown(source), hint::kind(source));
            return Err(Refusal::Wrong(problem(IssueType::Value, "bad-chain", self.name, text)));
        };
        let param = self.param(source, code)?;
        let def = param.def();
        if def.ty != SearchType::Reference {
            let text = format!("`{param}` is no reference");
            return Err(Refusal::Wrong(problem(IssueType::Value, "bad-chain", self.name, text)));
        }
        self.check_target(def.leads_to(kind), def.code, kind)?;
        let filter = self.filter(source, rest, value, depth)?;
        self.more_branches(1)?;
        Ok(Filter::Has { param, branch: Branch { kind: source, filters: vec![filter] } })
    }

    /// `_has` that names too little.
    pub(super) fn bad_has(&self) -> Refusal {
        let text =
            "`_has` is written `_has:Type:reference:parameter`, such as `_has:Observation:patient:code`";
        Refusal::Wrong(problem(IssueType::Value, "bad-chain", self.name, text))
    }

    /// A type that a reference cannot lead to is an error.
    pub(super) fn check_target(&self, leads: bool, code: &str, target: Kind) -> Result<(), Refusal> {
        if leads {
            Ok(())
        } else {
            Err(wrong(self.name, format_args!("cannot match: `{code}` never points at a `{target}`")))
        }
    }

    fn deeper(&self, depth: usize) -> Result<usize, Refusal> {
        if depth < self.options.chain_depth_max {
            return Ok(depth + 1);
        }
        let text = format!("the chain has more than {} steps", self.options.chain_depth_max);
        Err(Refusal::Wrong(problem(IssueType::TooCostly, "chain-too-deep", self.name, text)))
    }

    fn more_branches(&mut self, more: usize) -> Result<(), Refusal> {
        self.n_branches += more;
        if self.n_branches <= self.options.chain_types_max {
            return Ok(());
        }
        let max = self.options.chain_types_max;
        let text = format!(
            "the chains lead over more than {max} types: name the type, such as `subject:Patient.name`"
        );
        Err(Refusal::Wrong(problem(IssueType::TooCostly, "chain-too-wide", self.name, text)))
    }
}
