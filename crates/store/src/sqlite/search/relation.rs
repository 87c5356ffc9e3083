//! Relations of the resource's patient (region, population, risk), joined when a search asks: in force at the event's date, or now.

use fhir::Kind;
use search::ParamId;
use search::query::{Relation, RelationOperand};

use super::compile;
use super::cx::Cx;
use super::goal::Goal;
use super::holds::Candidate;
use super::row_test::targets;
use crate::sqlite::catalog::{Facet, Slot};
use crate::sqlite::failure::Try;
use crate::sqlite::index::blob;
use crate::sqlite::index::row::{Row, Sort};
use crate::sqlite::write::name_of;

/// The patient of a resource has one of these relations.
#[derive(Debug)]
pub(super) struct RelationProbe {
    p: Option<u32>,
    /// Hash of the code, and number of the system.
    any_of: Vec<(i64, Option<u32>)>,
    negated: bool,
    /// How the resource names its patients; `None` when it is one.
    patient_params: Option<Vec<u32>>,
    /// When it happened.
    times: Times,
    /// What the caller may see of those that state a relation.
    sources: Vec<(u32, Goal)>,
}

/// When a resource of a type happened.
#[derive(Debug)]
enum Times {
    /// The type has no date: what holds now counts.
    Now,
    /// At the start of one of the values of this parameter; at no known time when no resource has any.
    Of(Option<u32>),
}

impl RelationProbe {
    pub(super) fn compile(
        cx: &Cx<'_>,
        kind: Kind,
        relation: Relation,
        any_of: &[RelationOperand],
        negated: bool,
    ) -> Try<RelationProbe> {
        let mut tests = Vec::with_capacity(any_of.len());
        for operand in any_of {
            let sys = match &operand.system {
                None => None,
                Some(system) => match name_of(cx.conn, system)? {
                    None => continue,
                    number => number,
                },
            };
            tests.push((cx.hash().text(&operand.code), sys));
        }
        let patient_params = (kind != Kind::PATIENT).then(|| {
            search::patient_params(kind)
                .into_iter()
                .filter_map(|param: ParamId| cx.p(param, Facet::Value))
                .collect()
        });
        let mut sources = Vec::new();
        for kind in [Kind::PATIENT, Kind::GROUP, Kind::named("RiskAssessment")] {
            if let Some(t) = cx.t(kind) {
                sources.push((t, compile::restriction(cx, kind)?));
            }
        }
        Ok(RelationProbe {
            p: cx.slot(Slot::relation(relation)),
            any_of: tests,
            negated,
            patient_params,
            times: match search::event_date_param(kind) {
                None => Times::Now,
                Some(param) => Times::Of(cx.p(param, Facet::Value)),
            },
            sources,
        })
    }

    pub(super) fn is_never(&self) -> bool {
        !self.negated && (self.p.is_none() || self.any_of.is_empty())
    }

    pub(super) fn holds(&self, cx: &Cx<'_>, candidate: &Candidate<'_>) -> Try<bool> {
        Ok(self.is_related(cx, candidate)? != self.negated)
    }

    fn is_related(&self, cx: &Cx<'_>, candidate: &Candidate<'_>) -> Try<bool> {
        let Some(p) = self.p else { return Ok(false) };
        let patients = match &self.patient_params {
            None => vec![cx.target_of(candidate.rid)?],
            Some(params) => {
                let forward = candidate.forward()?;
                params.iter().flat_map(|p| targets(forward, *p)).collect()
            }
        };
        let times = self.times(cx, candidate)?;
        for patient in patients {
            if !times.is_empty() && self.of_patient(cx, p, patient, &times)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// When the resource's event began; now for types without a date.
    fn times(&self, cx: &Cx<'_>, candidate: &Candidate<'_>) -> Try<Vec<i64>> {
        let date = match self.times {
            Times::Now => return Ok(vec![cx.now.0]),
            Times::Of(None) => return Ok(Vec::new()),
            Times::Of(Some(date)) => date,
        };
        let start = |row: Option<Row>| match row {
            Some(Row::Date { lo, .. }) => Some(lo),
            _ => None,
        };
        Ok(blob::find(candidate.forward()?, Sort::Date, date).filter_map(start).collect())
    }

    fn of_patient(&self, cx: &Cx<'_>, p: u32, patient: i64, times: &[i64]) -> Try<bool> {
        let sql = "SELECT h, sys, lo, hi, rid FROM relation WHERE p = ?1 AND patient = ?2";
        let mut statement = cx.conn.prepare_cached(sql)?;
        let mut rows = statement.query((p, patient))?;
        while let Some(row) = rows.next()? {
            cx.spend(1)?;
            let (h, sys): (i64, u32) = (row.get(0)?, row.get(1)?);
            let (lo, hi): (i64, i64) = (row.get(2)?, row.get(3)?);
            let is_meant =
                self.any_of.iter().any(|(code, system)| *code == h && system.is_none_or(|s| s == sys));
            let in_force = times.iter().any(|at| lo <= *at && *at < hi);
            if is_meant && in_force && self.is_source_visible(cx, row.get(4)?)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn is_source_visible(&self, cx: &Cx<'_>, rid: i64) -> Try<bool> {
        let Some(entry) = cx.entry(rid)? else { return Ok(false) };
        match self.sources.iter().find(|(t, _)| *t == entry.t) {
            Some((_, goal)) => goal.holds_of(cx, rid),
            None => Ok(false),
        }
    }
}
