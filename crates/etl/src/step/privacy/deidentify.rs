//! De-identifies a table under a named profile. A column that nobody classified does not leave: that is an error before anything runs.

use std::any::Any;
use std::sync::Arc;

use privacy::{PrivacyError, Profile, TablePlan, Tally, Transform, Vault};
use table::{Batch, Columns};

use crate::step::{Output, PRIVACY_MANIFEST, Step, StepSpec};
use crate::world::World;
use crate::yaml::Node;
use crate::{EtlError, Problems};

use super::columns::apply;
use super::options::Shared;

/// Options of `deidentify`.
#[derive(Debug)]
struct Deidentify {
    /// The rule book.
    profile: Profile,
    shared: Shared,
}

/// Reads the options.
pub(in crate::step) fn decode(options: &Node, problems: &mut Problems) -> Option<Box<dyn StepSpec>> {
    let mut fields = options.fields("the step `deidentify`", problems);
    let profile = fields.required_text("profile", problems);
    let shared = Shared::decode("deidentify", &mut fields, problems);
    fields.end(problems);
    let profile = profile?;
    let parsed: Result<Profile, PrivacyError> = profile.parse();
    match parsed {
        Ok(Profile::KAnonymize) => {
            problems.add(
                profile.at,
                "the profile `k_anonymize` is a step of its own: write `k_anonymize: {k: 5, ..}`",
            );
            None
        }
        Ok(profile) => Some(Box::new(Deidentify { profile, shared: shared? })),
        Err(error) => {
            problems.add(profile.at, error.to_string());
            None
        }
    }
}

impl StepSpec for Deidentify {
    fn plan(&self, input: &Columns, problems: &mut Problems) -> Columns {
        self.shared.plan(self.profile, input, problems)
    }

    fn attachments(&self) -> Vec<(&'static str, serde_json::Value)> {
        if self.profile == Profile::Identified {
            return Vec::new();
        }
        vec![(PRIVACY_MANIFEST, serde_json::json!({"profile": self.profile.name()}))]
    }

    fn start(
        &self,
        input: &Columns,
        _tapped: &[Arc<dyn Any + Send + Sync>],
        world: &Arc<World>,
    ) -> Result<Box<dyn Step>, EtlError> {
        let (plan, vault) = self.shared.table_plan(self.profile, input, world)?;
        let shifts = plan.columns().iter().any(|column| column.transform() == Transform::Shift);
        let patient = self.shared.patient.as_ref().filter(|_| shifts).map(|word| word.text.clone());
        Ok(Box::new(Working { tallies: vec![Tally::default(); plan.columns().len()], plan, vault, patient }))
    }
}

struct Working {
    plan: TablePlan,
    vault: Option<Arc<Vault>>,
    patient: Option<String>,
    tallies: Vec<Tally>,
}

/// Brings new surrogates to the disk: before anything with them goes on.
pub(super) fn commit(vault: Option<&Arc<Vault>>, step: &str) -> Result<(), EtlError> {
    match vault {
        None => Ok(()),
        Some(vault) => {
            vault.commit().map_err(|error| EtlError::Step { step: step.to_owned(), why: error.to_string() })
        }
    }
}

impl Step for Working {
    fn push(&mut self, batch: Batch, out: &mut dyn Output) -> Result<(), EtlError> {
        let treated = apply(&self.plan, &batch, self.patient.as_deref(), &mut self.tallies)?;
        commit(self.vault.as_ref(), "deidentify")?;
        out.rows(treated)
    }

    fn finish(&mut self, out: &mut dyn Output) -> Result<(), EtlError> {
        let manifest = self.plan.manifest(&self.tallies, 0, None);
        let manifest = serde_json::to_value(manifest)
            .map_err(|error| EtlError::Step { step: "deidentify".to_owned(), why: error.to_string() })?;
        out.fact(PRIVACY_MANIFEST, manifest);
        Ok(())
    }
}
