//! What is on the server already: a bounded sample, read before the clock starts.

use egress::{Connection, Method};
use fhir::Value;
use fhir::json::{self, Limits};

/// Up to `max` resources of a search, over as many pages as that takes.
pub(super) async fn sample(
    connection: &mut Connection,
    query: &str,
    max: usize,
) -> anyhow::Result<Vec<Value>> {
    let mut found = Vec::new();
    let mut next = Some(query.to_owned());
    while let Some(path) = next.take() {
        let answer = connection.send(Method::GET, &path, None).await?;
        if !answer.status.is_success() {
            anyhow::bail!("the server answered {} to `{}`", answer.status, query);
        }
        let mut page = json::parse(&answer.body, &Limits::default())?;
        if found.len() < max {
            next = next_of(&page);
        }
        let entries = page.get_mut("entry").map(Value::take);
        let Some(Value::Array(entries)) = entries else { continue };
        found.extend(entries.into_iter().filter_map(|mut entry| Some(entry.get_mut("resource")?.take())));
        if found.len() >= max {
            found.truncate(max);
            break;
        }
    }
    Ok(found)
}

// Servers write absolute links; what stands behind the last slash of the base is what we ask for.
fn next_of(page: &Value) -> Option<String> {
    let links = page.get("link")?.items();
    let next = links.iter().find(|link| link.text("relation") == Some("next"))?.text("url")?;
    let query_at = next.find('?').unwrap_or(next.len());
    let path_at = next[..query_at].rfind('/').map_or(0, |slash| slash + 1);
    Some(next[path_at..].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_below_the_base() {
        let page = fhir::json!({"link": [{"relation": "self", "url": "x"}, {"relation": "next", "url": "http://h:1/fhir/Patient?a=b/c&_cursor=q"}]});
        assert_eq!(next_of(&page).as_deref(), Some("Patient?a=b/c&_cursor=q"));
        assert_eq!(next_of(&fhir::json!({})), None);
    }
}
