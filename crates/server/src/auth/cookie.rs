//! The session's cookie: invisible to scripts, sent by this site's own pages only, bound to this host when there is TLS.

use gate::{SESSION_HOURS_MAX, Secret};
use http::{HeaderMap, HeaderValue, header};

/// Browsers take a name with this prefix only with `Secure`, `Path=/` and no domain: no other host can set it.
const NAME_TLS: &str = "__Host-salus";
const NAME_PLAIN: &str = "salus";

fn name(https: bool) -> &'static str {
    if https { NAME_TLS } else { NAME_PLAIN }
}

/// The value of the session's cookie, if the request carries one.
pub(crate) fn session_of(headers: &HeaderMap, https: bool) -> Option<&str> {
    value_of(headers, name(https))
}

/// The value of a cookie.
pub(crate) fn value_of<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let texts = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = texts.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.filter(|(n, value)| *n == name && !value.is_empty()).map(|(_, value)| value).next()
}

/// The header that opens a session in the browser.
pub(crate) fn set(secret: &Secret, https: bool) -> Option<HeaderValue> {
    header_of(secret.reveal(), SESSION_HOURS_MAX * 3600, https)
}

/// The header that ends it.
pub(crate) fn clear(https: bool) -> Option<HeaderValue> {
    header_of("", 0, https)
}

fn header_of(value: &str, age_secs: i64, https: bool) -> Option<HeaderValue> {
    let secure = if https { "; Secure" } else { "" };
    let text =
        format!("{}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={age_secs}{secure}", name(https));
    let mut value = HeaderValue::from_str(&text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("a=b; salus=s1; __Host-salus=s2"));
        assert_eq!(session_of(&headers, false), Some("s1"));
        assert_eq!(session_of(&headers, true), Some("s2"));
        assert_eq!(session_of(&HeaderMap::new(), true), None);
    }

    #[test]
    fn it_is_kept_from_scripts_and_other_sites() {
        let expected = "salus=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0";
        assert_eq!(clear(false).unwrap().to_str().unwrap(), expected);
        assert!(clear(true).unwrap().to_str().unwrap().ends_with("; Secure"));
    }
}
