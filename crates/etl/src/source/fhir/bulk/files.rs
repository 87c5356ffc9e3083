//! The files of an export: fetched into the scratch folder, read line by line. Nothing of a file is given before all of it is there.

use std::fs::File as Disk;
use std::io::{BufRead as _, BufReader};

use ::fhir::Value;
use ::fhir::json::{Limits as JsonLimits, parse};
use egress::Url;
use table::Place;
use tempfile::TempPath;

use super::Open;
use super::job::{File, Manifest};
use crate::EtlError;
use crate::source::Out;
use crate::source::api::blocking;
use crate::source::api::rows::{Made, Rows};
use crate::source::fhir::columns::Cells;

const LINES_AT_ONCE: u64 = 1_000;
const BYTES_AT_ONCE: usize = 8 << 20;
const LINE_BYTES_MAX: u64 = 16 << 20;

/// What the lines of a file are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Content {
    Resources,
    Deletions,
    Outcomes,
}

impl Open {
    /// Reads all files of an export.
    pub(super) async fn read_files(
        &mut self,
        manifest: &Manifest,
        number: u32,
        out: &Out,
    ) -> Result<(), EtlError> {
        // Told first: a source that must fail does so before it reads for hours.
        let mut n_before = 0;
        let lists = [
            (&manifest.errors, Content::Outcomes),
            (&manifest.output, Content::Resources),
            (&manifest.deleted, Content::Deletions),
        ];
        for (files, content) in lists {
            for file in files {
                // A server may give more types than it was asked for.
                if content == Content::Resources && !self.spec.types.contains(&file.kind) {
                    continue;
                }
                n_before =
                    self.read_file(file, content, manifest.needs_token, (number, n_before), out).await?;
            }
        }
        Ok(())
    }

    async fn read_file(
        &mut self,
        file: &File,
        content: Content,
        needs_token: bool,
        (number, n_before): (u32, u64),
        out: &Out,
    ) -> Result<u64, EtlError> {
        let url = self.base.join(&file.url);
        let url =
            url.map_err(|_| self.caller.fails("the manifest names a file that is no URL".to_owned(), false))?;
        if needs_token && url.origin() != self.base.origin() {
            let why = "the file is on another server, which must not see the credential";
            return Err(self.fails_at(&url, why, false));
        }
        let (path, n_bytes) =
            self.caller.download(&url, needs_token, &self.scratch, self.spec.file_bytes_max).await?;
        let cells = Cells::new(self.spec.columns.clone(), self.now);
        let rows = self.spec.columns.rows();
        let mut lines = Some(Lines::open(path, content, Making { cells, rows, number, n_before })?);
        while let Some(some) = lines.take() {
            let read = blocking(move || some.some()).await?;
            let (back, made) = read.map_err(|why| self.fails_at(&url, &why, false))?;
            made.send(out, 0).await?;
            if back.n_outcomes > 0 && self.spec.errors_fail {
                let why = "the server could not export everything: look at its outcomes, or say `errors: quarantine`";
                return Err(self.fails_at(&url, why, false));
            }
            self.check_records(back.making.n_before)?;
            if back.is_done {
                out.send(crate::source::Piece::Consumed(n_bytes)).await?;
                self.check_count(file, &url, back.n_lines, content)?;
                return Ok(back.making.n_before);
            }
            lines = Some(back);
        }
        Ok(n_before)
    }

    fn check_count(&self, file: &File, url: &Url, n_lines: u64, content: Content) -> Result<(), EtlError> {
        match file.n_resources {
            Some(count) if content == Content::Resources && count != n_lines => {
                let why = format!("{n_lines} resources came, and the server says that there are {count}");
                Err(self.fails_at(url, &why, true))
            }
            _ => Ok(()),
        }
    }

