//! Reads a packed file within bounds: a small file that expands without end is an error, not a full memory.

use std::io::{self, BufReader, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::limits::SourceLimits;
use super::walk::Packing;

/// Counts what is taken from a reader.
pub(crate) struct Counted<R> {
    inner: R,
    taken: Arc<AtomicU64>,
}

impl<R: Read> Counted<R> {
    pub(crate) fn new(inner: R, taken: Arc<AtomicU64>) -> Self {
        Counted { inner, taken }
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.taken.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }
}

/// The unpacked content of a packed reader, bounded by the ratio of the limits.
pub(crate) fn expand<'a, R: Read + 'a>(
    packed: R,
    packing: Packing,
    limits: &SourceLimits,
) -> io::Result<Box<dyn Read + 'a>> {
    let taken = Arc::new(AtomicU64::new(0));
    let packed = Counted::new(packed, Arc::clone(&taken));
    let (name, content): (_, Box<dyn Read + 'a>) = match packing {
        Packing::Plain => return Ok(Box::new(packed)),
        Packing::Gzip => (
            "gzip",
            Box::new(flate2::bufread::MultiGzDecoder::new(BufReader::with_capacity(64 * 1024, packed))),
        ),
        Packing::Zstd => ("zstd", Box::new(zstd::stream::read::Decoder::new(packed)?)),
    };
    Ok(Box::new(Bounded {
        name,
        content,
        taken,
        given: 0,
        free: limits.expanded_bytes_free,
        ratio_max: limits.expansion_ratio_max,
    }))
}

struct Bounded<R> {
    /// What the content is packed with.
    name: &'static str,
    content: R,
    taken: Arc<AtomicU64>,
    given: u64,
    free: u64,
    ratio_max: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.content.read(buffer).map_err(|error| named(self.name, error))?;
        self.given += n as u64;
        let allowed = self.taken.load(Ordering::Relaxed).saturating_mul(self.ratio_max).max(self.free);
        if self.given > allowed {
            return Err(io::Error::new(
                io::ErrorKind::FileTooLarge,
                format!(
                    "it expands to more than {} times its size, which no health data does: not read any further",
                    self.ratio_max
                ),
            ));
        }
        Ok(n)
    }
}

/// What the unpacker says is not for people by itself; an end too early has words of its own.
fn named(name: &str, error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::UnexpectedEof | io::ErrorKind::Interrupted => error,
        kind => io::Error::new(
            kind,
            format!("it cannot be unpacked as {name}: {}", error.to_string().to_lowercase()),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(packed: &[u8], packing: Packing, limits: &SourceLimits) -> io::Result<usize> {
        let mut reader = expand(packed, packing, limits)?;
        let mut buffer = vec![0; 65_536];
        let mut total = 0;
        loop {
            match reader.read(&mut buffer)? {
                0 => return Ok(total),
                n => total += n,
            }
        }
    }

    #[test]
    fn a_bomb_is_an_error_and_honest_data_is_not() {
        let limits = SourceLimits { expanded_bytes_free: 1 << 20, ..SourceLimits::default() };
        let bomb = zstd::bulk::compress(&vec![0; 32 << 20], 3).unwrap();
        let error = check(&bomb, Packing::Zstd, &limits).unwrap_err();
        assert!(error.to_string().contains("500 times"), "{error}");

        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        io::Write::write_all(&mut gzip, &vec![0; 32 << 20]).unwrap();
        assert!(check(&gzip.finish().unwrap(), Packing::Gzip, &limits).is_err());

        let text: Vec<u8> = (0..200_000u32).flat_map(|i| format!("{{\"n\":{i}}}\n").into_bytes()).collect();
        let honest = zstd::bulk::compress(&text, 3).unwrap();
        assert_eq!(check(&honest, Packing::Zstd, &limits).unwrap(), text.len());
    }

    #[test]
    fn what_is_not_packed_at_all_is_said() {
        for (packing, name) in [(Packing::Zstd, "zstd"), (Packing::Gzip, "gzip")] {
            let error =
                check(b"this is plain text, not packed", packing, &SourceLimits::default()).unwrap_err();
            assert!(error.to_string().starts_with(&format!("it cannot be unpacked as {name}: ")), "{error}");
        }
    }

    #[test]
    fn a_file_cut_short_is_an_error() {
        let text: Vec<u8> = (0..50_000u32).flat_map(u32::to_le_bytes).collect();
        let whole = zstd::bulk::compress(&text, 3).unwrap();
        assert!(check(&whole[..whole.len() / 2], Packing::Zstd, &SourceLimits::default()).is_err());
    }
}
