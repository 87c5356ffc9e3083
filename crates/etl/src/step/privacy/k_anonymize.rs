//! Generalises quasi-identifiers until every row looks like `k - 1` others, and proves it on what goes out.
//!
//! Direct identifiers go as in Safe Harbor. All rows are needed before the first can go on: they wait on disk, only the
//! quasi-identifiers (and the sensitive column) are in memory, within the engine's limit.

use std::any::Any;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, StringViewBuilder};
use privacy::kanon::{Anonymizer, Generalised, Options, Stratum};
use privacy::{KAnonymityManifest, Profile, TablePlan, Tally, Vault};
use serde_json::json;
use table::{Batch, Columns, Type};

use crate::engine::{Spool, Spooled};
use crate::step::shared::need_column;
use crate::step::{Output, PRIVACY_MANIFEST, Step, StepSpec};
use crate::world::World;
use crate::yaml::Node;
use crate::{EtlError, Problems};

use super::columns::{apply, as_text};
use super::deidentify::commit;
use super::options::Shared;
use super::proof::prove_rows;
use super::quasi::{Codes, QuasiOptions, SensitiveOptions};

/// Options of `k_anonymize`.
#[derive(Debug)]
struct KAnonymize {
    shared: Shared,
    options: Options,
    /// How each quasi-identifier is generalised.
    quasi: Vec<QuasiOptions>,
    /// What an attacker wants to learn.
    sensitive: Option<SensitiveOptions>,
    /// Name under which suppressed rows are counted.
    rule: String,
}

/// Reads the options.
pub(in crate::step) fn decode(options: &Node, problems: &mut Problems) -> Option<Box<dyn StepSpec>> {
    let mut fields = options.fields("the step `k_anonymize`", problems);
    let shared = Shared::decode("k_anonymize", &mut fields, problems);
    let at = fields.at();
    let k = fields.required_text("k", problems);
    let k = k.and_then(|word| {
        let k = word.parse::<usize>().ok();
        if k.is_none() {
            problems.add(word.at, "`k` of the step `k_anonymize` must be a whole number");
        }
        k
    });
    let quasi = fields.required("quasi_identifiers", problems);
    let quasi = quasi.map(|node| QuasiOptions::decode_all(node, problems)).unwrap_or_default();
    let sensitive = fields.node("sensitive").and_then(|node| SensitiveOptions::decode(node, problems));
    let limit = fields.share("suppression_limit", problems);
    let rule = fields.text("rule", problems).map_or_else(|| "k_anonymity".to_owned(), |word| word.text);
    fields.end(problems);
    let mut options = Options::new(k?);
    options.suppression_limit = limit.unwrap_or(options.suppression_limit);
    options.diversity = sensitive.as_ref().and_then(|sensitive| sensitive.diversity);
    options.closeness = sensitive.as_ref().and_then(|sensitive| sensitive.closeness);
    if let Err(error) = Anonymizer::new(options) {
        problems.add(at, error.to_string());
    }
    Some(Box::new(KAnonymize { shared: shared?, options, quasi, sensitive, rule }))
}

impl KAnonymize {
    /// Every quasi-identifier that leaves must be generalised, and nothing else can be.
    fn check_cover(&self, plan: &TablePlan) -> Result<(), String> {
        let needed = plan.quasi_identifiers();
        for name in &needed {
            if !self.quasi.iter().any(|quasi| quasi.column.text == *name) {
                return Err(format!(
                    "the column `{name}` leaves and could be known to an outsider: name it in `quasi_identifiers`, or drop it"
                ));
            }
        }
        for quasi in &self.quasi {
            if !needed.contains(&&*quasi.column.text) {
                return Err(format!(
                    "`{0}` is no quasi-identifier that leaves: classify it as one, or take it out of `quasi_identifiers`",
                    quasi.column
                ));
            }
        }
        Ok(())
    }
}

impl StepSpec for KAnonymize {
    fn holds_rows(&self) -> bool {
        true
    }

