//! One server-sent event as bytes.

use bytes::Bytes;

use super::cursor::Cursor;

/// Milliseconds after which a browser that was cut off tries again.
const RETRY_MS: u32 = 1_000;

/// Begins a stream: how soon to try again, and where it is.
pub(super) fn hello(cursor: Cursor) -> Bytes {
    Bytes::from(format!("retry: {RETRY_MS}\n{}", text("cursor", cursor, "")))
}

/// An event with its place.
pub(super) fn event(name: &str, cursor: Cursor, data: &str) -> Bytes {
    Bytes::from(text(name, cursor, data))
}

/// Says that nothing happened, so that nobody in between closes the connection.
pub(super) fn alive() -> Bytes {
    Bytes::from_static(b": alive\n\n")
}

fn text(name: &str, cursor: Cursor, data: &str) -> String {
    let mut text = format!("id: {cursor}\nevent: {name}\n");
    // A field ends with its line, and a carriage return is the end of one too.
    for line in data.split(['\n', '\r']) {
        text.push_str("data: ");
        text.push_str(line);
        text.push('\n');
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_lines_stays_one_event() {
        let cursor = Cursor { alerts: 1, beds: 2 };
        let sent = event("fragment", cursor, "<p>a\r\nid: 9\n\nevent: x</p>");
        let sent = String::from_utf8(sent.to_vec()).unwrap();
        assert_eq!(
            sent,
            "id: a1-b2\nevent: fragment\ndata: <p>a\ndata: \ndata: id: 9\ndata: \ndata: event: x</p>\n\n"
        );
        assert!(hello(cursor).starts_with(b"retry: 1000\nid: a1-b2\nevent: cursor\n"));
    }
}