    fn check_records(&self, n_records: u64) -> Result<(), EtlError> {
        let max = self.spec.limits.records_max;
        if n_records > max {
            let source = &self.spec.name;
            return Err(EtlError::Limit(format!(
                "source `{source}`: more than `records_max`, {max} resources"
            )));
        }
        Ok(())
    }
}

/// What resources are made into.
struct Making {
    cells: Cells,
    rows: Rows,
    number: u32,
    /// Records so far, of all files.
    n_before: u64,
}

/// A file that is being read.
struct Lines {
    reader: BufReader<Disk>,
    _path: TempPath,
    content: Content,
    making: Making,
    n_lines: u64,
    n_outcomes: u64,
    is_done: bool,
}

impl Lines {
    fn open(path: TempPath, content: Content, making: Making) -> Result<Lines, EtlError> {
        let io = |source| EtlError::Io { what: "cannot read a scratch file".to_owned(), source };
        let reader = BufReader::with_capacity(1 << 18, Disk::open(&path).map_err(io)?);
        Ok(Lines { reader, _path: path, content, making, n_lines: 0, n_outcomes: 0, is_done: false })
    }

    /// Some lines. What is wrong with the file as a whole comes back in words.
    fn some(mut self) -> Result<Result<(Lines, Made), String>, EtlError> {
        let (mut line, mut n_bytes, mut n_here) = (Vec::new(), 0, 0);
        while n_here < LINES_AT_ONCE && n_bytes < BYTES_AT_ONCE {
            line.clear();
            let io = |source| EtlError::Io { what: "cannot read a scratch file".to_owned(), source };
            let mut limited = std::io::Read::take(&mut self.reader, LINE_BYTES_MAX);
            let n_read = limited.read_until(b'\n', &mut line).map_err(io)?;
            if n_read == 0 {
                self.is_done = true;
                break;
            }
            if line.last() != Some(&b'\n') && n_read as u64 == LINE_BYTES_MAX {
                return Ok(Err(format!("a line has more than {LINE_BYTES_MAX} bytes")));
            }
            n_bytes += n_read;
            if line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            self.n_lines += 1;
            n_here += 1;
            self.take(&line);
        }
        let made = self.making.rows.take()?;
        Ok(Ok((self, made)))
    }

    fn take(&mut self, line: &[u8]) {
        let value = parse(line, &JsonLimits::default());
        match (self.content, value) {
            (Content::Resources, Ok(resource)) => {
                let place = self.making.next();
                self.making.cells.push(&resource, place, &mut self.making.rows);
            }
            (Content::Deletions, Ok(bundle)) => self.deletions(&bundle),
            (Content::Outcomes, Ok(outcome)) => self.outcome(&outcome),
            (_, Err(_)) => {
                let place = self.making.next();
                let message = "the line is not JSON".to_owned();
                self.making.rows.reject(place, "bad_json", message, line.to_vec());
            }
        }
    }

    /// What the server deleted is not carried over, and not passed over in silence.
    fn deletions(&mut self, bundle: &Value) {
        for entry in bundle.get("entry").map(Value::items).unwrap_or_default() {
            let place = self.making.next();
            let message = "the server deleted this resource: deletions are not carried over to targets";
            self.making.rows.reject(place, "deleted", message.to_owned(), entry.to_bytes());
        }
    }

    fn outcome(&mut self, outcome: &Value) {
        let issues = outcome.get("issue").map(Value::items).unwrap_or_default();
        let is_bad = |issue: &Value| !matches!(issue.text("severity"), Some("information" | "warning"));
        if issues.is_empty() || issues.iter().any(is_bad) {
            self.n_outcomes += 1;
            let place = self.making.next();
            let message = "the server could not export something: its outcome is the content of this row";
            self.making.rows.reject(place, "not_exported", message.to_owned(), outcome.to_bytes());
        }
    }
}

impl Making {
    fn next(&mut self) -> Place {
        self.n_before += 1;
        Place { unit: self.number, line: self.n_before, offset: None }
    }
}
