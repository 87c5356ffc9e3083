//! A `SELECT` over the rows so far and over other sources.

use std::any::Any;
use std::sync::Arc;

use table::{Batch, Column, Columns};

use crate::engine::{Spool, Spooled};
use crate::step::{Output, Step, StepSpec, Tap, TapSpec};
use crate::world::World;
use crate::yaml::{Kind, Node};
use crate::{EtlError, Problems, Word};

/// The name of the rows so far.
const INPUT: &str = "input";

/// Options of `sql`.
#[derive(Debug)]
struct Sql {
    /// One `SELECT`; the rows so far are the table `input`.
    query: Word,
    /// Other sources that the query reads, with the columns and types it needs of them.
    with: Vec<Other>,
}

#[derive(Debug)]
struct Other {
    source: Word,
    /// The columns that are read; all where none is named.
    columns: Vec<Word>,
}

/// Reads the options. A single text is the query.
pub(super) fn decode(options: &Node, problems: &mut Problems) -> Option<Box<dyn StepSpec>> {
    if let Kind::Scalar { .. } = options.kind {
        let query = options.text("the step `sql`", problems)?;
        return Some(Box::new(Sql { query, with: Vec::new() }));
    }
    let mut fields = options.fields("the step `sql`", problems);
    let query = fields.required_text("query", problems);
    let with = fields.node("with").map(|node| others(node, problems)).unwrap_or_default();
    fields.end(problems);
    for other in with.iter().filter(|other| other.source.text == INPUT) {
        problems
            .add(other.source.at, "`input` is the rows so far: a source of this name cannot be read here");
    }
    Some(Box::new(Sql { query: query?, with }))
}

/// `[labs]`, or `{labs: [id, value]}`.
fn others(node: &Node, problems: &mut Problems) -> Vec<Other> {
    const WHAT: &str = "`with` of the step `sql`";
    if let Kind::Map(entries) = &node.kind {
        let other = |(source, node): &(Word, Node)| Other {
            source: source.clone(),
            columns: node.texts(WHAT, problems),
        };
        return entries.iter().map(other).collect();
    }
    let sources = node.texts(WHAT, problems).into_iter();
    sources.map(|source| Other { source, columns: Vec::new() }).collect()
}

impl Other {
    /// The columns that are read, given those of the source.
    fn columns(&self, source: &Columns) -> Columns {
        let is_read =
            |name: &str| self.columns.is_empty() || self.columns.iter().any(|column| column.text == name);
        let columns: Vec<Column> = source.iter().filter(|column| is_read(&column.name)).cloned().collect();
        Columns::new(columns).unwrap_or_default()
    }
}

impl StepSpec for Sql {
    fn holds_rows(&self) -> bool {
        true
    }

    fn plan(&self, input: &Columns, problems: &mut Problems) -> Columns {
        self.plan_among(input, &|_| None, problems)
    }

    fn plan_among(
        &self,
        input: &Columns,
        sources: &dyn Fn(&str) -> Option<Columns>,
        problems: &mut Problems,
    ) -> Columns {
        let mut others: Vec<(&str, Columns)> = Vec::with_capacity(self.with.len());
        for other in &self.with {
            match sources(&other.source) {
                Some(columns) => others.push((&other.source, other.columns(&columns))),
                None => problems.add(other.source.at, format!("there is no source `{}`", other.source)),
            }
        }
        if others.len() < self.with.len() {
            return Columns::default();
        }
        let mut tables = vec![(INPUT, input)];
        tables.extend(others.iter().map(|(name, columns)| (*name, columns)));
        crate::engine::query_columns(&self.query, &tables).unwrap_or_else(|message| {
            problems.add(self.query.at, message);
            Columns::default()
        })
    }

    fn taps(&self) -> Vec<TapSpec> {
        let tap = |other: &Other| TapSpec { source: other.source.clone(), columns: other.columns.clone() };
        self.with.iter().map(tap).collect()
    }

    fn start_tap(
        &self,
        source: &str,
        columns: &Columns,
        world: &Arc<World>,
    ) -> Result<Box<dyn Tap>, EtlError> {
        let other = self.with.iter().find(|other| other.source.text == source);
        let other = other.ok_or_else(|| failed(format!("it does not read the source `{source}`")))?;
        let columns = other.columns(columns);
        let names = columns.names().into_iter().map(str::to_owned).collect();
        Ok(Box::new(Gather { names, spool: world.engine.spool_of(&columns)? }))
    }

