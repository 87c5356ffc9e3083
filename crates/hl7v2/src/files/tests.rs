//! Splitting files, whole and piece by piece.

use super::*;
use proptest::prelude::*;

/// Messages and issues of a file, whole and in pieces of each length. `<` and `>` stand for VT and FS.
fn check(file: &str, expected: &[&str]) {
    let bytes = file.replace('<', "\u{b}").replace('>', "\u{1c}").into_bytes();
    assert_eq!(shown(&split_messages(&bytes)), expected, "{file:?}");
    for n_bytes in 1..=bytes.len().max(1) {
        assert_eq!(shown(&pieces(&bytes, n_bytes, 1000)), expected, "{file:?} by {n_bytes}");
    }
}

fn pieces(bytes: &[u8], n_bytes: usize, max: usize) -> Split<'static> {
    let mut splitter = Splitter::new(max);
    let mut all = Split::default();
    for piece in bytes.chunks(n_bytes) {
        let split = splitter.push(piece);
        all.messages.extend(split.messages);
        all.issues.extend(split.issues);
        assert!(splitter.buffer.len() <= max + n_bytes + 16, "{} bytes are kept", splitter.buffer.len());
    }
    let split = splitter.finish();
    all.messages.extend(split.messages);
    all.issues.extend(split.issues);
    all
}

fn shown(split: &Split<'_>) -> Vec<String> {
    let messages = split.messages.iter().map(|message| {
        let text = String::from_utf8_lossy(&message.bytes).replace('\r', ".").replace('\n', ",");
        let batch = message.batch.map(|batch| format!(" batch {batch}")).unwrap_or_default();
        format!("{}:{}{batch} {text}", message.line, message.offset)
    });
    messages.chain(split.issues.iter().map(ToString::to_string)).collect()
}

#[test]
fn messages_in_a_row() {
    check("MSH|a\rPID|1\rMSH|b\r", &["1:0 MSH|a.PID|1", "3:12 MSH|b"]);
    check("MSH|a\r\nPID|1\r\n\r\nMSH|b", &["1:0 MSH|a.,PID|1", "4:16 MSH|b"]);
    check("\n\nMSH|a\n\nPID|1\n\n", &["3:2 MSH|a,,PID|1"]);
    check("\u{feff}MSH|a\rPID|1", &["1:0 \u{feff}MSH|a.PID|1"]);
    check("", &[]);
    check("\r\n\r\n", &[]);
}

#[test]
fn captured_frames() {
    check("<MSH|a\rPID|1\r>\r<MSH|b\r>\r", &["1:1 MSH|a.PID|1", "4:16 MSH|b"]);
    check("<MSH|a>\n<MSH|b>\n", &["1:1 MSH|a", "2:9 MSH|b"]);
}

#[test]
fn one_message_per_line() {
    check(
        "MSH|a\\rPID|1\\r\nMSH|b\\r\\nPID|x\\run\\rZ12|\\r\\n\nMSH|c\\r",
        &["1:0 MSH|a.PID|1.", "2:15 MSH|b.PID|x\\run.Z12|.", "3:44 MSH|c\\r"],
    );
}

#[test]
fn segments_have_their_places() {
    let check = |file: &str, expected: &[(u64, u64)]| {
        let split = split_messages(file.as_bytes());
        let places: Vec<(u64, u64)> = split.messages.iter().flat_map(FileMessage::segment_places).collect();
        assert_eq!(places, expected, "{file:?}");
    };
    check("MSH|a\rPID|1\rPV1\r", &[(1, 0), (2, 6), (3, 12)]);
    check("\nMSH|a\nPID|1\nPV1", &[(2, 1), (3, 7), (4, 13)]);
    check("MSH|a\r\nPID|1\r\nPV1\r\nMSH|b\r\nPID", &[(1, 0), (2, 7), (3, 14), (4, 19), (5, 26)]);
    check("MSH|a\r\r\nPID|1\n\nPV1", &[(1, 0), (3, 8), (5, 15)]);
    check("x\nMSH|a\\rPID|1\\r\\nPV1|\\r\n", &[(2, 2), (2, 9), (2, 18)]);
}

