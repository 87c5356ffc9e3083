//! Options of both steps: project, day, classification of every column.

use std::sync::Arc;

use jiff::civil::Date;
use privacy::{
    Classification, ColumnRule, Context, PrivacyError, Profile, TablePlan, TimeOfDay, Transform, Zip3List,
};
use table::{Columns, Type};

use crate::step::shared::need_column;
use crate::world::World;
use crate::yaml::{Fields, Kind, Node};
use crate::{EtlError, Point, Problems, Word};

use super::vaults;

/// The domain of patient ids: the same code in every table of a project.
const PATIENT_DOMAIN: &str = "patient";

/// Options of both steps.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) step: &'static str,
    at: Point,
    /// The project, within which codes are the same.
    project: Word,
    /// The day on which ages count. The day of the run where nothing is said.
    as_of: Option<Date>,
    /// The column with the patient's id: date shifts hang on it.
    pub(super) patient: Option<Word>,
    /// What is in each column.
    rules: Vec<(Word, ColumnRule)>,
    /// Which list of small ZIP areas.
    zip3: Option<Zip3List>,
    /// What happens to the time of day of shifted dates.
    time_of_day: TimeOfDay,
}

impl Shared {
    /// Reads the shared options.
    pub(super) fn decode(
        step: &'static str,
        fields: &mut Fields<'_>,
        problems: &mut Problems,
    ) -> Option<Shared> {
        let at = fields.at();
        let project = fields.required_text("project", problems);
        let as_of = fields.value("as_of", "a day such as `2026-01-15`", problems);
        let patient = fields.text("patient", problems);
        let columns = fields.required("columns", problems);
        let zip3 = fields.text("zip3", problems).and_then(|word| {
            Zip3List::parse(&word).map_err(|error| problems.add(word.at, error.to_string())).ok()
        });
        let times = [("keep", TimeOfDay::Keep), ("drop", TimeOfDay::Drop)];
        let time_of_day = fields.choice("time_of_day", &times, problems).unwrap_or_default();
        let mut rules = Vec::new();
        let what = format!("`columns` of the step `{step}`");
        for (name, node) in columns.map(|node| node.entries(&what, problems)).unwrap_or_default() {
            if let Some(mut rule) = rule(name, node, step, problems) {
                let is_patient = patient.as_ref().is_some_and(|patient| **patient == **name);
                if is_patient && rule.domain.is_none() {
                    rule = rule.in_domain(PATIENT_DOMAIN);
                }
                rules.push((name.clone(), rule));
            }
        }
        Some(Shared { step, at, project: project?, as_of, patient, rules, zip3, time_of_day })
    }

    fn rules(&self) -> Vec<ColumnRule> {
        self.rules.iter().map(|(_, rule)| rule.clone()).collect()
    }

    fn context(&self, as_of: Date) -> Context {
        let context = Context::new(self.project.text.clone(), as_of).with_time_of_day(self.time_of_day);
        self.zip3.map_or(context.clone(), |list| context.with_zip3(list))
    }

    /// The columns that leave, with what is wrong. Whether there are keys is seen when the step starts.
    pub(super) fn plan(&self, profile: Profile, input: &Columns, problems: &mut Problems) -> Columns {
        if let Some(patient) = &self.patient {
            need_column(input, patient, self.step, problems);
        }
        // The day does not matter here.
        let context = self.context(self.as_of.unwrap_or(Date::MIN));
        let found = TablePlan::new(profile, &self.rules(), &input.names(), &context);
        for error in found.err().into_iter().flatten() {
            if !matches!(error, PrivacyError::Needs { .. }) {
                problems.add(self.place_of(&error), error.to_string());
            }
        }
        let mut output = input.clone();
        for column in input {
            let Some((word, rule)) = self.rules.iter().find(|(name, _)| **name == *column.name) else {
                continue;
            };
            match rule.transform_under(profile) {
                Transform::Drop => output.remove(&column.name),
                Transform::Keep => {}
                Transform::Shift => {
                    if self.patient.is_none() {
                        let message = format!(
                            "`shift` of column `{}` needs the key `patient`: the column with the patient's id",
                            column.name
                        );
                        problems.add(word.at, message);
                    }
                    output.set(&column.name, shifted_kind(column.kind));
                }
                _ => output.set(&column.name, Type::Text),
            }
        }
        output
    }