    fn start(
        &self,
        input: &Columns,
        tapped: &[Arc<dyn Any + Send + Sync>],
        world: &Arc<World>,
    ) -> Result<Box<dyn Step>, EtlError> {
        let mut others = Vec::with_capacity(self.with.len());
        for (other, rows) in self.with.iter().zip(tapped) {
            let rows = rows.downcast_ref::<Spooled>();
            let rows =
                rows.ok_or_else(|| failed(format!("the source `{}` was not gathered", other.source)))?;
            others.push((other.source.text.clone(), rows.clone()));
        }
        Ok(Box::new(Working {
            query: self.query.text.clone(),
            spool: Some(world.engine.spool_of(input)?),
            others,
            world: Arc::clone(world),
        }))
    }
}

fn failed(why: String) -> EtlError {
    EtlError::Step { step: "sql".to_owned(), why }
}

struct Gather {
    names: Vec<String>,
    spool: Spool,
}

impl Tap for Gather {
    fn push(&mut self, batch: &Batch) -> Result<(), EtlError> {
        let names: Vec<&str> = self.names.iter().map(String::as_str).collect();
        self.spool.push(&batch.select(&names)?)
    }

    fn finish(self: Box<Self>) -> Result<Arc<dyn Any + Send + Sync>, EtlError> {
        Ok(Arc::new(self.spool.finish()?))
    }
}

struct Working {
    query: String,
    spool: Option<Spool>,
    others: Vec<(String, Spooled)>,
    world: Arc<World>,
}

impl Step for Working {
    fn push(&mut self, batch: Batch, _out: &mut dyn Output) -> Result<(), EtlError> {
        self.spool.as_mut().expect("the rows are gathered until the end").push(&batch)
    }

    fn finish(&mut self, out: &mut dyn Output) -> Result<(), EtlError> {
        let rows = self.spool.take().expect("the end comes once").finish()?;
        let mut tables = vec![(INPUT, &rows)];
        tables.extend(self.others.iter().map(|(name, rows)| (name.as_str(), rows)));
        let mut n_produced = 0;
        for batch in self.world.engine.query(&self.query, &tables)? {
            self.world.check_cancelled()?;
            let batch = batch?;
            n_produced += batch.n_rows() as u64;
            out.rows(batch)?;
        }
        out.replaced(rows.n_rows(), n_produced);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::step::testing::{Bench, table};

    #[test]
    fn rows_are_aggregated_and_joined_with_another_source() {
        let bench = Bench::new();
        let patients = table("id text, state text", "a AL | b GA | c AL");
        let labs = table("id text, n integer, note text", "a 1 x | a 4 x | c 5 x");
        let options = "query: >-
  select state, count(distinct input.id) as patients, sum(n) as total
  from input left join labs on input.id = labs.id group by state order by state
with: {labs: [id, n]}";
        let out = bench.try_run(decode, options, &[labs], &[patients]).unwrap();
        assert_eq!(out.table("state, patients, total"), "AL 2 10 | GA 1 -");
        assert_eq!(out.replaced, (3, 2));
    }

    #[test]
    fn a_query_that_keeps_all_keeps_the_places() {
        let bench = Bench::new();
        let out = bench.run(
            decode,
            "select * from input where n > 1 order by n desc",
            &[table("n integer", "1 | 2 | 3")],
        );
        assert_eq!(out.table("n"), "3 | 2");
        assert_eq!(out.batches[0].place(0).line, 3);
        let none = bench.run(decode, "select sum(n) as n from input", &[table("n integer", "")]);
        assert_eq!((none.table("n"), none.replaced), ("-".to_owned(), (0, 1)));
    }

    #[test]
    fn what_cannot_be_is_said() {
        let bench = Bench::new();
        let input = table("id text", "a");
        let check =
            |options: &str, wanted: &str| assert_eq!(bench.problems(decode, options, &input), [wanted]);
        check("select x from input", "1:1: there is no column `x`: there are `id`");
        check("{query: select id from labs}", "1:9: there is no table `labs`: there are `input`");
        check("{query: select n from labs, with: [labs]}", "1:36: there is no source `labs`");
        check(
            "{query: select 1 as n, with: {input: [id]}}",
            "1:31: `input` is the rows so far: a source of this name cannot be read here",
        );
    }

    #[test]
    fn a_value_that_cannot_be_cast_does_not_show() {
        let bench = Bench::new();
        let options = "select cast(id as bigint) as n from input";
        let error = bench.try_run(decode, options, &[], &[table("id text", "secret-id")]).err().unwrap();
        assert!(error.to_string().contains("cannot be cast") && !error.to_string().contains("secret"));
    }
}
