//! Packed files: recognised by their first bytes, unpacked as a stream, with a guard against files that unpack to far too much.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::read::MultiGzDecoder;

use crate::TableError;
use crate::csv::{Compression, Limits};

/// Before this much was unpacked, the ratio says nothing: a small file may repeat itself.
const RATIO_FROM_BYTES: u64 = 64 << 20;

/// A stream that counts the bytes that are taken from it.
struct Counted<R> {
    inner: R,
    n_bytes: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.n_bytes.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }
}

/// The unpacked stream, and the count of packed bytes that were taken.
pub(crate) fn unpacked(
    mut stream: Box<dyn Read + Send>,
    compression: Compression,
    limits: &Limits,
) -> Result<(Box<dyn Read + Send>, Arc<AtomicU64>), TableError> {
    let n_bytes = Arc::new(AtomicU64::new(0));
    let mut start = Vec::new();
    if compression == Compression::Detect {
        stream.by_ref().take(4).read_to_end(&mut start)?;
    }
    let found = match (compression, start.as_slice()) {
        (Compression::Detect, [0x1F, 0x8B, ..]) => Compression::Gzip,
        (Compression::Detect, [0x28, 0xB5, 0x2F, 0xFD]) => Compression::Zstd,
        (Compression::Detect, [b'P', b'K', 3, 4]) => {
            return Err(TableError::Malformed(
                "the file is a zip archive: unpack it, or pack it with gzip or zstd".to_owned(),
            ));
        }
        (other, _) => other,
    };
    let inner = Counted { inner: io::Cursor::new(start).chain(stream), n_bytes: n_bytes.clone() };
    let guard = |inner: Box<dyn Read + Send>| -> Box<dyn Read + Send> {
        Box::new(Guard { inner, packed: n_bytes.clone(), n_bytes: 0, limits: limits.clone() })
    };
    let unpacked = match found {
        Compression::Gzip => {
            guard(Box::new(MultiGzDecoder::new(io::BufReader::with_capacity(256 << 10, inner))))
        }
        Compression::Zstd => guard(Box::new(zstd::stream::read::Decoder::new(inner)?)),
        Compression::None | Compression::Detect => Box::new(inner),
    };
    Ok((unpacked, n_bytes))
}

/// A limit that was reached, on its way through `io::Error`.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Reached(String);

/// The error of a stream as one of ours.
pub(crate) fn error_of(error: io::Error) -> TableError {
    if let Some(Reached(why)) = error.get_ref().and_then(|inner| inner.downcast_ref()) {
        return TableError::Limit(why.clone());
    }
    match error.kind() {
        io::ErrorKind::UnexpectedEof => {
            TableError::Malformed("the packed file ends too early: copy it again".to_owned())
        }
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => {
            TableError::Malformed(format!("the file cannot be unpacked: {error}"))
        }
        _ => TableError::Io(error),
    }
}

struct Guard {
    inner: Box<dyn Read + Send>,
    packed: Arc<AtomicU64>,
    n_bytes: u64,
    limits: Limits,
}

impl Read for Guard {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.n_bytes += n as u64;
        let Limits { unpacked_bytes_max, unpacked_ratio_max, .. } = self.limits;
        if self.n_bytes > unpacked_bytes_max {
            return Err(io::Error::other(Reached(format!(
                "the file unpacks to more than {unpacked_bytes_max} bytes: raise `unpacked_bytes_max` if that is right"
            ))));
        }
        let packed = self.packed.load(Ordering::Relaxed).max(1);
        if self.n_bytes > RATIO_FROM_BYTES && self.n_bytes / packed > unpacked_ratio_max {
            return Err(io::Error::other(Reached(format!(
                "a byte of the packed file became more than {unpacked_ratio_max} bytes: raise `unpacked_ratio_max` if that is right"
            ))));
        }
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn read(packed: &[u8], limits: &Limits) -> Result<Vec<u8>, TableError> {
        let (mut stream, n_bytes) =
            unpacked(Box::new(io::Cursor::new(packed.to_vec())), Compression::Detect, limits)?;
        let mut text = Vec::new();
        stream.read_to_end(&mut text).map_err(error_of)?;
        assert_eq!(n_bytes.load(Ordering::Relaxed), packed.len() as u64);
        Ok(text)
    }

    #[test]
    fn files_are_unpacked_by_their_first_bytes() {
        let limits = Limits::default();
        let two_members = [gzip(b"a,b\n"), gzip(b"1,2\n")].concat();
        let two_frames =
            [zstd::encode_all(&b"a,b\n"[..], 1).unwrap(), zstd::encode_all(&b"1,2\n"[..], 1).unwrap()]
                .concat();
        for packed in [b"a,b\n1,2\n".to_vec(), two_members, two_frames] {
            assert_eq!(read(&packed, &limits).unwrap(), b"a,b\n1,2\n");
        }
        assert_eq!(read(b"a", &limits).unwrap(), b"a");
        assert!(read(b"PK\x03\x04....", &limits).unwrap_err().to_string().contains("zip archive"));
        let mut cut = gzip(&[7; 100_000]);
        cut.truncate(cut.len() / 2);
        assert!(read(&cut, &limits).unwrap_err().to_string().contains("ends too early"));
    }

    #[test]
    fn a_file_that_unpacks_to_far_too_much_is_an_error() {
        let bomb = zstd::encode_all(vec![b'0'; 80 << 20].as_slice(), 1).unwrap();
        let read = |bomb: &[u8], limits: &Limits| read(bomb, limits).map(|text| text.len());
        let error = read(&bomb, &Limits::default()).unwrap_err();
        assert!(error.to_string().contains("unpacked_ratio_max"), "{error}");
        let limits =
            Limits { unpacked_ratio_max: 100_000, unpacked_bytes_max: 70 << 20, ..Limits::default() };
        assert!(read(&bomb, &limits).unwrap_err().to_string().contains("unpacked_bytes_max"));
    }
}