    fn plan(&self, input: &Columns, problems: &mut Problems) -> Columns {
        let mut output = self.shared.plan(Profile::KAnonymize, input, problems);
        for word in self.quasi.iter().map(|quasi| &quasi.column) {
            if need_column(input, word, "k_anonymize", problems).is_some() && output.get(word).is_some() {
                output.set(word, Type::Text);
            }
        }
        if let Some(sensitive) = &self.sensitive
            && need_column(input, &sensitive.column, "k_anonymize", problems).is_some()
            && output.get(&sensitive.column).is_none()
        {
            let message = format!(
                "the sensitive column `{}` does not leave: nothing is to be protected",
                sensitive.column
            );
            problems.add(sensitive.column.at, message);
        }
        output
    }

    fn attachments(&self) -> Vec<(&'static str, serde_json::Value)> {
        vec![(PRIVACY_MANIFEST, serde_json::json!({"profile": Profile::KAnonymize.name()}))]
    }

    fn start(
        &self,
        input: &Columns,
        _tapped: &[Arc<dyn Any + Send + Sync>],
        world: &Arc<World>,
    ) -> Result<Box<dyn Step>, EtlError> {
        let (plan, vault) = self.shared.table_plan(Profile::KAnonymize, input, world)?;
        self.check_cover(&plan).map_err(|why| self.shared.failed(why))?;
        let mut problems = Problems::default();
        let output = self.plan(input, &mut problems);
        Ok(Box::new(Working {
            codes: self.quasi.iter().map(|quasi| Codes::new(&quasi.column)).collect(),
            sensitive: self.sensitive.as_ref().map(|sensitive| Codes::new(&sensitive.column)),
            tallies: vec![Tally::default(); plan.columns().len()],
            plan,
            vault,
            spool: Some(world.engine.spool()?),
            output,
            n_rows: 0,
            step: Settings {
                options: self.options,
                quasi: self.quasi.clone(),
                sensitive: self.sensitive.clone(),
                rule: self.rule.clone(),
            },
            world: Arc::clone(world),
        }))
    }
}

/// What a working step needs of its options.
struct Settings {
    options: Options,
    quasi: Vec<QuasiOptions>,
    sensitive: Option<SensitiveOptions>,
    rule: String,
}

struct Working {
    plan: TablePlan,
    vault: Option<Arc<Vault>>,
    tallies: Vec<Tally>,
    spool: Option<Spool>,
    codes: Vec<Codes>,
    sensitive: Option<Codes>,
    output: Columns,
    n_rows: u64,
    step: Settings,
    world: Arc<World>,
}

fn failed(error: &impl ToString) -> EtlError {
    EtlError::Step { step: "k_anonymize".to_owned(), why: error.to_string() }
}

impl Step for Working {
    fn push(&mut self, batch: Batch, _out: &mut dyn Output) -> Result<(), EtlError> {
        let treated = apply(&self.plan, &batch, None, &mut self.tallies)?;
        commit(self.vault.as_ref(), "k_anonymize")?;
        for codes in self.codes.iter_mut().chain(&mut self.sensitive) {
            codes.push(&as_text(treated.array(codes.column())?)?);
        }
        self.n_rows += treated.n_rows() as u64;
        self.check_memory()?;
        self.spool.as_mut().expect("the rows are gathered until the end").push(&treated)
    }

    fn finish(&mut self, out: &mut dyn Output) -> Result<(), EtlError> {
        let rows = self.spool.take().expect("the end comes once").finish()?;
        if self.n_rows == 0 {
            return Ok(());
        }
        let (generalised, n_suppressed) = self.generalise()?;
        let published = self.publish(&rows, &generalised)?;
        drop(generalised);
        let manifest = self.prove(&published, n_suppressed)?;
        for batch in published.read()? {
            self.world.check_cancelled()?;
            out.rows(batch?)?;
        }
        if n_suppressed > 0 {
            out.filtered(&self.step.rule, n_suppressed);
        }
        out.fact(PRIVACY_MANIFEST, manifest);
        Ok(())
    }
}

