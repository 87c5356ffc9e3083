//! The checks of a source at work: each batch is looked at once for all of them.

use std::any::Any;
use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::BooleanArray;
use arrow::buffer::BooleanBuffer;
use table::{Batch, Column, Columns, Reject};

use crate::EtlError;
use crate::check::OnFail;
use crate::check::cells::{Cells, Need};
use crate::check::missing::Tokens;
use crate::check::rule::expression::Condition;
use crate::check::rule::{Start, TableFound, Test};
use crate::check::spec::CheckSpec;
use crate::check::tally;
use crate::engine::Spool;
use crate::report::{ColumnQuality, Measured, RuleQuality, SourceQuality};
use crate::step::{Output, Step};
use crate::world::World;

/// Checks at work: a step through which rows pass, or are rejected when a check says `quarantine`.
pub struct Checker {
    source: String,
    world: Arc<World>,
    /// The columns that are looked at: first all of the source, then those with other words for missing.
    needs: Vec<Need>,
    checks: Vec<Running>,
    columns: Vec<ColumnQuality>,
    n_rows: u64,
    n_quarantined: u64,
    /// Rows of which the latest per key is kept, with the number of the check.
    waiting: Option<(usize, Spool)>,
}

/// A check at work.
struct Running {
    on_fail: OnFail,
    /// Which columns it looks at, as numbers in `needs`.
    needs: Vec<usize>,
    /// How many of them are its own; the others are those it compares with.
    n_own: usize,
    when: Option<Condition>,
    test: Test,
    /// What is found, while it is found.
    rule: RuleQuality,
    /// The column and the sentence of its rejects.
    column: Option<String>,
    message: String,
}

/// Which rows of a batch are put into quarantine, and by which check first.
struct Refused {
    rows: BooleanBuffer,
    by: Vec<u16>,
}

impl Refused {
    fn none(n_rows: usize) -> Refused {
        Refused { rows: BooleanBuffer::new_unset(n_rows), by: Vec::new() }
    }

    fn add(&mut self, failing: &BooleanBuffer, check: usize) {
        if self.by.is_empty() {
            self.by = vec![u16::MAX; self.rows.len()];
        }
        let check = u16::try_from(check).unwrap_or(u16::MAX);
        for row in failing.set_indices() {
            if self.by[row] == u16::MAX {
                self.by[row] = check;
            }
        }
        self.rows = &self.rows | failing;
    }
}

impl Checker {
    pub(super) fn start(
        source: &str,
        specs: &[CheckSpec],
        columns: &Columns,
        tapped: &[(String, Arc<dyn Any + Send + Sync>)],
        world: &Arc<World>,
    ) -> Result<Checker, EtlError> {
        let usual = Arc::new(Tokens::default());
        let mut needs: Vec<Need> = columns.iter().map(|column| need_of(column, &usual)).collect();
        let mut checks = Vec::new();
        for spec in specs {
            checks.push(Running::start(spec, columns, tapped, world, &mut needs)?);
        }
        let waiting = checks
            .iter()
            .position(|check| check.on_fail == OnFail::Quarantine && check.is_latest())
            .map(|index| Ok::<_, EtlError>((index, world.engine.spool()?)))
            .transpose()?;
        let columns = columns.iter().map(|column| ColumnQuality::new(&column.name)).collect();
        Ok(Checker {
            source: source.to_owned(),
            world: world.clone(),
            needs,
            checks,
            columns,
            n_rows: 0,
            n_quarantined: 0,
            waiting,
        })
    }

    /// What was found, after [`Step::finish`]. `rejects_of_reader`: records that the reader could not read. `previous`: the quality of
    /// the source in the run before, for drift and trend. Gates are judged by [`crate::report::Gates::judge`].
    pub fn quality(self, rejects_of_reader: u64, previous: Option<&SourceQuality>) -> SourceQuality {
        let mut distributions = Vec::new();
        let mut rules = Vec::new();
        for check in self.checks {
            let mut rule = check.rule;
            if let Test::Table(test) = check.test {
                let found = test.finish(previous);
                distributions.extend(found.distribution.clone());
                fill(&mut rule, found);
            }
            rules.push(rule);
        }
        SourceQuality::measured(
            Measured {
                source: self.source,
                at: self.world.now(),
                n_rows: self.n_rows,
                n_unreadable: rejects_of_reader,
                n_quarantined: self.n_quarantined,
                rules,
                columns: self.columns,
                distributions,
            },
            previous,
        )
    }

