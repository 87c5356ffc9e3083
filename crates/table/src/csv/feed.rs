//! A thread that reads, unpacks and decodes a file, block by block, ahead of the reader.

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use crate::TableError;
use crate::csv::encoding::Transcoder;
use crate::csv::{Encoding, Options, unpack};

/// Room before the text of a block, for the beginning of a record whose end is in it.
pub(crate) const HEAD_BYTES: usize = 64 << 10;
/// Zeros behind the text: 64 bytes can be looked at from any position of it.
pub(crate) const PAD_BYTES: usize = 64;
/// Of the file's bytes, so many are looked at to tell its encoding.
const START_BYTES: usize = 1 << 10;
/// Blocks that wait for the reader.
const BLOCKS_AHEAD: usize = 2;

/// Some text: `bytes[HEAD_BYTES..end]`, with [`PAD_BYTES`] zeros behind it.
pub(crate) struct Block {
    pub(crate) bytes: Vec<u8>,
    pub(crate) end: usize,
    /// Bytes of the file before the text that are no text: a byte order mark.
    pub(crate) n_mark: usize,
}

/// The blocks of a file.
pub(crate) struct Feed {
    blocks: Receiver<Result<Block, TableError>>,
    spare: SyncSender<Vec<u8>>,
    n_bytes: Arc<AtomicU64>,
    n_reported: u64,
    thread: Option<JoinHandle<()>>,
}

impl Feed {
    pub(crate) fn start(stream: Box<dyn Read + Send>, options: &Options) -> Result<Feed, TableError> {
        let (stream, n_bytes) =
            unpack::unpacked(stream, options.compression, &options.limits).map_err(|error| match error {
                TableError::Io(error) => unpack::error_of(error),
                other => other,
            })?;
        let (full, blocks) = sync_channel(BLOCKS_AHEAD);
        let (spare, empty) = sync_channel(BLOCKS_AHEAD + 1);
        let source = Source {
            stream,
            encoding: options.encoding,
            block_bytes: options.limits.block_bytes,
            empty,
            raw: Vec::new(),
            transcoder: None,
            is_first: true,
            is_ended: false,
        };
        let work = move || {
            let mut source = source;
            loop {
                let next = source.block().transpose();
                let is_last = !matches!(next, Some(Ok(_)));
                // Nobody listens any more: the reader was dropped.
                if next.is_some_and(|next| full.send(next).is_err()) || is_last {
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new().name("csv-feed".to_owned()).spawn(work)?;
        Ok(Feed { blocks, spare, n_bytes, n_reported: 0, thread: Some(thread) })
    }

    /// The next block; `None` at the end of the file.
    pub(crate) fn next(&mut self) -> Result<Option<Block>, TableError> {
        if let Ok(next) = self.blocks.recv() {
            return next.map(Some);
        }
        // A thread that panicked has not come to the end: the rest of the file would be lost.
        match self.thread.take().map(JoinHandle::join) {
            Some(Err(_)) => Err(TableError::Io(std::io::Error::other("the reader of the file panicked"))),
            _ => Ok(None),
        }
    }

    /// A block's memory, to be used again.
    pub(crate) fn give_back(&self, bytes: Vec<u8>) {
        // When all places are taken there is enough already.
        let _ = self.spare.try_send(bytes);
    }

    /// Bytes of the file that were read since the last call.
    pub(crate) fn consumed(&mut self) -> u64 {
        let n_bytes = self.n_bytes.load(Ordering::Relaxed);
        n_bytes - std::mem::replace(&mut self.n_reported, n_bytes)
    }
}

/// The thread's side.
struct Source {
    stream: Box<dyn Read + Send>,
    encoding: Encoding,
    block_bytes: usize,
    empty: Receiver<Vec<u8>>,
    raw: Vec<u8>,
    transcoder: Option<Transcoder>,
    is_first: bool,
    is_ended: bool,
}

impl Source {
    fn block(&mut self) -> Result<Option<Block>, TableError> {
        if self.is_ended {
            return Ok(None);
        }
        let mut bytes = self.empty.try_recv().unwrap_or_default();
        bytes.resize(HEAD_BYTES + self.block_bytes + PAD_BYTES, 0);
        let end = HEAD_BYTES + self.block_bytes;
        let n = read_full(&mut *self.stream, &mut bytes[HEAD_BYTES..end]).map_err(unpack::error_of)?;
        let mut n_mark = 0;
        if std::mem::take(&mut self.is_first) {
            let start = &bytes[HEAD_BYTES..HEAD_BYTES + n.min(START_BYTES)];
            (self.transcoder, n_mark) =
                Transcoder::of(self.encoding, start).map_err(TableError::Malformed)?;
        }
        self.is_ended = n < self.block_bytes;
        let end = match &mut self.transcoder {
            None => {
                bytes.copy_within(HEAD_BYTES + n_mark..HEAD_BYTES + n, HEAD_BYTES);
                HEAD_BYTES + n - n_mark
            }
            Some(transcoder) => {
                self.raw.clear();
                self.raw.extend_from_slice(&bytes[HEAD_BYTES + n_mark..HEAD_BYTES + n]);
                bytes.truncate(HEAD_BYTES);
                transcoder.decode(&self.raw, &mut bytes, self.is_ended);
                bytes.len()
            }
        };
        if end == HEAD_BYTES && n_mark == 0 {
            return Ok(None);
        }
        bytes.resize(bytes.len().max(end + PAD_BYTES), 0);
        bytes[end..end + PAD_BYTES].fill(0);
        Ok(Some(Block { bytes, end, n_mark }))
    }
}

/// Reads until the buffer is full or the stream ends.
fn read_full(stream: &mut dyn Read, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match stream.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives some text, and panics then.
    struct Breaks(bool);

    impl Read for Breaks {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            assert!(!std::mem::replace(&mut self.0, true), "as the test wants");
            buffer[..4].copy_from_slice(b"a,b\n");
            Ok(4)
        }
    }

    #[test]
    fn a_reader_that_panics_is_an_error_and_not_the_end() {
        let mut feed = Feed::start(Box::new(Breaks(false)), &Options::default()).unwrap();
        let said = feed.next().map(|block| block.is_some()).unwrap_err().to_string();
        assert!(said.contains("panicked"), "{said}");
    }
}
