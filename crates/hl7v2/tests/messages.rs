//! The 70 shared messages: all are parsed and printed again, and hold what `messages.tsv` says.
//!
//! The table was made by splitting the files at their delimiters, without this crate. `values` counts the subcomponents that are not empty.

#![allow(clippy::unwrap_used, reason = "helpers of a test")]

use hl7v2::files::{Splitter, split_messages};
use hl7v2::groups::Groups;
use hl7v2::rows::{Column, Projection};
use hl7v2::{Limits, Message, Timestamp, Value};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// File name and bytes of every message, or nothing when the data is not there.
fn files() -> Option<BTreeMap<String, Vec<u8>>> {
    let folder: PathBuf = testkit::shared_data("hl7v2-messages.tar.zst")?.join("messages");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| {
        let entry = entry.unwrap();
        (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap())
    });
    Some(files.collect())
}

fn parse(bytes: &[u8]) -> Message {
    Message::parse(bytes, &Limits::default()).unwrap()
}

fn n_values(message: &Message) -> usize {
    let fields = message.all_segments().flat_map(|segment| {
        segment.fields().skip(if segment.id() == "MSH" { 2 } else { 0 }).collect::<Vec<_>>()
    });
    let components = fields.flat_map(|field| {
        field.repetitions().flat_map(|repetition| repetition.components()).collect::<Vec<_>>()
    });
    components.map(|component| component.subcomponents().filter(Value::is_given).count()).sum()
}

#[test]
fn all_hold_what_the_table_says() {
    let Some(files) = files() else { return };
    assert_eq!(files.len(), 70);
    let table = include_str!("messages.tsv");
    let mut n_lines = 0;
    for line in table.lines().skip(1) {
        n_lines += 1;
        let name = line.split('\t').next().unwrap();
        let message = parse(&files[name]);
        let kind = [message.code(), message.trigger(), message.structure()].into_iter().flatten();
        let text = |path: &str| message.get(path).unwrap().text().unwrap_or("-").to_owned();
        let found = [
            name.to_owned(),
            kind.collect::<Vec<_>>().join("^"),
            message.version().unwrap().into_owned(),
            message.n_segments().to_string(),
            message.segments("OBX").count().to_string(),
            n_values(&message).to_string(),
            text("PID-3"),
            text("PID-5.1"),
            text("PID-7"),
        ];
        assert_eq!(found.join("\t"), line);
    }
    assert_eq!(n_lines, files.len());
}

#[test]
fn all_are_printed_as_they_came() {
    let Some(files) = files() else { return };
    for (name, bytes) in files {
        let text = String::from_utf8(bytes.clone()).unwrap();
        let lines: Vec<&str> =
            text.trim_start_matches('\u{feff}').split(['\r', '\n']).filter(|line| !line.is_empty()).collect();
        let message = parse(&bytes);
        assert_eq!(message.as_text(), lines.join("\r") + "\r", "{name}");
        assert_eq!(parse(&message.to_bytes().unwrap()), message, "{name}");
        let ack = message.ack(hl7v2::ack::AckCode::ApplicationAccept, None, None, || "1".into()).unwrap();
        assert_eq!(ack.get("MSA-2").unwrap(), message.get("MSH-10").unwrap(), "{name}");
        assert_eq!(ack.receiving_application(), message.sending_application(), "{name}");
    }
}