    fn place_of(&self, error: &PrivacyError) -> Point {
        let name = match error {
            PrivacyError::NoSuchColumn(name) | PrivacyError::ClassifiedTwice(name) => Some(name),
            PrivacyError::NotAllowed { column, .. } => Some(column),
            PrivacyError::BadName(name) if **name == *self.project => return self.project.at,
            _ => None,
        };
        let word = name.and_then(|name| self.rules.iter().find(|(word, _)| word.text == *name));
        word.map_or(self.at, |(word, _)| word.at)
    }

    /// The plan with its keys.
    pub(super) fn table_plan(
        &self,
        profile: Profile,
        input: &Columns,
        world: &Arc<World>,
    ) -> Result<(TablePlan, Option<Arc<privacy::Vault>>), EtlError> {
        let failed = |error: PrivacyError| self.failed(error.to_string());
        let transforms: Vec<Transform> =
            self.rules.iter().map(|(_, rule)| rule.transform_under(profile)).collect();
        let today = || {
            let now = jiff::Timestamp::from_microsecond(world.now().0);
            now.map(|now| now.to_zoned(jiff::tz::TimeZone::UTC).date())
        };
        let as_of = match self.as_of {
            Some(day) => day,
            None => {
                today().map_err(|_| self.failed("the clock stands outside of the calendar".to_owned()))?
            }
        };
        let mut context = self.context(as_of);
        let mut vault = None;
        if let Some(ring) = &world.keys {
            if transforms.iter().any(|transform| matches!(transform, Transform::Shift | Transform::Pseudonym))
            {
                let (id, key) = vaults::pseudonym_key(&self.project, ring).map_err(failed)?;
                context = context.with_key(key, Some(id));
            }
            if transforms.contains(&Transform::Surrogate) {
                let open = vaults::open(&self.project, ring).map_err(failed)?;
                vault = Some(Arc::clone(&open));
                context = context.with_vault(open);
            }
        }
        let plan = TablePlan::new(profile, &self.rules(), &input.names(), &context).map_err(|errors| {
            self.failed(errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
        })?;
        Ok((plan, vault))
    }

    pub(super) fn failed(&self, why: String) -> EtlError {
        EtlError::Step { step: self.step.to_owned(), why }
    }
}

/// A shifted date is a date still; a shifted text stays text.
pub(super) fn shifted_kind(kind: Type) -> Type {
    if kind == Type::Date { Type::Date } else { Type::Text }
}

/// `zip`, or `{class: zip, transform: drop, domain: d}`.
fn rule(name: &Word, node: &Node, step: &str, problems: &mut Problems) -> Option<ColumnRule> {
    let what = format!("the column `{name}` of the step `{step}`");
    let parse = |word: &Word, problems: &mut Problems| -> Option<Classification> {
        word.parse().map_err(|error: PrivacyError| problems.add(word.at, error.to_string())).ok()
    };
    if let Kind::Scalar { .. } = node.kind {
        let word = node.text(&what, problems)?;
        return Some(ColumnRule::new(name.text.clone(), parse(&word, problems)?));
    }
    let mut fields = node.fields(what, problems);
    let class = fields.required_text("class", problems);
    let transform = fields.text("transform", problems);
    let domain = fields.text("domain", problems);
    fields.end(problems);
    let mut rule = ColumnRule::new(name.text.clone(), parse(&class?, problems)?);
    if let Some(word) = transform {
        let parsed: Result<Transform, PrivacyError> = word.parse();
        match parsed {
            Ok(transform) => rule = rule.with(transform),
            Err(error) => problems.add(word.at, error.to_string()),
        }
    }
    if let Some(domain) = domain {
        rule = rule.in_domain(domain.text);
    }
    Some(rule)
}
