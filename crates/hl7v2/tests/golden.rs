//! Golden cases of `cases/`: a command on the first line, a message below it, one segment per line, `<E9>` for a byte.

#![allow(clippy::unwrap_used, reason = "helpers of a test")]

use hl7v2::ack::AckCode;
use hl7v2::groups::Groups;
use hl7v2::rows::{Column, Nulls, Projection};
use hl7v2::{Limits, Message, Path, Timestamp, Value};
use std::fmt::Write as _;

#[test]
fn cases_have_their_answers() {
    let n_cases = testkit::cases(concat!(env!("CARGO_MANIFEST_DIR"), "/cases"), |input| {
        answer(input).unwrap_or_else(|error| format!("error: {error}"))
    });
    assert!(n_cases >= 40, "{n_cases} cases");
}

fn answer(input: &str) -> Result<String, String> {
    let (first, message) = input.split_once('\n').unwrap_or((input, ""));
    let (command, words) = first.split_once(' ').unwrap_or((first, ""));
    match command {
        "path" => Path::parse(words).map(|path| path.to_string()).map_err(|error| error.to_string()),
        "time" => Ok(words.split(' ').fold(String::new(), |out, text| out + &time(text) + "\n")),
        _ => {
            let message =
                Message::parse(&bytes(message), &Limits::default()).map_err(|error| error.to_string())?;
            match command {
                "parse" => {
                    Ok(format!("{message:?} {} {}", message.charset(), message.delimiters().encoding()))
                }
                "get" => words.split(' ').map(|path| get(&message, path)).collect(),
                "parts" => Ok(parts(&message, words)),
                "rows" => rows(&message, words),
                "groups" => Ok(groups(&message)),
                "header" => Ok(header(&message)),
                "ack" => ack(&message, words),
                other => panic!("no command `{other}`"),
            }
        }
    }
}

/// The message of a case: lines end with CR, `<E9>` is a byte.
fn bytes(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('<') {
        bytes.extend_from_slice(before.replace('\n', "\r").as_bytes());
        bytes.push(u8::from_str_radix(&after[..2], 16).unwrap());
        rest = &after[3..];
    }
    bytes.extend_from_slice(rest.replace('\n', "\r").as_bytes());
    bytes
}

fn shown(value: &Value<'_>) -> String {
    match value {
        Value::Text(text) => format!("`{}`", text.escape_debug()),
        other => format!("{other:?}").to_lowercase(),
    }
}

fn get(message: &Message, path: &str) -> Result<String, String> {
    let value = message.get(path).map_err(|error| error.to_string())?;
    Ok(format!("{path} {}\n", shown(&value)))
}

/// Every value of a field, such as `PID-3`, in its repetitions, components and subcomponents.
fn parts(message: &Message, path: &str) -> String {
    let (id, number) = path.split_once('-').unwrap();
    let field = message.segments(id).next().unwrap().field(number.parse().unwrap());
    let mut out = String::new();
    for (r, repetition) in (1..).zip(field.repetitions()) {
        for (c, component) in (1..).zip(repetition.components()) {
            for (s, value) in (1..).zip(component.subcomponents()) {
                let _ = writeln!(out, "({r}).{c}.{s} {}", shown(&value));
            }
        }
    }
    out
}

/// `per=OBX nulls a=PID-3 b;=NTE-3`: after a name that ends with `;`, all values.
fn rows(message: &Message, words: &str) -> Result<String, String> {
    let (mut per, mut nulls, mut columns) = (None, Nulls::AsNone, Vec::new());
    for word in words.split(' ') {
        match word.split_once('=') {
            None => nulls = Nulls::AsWritten,
            Some(("per", id)) => per = Some(id),
            Some((name, path)) => columns.push(match name.strip_suffix(';') {
                Some(name) => Column::new(name, path).joined("; "),
                None => Column::new(name, path),
            }),
        }
    }
    let projection = Projection::new(columns, per).map_err(|error| error.to_string())?;
    let mut out = projection.with_nulls(nulls).rows(message).into_iter().map(|row| {
        let place = row.segment.map(|segment| format!("{segment}: ")).unwrap_or_default();
        place
            + &row.values.into_iter().map(|value| value.unwrap_or("-".into())).collect::<Vec<_>>().join(" | ")
    });
    Ok(out.by_ref().collect::<Vec<String>>().join("\n"))
}

fn groups(message: &Message) -> String {
    let groups = Groups::of(message);
    let mut out = String::new();
    for (index, group) in groups.all().iter().enumerate() {
        let depth = groups.around(index).count() - 1;
        let ids =
            group.members.iter().filter_map(|index| message.segment(*index)).map(|segment| segment.id());
        let _ = writeln!(out, "{}{}", "| ".repeat(depth), ids.collect::<Vec<_>>().join(" "));
    }
    out
}

fn header(message: &Message) -> String {
    let facts = [
        ("code", message.code()),
        ("trigger", message.trigger()),
        ("structure", message.structure()),
        ("control id", message.control_id()),
        ("processing id", message.processing_id()),
        ("version", message.version()),
        ("from", message.sending_application()),
        ("at", message.sending_facility()),
        ("to", message.receiving_application()),
        ("there", message.receiving_facility()),
    ];
    let sent = match message.sent_at() {
        Ok(at) => at.map(|at| at.to_iso()).unwrap_or("-".into()),
        Err(error) => error.to_string(),
    };
    let facts = facts.into_iter().map(|(name, value)| format!("{name}: {}", value.as_deref().unwrap_or("-")));
    facts.chain([format!("sent: {sent}")]).collect::<Vec<_>>().join("\n")
}

fn ack(message: &Message, words: &str) -> Result<String, String> {
    let (code, text) = words.split_once(' ').map_or((words, None), |(code, text)| (code, Some(text)));
    let code = match code {
        "AA" => AckCode::ApplicationAccept,
        "AE" => AckCode::ApplicationError,
        "AR" => AckCode::ApplicationReject,
        "CA" => AckCode::CommitAccept,
        "CE" => AckCode::CommitError,
        "CR" => AckCode::CommitReject,
        other => panic!("no code `{other}`"),
    };
    let ack = message.ack(code, text, None, || "ACK1".into()).map_err(|error| error.to_string())?;
    let wanted = message.ack_mode().map(|mode| mode.wants(code));
    Ok(format!("{}wanted: {wanted:?}", ack.as_text().replace('\r', "\n")))
}

fn time(text: &str) -> String {
    match Timestamp::parse(text) {
        Ok(at) => format!("{text} {:?} {}", at.precision(), at.to_iso()),
        Err(error) => format!("{text} {error}"),
    }
}
