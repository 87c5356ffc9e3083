//! No file breaks the reader of delimited text; the fast way and the slow way find the same records; places begin lines. The first
//! bytes choose the block size and the types.
#![no_main]

use libfuzzer_sys::fuzz_target;
use table::csv::{Dialect, Limits, Options, Wanted, open};
use table::{OnError, Reading, Type};

const KINDS: [Type; 7] = [
    Type::Text,
    Type::Integer,
    Type::Decimal { precision: 9, scale: 2 },
    Type::Number,
    Type::Date,
    Type::Instant,
    Type::Boolean,
];

/// Lines and offsets of rows and rejects.
fn places(bytes: &[u8], block_bytes: usize, kind: Type, comment: Option<u8>) -> Option<Vec<(u64, u64, bool)>> {
    let limits = Limits { block_bytes, batch_rows: 5, record_bytes_max: 1_024, ..Limits::default() };
    let dialect = Dialect { comment, ..Dialect::default() };
    let options = Options { dialect, limits, compression: table::csv::Compression::None, ..Options::default() };
    let opened = open(Box::new(std::io::Cursor::new(bytes.to_vec())), options).ok()?;
    let wanted = (0..opened.names().len()).map(|at| {
        let kind = if at == 0 { kind } else { Type::Text };
        Wanted { name: format!("c{at}").into(), at, reading: Reading { on_error: OnError::Quarantine, ..Reading::new(kind) } }
    });
    let wanted = wanted.collect();
    let mut places = Vec::new();
    for piece in opened.read(0, wanted) {
        let piece = piece.ok()?;
        if let Some(batch) = &piece.batch {
            let rows = (0..batch.n_rows()).map(|row| batch.place(row));
            places.extend(rows.map(|place| (place.line, place.offset.expect("a file has offsets"), true)));
        }
        let rejects = piece.rejects.iter().map(|reject| reject.place);
        places.extend(rejects.map(|place| (place.line, place.offset.expect("a file has offsets"), false)));
    }
    places.sort_unstable();
    Some(places)
}

fuzz_target!(|input: (u8, u8, &[u8])| {
    let (block, kind, bytes) = input;
    let kind = KINDS[usize::from(kind) % KINDS.len()];
    let Some(fast) = places(bytes, usize::from(block) + 1, kind, None) else { return };
    for (_, offset, _) in &fast {
        assert!(*offset == 0 || *offset == 3 || bytes[*offset as usize - 1] == b'\n', "a record begins inside of a line");
    }
    if !bytes.contains(&1) {
        let slow = places(bytes, 4_096, kind, Some(1)).expect("it was read before");
        assert_eq!(fast, slow, "the fast way and the slow way differ");
    }
});
