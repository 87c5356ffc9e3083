//! Delimited text is read without loss: every record is a row or a reject, and its place leads back to its bytes.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of a test")]

use std::io::{Cursor, Read, Write as _};

use table::csv::{Compression, Dialect, Encoding, Escape, Header, Limits, Options, Piece, Wanted, open};
use table::{Batch, Format, OnError, Reading, TableError, Type, Value};

/// What came of a file: `line@offset cell|cell`, then `! line@offset reason: raw`.
fn shown(pieces: &[Piece], names: &[String]) -> Vec<String> {
    let mut lines = Vec::new();
    for piece in pieces {
        if let Some(batch) = &piece.batch {
            lines.extend((0..batch.n_rows()).map(|row| shown_row(batch, names, row)));
        }
        for reject in &piece.rejects {
            let raw = String::from_utf8_lossy(&reject.raw).escape_debug().to_string();
            let place = reject.place;
            lines.push(format!("! {}@{} {}: {raw}", place.line, place.offset.unwrap(), reject.reason));
        }
    }
    lines
}

fn shown_row(batch: &Batch, names: &[String], row: usize) -> String {
    let cells = names.iter().map(|name| match batch.value(name, row).unwrap() {
        Value::Null => "-".to_owned(),
        value => value.to_text().unwrap().escape_debug().to_string(),
    });
    let place = batch.place(row);
    format!("{}@{} {}", place.line, place.offset.unwrap(), cells.collect::<Vec<_>>().join("|"))
}

fn all_columns(names: &[String]) -> Vec<Wanted> {
    let wanted = |(at, name): (usize, &String)| Wanted {
        name: name.as_str().into(),
        at,
        reading: Reading::new(Type::Text),
    };
    names.iter().enumerate().map(wanted).collect()
}

fn read(bytes: impl Into<Vec<u8>>, options: &Options) -> Result<(Vec<String>, Vec<Piece>), TableError> {
    let opened = open(Box::new(Cursor::new(bytes.into())), options.clone())?;
    let names = opened.names().to_vec();
    let pieces = opened.read(0, all_columns(&names)).collect::<Result<Vec<_>, _>>()?;
    Ok((names, pieces))
}

fn check(bytes: impl Into<Vec<u8>>, options: &Options, expected: &[&str]) {
    let (names, pieces) = read(bytes, options).unwrap();
    assert_eq!(shown(&pieces, &names), expected);
}

fn error(bytes: impl Into<Vec<u8>>, options: &Options) -> String {
    read(bytes, options).unwrap_err().to_string()
}

fn dialect(dialect: Dialect) -> Options {
    Options { dialect, ..Options::default() }
}

#[test]
fn quotes_line_ends_and_missing_values() {
    let text = "id,note\r\n1,\"a, b\"\r\n2,\"say \"\"hi\"\"\nand go\"\r\n3,\r\n4,\"\"\n5,5\" pipe\n,x";
    let expected = [
        "2@9 1|a, b",
        "3@19 2|say \\\"hi\\\"\\nand go",
        "5@42 3|-",
        "6@46 4|-",
        "7@51 5|5\\\" pipe",
        "8@61 -|x",
    ];
    check(text, &Options::default(), &expected);
}

#[test]
fn records_that_are_no_rows_are_rejects_with_their_place() {
    let text = "a,b\n1\n1,2,3\n\n1,2\na,b\n\"x\"y,2\n3,4\n5,\0\n6,7\n";
    let expected = [
        "5@13 1|2",
        "8@28 3|4",
        "10@36 6|7",
        "! 2@4 ragged: 1",
        "! 3@6 ragged: 1,2,3",
        "! 6@17 repeated_header: a,b",
        "! 7@21 quote: \\\"x\\\"y,2",
        "! 9@32 nul_byte: 5,\\0",
    ];
    check(text, &Options::default(), &expected);
}

#[test]
fn a_quote_that_is_not_closed_costs_one_line() {
    let text = "a,b\n1,\"open\n2,3\n4,5\n";
    check(text, &Options::default(), &["3@12 2|3", "4@16 4|5", "! 2@4 unterminated: 1,\\\"open"]);
    // A quote that a later one closes by chance is noticed there.
    let text = "a,b\n1,\"open\n2,3\n4,\"x\"\n6,7\n";
    check(text, &Options::default(), &["3@12 2|3", "4@16 4|x", "5@22 6|7", "! 2@4 quote: 1,\\\"open"]);
    check("a,b\n1,\"open", &Options::default(), &["! 2@4 unterminated: 1,\\\"open"]);
}

