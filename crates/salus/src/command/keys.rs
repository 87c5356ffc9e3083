//! `salus keys`: makes, lists, rotates and destroys the keys of a data folder; works beside a running server.

use std::path::PathBuf;
use std::sync::Arc;

use db::SystemClock;
use keys::{KeyInfo, KeyRing, Scope};
use serde_json::{Value, json};

use crate::cli::{DataArgs, KeysArgs, KeysRotateArgs, KeysShredArgs};
use crate::door::config_of;
use crate::exit::{Exit, usage};
use crate::output::{say, say_json, table};

/// Of a data folder.
const FOLDER: &str = "keys";

pub(crate) fn init(args: &KeysArgs) -> anyhow::Result<Exit> {
    let folder = folder_of(&args.data)?;
    let ring = KeyRing::init(&folder, Arc::new(SystemClock))?;
    let root = ring.status()?.root.to_string();
    if args.json {
        say_json(&json!({"folder": folder, "root": root}))?;
    } else {
        say(format!("made `{}` with root key {root}", folder.display()))?;
        say("back it up, apart from the data: without it nothing that is sealed can be read")?;
    }
    Ok(Exit::Done)
}

pub(crate) fn status(args: &KeysArgs) -> anyhow::Result<Exit> {
    let ring = load(&args.data)?;
    let status = ring.status()?;
    if args.json {
        let keys: Vec<Value> = status.keys.iter().map(describe).collect();
        say_json(&json!({"folder": ring.folder(), "root": status.root.to_string(), "keys": keys}))?;
        return Ok(Exit::Done);
    }
    say(format!("root key {}", status.root))?;
    let columns = ["scope", "version", "id", "algorithm", "created", "destroyed"];
    let mut rows = vec![columns.map(str::to_owned).to_vec()];
    for key in &status.keys {
        let described = describe(key);
        let cell = |column: &str| match &described[column] {
            Value::String(text) => text.clone(),
            Value::Null => String::new(),
            other => other.to_string(),
        };
        rows.push(columns.iter().map(|column| cell(column)).collect());
    }
    say(table(&rows).trim_end())?;
    Ok(Exit::Done)
}

pub(crate) fn rotate(args: &KeysRotateArgs) -> anyhow::Result<Exit> {
    let ring = load(&args.data)?;
    let (what, id) = match &args.scope {
        Some(name) => (format!("key of scope `{name}`"), ring.rotate(&scope_of(name)?)?),
        None => ("root key".to_owned(), ring.rotate_root()?),
    };
    if args.json {
        say_json(&json!({"scope": args.scope, "id": id.to_string()}))?;
    } else {
        say(format!("the {what} is now {id}; what was sealed before still opens"))?;
        say("back up the key folder again")?;
    }
    Ok(Exit::Done)
}

pub(crate) fn shred(args: &KeysShredArgs) -> anyhow::Result<Exit> {
    let scope = scope_of(&args.scope)?;
    let ring = load(&args.data)?;
    if !args.yes {
        let n_keys =
            ring.status()?.keys.iter().filter(|key| key.scope == scope && key.destroyed.is_none()).count();
        return Err(usage(format!(
            "this destroys {n_keys} key version(s) of scope `{scope}` for good, and with them all that they sealed: repeat with `--yes`"
        )));
    }
    let n_destroyed = ring.shred(&scope)?;
    if args.json {
        say_json(&json!({"scope": scope.as_str(), "destroyed": n_destroyed}))?;
    } else {
        say(format!("destroyed {n_destroyed} key version(s) of scope `{scope}`"))?;
        say("backups of the key folder still hold them: destroy those too, or let them expire")?;
    }
    Ok(Exit::Done)
}

fn load(args: &DataArgs) -> anyhow::Result<KeyRing> {
    Ok(KeyRing::load(folder_of(args)?, Arc::new(SystemClock))?)
}

fn folder_of(args: &DataArgs) -> anyhow::Result<PathBuf> {
    Ok(config_of(args)?.data_dir.join(FOLDER))
}

fn scope_of(name: &str) -> anyhow::Result<Scope> {
    Scope::new(name).map_err(|error| usage(error.to_string()))
}

fn describe(key: &KeyInfo) -> Value {
    json!({
        "scope": key.scope.as_str(),
        "version": key.version,
        "id": key.id.to_string(),
        "algorithm": key.algorithm,
        "created": key.created.to_rfc3339_millis(),
        "destroyed": key.destroyed.map(fhir::Instant::to_rfc3339_millis),
    })
}
