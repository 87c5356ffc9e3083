//! Rows of a REST API that gives JSON objects in pages.

mod paging;

use std::time::Duration;

use egress::Url;
use fhir::{Instant, Value};
use futures_util::future::BoxFuture;
use table::{Column, Columns, Place, Type, TypedColumn};

use super::api::auth::Auth;
use super::api::blocking;
use super::api::caller::{Answer, Caller, Limits, decode_url, shown, url_of};
use super::api::rows::{Made, Objects, Rows, columns_of};
use super::api::window::Window;
use super::declared::{self, Bound, Declared};
use super::sql::{need_cursor, snapshot_unit};
use super::{Backfill, Dataset, Division, Out, Source, SourceSpec, Unit};
use crate::world::World;
use crate::yaml::Fields;
use crate::{EtlError, Problems, Secret, Word};

pub(super) use paging::same_server;
use paging::{Page, Paging, State};

/// A source of type `rest`.
#[derive(Clone, Debug)]
struct Rest {
    name: String,
    /// Where the records are, with the parameters that stay the same.
    url: Secret,
    auth: Auth,
    paging: Paging,
    cursor: Option<Cursor>,
    declared: Declared,
    limits: Limits,
    /// A column that no record has is missing in all rows, and no error.
    may_be_absent: bool,
}

/// How the API is asked for what changed.
#[derive(Clone, Debug)]
struct Cursor {
    /// The column with the instant of the last change.
    column: String,
    /// The parameter that takes the beginning of the window.
    parameter: String,
    /// The parameter that takes its end, if the API has one.
    until: Option<String>,
    form: Form,
    lookback: Duration,
}

/// How instants are written in parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Iso,
    Date,
    UnixSeconds,
}

/// Decodes the options of a source of type `rest`.
pub(super) fn decode(
    name: &Word,
    fields: &mut Fields<'_>,
    problems: &mut Problems,
) -> Option<Box<dyn SourceSpec>> {
    let url = decode_url(fields, problems);
    let auth = Auth::decode(fields, problems);
    let paging = Paging::decode(fields, problems);
    let cursor = fields.node("cursor").and_then(|node| {
        let mut inner = node.fields("`cursor`", problems);
        let column = inner.required_text("column", problems);
        let parameter = inner.required_text("parameter", problems);
        let until = inner.text("until", problems).map(|word| word.text);
        let forms = [("iso", Form::Iso), ("date", Form::Date), ("unix_seconds", Form::UnixSeconds)];
        let form = inner.choice("format", &forms, problems).unwrap_or(Form::Iso);
        let lookback = inner.span("lookback", problems).unwrap_or_default();
        inner.end(problems);
        Some((column?, Cursor { column: String::new(), parameter: parameter?.text, until, form, lookback }))
    });
    let limits = Limits::decode(fields, problems);
    let may_be_absent = fields.flag("may_be_absent", problems).unwrap_or(false);
    let declared = Declared::decode(fields, problems);
    let cursor = cursor.map(|(column, cursor)| {
        let is_instant = declared
            .columns()
            .and_then(|columns| columns.get(&column).map(|column| column.kind == Type::Instant));
        if is_instant == Some(false) || (is_instant.is_none() && declared.columns().is_some()) {
            let why = format!("the cursor `{column}` must be a column of type `instant`");
            problems.add(column.at, why);
        }
        Cursor { column: column.text, ..cursor }
    });
    let name = name.text.clone();
    Some(Box::new(Rest { name, url, auth, paging, cursor, declared, limits, may_be_absent }))
}

impl Cursor {
    fn parameters(&self, window: Window) -> Vec<(String, String)> {
        let written = |at: Instant| match self.form {
            Form::Iso => at.to_rfc3339_millis(),
            Form::Date => at.to_rfc3339_millis()[..10].to_owned(),
            Form::UnixSeconds => at.0.div_euclid(1_000_000).to_string(),
        };
        let since = window.since.map(|since| (self.parameter.clone(), written(since)));
        // An end that is cut to a day or a second must not cut off rows.
        let spare = match self.form {
            Form::Iso => 0,
            Form::Date => 86_400_000_000,
            Form::UnixSeconds => 1_000_000,
        };
        let until = self
            .until
            .as_ref()
            .map(|until| (until.clone(), written(Instant(window.until.0.saturating_add(spare)))));
        since.into_iter().chain(until).collect()
    }
}

