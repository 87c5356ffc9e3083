//! Page cursors: the last row of a page by kind and id with its sort values, never an internal row number. A cursor is signed with the
//! server's secret over principal and query, so it works for nobody else and for no other question.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use sha2::Sha256;

use super::sort::SortValue;

/// Bytes of the signature that travel with the cursor.
const TAG_BYTES: usize = 16;
/// First byte of what is signed; a cursor of another layout is refused.
const LAYOUT: u8 = 1;

/// The place where the next page starts: after this row.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Position {
    /// Resource type of the last row.
    pub(super) kind: String,
    /// Id of the last row.
    pub(super) id: String,
    /// Its sort values, one for each key of the query.
    pub(super) values: Vec<SortValue>,
}

/// Whom and what a cursor belongs to.
#[derive(Clone, Copy)]
pub(super) struct Binding<'a> {
    pub(super) secret: &'a [u8],
    pub(super) principal: &'a str,
    pub(super) canonical: &'a str,
}

/// The text that goes into a page link.
pub(super) fn seal(position: &Position, binding: Binding<'_>) -> String {
    let mut bytes = vec![LAYOUT];
    put(&mut bytes, position.kind.as_bytes());
    put(&mut bytes, position.id.as_bytes());
    for value in &position.values {
        match value {
            SortValue::Missing => bytes.push(0),
            SortValue::Int(number) => {
                bytes.push(1);
                bytes.extend_from_slice(&number.to_be_bytes());
            }
            SortValue::Text(text) => {
                bytes.push(2);
                put(&mut bytes, text.as_bytes());
            }
            SortValue::Bytes(blob) => {
                bytes.push(3);
                put(&mut bytes, blob);
            }
        }
    }
    let tag = mac(&bytes, binding).finalize().into_bytes();
    bytes.extend_from_slice(&tag[..TAG_BYTES]);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The position, when the cursor was made for this principal and this query.
pub(super) fn open(text: &str, binding: Binding<'_>) -> Option<Position> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let (body, tag) = bytes.split_at_checked(bytes.len().checked_sub(TAG_BYTES)?)?;
    mac(body, binding).verify_truncated_left(tag).ok()?;
    let (&layout, mut rest) = body.split_first()?;
    if layout != LAYOUT {
        return None;
    }
    let kind = text_of(take(&mut rest)?)?;
    let id = text_of(take(&mut rest)?)?;
    let mut values = Vec::new();
    while let Some((&tag, after)) = rest.split_first() {
        rest = after;
        values.push(match tag {
            0 => SortValue::Missing,
            1 => {
                let (number, after) = rest.split_first_chunk::<8>()?;
                rest = after;
                SortValue::Int(i64::from_be_bytes(*number))
            }
            2 => SortValue::Text(text_of(take(&mut rest)?)?),
            3 => SortValue::Bytes(take(&mut rest)?.to_vec()),
            _ => return None,
        });
    }
    Some(Position { kind, id, values })
}

fn mac(body: &[u8], binding: Binding<'_>) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(binding.secret).expect("HMAC takes keys of any length");
    for part in
        [b"salus search cursor".as_slice(), binding.principal.as_bytes(), binding.canonical.as_bytes(), body]
    {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac
}

fn put(bytes: &mut Vec<u8>, part: &[u8]) {
    let length = u32::try_from(part.len()).expect("ids and sort values are far below 4 GiB");
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(part);
}

fn take<'b>(rest: &mut &'b [u8]) -> Option<&'b [u8]> {
    let (length, after) = rest.split_first_chunk::<4>()?;
    let (part, after) = after.split_at_checked(u32::from_be_bytes(*length) as usize)?;
    *rest = after;
    Some(part)
}

fn text_of(bytes: &[u8]) -> Option<String> {
    String::from_utf8(bytes.to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use super::{Binding, Position, SortValue, open, seal};

    fn binding<'a>(principal: &'a str, canonical: &'a str) -> Binding<'a> {
        Binding { secret: b"not a secret", principal, canonical }
    }

    fn check(values: Vec<SortValue>) {
        let position = Position { kind: "Patient".into(), id: "a.b-1".into(), values };
        let text = seal(&position, binding("dr", "Patient?name=x"));
        assert_eq!(open(&text, binding("dr", "Patient?name=x")), Some(position));
        assert_eq!(open(&text, binding("dr2", "Patient?name=x")), None, "another principal");
        assert_eq!(open(&text, binding("dr", "Patient?name=y")), None, "another query");
        for at in 0..text.len() {
            let mut other = text.clone().into_bytes();
            other[at] = if other[at] == b'A' { b'B' } else { b'A' };
            let other = String::from_utf8(other).unwrap();
            assert_eq!(open(&other, binding("dr", "Patient?name=x")), None, "changed at {at}");
        }
    }

    #[test]
    fn a_cursor_opens_for_its_principal_and_query_only() {
        check(vec![]);
        check(vec![
            SortValue::Missing,
            SortValue::Int(-5),
            SortValue::Text("é".into()),
            SortValue::Bytes(vec![0, 255]),
        ]);
        for broken in ["", "A", "????", "AAAAAAAAAAAAAAAAAAAAAAAA"] {
            assert_eq!(open(broken, binding("dr", "q")), None);
        }
    }
}
