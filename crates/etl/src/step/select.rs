//! Keeps, drops and renames columns.

use std::any::Any;
use std::sync::Arc;

use table::{Batch, Column, Columns};

use crate::step::shared::{Renamed, check_name, need_column};
use crate::step::{Output, Step, StepSpec};
use crate::world::World;
use crate::yaml::Node;
use crate::{EtlError, Problems, Word};

/// Options of `select`.
#[derive(Debug)]
struct Select {
    /// Columns that stay, in this order; `a as b` also renames.
    keep: Option<Vec<Renamed>>,
    /// Columns that go.
    drop: Vec<Word>,
    /// Old name to new name.
    rename: Vec<Renamed>,
}

/// Reads the options.
pub(super) fn decode(options: &Node, problems: &mut Problems) -> Option<Box<dyn StepSpec>> {
    let mut fields = options.fields("the step `select`", problems);
    let at = fields.at();
    let has_keep = fields.node("keep").is_some();
    let keep: Vec<Renamed> = fields.texts("keep", problems).iter().map(Renamed::of).collect();
    let drop = fields.texts("drop", problems);
    let mut rename = Vec::new();
    if let Some(node) = fields.node("rename") {
        for (from, to) in node.entries("`rename` of the step `select`", problems) {
            if let Some(to) = to.text("a new name in `rename` of the step `select`", problems) {
                rename.push(Renamed { from: from.clone(), to });
            }
        }
    }
    fields.end(problems);
    if has_keep && !drop.is_empty() {
        problems.add(at, "`keep` and `drop` of the step `select` exclude each other: write one of them");
        return None;
    }
    if !has_keep && drop.is_empty() && rename.is_empty() {
        problems.add(at, "the step `select` does nothing: write `keep`, `drop` or `rename`");
        return None;
    }
    Some(Box::new(Select { keep: has_keep.then_some(keep), drop, rename }))
}

impl Select {
    /// Old and new names in the order of the output.
    fn chosen(&self, input: &Columns) -> Vec<(String, String)> {
        let new = |name: &str| {
            let renamed = self.rename.iter().find(|renamed| *renamed.from == *name);
            renamed.map_or_else(|| name.to_owned(), |renamed| renamed.to.text.clone())
        };
        match &self.keep {
            Some(keep) => keep.iter().map(|kept| (kept.from.text.clone(), new(&kept.to))).collect(),
            None => {
                let stays = |name: &&str| !self.drop.iter().any(|dropped| **dropped == **name);
                let names = input.names().into_iter().filter(stays);
                names.map(|name| (name.to_owned(), new(name))).collect()
            }
        }
    }
}

impl StepSpec for Select {
    fn plan(&self, input: &Columns, problems: &mut Problems) -> Columns {
        let kept = self.keep.iter().flatten();
        for word in kept.clone().map(|kept| &kept.from).chain(&self.drop) {
            need_column(input, word, "select", problems);
        }
        for renamed in &self.rename {
            if self.keep.is_none() || !kept.clone().any(|kept| kept.to.text == renamed.from.text) {
                need_column(input, &renamed.from, "select", problems);
            }
        }
        for renamed in kept.chain(&self.rename) {
            check_name(&renamed.to, problems);
        }
        let mut columns: Vec<Column> = Vec::new();
        for (from, to) in self.chosen(input) {
            let Some(column) = input.get(&from) else { continue };
            if columns.iter().any(|other| *other.name == *to) {
                let at = self.keep.iter().flatten().chain(&self.rename).find(|renamed| *renamed.to == *to);
                let at = at.map(|renamed| renamed.to.at).unwrap_or_default();
                problems.add(at, format!("two columns would be named `{to}`"));
            } else if !table::is_place(&to) {
                columns.push(Column::new(to, column.kind));
            }
        }
        Columns::new(columns).unwrap_or_default()
    }

    fn made_from(&self, input: &Columns) -> Vec<(String, Vec<String>)> {
        let renamed = self.chosen(input).into_iter().filter(|(from, to)| from != to);
        renamed.map(|(from, to)| (to, vec![from])).collect()
    }

    fn start(
        &self,
        input: &Columns,
        _tapped: &[Arc<dyn Any + Send + Sync>],
        _world: &Arc<World>,
    ) -> Result<Box<dyn Step>, EtlError> {
        Ok(Box::new(Working { chosen: self.chosen(input) }))
    }
}

struct Working {
    chosen: Vec<(String, String)>,
}

impl Step for Working {
    fn push(&mut self, batch: Batch, out: &mut dyn Output) -> Result<(), EtlError> {
        let mut columns = Vec::with_capacity(self.chosen.len());
        for (from, to) in &self.chosen {
            columns.push((to.as_str().into(), Arc::clone(batch.array(from)?)));
        }
        out.rows(batch.with_columns(columns)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::step::testing::{Bench, table};

    #[test]
    fn columns_are_kept_dropped_and_renamed() {
        let bench = Bench::new();
        let check = |options: &str, wanted: &[&str], cells: &str| {
            let input = table("a text, b integer, c text", "x 1 z | - 2 y");
            let out = bench.run(decode, options, &[input]);
            assert_eq!(out.columns.names(), wanted);
            assert_eq!(out.table(&wanted.join(", ")), cells);
        };
        check("{keep: [c, a as id]}", &["c", "id"], "z x | y -");
        check("{drop: b}", &["a", "c"], "x z | - y");
        check("{rename: {a: b, b: a}}", &["b", "a", "c"], "x 1 z | - 2 y");
        check("{keep: [a, b], rename: {b: n}}", &["a", "n"], "x 1 | - 2");
    }

    #[test]
    fn what_cannot_be_is_said() {
        let bench = Bench::new();
        let check = |options: &str, wanted: &str| {
            let input = table("a text, b integer", "x 1");
            assert_eq!(bench.problems(decode, options, &input), [wanted]);
        };
        check("{keep: [a, x]}", "1:12: the step `select` needs the column `x`: there are `a`, `b`");
        check("{rename: {a: b}}", "1:14: two columns would be named `b`");
        check(
            "{keep: [a as _salus_line]}",
            "1:9: the column name `_salus_line` is reserved: names must not begin with `_salus_`",
        );
        check(
            "{keep: [a], drop: [b]}",
            "1:1: `keep` and `drop` of the step `select` exclude each other: write one of them",
        );
        check("{}", "1:1: the step `select` does nothing: write `keep`, `drop` or `rename`");
    }
}
