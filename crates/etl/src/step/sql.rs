//! A `SELECT` over the rows so far and over other sources.

use std::any::Any;
use std::sync::Arc;

use table::{Batch, Column, Columns, Type};

use crate::engine::{Spool, Spooled};
use crate::step::{Output, Step, StepSpec, Tap, TapSpec};
use crate::world::World;
use crate::yaml::Node;
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
    columns: Vec<(Word, Type)>,
}

/// Reads the options. A single text is the query.
pub(super) fn decode(options: &Node, problems: &mut Problems) -> Option<Box<dyn StepSpec>> {
    if let crate::yaml::Kind::Scalar { .. } = options.kind {
        let query = options.text("the step `sql`", problems)?;
        return Some(Box::new(Sql { query, with: Vec::new() }));
    }
    let mut fields = options.fields("the step `sql`", problems);
    let query = fields.required_text("query", problems);
    let mut with = Vec::new();
    if let Some(node) = fields.node("with") {
        for (source, node) in node.entries("`with` of the step `sql`", problems) {
            if source.text == INPUT {
                problems
                    .add(source.at, "`input` is the rows so far: a source of this name cannot be read here");
            }
            with.push(Other { source: source.clone(), columns: types(source, node, problems) });
        }
    }
    fields.end(problems);
    Some(Box::new(Sql { query: query?, with }))
}

fn types(source: &Word, node: &Node, problems: &mut Problems) -> Vec<(Word, Type)> {
    let what = format!("the columns of `{source}` in the step `sql`");
    let mut columns = Vec::new();
    let entries = node.entries(&what, problems);
    for (name, kind) in entries {
        let Some(kind) = kind.text(&what, problems) else { continue };
        match Type::parse(&kind) {
            Some(kind) => columns.push((name.clone(), kind)),
            None => problems.add(kind.at, format!("`{kind}` is no type: use one of {}", Type::NAMES)),
        }
    }
    if entries.is_empty() {
        problems.add(
            source.at,
            format!("name the columns that the query needs of `{source}` with their types: `{source}: {{id: text}}`"),
        );
    }
    columns
}

impl Other {
    fn columns(&self) -> Columns {
        let columns = self.columns.iter().map(|(name, kind)| Column::new(name.text.as_str(), *kind));
        Columns::new(columns.collect()).unwrap_or_default()
    }
}

impl StepSpec for Sql {
    fn plan(&self, input: &Columns, problems: &mut Problems) -> Columns {
        let others: Vec<(&str, Columns)> =
            self.with.iter().map(|other| (&*other.source.text, other.columns())).collect();
        let mut tables = vec![(INPUT, input)];
        tables.extend(others.iter().map(|(name, columns)| (*name, columns)));
        crate::engine::query_columns(&self.query, &tables).unwrap_or_else(|message| {
            problems.add(self.query.at, message);
            Columns::default()
        })
    }

    fn taps(&self) -> Vec<TapSpec> {
        let tap = |other: &Other| TapSpec {
            source: other.source.clone(),
            columns: other.columns.iter().map(|(name, _)| name.clone()).collect(),
        };
        self.with.iter().map(tap).collect()
    }

    fn start_tap(
        &self,
        source: &str,
        columns: &Columns,
        world: &Arc<World>,
    ) -> Result<Box<dyn Tap>, EtlError> {
        let other = self.with.iter().find(|other| *other.source == *source);
        let other = other.ok_or_else(|| failed(format!("it does not read the source `{source}`")))?;
        for (name, kind) in &other.columns {
            match columns.get(name) {
                Some(column) if column.kind == *kind => {}
                Some(column) => {
                    let why = format!("the column `{name}` of `{source}` is {}, not {kind}", column.kind);
                    return Err(failed(why));
                }
                None => return Err(failed(format!("the source `{source}` has no column `{name}`"))),
            }
        }
        let names = other.columns.iter().map(|(name, _)| name.text.clone()).collect();
        Ok(Box::new(Gather { names, spool: world.engine.spool_of(&other.columns())? }))
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
with: {labs: {id: text, n: integer}}";
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
        check(
            "{query: select 1 as n from labs, with: {labs: }}",
            "1:41: name the columns that the query needs of `labs` with their types: `labs: {id: text}`",
        );
        check(
            "{query: select n from labs, with: {labs: {n: int}}}",
            "1:46: `int` is no type: use one of `text`, `integer`, `decimal(p,s)`, `number`, `date`, `instant`, `boolean`",
        );
        let labs = table("n text", "1");
        let options = "{query: select n from labs, with: {labs: {n: integer}}}";
        let error = bench.try_run(decode, options, &[labs], std::slice::from_ref(&input)).err().unwrap();
        assert_eq!(error.to_string(), "step `sql`: the column `n` of `labs` is text, not integer");
    }

    #[test]
    fn a_value_that_cannot_be_cast_does_not_show() {
        let bench = Bench::new();
        let options = "select cast(id as bigint) as n from input";
        let error = bench.try_run(decode, options, &[], &[table("id text", "secret-id")]).err().unwrap();
        assert!(error.to_string().contains("cannot be cast") && !error.to_string().contains("secret"));
    }
}
