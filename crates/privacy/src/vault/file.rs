//! The vault on disk: sealed segments, each behind its length, appended and synced; a torn last one was never acknowledged.
//!
//! ```text
//! length (4, big endian) | its complement (4) | sealed segment      number 0: the 32 bytes of the lookup key
//! length (4, big endian) | its complement (4) | sealed segment      number 1..: entries of 32 bytes, hash and surrogate
//! ```
//!
//! A segment is sealed for its number, so that none can be exchanged or left out in the middle. That the last ones are missing cannot be
//! seen. The complement tells a damaged length, which is refused, from a torn segment, which is cut off.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use keys::{KeyRing, OVERHEAD_BYTES, Scope, Zeroizing};

use super::Entry;
use crate::PrivacyError;

const ENTRY_BYTES: usize = 32;
const LENGTH_BYTES: u64 = 8;
const SEGMENT_ENTRIES_MAX: usize = 1 << 16;
const SEGMENT_BYTES_MAX: usize = SEGMENT_ENTRIES_MAX * ENTRY_BYTES + OVERHEAD_BYTES;

/// An open, locked vault file.
pub(super) struct VaultFile {
    path: PathBuf,
    file: File,
    scope: Scope,
    ring: Arc<KeyRing>,
    lookup: Zeroizing<[u8; 32]>,
    /// Where the next segment goes, and its number.
    end: u64,
    number: u64,
}

type Opened = (VaultFile, [u8; 32], Vec<Entry>);

impl VaultFile {
    /// Opens or makes the file; `fresh` becomes the lookup key of a new one.
    pub(super) fn open(
        path: &Path,
        scope: Scope,
        ring: Arc<KeyRing>,
        fresh: [u8; 32],
    ) -> Result<Opened, PrivacyError> {
        let has_key = ring.status()?.keys.iter().any(|key| key.scope == scope);
        if has_key && !path.exists() {
            // New surrogates for known identifiers would be worse than none.
            return Err(damaged(path, "it is missing, but its key exists"));
        }
        let file = open_locked(path)?;
        let lookup = Zeroizing::new(fresh);
        let mut vault = VaultFile { path: path.to_owned(), file, scope, ring, lookup, end: 0, number: 0 };
        let segments = vault.read_all()?;
        let Some((first, rest)) = segments.split_first() else {
            vault.start()?;
            return Ok((vault, fresh, Vec::new()));
        };
        let lookup =
            first.as_slice().try_into().map_err(|_| damaged(path, "its first segment is too short"))?;
        vault.lookup = Zeroizing::new(lookup);
        let mut entries = Vec::new();
        for segment in rest {
            if segment.len() % ENTRY_BYTES != 0 {
                return Err(damaged(path, "a segment holds half an entry"));
            }
            entries.extend(segment.chunks_exact(ENTRY_BYTES).map(|entry| {
                (std::array::from_fn(|index| entry[index]), std::array::from_fn(|index| entry[16 + index]))
            }));
        }
        Ok((vault, lookup, entries))
    }

    /// Appends entries and waits until they are on disk.
    pub(super) fn append(&mut self, entries: &[Entry]) -> Result<(), PrivacyError> {
        let (mut end, mut number) = (self.end, self.number);
        // An attempt that failed may have left a part of a segment.
        self.file.set_len(end).map_err(at(&self.path))?;
        for part in entries.chunks(SEGMENT_ENTRIES_MAX) {
            let text: Zeroizing<Vec<u8>> =
                Zeroizing::new(part.iter().flat_map(|(hash, code)| [*hash, *code].concat()).collect());
            end = self.write_segment(end, number, &text)?;
            number += 1;
        }
        if number > self.number {
            self.file.sync_all().map_err(at(&self.path))?;
            (self.end, self.number) = (end, number);
        }
        Ok(())
    }

