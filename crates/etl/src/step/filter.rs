//! Leaves out rows for which a condition is not true, counted under the name of a rule.

use std::any::Any;
use std::sync::Arc;

use table::{Batch, Columns};

use crate::engine::Expression;
use crate::step::shared::{predicate, rejects};
use crate::step::{Output, Step, StepSpec};
use crate::world::World;
use crate::yaml::Node;
use crate::{EtlError, Problems, Word};

/// Options of `filter`.
#[derive(Debug)]
struct Filter {
    /// SQL condition: rows for which it is true go on. Missing counts as false.
    condition: Word,
    /// Name under which the rows that are left out are counted.
    rule: Word,
}

/// Reads the options.
pub(super) fn decode(options: &Node, problems: &mut Problems) -> Option<Box<dyn StepSpec>> {
    let mut fields = options.fields("the step `filter`", problems);
    let condition = fields.required_text("where", problems);
    let rule = fields.required_text("rule", problems);
    fields.end(problems);
    Some(Box::new(Filter { condition: condition?, rule: rule? }))
}

impl StepSpec for Filter {
    fn plan(&self, input: &Columns, problems: &mut Problems) -> Columns {
        predicate(&self.condition, input, problems);
        input.clone()
    }

    fn start(
        &self,
        input: &Columns,
        _tapped: &[Arc<dyn Any + Send + Sync>],
        world: &Arc<World>,
    ) -> Result<Box<dyn Step>, EtlError> {
        let failed = |why| EtlError::Step { step: "filter".to_owned(), why };
        let condition = world.engine.expression(&self.condition, input).map_err(failed)?;
        Ok(Box::new(Working { condition, rule: self.rule.text.clone() }))
    }
}

struct Working {
    condition: Expression,
    rule: String,
}

impl Step for Working {
    fn push(&mut self, batch: Batch, out: &mut dyn Output) -> Result<(), EtlError> {
        let (keep, bad) = self.condition.select_rows(&batch)?;
        let n_kept = keep.true_count();
        let n_out = batch.n_rows() - n_kept - bad.len();
        for reject in rejects(&batch, &self.rule, bad) {
            out.reject(reject)?;
        }
        if n_out > 0 {
            out.filtered(&self.rule, n_out as u64);
        }
        if n_kept == batch.n_rows() { out.rows(batch) } else { out.rows(batch.filter(&keep)?) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::step::testing::{Bench, table};

    #[test]
    fn rows_are_kept_counted_or_rejected() {
        let bench = Bench::new();
        let input = table("state text, n integer", "AL 1 | - 2 | GA 3 | AL 0");
        let out = bench.run(decode, "{where: \"state = 'AL' and 6 / n > 1\", rule: in-state}", &[input]);
        assert_eq!(out.table("state, n"), "AL 1");
        assert_eq!(out.filtered, [("in-state".to_owned(), 2)]);
        assert_eq!(out.rejects(), ["4 in-state divides_by_zero"]);
    }

    #[test]
    fn a_condition_is_checked_at_its_place() {
        let bench = Bench::new();
        let check = |options: &str, wanted: &str| {
            let input = table("state text, n integer", "AL 1");
            assert_eq!(bench.problems(decode, options, &input), [wanted]);
        };
        check("{where: \"stat = 'AL'\", rule: x}", "1:9: there is no column `stat`: there are `state`, `n`");
        check(
            "{where: \"upper(state)\", rule: x}",
            "1:9: `upper(state)` is text: a condition must be boolean",
        );
        check("{where: \"n > 1\"}", "1:1: the step `filter` needs the key `rule`");
        check(
            "{where: \"n > 1\", rule: x, rul: y}",
            "1:27: unknown key `rul` in the step `filter`: it knows `where`, `rule`",
        );
    }
}
