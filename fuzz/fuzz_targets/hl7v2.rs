//! What the HL7 v2 parser takes, it prints and takes again, the same; files and frames are read the same whole and in pieces.
#![no_main]

use hl7v2::files::{Split, Splitter, split_messages};
use hl7v2::groups::Groups;
use hl7v2::mllp::{Decoder, Event, Found};
use hl7v2::rows::{Column, Projection};
use hl7v2::{Limits, Message, Timestamp};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u8, &[u8])| {
    let (n_bytes, bytes) = (usize::from(input.0).max(1), input.1);
    message(bytes);
    let whole = split_messages(bytes);
    assert!(pieces(bytes, n_bytes) == whole, "pieces of a file differ from the whole");
    assert!(
        frames(bytes, n_bytes) == frames(bytes, bytes.len().max(1)),
        "pieces of a stream differ from the whole"
    );
});

fn message(bytes: &[u8]) {
    let Ok(message) = Message::parse(bytes, &Limits::default()) else { return };
    let printed = message.to_bytes().expect("what was read can be written");
    let again = Message::parse(&printed, &Limits::default()).expect("what was written is a message");
    assert!(again.as_text() == message.as_text(), "it came back changed");
    Groups::of(&message);
    let columns = ["PID-3", "OBR(2)-4.1.2", "NTE-3", "OBX-5"].map(|path| Column::new(path, path).joined(" "));
    if let Ok(projection) = Projection::new(columns.to_vec(), Some("OBR")) {
        projection.rows(&message);
    }
    if let Some(Ok(at)) = message.get("PID-7").ok().and_then(|value| value.text().map(Timestamp::parse)) {
        assert!(Timestamp::parse(&at.to_hl7()) == Ok(at), "a time came back changed");
    }
}

fn pieces(bytes: &[u8], n_bytes: usize) -> Split<'static> {
    let mut splitter = Splitter::new(usize::MAX);
    let mut all = Split::default();
    for piece in bytes.chunks(n_bytes) {
        let split = splitter.push(piece);
        all.messages.extend(split.messages);
        all.issues.extend(split.issues);
    }
    let split = splitter.finish();
    all.messages.extend(split.messages);
    all.issues.extend(split.issues);
    all
}

/// Without the bytes outside of frames, which come as they are pushed.
fn frames(bytes: &[u8], n_bytes: usize) -> Vec<Event> {
    let mut decoder = Decoder::new(64);
    let mut events: Vec<Event> = bytes.chunks(n_bytes).flat_map(|piece| decoder.push(piece)).collect();
    events.extend(decoder.finish());
    events.retain(|event| !matches!(event.found, Found::Outside(_)));
    events
}