impl Working {
    /// What stays in memory is the codes of the quasi-identifiers, twice while the classes are made.
    fn check_memory(&self) -> Result<(), EtlError> {
        let per_row = 32 * (self.codes.len() as u64 + u64::from(self.sensitive.is_some()));
        let limit = self.world.engine.memory_bytes_max();
        if self.n_rows * per_row > limit {
            return Err(EtlError::Limit(format!(
                "k_anonymize holds {} quasi-identifiers of {} rows, more than `run.memory` of {limit} bytes allows: raise it, or split the source",
                self.codes.len(),
                self.n_rows
            )));
        }
        Ok(())
    }

    fn generalise(&mut self) -> Result<(Generalised, u64), EtlError> {
        let mut quasi = Vec::with_capacity(self.codes.len());
        for (options, codes) in self.step.quasi.iter().zip(&self.codes) {
            quasi.push(options.quasi(codes).map_err(|error| failed(&error))?);
        }
        let sensitive = match (&self.step.sensitive, &self.sensitive) {
            (Some(options), Some(codes)) => Some(options.sensitive(codes).map_err(|error| failed(&error))?),
            _ => None,
        };
        let stratum = Stratum::new(quasi, sensitive).map_err(|error| failed(&error))?;
        let mut anonymizer = Anonymizer::new(self.step.options).map_err(|error| failed(&error))?;
        let generalised = anonymizer.generalise(&stratum).map_err(|error| failed(&error))?;
        let (_, n_suppressed) = anonymizer.finish().map_err(|error| failed(&error))?;
        Ok((generalised, n_suppressed))
    }

    /// The rows as they go out, on disk until they are proved.
    fn publish(&self, rows: &Spooled, generalised: &Generalised) -> Result<Spooled, EtlError> {
        let mut spool = self.world.engine.spool_of(&self.output)?;
        let mut first = 0;
        for batch in rows.read()? {
            self.world.check_cancelled()?;
            let mut batch = batch?;
            let n_rows = batch.n_rows();
            for (index, quasi) in self.step.quasi.iter().enumerate() {
                let mut labels = StringViewBuilder::with_capacity(n_rows);
                for row in first..first + n_rows {
                    let label = generalised.label(row, index);
                    labels.append_option((!label.is_empty()).then(|| quasi.shown(label)));
                }
                batch = batch.with(&quasi.column, Arc::new(labels.finish()) as ArrayRef)?;
            }
            let stays: BooleanArray =
                (first..first + n_rows).map(|row| Some(!generalised.is_suppressed(row))).collect();
            spool.push(&batch.filter(&stays)?)?;
            first += n_rows;
        }
        spool.finish()
    }

    /// Reads back what goes out, and counts classes without knowing how they were made.
    fn prove(&self, published: &Spooled, n_suppressed: u64) -> Result<serde_json::Value, EtlError> {
        let names: Vec<&str> = self.plan.quasi_identifiers();
        let sensitive = self.step.sensitive.as_ref();
        let reference = match (sensitive, &self.sensitive) {
            (Some(options), Some(codes)) => {
                Some(options.sensitive(codes).map_err(|error| failed(&error))?.counts())
            }
            _ => None,
        };
        let proof = prove_rows(published, &names, self.step.options.k, sensitive, reference.as_deref())?;
        if !proof.holds() {
            return Err(failed(&format!(
                "the proof of the output failed with {} findings: nothing is published",
                proof.n_findings
            )));
        }
        let names = names.into_iter().map(str::to_owned).collect();
        let k = KAnonymityManifest::of(self.step.options.k as u64, names, &proof);
        let manifest = self.plan.manifest(&self.tallies, n_suppressed, Some(k));
        let mut manifest = serde_json::to_value(manifest).map_err(|error| failed(&error))?;
        manifest["sensitive"] = json!(sensitive.map(|sensitive| &sensitive.column.text));
        Ok(manifest)
    }
}