#[test]
fn dialects() {
    let tsv = Dialect { delimiter: b'\t', quote: None, ..Dialect::default() };
    check("a\tb\n\"x\ty\"\n", &dialect(tsv), &["2@4 \\\"x|y\\\""]);
    let backslash = Dialect { escape: Escape::Backslash, ..Dialect::default() };
    check("a,b\n\"x\\\"y\\\\\",\"\\n\"\n", &dialect(backslash), &["2@4 x\\\"y\\\\|\\\\n"]);
    let commented = Dialect { comment: Some(b'#'), skip_lines: 2, ..Dialect::default() };
    check("export\n\"of\n# \"names\na,b\n#1,\"2\n1,2\n", &dialect(commented), &["6@30 1|2"]);
    let named = Dialect { header: Header::Names(vec!["a".into(), "b".into()]), ..Dialect::default() };
    check("1,2\n3,4\n", &dialect(named.clone()), &["1@0 1|2", "2@4 3|4"]);
    check("", &dialect(named), &[]);
    let numbered = Dialect { header: Header::Numbered, delimiter: b';', ..Dialect::default() };
    let (names, _) = read("1;2;3\n", &dialect(numbered)).unwrap();
    assert_eq!(names, ["column_1", "column_2", "column_3"]);
    let trailing = Dialect { trailing_delimiter: true, ..Dialect::default() };
    check(
        "a,b,\n1,2,\n1,2\n1,2,3\n",
        &dialect(trailing.clone()),
        &["2@5 1|2", "! 3@10 ragged: 1,2", "! 4@14 ragged: 1,2,3"],
    );
    check("a,b\n1,2,\n", &dialect(trailing), &["2@4 1|2"]);
    let (names, _) = read(",b\n1,2\n", &Options::default()).unwrap();
    assert_eq!(names, ["column_1", "b"]);
    let same = Dialect { quote: Some(b','), ..Dialect::default() };
    assert!(error("a\n", &dialect(same)).contains("different characters"));
}

#[test]
fn one_column_keeps_blank_lines() {
    check("a\n1\n\n\"\"\n2", &Options::default(), &["2@2 1", "3@4 -", "4@5 -", "5@8 2"]);
}

#[test]
fn encodings() {
    let options = |name: &str| Options { encoding: Encoding::parse(name).unwrap(), ..Options::default() };
    check("\u{feff}a,b\n1,ß\n", &options("utf-8"), &["2@7 1|ß"]);
    check(b"a,b\n\xE4,1\n\x80,2\n", &options("windows-1252"), &["2@4 ä|1", "3@8 €|2"]);
    check(b"a,b\n\xE4,1\n\x80,2\n", &options("latin1"), &["2@4 ä|1", "3@8 \\u{80}|2"]);
    let utf16: Vec<u8> = "\u{feff}a,b\n👩,1\nx,2\n".encode_utf16().flat_map(u16::to_be_bytes).collect();
    check(utf16, &options("utf-16"), &["2@10 👩|1", "3@20 x|2"]);
    check(b"a,b\n\xE4,1\nx,2\n", &options("utf-8"), &["3@8 x|2", "! 2@4 encoding: �,1"]);
    check(b"a,b\n\x81,1\nx,2\n", &options("windows-1253"), &["2@4 \\u{81}|1", "3@8 x|2"]);
    check(b"a,b\n\xD2,1\nx,2\n", &options("windows-1253"), &["3@8 x|2", "! 2@4 encoding: �,1"]);
    let mut wrong = b"a,b\n".to_vec();
    (0..20).for_each(|_| wrong.extend_from_slice(b"\xE4,1\n"));
    assert!(error(wrong, &options("utf-8")).contains("windows-1252"));
    assert!(error(b"\xFF\xFEa\0", &options("utf-8")).contains("utf-16"));
    assert!(error(b"a\0,\0b\0\n\0", &options("utf-8")).contains("UTF-16"));
    assert!(error(b"\xE4,b\n", &options("utf-8")).contains("header"));
}