#[test]
fn escapes_of_the_messages_are_read() {
    let Some(files) = files() else { return };
    let message = parse(&files["OUL-R24-02.hl7"]);
    let link = message
        .segments("OBX")
        .map(|segment| segment.field(5).value())
        .find_map(|value| value.text().filter(|text| text.starts_with("http")).map(str::to_owned))
        .unwrap();
    assert!(link.contains("ContainerType=CaseView&ContainerID=0&SlideID="), "{link}");
    let n_ampersands: usize = files
        .values()
        .map(|bytes| {
            let text = String::from_utf8_lossy(bytes).into_owned();
            let message = parse(bytes);
            let values = message.segments("OBX").map(|segment| segment.field(5).value());
            let read: usize = values.map(|value| value.text().unwrap_or_default().matches('&').count()).sum();
            let written: usize = text
                .split(['\r', '\n'])
                .filter(|line| line.starts_with("OBX|"))
                .map(|line| line.split('|').nth(5).unwrap_or_default().matches(r"\T\").count())
                .sum();
            assert_eq!(read, written);
            read
        })
        .sum();
    assert!(n_ampersands > 10, "{n_ampersands}");
}

#[test]
fn most_times_are_of_the_calendar() {
    let Some(files) = files() else { return };
    let sent: Vec<_> = files.values().map(|bytes| parse(bytes).sent_at()).collect();
    let isos: Vec<String> =
        sent.iter().filter_map(|at| at.as_ref().ok()?.as_ref().map(Timestamp::to_iso)).collect();
    assert_eq!(
        parse(&files["VXU.hl7"]).sent_at().unwrap().unwrap().to_iso(),
        "2015-06-24T08:47:27.655-05:00"
    );
    assert!(isos.len() >= 60, "{} of {}", isos.len(), sent.len());
}

#[test]
fn results_belong_to_their_orders() {
    let Some(files) = files() else { return };
    let message = parse(&files["LAB-ORU-2.hl7"]);
    let n_results: Vec<usize> = message.groups("OBR").map(|group| group.segments("OBX").count()).collect();
    assert_eq!(n_results, [5, 5]);
    let columns = [("patient", "PID-3"), ("order", "OBR-4"), ("code", "OBX-3"), ("value", "OBX-5")];
    let columns = columns.map(|(name, path)| Column::new(name, path)).to_vec();
    let rows = Projection::new(columns, Some("OBX")).unwrap().rows(&message);
    let shown: Vec<String> =
        rows.into_iter().map(|row| row.values.into_iter().flatten().collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(shown[0], "10006579 26464-8 30180-4 0");
    assert_eq!(shown[9], "10006579 24317-0 11125-2 220");
    for bytes in files.values() {
        let message = parse(bytes);
        let groups = Groups::of(&message);
        let n_members: usize = groups.all().iter().map(|group| group.members.len()).sum();
        assert_eq!(n_members, message.n_segments());
    }
}

#[test]
fn all_in_one_file_are_found_again() {
    let Some(files) = files() else { return };
    let mut file = Vec::new();
    file.extend_from_slice(b"FHS|^~\\&|\rBHS|^~\\&|\r");
    for bytes in files.values() {
        file.extend_from_slice(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes));
        file.push(b'\r');
    }
    file.extend_from_slice(b"BTS|70\rFTS|1\r");
    let whole = split_messages(&file);
    assert_eq!(whole.issues, []);
    assert_eq!(whole.messages.len(), 70);
    for (message, bytes) in whole.messages.iter().zip(files.values()) {
        assert_eq!(parse(&message.bytes), parse(bytes));
        let start = usize::try_from(message.offset).unwrap();
        assert!(file[start..].starts_with(b"MSH"));
    }
    let mut splitter = Splitter::new(Limits::default().message_bytes_max);
    let mut messages = Vec::new();
    for piece in file.chunks(4096) {
        messages.extend(splitter.push(piece).messages);
    }
    messages.extend(splitter.finish().messages);
    assert_eq!(messages, whole.messages);

    // The same as one message per line, with `\r` between segments.
    let lines: Vec<String> =
        files.values().map(|bytes| parse(bytes).as_text().replace('\r', "\\r")).collect();
    let file = lines.join("\n");
    let split = split_messages(file.as_bytes());
    assert_eq!(split.issues, []);
    for (message, bytes) in split.messages.iter().zip(files.values()) {
        assert_eq!(parse(&message.bytes), parse(bytes));
    }
    assert_eq!(split.messages.len(), 70);
}