impl Rest {
    async fn connect(&self, world: &World) -> Result<Open, EtlError> {
        let url = url_of(&self.url, &self.name, world)?;
        let mut caller = Caller::new(&self.name, &url, &self.auth, &self.limits, "application/json", world)?;
        let now = world.now();
        let answer = caller.get(&self.paging.first(&url, &[])).await?;
        // The server's rows carry the server's time. What was stamped after this second belongs to the next window.
        let at = answer.at().map_or(now, |at| at.min(now));
        let fails = |why| caller.fails(format!("`{}`: {why}", shown(&url)), false);
        let page = page_of(self.paging.clone(), answer).await?.map_err(fails)?;
        let found = columns_of(&self.declared, &page.records);
        let bound = self.declared.bind(&found).map_err(fails)?;
        let columns = declared::columns_of(&bound)?;
        if let Some(cursor) = &self.cursor {
            let kind = columns.get(&cursor.column).map(|column| column.kind);
            if kind != Some(Type::Instant) {
                let why = format!("the cursor `{}` must be a column of type `instant`", cursor.column);
                return Err(fails(why));
            }
        }
        Ok(Open { spec: self.clone(), url, caller, at, found, bound, columns, chosen: None, window: None })
    }
}

impl SourceSpec for Rest {
    fn open<'a>(&'a self, world: &'a World) -> BoxFuture<'a, Result<Box<dyn Source>, EtlError>> {
        Box::pin(async move { Ok(Box::new(self.connect(world).await?) as Box<dyn Source>) })
    }

    fn columns(&self) -> Option<Columns> {
        self.declared.columns()
    }

    fn division(&self) -> Division {
        if self.cursor.is_some() { Division::Window } else { Division::Snapshot }
    }

    fn dataset(&self) -> Dataset {
        dataset_of(&self.url)
    }
}

/// The data set behind a URL, as far as it is written without references.
pub(super) fn dataset_of(url: &Secret) -> Dataset {
    match Url::parse(url.written()) {
        Ok(url) if !url.as_str().contains("${") && !url.as_str().contains("$%7B") => {
            Dataset { namespace: url.origin().ascii_serialization(), name: url.path().to_owned() }
        }
        _ => Dataset { namespace: "https".to_owned(), name: "behind a reference".to_owned() },
    }
}

async fn page_of(paging: Paging, answer: Answer) -> Result<Result<Page, String>, EtlError> {
    blocking(move || Ok(paging.page(&answer.headers, &answer.body))).await
}

/// An open API.
struct Open {
    spec: Rest,
    url: Url,
    caller: Caller,
    /// The server's time when it was opened.
    at: Instant,
    found: Vec<Column>,
    bound: Vec<Bound>,
    columns: Columns,
    /// A window that somebody chose.
    chosen: Option<Window>,
    window: Option<Window>,
}

impl Source for Open {
    fn columns(&self) -> &Columns {
        &self.columns
    }

    fn choose(&mut self, window: &Backfill) -> Result<(), String> {
        need_cursor(self.spec.cursor.is_some())?;
        self.chosen = Some(Window::chosen(window, self.at)?);
        Ok(())
    }

    fn units<'a>(&'a mut self, since: Option<&'a str>) -> BoxFuture<'a, Result<Vec<Unit>, EtlError>> {
        Box::pin(async move {
            let Some(cursor) = &self.spec.cursor else { return Ok(vec![snapshot_unit(self.at)]) };
            let window = match self.chosen {
                Some(chosen) => chosen,
                None => Window::after(since, cursor.lookback, self.at)
                    .map_err(|why| self.caller.fails(why.to_owned(), false))?,
            };
            self.window = Some(window);
            Ok(window.units())
        })
    }

    fn read<'a>(&'a mut self, _unit: &'a Unit, number: u32, out: Out) -> BoxFuture<'a, Result<(), EtlError>> {
        Box::pin(async move { self.read_pages(number, &out).await })
    }
}

/// What a page is made into, moved to a blocking thread and back.
struct Making {
    objects: Objects,
    rows: Rows,
    number: u32,
    n_before: u64,
}