#[test]
fn batches_are_counted() {
    check(
        "FHS|^~\\&\rBHS|^~\\&\rMSH|a\rMSH|b\rBTS|2\rBHS|^~\\&\rMSH|c\rBTS|\rFTS|2\r",
        &["3:18 batch 1 MSH|a", "4:24 batch 1 MSH|b", "7:45 batch 2 MSH|c"],
    );
    check(
        "FHS|^~\\&\rBHS|^~\\&\rMSH|a\rBTS|2\rFTS|two\r",
        &[
            "3:18 batch 1 MSH|a",
            "line 4, byte 24: the batch's trailer says 2 messages, there are 1",
            "line 5, byte 30: the count in field 1 of `FTS` is no number",
        ],
    );
    check(
        "FHS|^~\\&\rBHS|^~\\&\rMSH|a\r",
        &[
            "3:18 batch 1 MSH|a",
            "line 2, byte 9: `BHS` has no `BTS`: the file may be cut off",
            "line 1, byte 0: `FHS` has no `FTS`: the file may be cut off",
        ],
    );
    check(
        "MSH|a\rBTS|1\rFTS",
        &[
            "1:0 MSH|a",
            "line 2, byte 6: `BTS` has no `BHS` before it",
            "line 3, byte 12: `FTS` has no `FHS` before it",
        ],
    );
    check(
        "FHS|^\rBHS|^\rBHS|^\rBTS|0\rFTS|3",
        &[
            "line 2, byte 6: `BHS` has no `BTS`: the file may be cut off",
            "line 5, byte 24: the file's trailer says 3 batches, there are 2",
        ],
    );
}

#[test]
fn what_is_of_no_message_is_told() {
    check(
        "name,birth\nDoe,1970\nMSH|a\n",
        &[
            "3:20 MSH|a",
            "line 1, byte 0: 2 lines (18 bytes) belong to no message: none begins with `MSH` before them",
        ],
    );
    check(
        "BHS|^\rMSH|a\rBTS|1\rPID|1",
        &[
            "2:6 batch 1 MSH|a",
            "line 4, byte 18: 1 lines (5 bytes) belong to no message: none begins with `MSH` before them",
        ],
    );
}

#[test]
fn what_is_too_long_is_left_out_and_not_kept() {
    let long = "x".repeat(200);
    for file in [format!("MSH|a\rPID|{long}\rMSH|b\r"), format!("MSH|{long}\rP\rMSH|b\r")] {
        for n_bytes in [1, 7, 500] {
            let shown = shown(&pieces(file.as_bytes(), n_bytes, 50));
            let n_long = file.find("\rMSH|b").unwrap();
            let issue = format!(
                "line 1, byte 0: the message has {n_long} bytes, more than `message_bytes_max`, 50, and is left out"
            );
            assert_eq!(shown, [format!("3:{} MSH|b", n_long + 1), issue], "by {n_bytes}");
        }
    }
    let outside = pieces(format!("{long}\rBTS|{long}").as_bytes(), 3, 50);
    let n_bytes = |issue: &Issue| match issue.problem {
        FileProblem::Outside { n_bytes, .. } => n_bytes,
        _ => 0,
    };
    assert_eq!(outside.issues.iter().map(n_bytes).collect::<Vec<_>>(), [200, 204]);
}

#[test]
fn contents_do_not_print() {
    let split = split_messages(b"MSH|DOE^JANE");
    assert_eq!(format!("{:?}", split.messages), "[FileMessage(line 1, 12 bytes)]");
}

proptest! {
    #[test]
    fn pieces_find_what_the_whole_finds(file in r"(MSH\||PID\||BHS\||BTS\||FHS\||FTS\||1|2|x|\r|\n|\r\n|\\r|\x0b|\x1c){0,40}", n_bytes in 1usize..9) {
        let whole = split_messages(file.as_bytes());
        prop_assert_eq!(shown(&pieces(file.as_bytes(), n_bytes, 1000)), shown(&whole));
        for message in &whole.messages {
            for ((line, offset), segment) in message.segment_places().into_iter().zip(message.bytes.split(|byte| matches!(byte, b'\r' | b'\n')).filter(|segment| !segment.is_empty())) {
                let at = usize::try_from(offset).unwrap();
                prop_assert!(file.as_bytes()[at..].starts_with(segment));
                let before = &file.as_bytes()[..at];
                let n_ends = before.iter().filter(|byte| matches!(byte, b'\r' | b'\n')).count() - before.windows(2).filter(|pair| pair == b"\r\n").count();
                prop_assert_eq!(line, as_u64(n_ends) + 1);
            }
        }
    }

    #[test]
    fn arbitrary_bytes_have_an_answer(bytes in proptest::collection::vec(any::<u8>(), 0..300), max in 0usize..40) {
        pieces(&bytes, 7, max);
        split_messages(&bytes);
    }
}