#[test]
fn an_empty_file_has_no_header() {
    assert!(error("", &Options::default()).contains("the file is empty"));
    assert!(error("\n\r\n", &Options::default()).contains("no record"));
    assert!(error("\"a", &Options::default()).contains("not closed"));
    check("a,b\n", &Options::default(), &[]);
    check("a,b", &Options::default(), &[]);
}

#[test]
fn a_record_that_is_too_long_is_skipped_without_being_held() {
    let limits = Limits { record_bytes_max: 1_024, raw_bytes_max: 8, block_bytes: 100, ..Limits::default() };
    let options = Options { limits, ..Options::default() };
    let text = format!("a,b\n1,2\n{}\n3,4\n5,\"{}\n6,7\n", "x".repeat(5_000), "y\n".repeat(2_000));
    let (names, pieces) = read(text, &options).unwrap();
    let lines = shown(&pieces, &names);
    assert_eq!(&lines[..2], ["2@4 1|2", "4@5009 3|4"]);
    assert!(lines.contains(&"! 3@8 too_long: xxxxxxxx".to_owned()), "{lines:?}");
    assert!(lines.contains(&"! 5@5013 too_long: 5,\\\"y".to_owned()));
    assert!(lines.contains(&"2006@9017 6|7".to_owned()));
    // 2000 lines of `y` are ragged.
    assert_eq!(lines.len(), 3 + 2 + 1_999);
}

/// A line that never ends, made while it is read.
struct Endless {
    left: u64,
}

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let n = self.left.min(buffer.len() as u64) as usize;
        buffer[..n].fill(b'x');
        self.left -= n as u64;
        Ok(n)
    }
}