impl Open {
    async fn read_pages(&mut self, number: u32, out: &Out) -> Result<(), EtlError> {
        let (parameters, window) = match (&self.spec.cursor, self.window) {
            (Some(cursor), Some(window)) => {
                (cursor.parameters(window), Some((cursor.column.clone(), window)))
            }
            _ => (Vec::new(), None),
        };
        let mut making = self.making(number, window);
        let (mut state, paging) = (State::default(), self.spec.paging.clone());
        let mut next = Some(paging.first(&self.url, &parameters));
        while let Some(asked) = next {
            let place = shown(&asked);
            let answer = self.caller.get(&asked).await?;
            let n_bytes = answer.body.len();
            let mut page = page_of(paging.clone(), answer)
                .await?
                .map_err(|why| self.caller.fails(format!("`{place}`: {why}"), false))?;
            let records = std::mem::take(&mut page.records);
            let n_records = records.len() as u64;
            let (back, made) = blocking(move || making.page(&records)).await?;
            making = back;
            let made = made.map_err(|why| self.caller.fails(format!("`{place}`: {why}"), false))?;
            made.send(out, n_bytes).await?;
            next = paging.after(&self.url, &parameters, &asked, &page, n_records, &mut state).map_err(
                |wrong| self.caller.fails(format!("`{place}`: {}", wrong.why), wrong.is_transient),
            )?;
            self.check_limits(&state)?;
        }
        match making.objects.never_seen() {
            Some(key) if state.n_records > 0 && !self.spec.may_be_absent => Err(self.caller.fails(
                format!("no record has `{key}`: declare another `from`, or say `may_be_absent: true`"),
                false,
            )),
            _ => Ok(()),
        }
    }

    fn making(&self, number: u32, window: Option<(String, Window)>) -> Making {
        let columns = self.bound.iter().map(|bound| TypedColumn {
            name: bound.name.clone(),
            from: bound.name.clone(),
            reading: bound.reading.clone(),
        });
        Making {
            objects: Objects::new(&self.spec.declared, &self.found, &self.bound),
            rows: Rows::new(columns.collect(), window),
            number,
            n_before: 0,
        }
    }

    fn check_limits(&self, state: &State) -> Result<(), EtlError> {
        let (limits, source) = (&self.spec.limits, &self.spec.name);
        if state.n_pages > limits.pages_max {
            let max = limits.pages_max;
            return Err(EtlError::Limit(format!("source `{source}`: more than `pages_max`, {max} pages")));
        }
        if state.n_records > limits.records_max {
            let max = limits.records_max;
            return Err(EtlError::Limit(format!(
                "source `{source}`: more than `records_max`, {max} records"
            )));
        }
        Ok(())
    }
}

impl Making {
    fn page(mut self, records: &[Value]) -> Result<(Making, Result<Made, String>), EtlError> {
        for record in records {
            self.n_before += 1;
            let place = Place { unit: self.number, line: self.n_before, offset: None };
            if let Err(why) = self.objects.push(record, place, &mut self.rows) {
                return Ok((self, Err(why)));
            }
        }
        let made = self.rows.take()?;
        Ok((self, Ok(made)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::parse;

    fn problems_of(text: &str) -> Vec<String> {
        let mut problems = Problems::default();
        let node = parse(text, &mut problems).unwrap();
        let mut fields = node.fields("the source `x`", &mut problems);
        decode(&Word { text: "x".to_owned(), at: node.at }, &mut fields, &mut problems);
        fields.end(&mut problems);
        problems.into_sorted().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        let text = "url: https://example.org/rows\nauth: {bearer: abc}\npaging: pages\ncursor: {column: n, parameter: since}\ncolumns: {n: integer}\n";
        let expected = [
            "2:16: `bearer` is a secret: write a reference such as `${env:NAME}`",
            "3:9: `paging` must be one of `page`, `offset`, `cursor`, `link`, `none`",
            "4:18: the cursor `n` must be a column of type `instant`",
        ];
        assert_eq!(problems_of(text), expected);
        assert_eq!(problems_of("url: https://example.org/rows\npaging: none\n"), [""; 0]);
    }
}