    /// Replaces the whole file.
    pub(super) fn rewrite(&mut self, entries: &[Entry]) -> Result<(), PrivacyError> {
        let mut name = self.path.as_os_str().to_owned();
        name.push(".tmp");
        let unfinished = PathBuf::from(name);
        match fs::remove_file(&unfinished) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(at(&unfinished)(error)),
            _ => {}
        }
        let mut next = VaultFile {
            path: unfinished.clone(),
            file: open_locked(&unfinished)?,
            scope: self.scope.clone(),
            ring: Arc::clone(&self.ring),
            lookup: self.lookup.clone(),
            end: 0,
            number: 0,
        };
        next.start()?;
        next.append(entries)?;
        fs::rename(&unfinished, &self.path).map_err(at(&self.path))?;
        sync_folder_of(&self.path)?;
        next.path.clone_from(&self.path);
        *self = next;
        Ok(())
    }

    /// Writes the first segment.
    fn start(&mut self) -> Result<(), PrivacyError> {
        // The name first: a key without a file is taken for a lost file.
        sync_folder_of(&self.path)?;
        let lookup = self.lookup.clone();
        self.end = self.write_segment(0, 0, &lookup[..])?;
        self.number = 1;
        self.file.sync_all().map_err(at(&self.path))
    }

    fn write_segment(&self, end: u64, number: u64, text: &[u8]) -> Result<u64, PrivacyError> {
        let sealed = self.ring.seal(&self.scope, &place(number), text)?;
        let length = u32::try_from(sealed.len()).expect("segments are far below 4 GiB");
        let bytes = [&length.to_be_bytes()[..], &(!length).to_be_bytes(), &sealed].concat();
        self.file.write_all_at(&bytes, end).map_err(at(&self.path))?;
        Ok(end + bytes.len() as u64)
    }

    /// Opens every segment; cuts off a torn last one.
    fn read_all(&mut self) -> Result<Vec<Zeroizing<Vec<u8>>>, PrivacyError> {
        let file_bytes = self.file.metadata().map_err(at(&self.path))?.len();
        let mut segments = Vec::new();
        while let Some(sealed) = self.read_segment(file_bytes)? {
            segments.push(self.ring.open(&self.scope, &place(self.number), &sealed)?);
            self.end += LENGTH_BYTES + sealed.len() as u64;
            self.number += 1;
        }
        if self.end < file_bytes {
            self.file.set_len(self.end).map_err(at(&self.path))?;
            self.file.sync_all().map_err(at(&self.path))?;
        }
        Ok(segments)
    }

    /// The next segment; none when what is left is shorter than it says, or zeros, as a loss of power leaves it.
    fn read_segment(&self, file_bytes: u64) -> Result<Option<Vec<u8>>, PrivacyError> {
        let left = file_bytes - self.end;
        if left < LENGTH_BYTES {
            return Ok(None);
        }
        let mut lengths = [0; LENGTH_BYTES as usize];
        self.file.read_exact_at(&mut lengths, self.end).map_err(at(&self.path))?;
        let [length, complement] =
            [0, 4].map(|from| u32::from_be_bytes(std::array::from_fn(|index| lengths[from + index])));
        if (length, complement) == (0, 0) {
            return self.is_zero_from(self.end, left).map(|()| None);
        }
        if complement != !length || length as usize > SEGMENT_BYTES_MAX {
            return Err(damaged(&self.path, "the length of a segment was changed"));
        }
        let length = length as usize;
        if left - LENGTH_BYTES < length as u64 {
            return Ok(None);
        }
        let mut sealed = vec![0; length];
        self.file.read_exact_at(&mut sealed, self.end + LENGTH_BYTES).map_err(at(&self.path))?;
        Ok(Some(sealed))
    }

    fn is_zero_from(&self, start: u64, left: u64) -> Result<(), PrivacyError> {
        let mut rest = vec![0; usize::try_from(left).unwrap_or(usize::MAX).min(SEGMENT_BYTES_MAX)];
        self.file.read_exact_at(&mut rest, start).map_err(at(&self.path))?;
        if left > rest.len() as u64 || rest.iter().any(|byte| *byte != 0) {
            return Err(damaged(&self.path, "a segment has no length"));
        }
        Ok(())
    }
}

fn place(number: u64) -> Vec<u8> {
    [&b"salus/vault/1\0"[..], &number.to_be_bytes()].concat()
}

fn open_locked(path: &Path) -> Result<File, PrivacyError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    let file = options.open(path).map_err(at(path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(PrivacyError::VaultLocked(path.to_owned())),
        Err(TryLockError::Error(error)) => Err(at(path)(error)),
    }
}

fn sync_folder_of(path: &Path) -> Result<(), PrivacyError> {
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(at(folder))
}

fn damaged(path: &Path, why: &'static str) -> PrivacyError {
    PrivacyError::VaultDamaged { path: path.to_owned(), why }
}

fn at(path: &Path) -> impl Fn(io::Error) -> PrivacyError + '_ {
    move |source| PrivacyError::Io { path: path.to_owned(), source }
}