#[test]
fn a_line_of_half_a_gigabyte_is_one_reject() {
    let stream = Cursor::new(b"a,b\n1,2\n".to_vec())
        .chain(Endless { left: 512 << 20 })
        .chain(Cursor::new(b"\n3,4\n".to_vec()));
    let opened = open(Box::new(stream), Options::default()).unwrap();
    let names = opened.names().to_vec();
    let pieces: Vec<_> = opened.read(7, all_columns(&names)).map(Result::unwrap).collect();
    let n_rows: usize = pieces.iter().filter_map(|piece| piece.batch.as_ref()).map(Batch::n_rows).sum();
    let rejects: Vec<_> = pieces.iter().flat_map(|piece| &piece.rejects).collect();
    assert_eq!((n_rows, rejects.len()), (2, 1));
    assert_eq!((rejects[0].place.unit, rejects[0].place.line, rejects[0].place.offset), (7, 3, Some(8)));
    assert_eq!((&*rejects[0].reason, rejects[0].raw.len()), ("too_long", 16 << 10));
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn packed_files_and_bombs() {
    check(gzip(b"a,b\n1,2\n"), &Options::default(), &["2@4 1|2"]);
    check(zstd::encode_all(&b"a,b\n1,2\n"[..], 1).unwrap(), &Options::default(), &["2@4 1|2"]);
    let raw = Options { compression: Compression::None, ..Options::default() };
    assert!(read(gzip(b"a,b\n1,2\n"), &raw).is_err());
    let bomb = zstd::encode_all(b"1,2\n".repeat(17 << 20).as_slice(), 1).unwrap();
    assert!(error(bomb, &Options::default()).contains("unpacked_ratio_max"));
    let mut cut = gzip(&b"1,2\n".repeat(100_000));
    cut.truncate(cut.len() - 20);
    assert!(error(cut, &Options::default()).contains("ends too early"));
}

#[test]
fn typed_columns_are_built_and_faults_are_rejects() {
    let text = "id,born,n,note\n1,1976-07-04,1.50,x\n2,07/04/1976,2.25,\"y\"\n3,1976-02-30,3,z\n4,,,\n5,2001-01-01,1.234,w\n6,\"2001-01-02\",\"7\",\"a\"\"b\"\n";
    let opened = open(Box::new(Cursor::new(text)), Options::default()).unwrap();
    let form = |text| Format::parse(text, Type::Date).unwrap();
    let wanted = vec![
        Wanted { name: "note".into(), at: 3, reading: Reading::new(Type::Text) },
        Wanted {
            name: "day".into(),
            at: 1,
            reading: Reading {
                formats: vec![form("%Y-%m-%d"), form("%m/%d/%Y")],
                ..Reading::new(Type::Date)
            },
        },
        Wanted {
            name: "n".into(),
            at: 2,
            reading: Reading {
                on_error: OnError::Null,
                ..Reading::new(Type::Decimal { precision: 9, scale: 2 })
            },
        },
    ];
    let pieces: Vec<_> = opened.read(0, wanted).map(Result::unwrap).collect();
    let names = ["note", "day", "n"].map(str::to_owned);
    let expected = [
        "2@15 x|1976-07-04|1.50",
        "3@35 y|1976-07-04|2.25",
        "5@74 -|-|-",
        "6@79 w|2001-01-01|-",
        "7@100 a\\\"b|2001-01-02|7.00",
        "! 4@57 no_such_day: 3,1976-02-30,3,z",
    ];
    assert_eq!(shown(&pieces, &names), expected);
    let nulled = &pieces[0].nulled;
    assert_eq!((nulled.len(), nulled[0].reason, nulled[0].n_values), (1, "too_many_digits", 1));
}

#[test]
fn a_column_with_few_texts_is_a_dictionary_until_it_has_many() {
    let mut text = String::from("few,many,grows\n");
    for row in 0..40_000 {
        let grows = if row < 20_000 { row % 3 } else { row };
        text.push_str(&format!("{},{row},{grows}\n", ["Native Hawaiian or Other", "b", "\"c\""][row % 3]));
    }
    let (names, pieces) = read(text, &Options::default()).unwrap();
    let batches: Vec<_> = pieces.iter().filter_map(|piece| piece.batch.as_ref()).collect();
    let kinds = |name: &str| -> Vec<bool> {
        batches.iter().map(|batch| batch.array(name).unwrap().data_type() == &Type::dictionary()).collect()
    };
    assert_eq!(kinds("few"), [true, true, true]);
    assert_eq!(kinds("many"), [false, false, false]);
    assert_eq!(kinds("grows"), [true, false, false]);
    let lines = shown(&pieces, &names);
    assert_eq!(lines.len(), 40_000);
    for (row, line) in lines.iter().enumerate() {
        let grows = if row < 20_000 { row % 3 } else { row };
        let few = ["Native Hawaiian or Other", "b", "c"][row % 3];
        assert!(line.ends_with(&format!(" {few}|{row}|{grows}")), "{line}");
    }
}

mod properties {
    use super::*;
    use proptest::prelude::*;

    /// A table as text with everything that may be in a field, written with quotes where they are needed or wanted.
    #[derive(Clone, Debug)]
    struct Written {
        text: String,
        rows: Vec<Vec<String>>,
        n_ragged: usize,
    }

    fn field() -> impl Strategy<Value = String> {
        prop_oneof![4 => "[a-z0-9]{0,14}", 1 => "[a\"\n\r, é€👩]{0,24}", 1 => "[ -~]{60,140}"]
    }

    fn written(n_columns: usize) -> impl Strategy<Value = Written> {
        let row = prop::collection::vec((field(), any::<bool>()), n_columns);
        let row = (row, prop_oneof![9 => Just(0), 1 => 1..3_usize], any::<bool>());
        (prop::collection::vec(row, 0..60), any::<bool>()).prop_map(move |(rows, ends_with_line)| {
            let header: Vec<String> = (0..n_columns).map(|n| format!("c{n}")).collect();
            let mut text = header.join(",") + "\n";
            let mut written = Vec::new();
            let mut n_ragged = 0;
            for (fields, more, is_crlf) in rows {
                let cells: Vec<String> = fields.iter().map(|(field, quoted)| quote(field, *quoted)).collect();
                text.push_str(&cells.join(","));
                text.push_str(&",more".repeat(more));
                text.push_str(if is_crlf { "\r\n" } else { "\n" });
                if more > 0 {
                    n_ragged += 1;
                } else if n_columns == 1 || !cells.concat().is_empty() || n_columns > 1 {
                    written.push(fields.into_iter().map(|(field, _)| field).collect());
                }
            }
            if !ends_with_line && text.ends_with("x\n") {
                text.pop();
            }
            Written { text, rows: written, n_ragged }
        })
    }

    fn quote(field: &str, wanted: bool) -> String {
        // A carriage return at the end of an unquoted field would be part of the line end.
        let needed = field.contains([',', '\n', '\r']) || field.starts_with('"');
        if needed || wanted { format!("\"{}\"", field.replace('"', "\"\"")) } else { field.to_owned() }
    }

    fn cells(pieces: &[Piece], names: &[String]) -> Vec<Vec<String>> {
        let mut rows = Vec::new();
        for batch in pieces.iter().filter_map(|piece| piece.batch.as_ref()) {
            for row in 0..batch.n_rows() {
                let cell = |name: &String| batch.value(name, row).unwrap().to_text().unwrap_or_default();
                rows.push(names.iter().map(cell).collect());
            }
        }
        rows
    }

    fn places(pieces: &[Piece]) -> Vec<(u64, u64)> {
        let batches = pieces.iter().filter_map(|piece| piece.batch.as_ref());
        batches
            .flat_map(|batch| (0..batch.n_rows()).map(|row| batch.place(row)))
            .map(|place| (place.line, place.offset.unwrap()))
            .collect()
    }

    fn small(block_bytes: usize) -> Limits {
        Limits { block_bytes, batch_rows: 7, ..Limits::default() }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn what_is_written_is_read(written in (1..5_usize).prop_flat_map(written), block_bytes in 1..300_usize, encoding in 0..2_usize) {
            let encoding = [Encoding::Utf8, Encoding::Utf16][encoding];
            let bytes: Vec<u8> = match encoding {
                Encoding::Utf8 => written.text.clone().into_bytes(),
                _ => written.text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            };
            // Enough for the encoding to be recognised.
            let block_bytes = if encoding == Encoding::Utf8 { block_bytes } else { block_bytes + 8 };
            let options = Options { limits: small(block_bytes), encoding, ..Options::default() };
            let (names, pieces) = read(bytes.clone(), &options).unwrap();
            prop_assert_eq!(&cells(&pieces, &names), &written.rows);
            let n_rejects: usize = pieces.iter().map(|piece| piece.rejects.len()).sum();
            prop_assert_eq!(n_rejects, written.n_ragged);
            let n_bytes: u64 = pieces.iter().map(|piece| piece.n_bytes).sum();
            prop_assert!(n_bytes <= bytes.len() as u64);

            // The bytes at the offset of a row begin with the row; lines are counted in the text before it.
            let header = Header::Names(names.iter().map(|name| name.as_str().into()).collect());
            let from_there = Options { dialect: Dialect { header, ..Dialect::default() }, ..options };
            for (row, (line, offset)) in places(&pieces).into_iter().enumerate() {
                let rest = &bytes[offset as usize..];
                let again = cells(&read(rest, &from_there).unwrap().1, &names);
                prop_assert_eq!(&again[0], &written.rows[row]);
                let unit = if encoding == Encoding::Utf8 { 1 } else { 2 };
                let before = bytes[..offset as usize].chunks(unit).filter(|c| c[0] == b'\n' && c[1..].iter().all(|b| *b == 0)).count();
                prop_assert_eq!(line, before as u64 + 1);
            }
        }

        #[test]
        fn the_fast_way_and_the_slow_way_agree(text in "([a-c]|,|\"|\"\"|\n|\r\n|\r|é|,\"|\",|\"\n){0,200}", block_bytes in 1..200_usize) {
            let bytes = format!("a,b\n{text}");
            let fast = Options { limits: small(block_bytes), ..Options::default() };
            // A comment sign that is nowhere in the text: every record goes the slow way.
            let slow = Options { dialect: Dialect { comment: Some(1), ..Dialect::default() }, ..Options::default() };
            let of = |options: &Options| {
                let (names, pieces) = read(bytes.clone(), options).unwrap();
                let mut lines = shown(&pieces, &names);
                lines.sort();
                lines
            };
            prop_assert_eq!(of(&fast), of(&slow));
        }

        #[test]
        fn no_bytes_break_the_reader(bytes in prop::collection::vec(prop_oneof![any::<u8>(), Just(b','), Just(b'\n'), Just(b'"'), Just(b'a')], 0..400), block_bytes in 1..100_usize) {
            let options = Options { limits: small(block_bytes), ..Options::default() };
            let bytes = [&b"a,b\n"[..], &bytes].concat();
            if let Ok((_, pieces)) = read(bytes.clone(), &options) {
                for (_, offset) in places(&pieces) {
                    prop_assert!(offset == 4 || bytes[offset as usize - 1] == b'\n');
                }
            }
        }
    }
}
