//! Reads inputs one after the other into raw pieces: whole documents, blocks of lines, or the reason why something cannot be read.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use super::expand::{Counted, expand};
use super::limits::SourceLimits;
use super::lines::{Lines, LinesEvent, read_lines};
use super::unit::{At, Place, Reject};
use super::walk::{Input, Packing, Shape, format_of};

/// A piece of input, unparsed.
#[derive(Debug)]
pub(crate) struct Raw {
    pub(crate) file: Arc<str>,
    pub(crate) piece: Piece,
}

/// What the piece is.
#[derive(Debug)]
pub(crate) enum Piece {
    Document(Vec<u8>),
    Lines(Lines),
    Rejected(Reject),
    /// Left out on purpose; said in the report, no failure.
    Skipped(Reject),
}

/// Reads one input and hands out its pieces in order. `taken` counts bytes read from disk, for the progress bar. `false` from
/// `give` ends the reading; so does it here.
pub(crate) fn read_input(
    input: &Input,
    limits: &SourceLimits,
    taken: &Arc<AtomicU64>,
    give: &mut dyn FnMut(Raw) -> bool,
) -> bool {
    let opened = File::open(&input.path).map(|file| Counted::new(file, Arc::clone(taken)));
    let content = opened.and_then(|file| expand(file, input.packing, limits));
    let mut reading = Reading { file: Arc::clone(&input.name), limits, give };
    match content {
        Err(error) => reading.reject(At::File, &format!("cannot read it: {}", plain(&error))),
        Ok(content) => match input.shape {
            Shape::Document => reading.document(content),
            Shape::Lines => reading.lines(content),
            Shape::Archive => reading.archive(content),
        },
    }
}

struct Reading<'a> {
    file: Arc<str>,
    limits: &'a SourceLimits,
    give: &'a mut dyn FnMut(Raw) -> bool,
}

impl Reading<'_> {
    fn piece(&mut self, piece: Piece) -> bool {
        (self.give)(Raw { file: Arc::clone(&self.file), piece })
    }

    fn reject(&mut self, at: At, reason: &str) -> bool {
        let place = Place::new(&self.file, at);
        self.piece(Piece::Rejected(Reject::new(place, reason)))
    }

    fn document(&mut self, content: impl Read) -> bool {
        let limit = self.limits.document_bytes_max;
        let mut bytes = Vec::new();
        match content.take(limit as u64 + 1).read_to_end(&mut bytes) {
            Err(error) => self.reject(At::File, &format!("cannot read it to the end: {}", plain(&error))),
            Ok(n) if n > limit => self.reject(
                At::File,
                &format!("it is larger than {limit} bytes: raise `--document-bytes-max`, or give it as NDJSON, which has no such limit"),
            ),
            Ok(_) => self.piece(Piece::Document(bytes)),
        }
    }

    fn lines(&mut self, content: impl Read) -> bool {
        let limits = *self.limits;
        let mut goes_on = true;
        read_lines(content, &limits, |event| {
            goes_on = match event {
                LinesEvent::Piece(lines) => self.piece(Piece::Lines(lines)),
                LinesEvent::TooLong { line } => self.reject(
                    At::Line(line),
                    &format!("the line is longer than {} bytes", limits.line_bytes_max),
                ),
                LinesEvent::Broken { line, error } => self.reject(
                    At::Line(line),
                    &format!("nothing can be read from this line on: {}", plain(&error)),
                ),
            };
            goes_on
        });
        goes_on
    }

    fn archive(&mut self, content: impl Read) -> bool {
        let outer = Arc::clone(&self.file);
        let mut archive = tar::Archive::new(content);
        let entries = match archive.entries() {
            Ok(entries) => entries,
            Err(error) => {
                return self.reject(At::File, &format!("cannot read the archive: {}", plain(&error)));
            }
        };
        for entry in entries {
            self.file = Arc::clone(&outer);
            let goes_on = match entry {
                Ok(entry) => self.member(&outer, entry),
                Err(error) => {
                    self.reject(At::File, &format!("cannot read the archive to the end: {}", plain(&error)));
                    return true;
                }
            };
            if !goes_on {
                return false;
            }
        }
        true
    }

    fn member<R: Read>(&mut self, outer: &Arc<str>, entry: tar::Entry<'_, R>) -> bool {
        if !entry.header().entry_type().is_file() {
            return true;
        }
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        self.file = Arc::from(format!("{outer}!{path}"));
        let name = Path::new(&path)
            .file_name()
            .map(|name| name.to_string_lossy().to_ascii_lowercase())
            .unwrap_or_default();
        let format = if name.starts_with('.') { None } else { format_of(&name) };
        let Some((packing, shape)) = format else {
            let place = Place::new(&self.file, At::File);
            return self.piece(Piece::Skipped(Reject::new(place, "not .json or .ndjson")));
        };
        let content = match expand_member(entry, packing, self.limits) {
            Ok(content) => content,
            Err(error) => return self.reject(At::File, &format!("cannot read it: {}", plain(&error))),
        };
        match shape {
            Shape::Document => self.document(content),
            Shape::Lines => self.lines(content),
            Shape::Archive => {
                self.reject(At::File, "an archive inside an archive is not opened: unpack the outer one")
            }
        }
    }
}

