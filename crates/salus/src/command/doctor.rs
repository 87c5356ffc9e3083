//! `salus doctor`: says what is configured, reachable and in order; exit code 1 when something is not.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use gate::Token;
use serde::Serialize;

use crate::cli::DoctorArgs;
use crate::config::Config;
use crate::door::{Door, Own, config_of, open_existing, over_socket};
use crate::exit::Exit;
use crate::output::{say, say_json};

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Finding {
    name: &'static str,
    ok: bool,
    text: String,
}

pub(crate) async fn run(args: DoctorArgs) -> anyhow::Result<Exit> {
    let config = config_of(&args.data)?;
    let mut findings = vec![finding("configuration", true, "understood")];
    findings.push(listen_of(&config));
    findings.extend(tls_of(&config));
    findings.push(folder_of(&config.data_dir));
    match open_existing(&config) {
        Ok(Door::Own(own)) => {
            findings.push(finding("server", true, "none runs on this folder; the store was opened directly"));
            findings.extend(store_of(&own).await);
        }
        Ok(Door::Server(_)) => findings.push(server_of(&config.data_dir).await),
        Err(error) => findings.push(finding("store", false, format!("{error:#}"))),
    }
    findings.push(finding(
        "encryption",
        true,
        "data files are not encrypted by salus: use an encrypted volume",
    ));
    let ok = findings.iter().all(|finding| finding.ok);
    if args.json {
        say_json(&serde_json::json!({"ok": ok, "findings": findings}))?;
    } else {
        for finding in &findings {
            say(format!("{} {}: {}", if finding.ok { "ok  " } else { "FAIL" }, finding.name, finding.text))?;
        }
    }
    Ok(if ok { Exit::Done } else { Exit::NotInOrder })
}

fn finding(name: &'static str, ok: bool, text: impl Into<String>) -> Finding {
    Finding { name, ok, text: text.into() }
}

fn listen_of(config: &Config) -> Finding {
    let open = !config.listen.ip().is_loopback() && config.tls.is_none();
    let text = if open {
        format!(
            "{} is reachable from outside and there is no TLS: `salus serve` will refuse it",
            config.listen
        )
    } else {
        config.listen.to_string()
    };
    finding("listen", !open, text)
}

fn tls_of(config: &Config) -> Vec<Finding> {
    let Some(tls) = &config.tls else { return Vec::new() };
    [("tls.cert", &tls.cert), ("tls.key", &tls.key)]
        .into_iter()
        .map(|(name, path)| match fs::File::open(path) {
            Ok(_) => finding(name, true, path.display().to_string()),
            Err(error) => finding(name, false, format!("cannot read `{}`: {}", path.display(), error.kind())),
        })
        .collect()
}

fn folder_of(folder: &Path) -> Finding {
    match fs::metadata(folder) {
        Err(error) => finding("data folder", false, format!("`{}`: {}", folder.display(), error.kind())),
        Ok(meta) => {
            let mode = meta.permissions().mode() & 0o777;
            let closed = mode & 0o077 == 0;
            let advice = if closed {
                String::new()
            } else {
                format!(": others may enter, `chmod 700 {}`", folder.display())
            };
            finding("data folder", closed, format!("`{}`, mode {mode:o}{advice}", folder.display()))
        }
    }
}

async fn store_of(own: &Own) -> Vec<Finding> {
    let counts = match own.gate.counts(&own.access).await {
        Ok(counts) => finding(
            "store",
            true,
            format!("{} resources of {} types", counts.iter().map(|(_, n)| n).sum::<u64>(), counts.len()),
        ),
        Err(error) => finding("store", false, error.to_string()),
    };
    let tokens = match own.gate.list_tokens(&own.access).await {
        Ok(tokens) => finding("tokens", true, tokens_text(&tokens, own.gate.now())),
        Err(error) => finding("tokens", false, error.to_string()),
    };
    vec![counts, tokens]
}

fn tokens_text(tokens: &[Token], now: fhir::Instant) -> String {
    let valid = tokens
        .iter()
        .filter(|token| token.revoked.is_none() && token.expires.is_none_or(|at| at > now))
        .count();
    format!("{valid} valid of {}", tokens.len())
}

async fn server_of(folder: &Path) -> Finding {
    let answer = match over_socket(folder) {
        Ok(client) => client.request(egress::Method::GET, "/readyz", None).await.map_err(anyhow::Error::new),
        Err(error) => Err(error),
    };
    match answer {
        Ok(answer) if answer.status.is_success() => {
            finding("server", true, "runs on this folder and is ready")
        }
        Ok(answer) => finding("server", false, format!("runs on this folder and answers {}", answer.status)),
        Err(error) => finding("server", false, format!("{error:#}")),
    }
}
