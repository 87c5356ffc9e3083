//! Queries and index rows as text, for golden cases.

pub(crate) mod query;
pub(crate) mod rows;

/// A sort key of a decimal as the number that it is.
pub(crate) fn number(key: &[u8]) -> String {
    match key {
        [] => return "-∞".into(),
        [0xFF] => return "∞".into(),
        [0x80] => return "0".into(),
        _ => {}
    }
    let negative = key[0] < 0x80;
    let bytes: Vec<u8> = key.iter().map(|byte| if negative { !byte } else { *byte }).collect();
    let point = i64::from(u16::from_be_bytes([bytes[1], bytes[2]])) - 0x8000;
    let pairs = &bytes[3..bytes.len() - 1];
    let mut digits: String = pairs.iter().map(|pair| format!("{:02}", pair - 1)).collect();
    digits.truncate(digits.trim_end_matches('0').len());
    let scale = digits.len() as i64 - point;
    let number =
        fhir::Decimal::parse(&format!("{}{digits}e{}", if negative { "-" } else { "" }, -scale)).unwrap();
    assert_eq!(number.key(), key, "the key is read right");
    number.to_string()
}

/// Microseconds as a time.
pub(crate) fn time(at: i64) -> String {
    match at {
        i64::MIN => "-∞".into(),
        i64::MAX => "∞".into(),
        at => fhir::Instant(at).to_string().replace("T00:00:00.000Z", ""),
    }
}