fn expand_member<'a, R: Read + 'a>(
    entry: R,
    packing: Packing,
    limits: &SourceLimits,
) -> io::Result<Box<dyn Read + 'a>> {
    expand(entry, packing, limits)
}

// The operating system's texts start with a capital and carry a number that means nothing to most readers.
fn plain(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => "the file is cut short".to_owned(),
        io::ErrorKind::NotFound => "no such file".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::walk::walk;
    use super::*;

    fn check(name: &str, content: &[u8], limits: SourceLimits) -> Vec<String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(name);
        std::fs::write(&path, content).unwrap();
        let found = walk(&[path], &limits).unwrap();
        let mut seen = Vec::new();
        read_input(&found.inputs[0], &limits, &Arc::default(), &mut |raw| {
            let file = raw.file.rsplit('/').next().unwrap().to_owned();
            seen.push(match raw.piece {
                Piece::Document(bytes) => format!("{file} document of {}", bytes.len()),
                Piece::Lines(lines) => format!("{file} lines from {}", lines.first),
                Piece::Rejected(reject) => format!("rejected {:?}: {}", reject.place.at, reject.reason),
                Piece::Skipped(reject) => format!("skipped {file}: {}", reject.reason),
            });
            true
        });
        seen
    }

    fn tar_of(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (name, content) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(content.len() as u64);
            header.set_cksum();
            builder.append_data(&mut header, name, *content).unwrap();
        }
        builder.into_inner().unwrap()
    }

    #[test]
    fn archives_give_their_members() {
        let tar = tar_of(&[("x/a.json", b"{}"), ("x/b.ndjson", b"{}\n"), ("x/read.me", b"hello")]);
        let packed = zstd::bulk::compress(&tar, 1).unwrap();
        let seen = check("t.tar.zst", &packed, SourceLimits::default());
        assert_eq!(
            seen,
            ["a.json document of 2", "b.ndjson lines from 1", "skipped read.me: not .json or .ndjson"]
        );
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        let limits = SourceLimits { document_bytes_max: 3, ..SourceLimits::default() };
        assert!(check("a.json", b"{  }", limits)[0].contains("larger than 3 bytes"));
        assert!(
            check("a.json.gz", b"no gzip", SourceLimits::default())[0]
                .starts_with("rejected File: cannot read it to the end")
        );
        let text: Vec<u8> = (0..20_000u32).flat_map(|i| format!("{{\"n\":{i}}}\n").into_bytes()).collect();
        let packed = zstd::bulk::compress(&text, 1).unwrap();
        let seen = check("a.ndjson.zst", &packed[..packed.len() / 2], SourceLimits::default());
        assert!(
            seen.last().unwrap().contains("nothing can be read from this line on: the file is cut short"),
            "{seen:?}"
        );
    }
}