    fn cells_of(&self, batch: &Batch) -> Result<Vec<Cells>, EtlError> {
        self.needs.iter().map(|need| Cells::of(batch, need)).collect()
    }

    /// Rows that are refused leave as rejects; gives the others.
    fn quarantine(
        &mut self,
        batch: Batch,
        refused: &Refused,
        out: &mut dyn Output,
    ) -> Result<Batch, EtlError> {
        if refused.by.is_empty() {
            return Ok(batch);
        }
        for row in refused.rows.set_indices() {
            let check = &self.checks[usize::from(refused.by[row])];
            self.n_quarantined += 1;
            out.reject(Reject {
                place: batch.place(row),
                rule: Cow::Owned(check.rule.id.clone()),
                column: check.column.clone(),
                reason: Cow::Borrowed(check.reason()),
                message: check.message.clone(),
                raw: Vec::new(),
            })?;
        }
        Ok(batch.filter(&BooleanArray::new(!&refused.rows, None))?)
    }

    /// Puts the rows that are not the latest of their key into quarantine.
    fn release(&mut self, check: usize, spool: Spool, out: &mut dyn Output) -> Result<(), EtlError> {
        let spooled = spool.finish()?;
        if let Test::Unique(test) = &mut self.checks[check].test {
            test.settle()?;
        }
        let mut first = 0;
        for batch in spooled.read()? {
            let batch = batch?;
            self.world.check_cancelled()?;
            let n = batch.n_rows();
            let running = &mut self.checks[check];
            let needs = running.needs.iter().map(|at| Cells::of(&batch, &self.needs[*at]));
            let cells: Vec<Cells> = needs.collect::<Result<_, _>>()?;
            let cells: Vec<&Cells> = cells.iter().collect();
            let eligible = running.applies(&batch)?.unwrap_or_else(|| BooleanBuffer::new_set(n));
            let Test::Unique(test) = &running.test else { break };
            let failing = test.not_latest(&cells, &eligible, first)?;
            // The rows were counted as they came; here are the places of those that go.
            tally::sample_rows(&mut running.rule, &failing, &cells, &batch);
            let mut refused = Refused::none(n);
            if failing.has_true() {
                refused.add(&failing, check);
            }
            first += n as u64;
            let rest = self.quarantine(batch, &refused, out)?;
            out.rows(rest)?;
        }
        Ok(())
    }
}

impl Running {
    fn start(
        spec: &CheckSpec,
        columns: &Columns,
        tapped: &[(String, Arc<dyn Any + Send + Sync>)],
        world: &Arc<World>,
        needs: &mut Vec<Need>,
    ) -> Result<Running, EtlError> {
        let mut own: Vec<Column> = Vec::new();
        for word in spec.columns.iter().chain(spec.rule.more_columns()) {
            let column = columns
                .get(word)
                .ok_or_else(|| crate::check::failed(&spec.id, format!("there is no column `{word}`")))?;
            own.push(column.clone());
        }
        let at = own.iter().map(|column| {
            let need = need_of(column, &spec.tokens);
            needs.iter().position(|other| *other == need).unwrap_or_else(|| {
                needs.push(need);
                needs.len() - 1
            })
        });
        let at = at.collect();
        let when = spec.when.as_ref().map(|when| Condition::start(&spec.id, when, columns)).transpose()?;
        let start = Start { id: &spec.id, columns: &own, all: columns, tapped, world };
        Ok(Running {
            on_fail: spec.on_fail,
            needs: at,
            n_own: spec.columns.len(),
            when,
            test: spec.rule.start(&start)?,
            column: (spec.columns.len() == 1).then(|| spec.columns[0].text.clone()),
            message: format!("{} {}", spec.subject(), spec.rule.must()).trim_start().to_owned(),
            rule: spec.quality(),
        })
    }

    fn is_latest(&self) -> bool {
        matches!(&self.test, Test::Unique(test) if test.is_latest())
    }

