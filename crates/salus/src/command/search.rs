//! `salus search`: asks a folder, or any FHIR server, and prints what it finds.

use fhir::{Kind, Value};
use serde_json::json;

use crate::cli::SearchArgs;
use crate::command::api::refused;
use crate::door::{Door, Own, open_target};
use crate::exit::{Exit, usage};
use crate::output::{say, say_json, table, write_all};
use crate::source::parse::text_of;

/// Results of one page.
const PAGE_COUNT: u32 = 200;

/// What was found so far.
#[derive(Default)]
struct Found {
    /// Matches and what they include, as stored.
    resources: Vec<Value>,
    matches: u64,
    total: Option<u64>,
    more: bool,
}

pub(crate) async fn run(args: SearchArgs) -> anyhow::Result<Exit> {
    let found = match open_target(&args.target, true)? {
        Door::Own(own) => ask_gate(&own, &args).await?,
        Door::Server(client) => ask_server(&client, &args).await?,
    };
    print(&found, &args)?;
    Ok(Exit::Done)
}

async fn ask_gate(own: &Own, args: &SearchArgs) -> anyhow::Result<Found> {
    let (kind, text) = args.query.split_once('?').unwrap_or((args.query.as_str(), ""));
    let kind = match kind {
        "" => None,
        name => {
            Some(Kind::parse(name).ok_or_else(|| usage(format!("`{name}` is not a resource type of R4")))?)
        }
    };
    let mut found = Found::default();
    let mut cursor = None;
    loop {
        let options = search::Options::new(true, vec![own.base.clone()], own.gate.now());
        let mut query = search::parse(kind, text, &options).map_err(|issues| usage(text_of(&issues)))?.query;
        query.cursor = cursor.take();
        let left = u32::try_from(args.max - found.matches).unwrap_or(u32::MAX);
        let page = own.gate.search(&own.access, &query, left.min(query.count.unwrap_or(PAGE_COUNT))).await?;
        found.total = page.total.or(found.total);
        found.matches += page.matches.len() as u64;
        for stored in page.matches.into_iter().chain(page.included) {
            found.resources.push(fhir::json::parse(stored.body.bytes(), &fhir::json::Limits::default())?);
        }
        cursor = page.next.map(Into::into);
        if cursor.is_none() || found.matches >= args.max {
            found.more = cursor.is_some();
            return Ok(found);
        }
    }
}

async fn ask_server(client: &egress::FhirClient, args: &SearchArgs) -> anyhow::Result<Found> {
    let mut found = Found::default();
    let mut pages = client.search(&args.query)?;
    while let Some(mut page) = pages.next().await.map_err(refused)? {
        let total = page.get("total").and_then(Value::as_number).and_then(fhir::json::Number::as_i64);
        found.total = total.and_then(|total| u64::try_from(total).ok()).or(found.total);
        let entries = page.get_mut("entry").map(Value::take);
        for mut entry in entries.map(|entries| entries.items().to_vec()).unwrap_or_default() {
            let mode =
                entry.get("search").and_then(|search| search.text("mode")).unwrap_or("match").to_owned();
            if mode == "match" && found.matches >= args.max {
                found.more = true;
                return Ok(found);
            }
            found.matches += u64::from(mode == "match");
            found.resources.extend(entry.get_mut("resource").map(Value::take));
        }
    }
    Ok(found)
}

fn print(found: &Found, args: &SearchArgs) -> anyhow::Result<()> {
    if args.ndjson {
        for resource in &found.resources {
            let mut line = resource.to_bytes();
            line.push(b'\n');
            write_all(&line)?;
        }
        return Ok(());
    }
    let rows = found.resources.iter().map(|resource| {
        let meta = |key| resource.get("meta").and_then(|meta| meta.text(key)).unwrap_or("unknown").to_owned();
        let name = format!(
            "{}/{}",
            resource.text("resourceType").unwrap_or("?"),
            resource.text("id").unwrap_or("?")
        );
        (name, meta("versionId"), meta("lastUpdated"))
    });
    if args.json {
        let rows: Vec<_> = rows
            .map(|(name, version, updated)| json!({"resource": name, "version": version, "updated": updated}))
            .collect();
        return say_json(
            &json!({"matches": found.matches, "total": found.total, "more": found.more, "resources": rows}),
        );
    }
    let mut lines = vec![vec!["resource".to_owned(), "version".to_owned(), "updated".to_owned()]];
    lines.extend(rows.map(|(name, version, updated)| vec![name, version, updated]));
    say(table(&lines).trim_end())?;
    let total = found.total.map(|total| format!(" of {total}")).unwrap_or_default();
    let more = if found.more { "; there are more: raise `--max`" } else { "" };
    say(format!("{}{total} matches{more}", found.matches))
}
