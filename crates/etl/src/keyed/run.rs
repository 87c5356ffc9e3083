//! Keys with their values in a file, in the order of the keys. The file has no name: it is gone with its last user, also after `kill -9`.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::marker::PhantomData;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use super::{Key, Known};
use crate::EtlError;

pub(super) const VALUE_BYTES_MAX: usize = 24;
const KEY_BYTES: usize = 16;
/// Keys that are read to find one, about: hashes are spread evenly.
const KEYS_OF_A_BUCKET: u64 = 64;
/// Buckets of a file, as a power of two: 2 MiB of their beginnings. More keys make larger buckets.
const BUCKET_BITS_MAX: u32 = 18;
const WRITE_BYTES: usize = 1 << 18;
const READ_ENTRIES: usize = 4_096;
/// Keys that are merged at one time.
const MERGE_KEYS: u64 = 1 << 16;

/// A finished file.
pub(super) struct Run<V> {
    file: File,
    n: u64,
    bucket_bits: u32,
    /// The number of the first key of each bucket, and at the end the number of keys.
    starts: Vec<u64>,
    of: PhantomData<V>,
}

fn failed(what: &str) -> impl FnOnce(std::io::Error) -> EtlError {
    let what = format!("cannot {what} a file of keys in the scratch folder");
    move |source| EtlError::Io { what, source }
}

fn bucket_of(key: Key, bucket_bits: u32) -> usize {
    key[0].checked_shr(64 - bucket_bits).unwrap_or(0) as usize
}

impl<V: Known> Run<V> {
    const ENTRY_BYTES: usize = KEY_BYTES + V::BYTES;

    /// A new file for at most so many keys.
    pub(super) fn writer(scratch: &Path, n_max: u64) -> Result<Writer<V>, EtlError> {
        let file = tempfile::tempfile_in(scratch).map_err(failed("make"))?;
        let bucket_bits = (n_max / KEYS_OF_A_BUCKET).max(1).ilog2().min(BUCKET_BITS_MAX);
        let starts = Vec::with_capacity((1 << bucket_bits) + 1);
        let run = Run { file, n: 0, bucket_bits, starts, of: PhantomData };
        Ok(Writer {
            out: BufWriter::with_capacity(WRITE_BYTES, run.file.try_clone().map_err(failed("make"))?),
            run,
        })
    }

    /// Different keys.
    pub(super) fn n(&self) -> u64 {
        self.n
    }

    /// What is known of a key.
    pub(super) fn get(&self, key: Key) -> Result<Option<V>, EtlError> {
        let bucket = bucket_of(key, self.bucket_bits);
        let (from, to) = (self.starts[bucket], self.starts[bucket + 1]);
        let bytes = self.entries(from, to - from)?;
        let (mut low, mut high) = (0, (to - from) as usize);
        while low < high {
            let middle = low + (high - low) / 2;
            let (found, value) = Self::entry(&bytes, middle);
            match found.cmp(&key) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Equal => return Ok(Some(value)),
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        Ok(None)
    }

    fn entries(&self, from: u64, n: u64) -> Result<Vec<u8>, EtlError> {
        let mut bytes = vec![0; n as usize * Self::ENTRY_BYTES];
        self.file.read_exact_at(&mut bytes, from * Self::ENTRY_BYTES as u64).map_err(failed("read"))?;
        Ok(bytes)
    }

    fn entry(bytes: &[u8], number: usize) -> (Key, V) {
        let entry = &bytes[number * Self::ENTRY_BYTES..][..Self::ENTRY_BYTES];
        let half = |at: usize| entry[at..].first_chunk().map_or(0, |half| u64::from_le_bytes(*half));
        ([half(0), half(8)], V::read(&entry[KEY_BYTES..]))
    }

    /// All keys in order.
    pub(super) fn read(&self) -> Reader<'_, V> {
        Reader { run: self, n_read: 0, bytes: Vec::new(), at: 0, n: 0 }
    }
}

/// A file that is being written.
pub(super) struct Writer<V> {
    out: BufWriter<File>,
    run: Run<V>,
}

impl<V: Known> Writer<V> {
    /// Adds a key that is greater than all before.
    pub(super) fn push(&mut self, key: Key, value: V) -> Result<(), EtlError> {
        let bucket = bucket_of(key, self.run.bucket_bits);
        while self.run.starts.len() <= bucket {
            self.run.starts.push(self.run.n);
        }
        self.run.n += 1;
        let mut entry = [0; KEY_BYTES + VALUE_BYTES_MAX];
        entry[..8].copy_from_slice(&key[0].to_le_bytes());
        entry[8..KEY_BYTES].copy_from_slice(&key[1].to_le_bytes());
        value.write(&mut entry[KEY_BYTES..][..V::BYTES]);
        self.out.write_all(&entry[..Run::<V>::ENTRY_BYTES]).map_err(failed("write"))
    }

    /// Ends the file.
    pub(super) fn finish(mut self) -> Result<Run<V>, EtlError> {
        self.out.flush().map_err(failed("write"))?;
        let mut run = self.run;
        run.starts.resize((1 << run.bucket_bits) + 1, run.n);
        Ok(run)
    }
}

/// Reads a file from its beginning to its end.
pub(super) struct Reader<'a, V> {
    run: &'a Run<V>,
    n_read: u64,
    bytes: Vec<u8>,
    at: usize,
    n: usize,
}

impl<V: Known> Iterator for Reader<'_, V> {
    type Item = Result<(Key, V), EtlError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.at == self.n {
            let n = (self.run.n - self.n_read).min(READ_ENTRIES as u64);
            if n == 0 {
                return None;
            }
            match self.run.entries(self.n_read, n) {
                Ok(bytes) => self.bytes = bytes,
                Err(error) => {
                    self.n_read = self.run.n;
                    return Some(Err(error));
                }
            }
            self.n_read += n;
            (self.at, self.n) = (0, n as usize);
        }
        self.at += 1;
        Some(Ok(Run::<V>::entry(&self.bytes, self.at - 1)))
    }
}

/// One file of several, with the keys of all.
pub(super) fn merged<'a, V: Known>(
    scratch: &Path,
    runs: impl Iterator<Item = &'a Run<V>>,
) -> Result<Run<V>, EtlError> {
    let mut n_max = 0;
    let mut readers = Vec::new();
    for run in runs {
        n_max += run.n;
        readers.push(run.read().peekable());
    }
    let mut out = Run::writer(scratch, n_max)?;
    let part_bits = (n_max / MERGE_KEYS).max(1).ilog2();
    let mut part: Vec<(Key, V)> = Vec::new();
    for number in 0..1_usize << part_bits {
        part.clear();
        for reader in &mut readers {
            let is_here = |entry: &Result<(Key, V), EtlError>| {
                entry.as_ref().map_or(true, |(key, _)| bucket_of(*key, part_bits) <= number)
            };
            while let Some(entry) = reader.next_if(is_here) {
                part.push(entry?);
            }
        }
        // A stable sort takes the pieces that are in order as they are, and merges them.
        part.sort_by_key(|(key, _)| *key);
        let mut entries = part.iter().copied();
        let Some(mut last) = entries.next() else { continue };
        for (key, value) in entries {
            if key == last.0 {
                last.1.merge(value);
            } else {
                out.push(last.0, last.1)?;
                last = (key, value);
            }
        }
        out.push(last.0, last.1)?;
    }
    out.finish()
}