    fn reason(&self) -> &'static str {
        match &self.test {
            Test::Unique(_) => "duplicate",
            _ => crate::check::rule::reason_of(&self.rule.rule),
        }
    }

    fn applies(&self, batch: &Batch) -> Result<Option<BooleanBuffer>, EtlError> {
        self.when.as_ref().map(|when| when.select(batch)).transpose()
    }

    /// Judges a batch; gives the rows that fail when they are to be refused.
    fn judge(
        &mut self,
        all: &[Cells],
        batch: &Batch,
        refused: &BooleanBuffer,
    ) -> Result<Option<BooleanBuffer>, EtlError> {
        let cells: Vec<&Cells> = self.needs.iter().map(|at| &all[*at]).collect();
        let applies = self.applies(batch)?;
        let (assessed, failing) = match &mut self.test {
            Test::Table(test) => {
                test.push(&cells, batch, applies.as_ref())?;
                return Ok(None);
            }
            Test::Row(test) => {
                let judged = test.judge(&cells, batch)?;
                let assessed = match &applies {
                    Some(applies) => &judged.assessed & applies,
                    None => judged.assessed,
                };
                let failing = &judged.failing & &assessed;
                (assessed, failing)
            }
            Test::Unique(test) => {
                let eligible = match &applies {
                    Some(applies) => applies & &!refused,
                    None => !refused,
                };
                let (assessed, failing) = test.take(&cells, &eligible)?;
                if test.is_latest() && self.on_fail == OnFail::Quarantine {
                    // Which of the two rows goes is known at the end.
                    self.rule.n_assessed += assessed.count_set_bits() as u64;
                    self.rule.n_failed += failing.count_set_bits() as u64;
                    return Ok(None);
                }
                (assessed, failing)
            }
        };
        let n_failed = tally::count(&mut self.rule, &assessed, &failing, &cells[..self.n_own], batch);
        Ok((n_failed > 0 && self.on_fail == OnFail::Quarantine).then_some(failing))
    }
}

impl Step for Checker {
    fn push(&mut self, batch: Batch, out: &mut dyn Output) -> Result<(), EtlError> {
        self.world.check_cancelled()?;
        let n = batch.n_rows();
        if n == 0 {
            return Ok(());
        }
        self.n_rows += n as u64;
        let cells = self.cells_of(&batch)?;
        for (column, cells) in self.columns.iter_mut().zip(&cells) {
            column.n_present += cells.present.count_set_bits() as u64;
        }
        let mut refused = Refused::none(n);
        // `unique` takes keys only from rows that all other checks let through, and the one that waits for the latest row comes last.
        let pass_of = |check: &Running| match &check.test {
            Test::Unique(_) if check.on_fail == OnFail::Quarantine && check.is_latest() => 2,
            Test::Unique(_) => 1,
            _ => 0,
        };
        for pass in 0..3 {
            for index in 0..self.checks.len() {
                let check = &mut self.checks[index];
                if pass_of(check) != pass {
                    continue;
                }
                if let Some(failing) = check.judge(&cells, &batch, &refused.rows)? {
                    refused.add(&failing, index);
                }
            }
            if pass == 1 && self.waiting.is_some() {
                // The rows that wait are numbered, so those that are refused leave before the last pass.
                let rest = self.quarantine(batch, &refused, out)?;
                return self.wait(&rest);
            }
        }
        let rest = self.quarantine(batch, &refused, out)?;
        out.rows(rest)
    }

    fn finish(&mut self, out: &mut dyn Output) -> Result<(), EtlError> {
        match self.waiting.take() {
            Some((check, spool)) => self.release(check, spool, out),
            None => Ok(()),
        }
    }
}

impl Checker {
    /// Keeps rows until it is known which are the latest.
    fn wait(&mut self, batch: &Batch) -> Result<(), EtlError> {
        if batch.n_rows() == 0 {
            return Ok(());
        }
        let Some((check, spool)) = &mut self.waiting else { return Ok(()) };
        let cells: Vec<Cells> =
            self.needs.iter().map(|need| Cells::of(batch, need)).collect::<Result<_, _>>()?;
        let nobody = BooleanBuffer::new_unset(batch.n_rows());
        self.checks[*check].judge(&cells, batch, &nobody)?;
        spool.push(batch)
    }
}

fn need_of(column: &Column, tokens: &Arc<Tokens>) -> Need {
    Need { column: column.name.clone(), kind: column.kind, tokens: tokens.clone() }
}

fn fill(rule: &mut RuleQuality, found: TableFound) {
    rule.n_assessed = found.n_assessed;
    rule.n_failed = found.n_failed;
    rule.passed = found.passed;
    rule.detail = found.detail;
    rule.not_assessed = found.not_assessed;
}
