//! Generated messages: every value that is written is read at its path, and what is printed is what was parsed.

#![allow(clippy::unwrap_used, reason = "helpers of a test")]

use hl7v2::{Charset, Delimiters, Limits, Message, Value, Writer};
use proptest::prelude::*;

/// Fields of repetitions of components of subcomponents; `None` is a null.
type Fields = Vec<Vec<Vec<Vec<Option<String>>>>>;

fn value() -> impl Strategy<Value = Option<String>> {
    prop_oneof![
        4 => "[a-zé|^~\\\\&#\"\r\n\t\u{b}\u{1c}]{0,6}".prop_map(Some),
        1 => any::<String>().prop_map(Some),
        1 => Just(None),
    ]
}

fn fields() -> impl Strategy<Value = Fields> {
    let some = |from: usize| from..4;
    let component = proptest::collection::vec(value(), some(1));
    let repetition = proptest::collection::vec(component, some(1));
    let field = proptest::collection::vec(repetition, some(1));
    proptest::collection::vec(field, some(0))
}

fn message() -> impl Strategy<Value = Vec<(String, Fields)>> {
    proptest::collection::vec(("[A-LN-Z][A-Z0-9]{2}", fields()), 0..5)
}

fn written<'a>(value: &'a Option<String>) -> Value<'a> {
    match value.as_deref() {
        None => Value::Null,
        Some("") => Value::Empty,
        Some(text) => Value::Text(text.into()),
    }
}

fn build(segments: &[(String, Fields)], delimiters: Delimiters) -> Message {
    let mut out = Writer::new(delimiters, Charset::Utf8);
    out.skip(6).components(&["ZZZ", "Z01"]).unwrap();
    for (id, fields) in segments {
        let segment = out.segment(id).unwrap();
        for field in fields {
            let values: Vec<Vec<Vec<Value<'_>>>> = field
                .iter()
                .map(|repetition| {
                    repetition.iter().map(|component| component.iter().map(written).collect()).collect()
                })
                .collect();
            segment.repetitions(&values).unwrap();
        }
    }
    out.finish(&Limits::default()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn every_value_is_read_where_it_was_written(segments in message(), other in any::<bool>()) {
        let delimiters = if other { Delimiters::new(b'!', b"@*%$#").unwrap() } else { Delimiters::default() };
        let message = build(&segments, delimiters);
        prop_assert_eq!(message.n_segments(), segments.len() + 1);
        for ((id, fields), segment) in segments.iter().zip(message.all_segments().skip(1)) {
            prop_assert_eq!((id.as_str(), fields.len()), (segment.id(), segment.n_fields()));
            for (field, found) in fields.iter().zip(segment.fields()) {
                let is_null = found.as_written() == Some("\"\"");
                prop_assert_eq!(found.repetitions().count(), field.len());
                for (repetition, found) in field.iter().zip(found.repetitions()) {
                    for (c, component) in (1..).zip(repetition) {
                        for (s, value) in (1..).zip(component) {
                            let found = found.component(c).subcomponent(s);
                            prop_assert_eq!(&found, &written(value), "{} is null: {}", id, is_null);
                        }
                        let beyond = found.component(c).subcomponent(component.len() + 1);
                        prop_assert!(matches!(beyond, Value::Absent | Value::Null));
                    }
                    let beyond = found.component(repetition.len() + 1).value();
                    prop_assert!(matches!(beyond, Value::Absent | Value::Null));
                }
            }
            prop_assert_eq!(segment.field(fields.len() + 1).value(), Value::Absent);
        }
    }

    #[test]
    fn what_is_printed_is_what_was_parsed(segments in message(), end in prop_oneof![Just("\r"), Just("\n"), Just("\r\n"), Just("\r\n\r\n")]) {
        let canonical = build(&segments, Delimiters::default()).to_bytes().unwrap();
        let parsed = Message::parse(&canonical, &Limits::default()).unwrap();
        prop_assert_eq!(parsed.to_bytes().unwrap(), canonical.clone());
        // The other ends of segments give the same message.
        let other = String::from_utf8(canonical).unwrap().replace('\r', end);
        let other = Message::parse(other.as_bytes(), &Limits::default()).unwrap();
        prop_assert_eq!(other.as_text(), parsed.as_text());
    }

    #[test]
    fn copied_fields_keep_their_values(segments in message()) {
        let message = build(&segments, Delimiters::default());
        let mut out = Writer::new(Delimiters::new(b'!', b"@*%$#").unwrap(), Charset::Utf8);
        for segment in message.all_segments().skip(1) {
            let writer = out.segment(segment.id()).unwrap();
            for field in segment.fields() {
                writer.copy(&field).unwrap();
            }
        }
        let copy = out.finish(&Limits::default()).unwrap();
        for (segment, copied) in message.all_segments().zip(copy.all_segments()).skip(1) {
            for (field, copied) in segment.fields().zip(copied.fields()) {
                for (repetition, copied) in field.repetitions().zip(copied.repetitions()) {
                    for (component, copied) in repetition.components().zip(copied.components()) {
                        prop_assert!(component.subcomponents().eq(copied.subcomponents()));
                    }
                }
            }
        }
    }
}
