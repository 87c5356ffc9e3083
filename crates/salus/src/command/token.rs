//! `salus token`: creates, lists and revokes access tokens, and makes sign-in links, on the folder or through the server that holds it.

use egress::Method;
use gate::{Role, Token, TokenRequest};
use serde_json::{Value, json};

use crate::cli::{TokenCreateArgs, TokenLinkArgs, TokenListArgs, TokenRevokeArgs};
use crate::command::api::ask;
use crate::door::{Door, config_of, open, open_existing};
use crate::exit::{Exit, usage};
use crate::local_user::local_user;
use crate::output::{say, say_json, table};

const TOKENS: &str = "/api/v1/tokens";
const LINKS: &str = "/api/v1/links";

pub(crate) async fn create(args: TokenCreateArgs) -> anyhow::Result<Exit> {
    let role = role_of(&args.role)?;
    let name = args.name.clone().unwrap_or_else(|| format!("{role} of {}", local_user()));
    // A folder may be prepared before its first `serve`.
    let created = match open(&config_of(&args.data)?)? {
        Door::Own(own) => {
            let request = TokenRequest {
                role,
                name,
                scopes: args.scopes,
                patient: args.patient,
                expires: args.expires,
            };
            let (token, secret) = own.gate.create_token(&own.access, &request).await?;
            let mut created = token.to_json();
            created["token"] = json!(secret.reveal());
            created
        }
        Door::Server(client) => {
            let body = json!({"role": role.name(), "name": name, "scopes": args.scopes, "patient": args.patient, "expires": args.expires});
            ask(&client, Method::POST, TOKENS, Some(&body)).await?
        }
    };
    if args.json {
        say_json(&created)?;
    } else {
        say(text_at(&created, "token"))?;
        say(format!(
            "token {} for role {}, until {}: keep it safe, it is not shown again",
            text_at(&created, "id"),
            text_at(&created, "role"),
            text_at(&created, "expires")
        ))?;
    }
    Ok(Exit::Done)
}

pub(crate) async fn list(args: TokenListArgs) -> anyhow::Result<Exit> {
    let listed = match open_existing(&config_of(&args.data)?)? {
        Door::Own(own) => {
            json!({"tokens": own.gate.list_tokens(&own.access).await?.iter().map(Token::to_json).collect::<Vec<_>>()})
        }
        Door::Server(client) => ask(&client, Method::GET, TOKENS, None).await?,
    };
    if args.json {
        say_json(&listed)?;
        return Ok(Exit::Done);
    }
    let columns = ["id", "role", "name", "scopes", "created", "expires", "revoked"];
    let mut rows = vec![columns.map(str::to_owned).to_vec()];
    for token in listed["tokens"].as_array().into_iter().flatten() {
        rows.push(columns.iter().map(|column| text_at(token, column).to_owned()).collect());
    }
    say(table(&rows).trim_end())?;
    Ok(Exit::Done)
}

pub(crate) async fn revoke(args: TokenRevokeArgs) -> anyhow::Result<Exit> {
    let revoked = match open_existing(&config_of(&args.data)?)? {
        Door::Own(own) => {
            let at = own.gate.revoke_token(&own.access, &args.id).await?;
            json!({"id": args.id, "revoked": at.to_rfc3339_millis()})
        }
        Door::Server(client) => ask(&client, Method::DELETE, &format!("{TOKENS}/{}", args.id), None).await?,
    };
    if args.json {
        say_json(&revoked)?;
    } else {
        say(format!("token {} is revoked", args.id))?;
    }
    Ok(Exit::Done)
}

pub(crate) async fn link(args: TokenLinkArgs) -> anyhow::Result<Exit> {
    let role = role_of(&args.role)?;
    let config = config_of(&args.data)?;
    let made = match open(&config)? {
        Door::Own(own) => {
            let secret = own.gate.create_link(&own.access, &args.name, role).await?;
            let link = format!("{}/auth/link?token={}", config.server().public_url, secret.reveal());
            json!({"role": role.name(), "name": args.name, "link": link})
        }
        Door::Server(client) => {
            let body = json!({"role": role.name(), "name": args.name});
            ask(&client, Method::POST, LINKS, Some(&body)).await?
        }
    };
    if args.json {
        say_json(&made)?;
    } else {
        say(text_at(&made, "link"))?;
    }
    Ok(Exit::Done)
}

fn role_of(name: &str) -> anyhow::Result<Role> {
    Role::parse(name).ok_or_else(|| {
        let known: Vec<&str> = Role::all().map(Role::name).collect();
        usage(format!("role `{name}` is unknown: use one of {}", known.join(", ")))
    })
}

fn text_at<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}
