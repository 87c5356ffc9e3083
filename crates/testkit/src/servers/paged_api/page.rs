//! Which rows a page holds and how it leads to the next one, for each way of paging. Knows nothing of connections and tokens.

use serde_json::{Value, json};

use super::exchange::{Request, Response};

/// The page that the request asks for.
pub(super) fn page(rows: &[Value], rows_max: usize, request: &Request) -> Response {
    let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
    let query = Query(query);
    let result = match path {
        "/by-page" => by_page(rows, rows_max, &query),
        "/by-offset" => by_offset(rows, rows_max, &query),
        "/by-cursor" => by_cursor(rows, rows_max, &query),
        "/by-link" => by_link(rows, rows_max, &query, &request.host),
        _ => return Response::error(404, "there are `/by-page`, `/by-offset`, `/by-cursor` and `/by-link`"),
    };
    result.unwrap_or_else(|why| Response::error(400, &why))
}

fn by_page(rows: &[Value], rows_max: usize, query: &Query<'_>) -> Result<Response, String> {
    let number = query.number("page", 1)?;
    let size = query.size("size", rows_max)?;
    let before = number.checked_sub(1).ok_or("pages are counted from 1")?;
    let part = part(rows, before.saturating_mul(size), size);
    Ok(Response::ok(
        json!({ "rows": part, "page": number, "pages": rows.len().div_ceil(size), "total": rows.len() }),
    ))
}

fn by_offset(rows: &[Value], rows_max: usize, query: &Query<'_>) -> Result<Response, String> {
    let offset = query.number("offset", 0)?;
    let part = part(rows, offset, query.size("limit", rows_max)?);
    Ok(Response::ok(json!({ "rows": part, "offset": offset, "total": rows.len() })))
}

fn by_cursor(rows: &[Value], rows_max: usize, query: &Query<'_>) -> Result<Response, String> {
    let (after, limit) = (query.cursor()?, query.size("limit", rows_max)?);
    let next = next(rows, after, limit).map(cursor_of);
    Ok(Response::ok(json!({ "rows": part(rows, after, limit), "next": next })))
}

fn by_link(rows: &[Value], rows_max: usize, query: &Query<'_>, host: &str) -> Result<Response, String> {
    let (after, limit) = (query.cursor()?, query.size("limit", rows_max)?);
    let first = format!("http://{host}/by-link?limit={limit}");
    let mut link = format!("<{first}>; rel=\"first\"");
    if let Some(next) = next(rows, after, limit) {
        let cursor = cursor_of(next).replace('+', "%2B").replace('=', "%3D");
        link.push_str(&format!(", <{first}&cursor={cursor}>; rel=\"next\""));
    }
    Ok(Response::ok(json!(part(rows, after, limit))).with("Link", &link))
}

fn part(rows: &[Value], after: usize, n_rows: usize) -> &[Value] {
    let start = after.min(rows.len());
    &rows[start..start.saturating_add(n_rows).min(rows.len())]
}

fn next(rows: &[Value], after: usize, n_rows: usize) -> Option<usize> {
    after.checked_add(n_rows).filter(|next| *next < rows.len())
}

/// As many real cursors, it holds characters that mean something else in a query unless they are percent-encoded.
fn cursor_of(after: usize) -> String {
    format!("k+{after}=")
}

/// The text after the question mark.
struct Query<'a>(&'a str);

impl Query<'_> {
    fn value(&self, wanted: &str) -> Option<String> {
        let pairs = self.0.split('&').filter_map(|pair| pair.split_once('='));
        pairs.filter(|(name, _)| *name == wanted).map(|(_, value)| decoded(value)).next()
    }

    fn number(&self, name: &str, default: usize) -> Result<usize, String> {
        let Some(value) = self.value(name) else { return Ok(default) };
        value.parse().map_err(|_| format!("`{name}` must be a number"))
    }

    fn size(&self, name: &str, rows_max: usize) -> Result<usize, String> {
        match self.number(name, rows_max)? {
            0 => Err(format!("`{name}` must be at least 1")),
            size => Ok(size.min(rows_max)),
        }
    }

    fn cursor(&self) -> Result<usize, String> {
        let Some(value) = self.value("cursor") else { return Ok(0) };
        let number = value.strip_prefix("k+").and_then(|rest| rest.strip_suffix('='));
        number
            .and_then(|number| number.parse().ok())
            .ok_or_else(|| "`cursor` is none that was given out".to_owned())
    }
}

/// A value of a query: `+` is a space, `%2B` a plus. What is wrongly encoded stays as it is.
fn decoded(value: &str) -> String {
    let spaced = value.replace('+', " ");
    let mut parts = spaced.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let byte = part.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match byte {
            Some(byte) => {
                bytes.push(byte);
                bytes.extend(&part.as_bytes()[2..]);
            }
            None => {
                bytes.push(b'%');
                bytes.extend(part.as_bytes());
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
