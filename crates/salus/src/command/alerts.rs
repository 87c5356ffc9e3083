//! `salus alerts`: lists, shows and handles alerts, on the folder or through the server that holds it.

use std::fmt::Write as _;
use std::sync::Arc;

use db::SystemClock;
use egress::{FhirClient, Method};
use fhir::{Clock as _, Instant};
use gate::{Matter, Permit, Subject};
use rules::Severity;
use serde_json::{Value, json};
use stream::alert::{self, Act, Desk, Order, Query, SilenceRequest, document};
use tokio::sync::watch;

use crate::cli::{
    AlertsActArgs, AlertsBurdenArgs, AlertsCommand, AlertsListArgs, AlertsSilenceArgs, DataArgs,
};
use crate::command::api::ask;
use crate::door::{Door, Own, config_of, open_existing};
use crate::exit::{Exit, usage};
use crate::output::{say, say_json, table};

const DAY_MICROS: i64 = 86_400_000_000;

/// A way to the alerts.
enum Way {
    Own(Box<Own>, Desk),
    Server(FhirClient),
}

impl Way {
    fn to(args: &DataArgs) -> anyhow::Result<Way> {
        let config = config_of(args)?;
        Ok(match open_existing(&config)? {
            Door::Server(client) => Way::Server(client),
            Door::Own(own) => {
                let database = stream::open(&config.data_dir.join("stream.db"))?;
                // Without a server nobody delivers: what is put is sent when one runs again.
                let plan = notify::Plan::new(&config.notify)?;
                let policy = Arc::new(alert::Policy::new(&config.alerts, plan)?);
                let desk = Desk::new(database, policy, Arc::new(SystemClock), watch::channel(0).0);
                Way::Own(Box::new(own), desk)
            }
        })
    }
}

async fn permit(own: &Own, matter: Matter, names: &str) -> anyhow::Result<Permit> {
    Ok(own.gate.permit(&own.access, Subject::new(matter, names)).await?)
}

pub(crate) async fn run(command: AlertsCommand) -> anyhow::Result<Exit> {
    match command {
        AlertsCommand::List(args) => list(&args).await,
        AlertsCommand::Show(args) => show(&args.data, &args.id).await,
        AlertsCommand::Ack(args) => {
            let wish = Act::Acknowledge { note: args.reason.clone() };
            act(&args, "acknowledge", wish, None).await
        }
        AlertsCommand::Resolve(args) => {
            let wish = Act::Resolve { reason: args.reason.clone() };
            act(&args, "resolve", wish, None).await
        }
        AlertsCommand::Override(args) => {
            let reason = args.reason.clone().unwrap_or_default();
            act(&args, "override", Act::Override { reason }, None).await
        }
        AlertsCommand::Escalate(args) => {
            let wish = Act::Escalate { reason: args.reason.clone() };
            act(&args, "escalate", wish, None).await
        }
        AlertsCommand::Snooze(args) => {
            let (mins, reason) = (args.mins, args.act.reason.clone().unwrap_or_default());
            act(&args.act, "snooze", Act::Snooze { mins, reason }, Some(mins)).await
        }
        AlertsCommand::Silence(args) => silence(&args).await,
        AlertsCommand::Burden(args) => burden(&args).await,
    }
}

async fn list(args: &AlertsListArgs) -> anyhow::Result<Exit> {
    let wrong = || usage("`--severity` is critical, high, medium, low or info");
    let at_least =
        args.severity.as_deref().map(|name| Severity::named(name).ok_or_else(wrong)).transpose()?;
    let listed = match Way::to(&args.data)? {
        Way::Own(own, desk) => {
            let query = Query {
                live: !args.all,
                at_least,
                unit: args.unit.clone(),
                subject: args.patient.clone(),
                order: Order::Worst,
                max: args.max,
                ..Query::default()
            };
            document::page(&desk.list(&permit(&own, Matter::Alerts, "alerts").await?, query).await?)
        }
        Way::Server(client) => {
            let mut path = format!("/api/v1/alerts?order=worst&max={}", args.max);
            let live = (!args.all).then(|| "live".to_owned());
            let values = [
                ("state", &live),
                ("severity", &args.severity),
                ("unit", &args.unit),
                ("patient", &args.patient),
            ];
            for (name, value) in values {
                if let Some(value) = value {
                    let _ = write!(path, "&{name}={}", fhir::uri::encode(value));
                }
            }
            ask(&client, Method::GET, &path, None).await?
        }
    };
    if args.json {
        say_json(&listed)?;
        return Ok(Exit::Done);
    }
    let columns = ["id", "severity", "state", "subject", "unit", "raised_at", "message"];
    print_table(&columns, &listed["alerts"])
}

fn print_table(columns: &[&str], entries: &Value) -> anyhow::Result<Exit> {
    let mut rows = vec![columns.iter().map(|column| (*column).to_owned()).collect::<Vec<String>>()];
    for entry in entries.as_array().into_iter().flatten() {
        rows.push(columns.iter().map(|column| entry[column].as_str().unwrap_or("-").to_owned()).collect());
    }
    say(table(&rows).trim_end())?;
    Ok(Exit::Done)
}

async fn show(data: &DataArgs, id: &str) -> anyhow::Result<Exit> {
    let found = match Way::to(data)? {
        Way::Own(own, desk) => {
            let permit = permit(&own, Matter::Alerts, &format!("alert/{id}")).await?;
            let whole = desk.whole(&permit, id).await?;
            document::whole(&whole.ok_or_else(|| usage(format!("there is no alert `{id}`")))?)
        }
        Way::Server(client) => {
            ask(&client, Method::GET, &format!("/api/v1/alerts/{}", fhir::uri::encode(id)), None).await?
        }
    };
    say_json(&found)?;
    Ok(Exit::Done)
}

async fn act(args: &AlertsActArgs, verb: &str, wish: Act, mins: Option<u32>) -> anyhow::Result<Exit> {
    let done = match Way::to(&args.data)? {
        Way::Own(own, desk) => {
            let permit = permit(&own, Matter::ChangeAlert, &format!("alert/{}", args.id)).await?;
            let done = desk.act(&permit, &args.id, wish, None).await?;
            let state = done.iter().rfind(|change| change.alert == args.id).map(|change| change.after.name());
            let changes: Vec<Value> = done.iter().map(document::transition).collect();
            json!({"id": args.id, "state": state, "changes": changes})
        }
        Way::Server(client) => {
            let mut body = json!({});
            if let Some(reason) = &args.reason {
                body["reason"] = json!(reason);
            }
            if let Some(mins) = mins {
                body["mins"] = json!(mins);
            }
            let path = format!("/api/v1/alerts/{}/{verb}", fhir::uri::encode(&args.id));
            ask(&client, Method::POST, &path, Some(&body)).await?
        }
    };
    if args.json {
        say_json(&done)?;
    } else {
        say(format!("alert {} is {}", args.id, done["state"].as_str().unwrap_or("changed")))?;
    }
    Ok(Exit::Done)
}

async fn silence(args: &AlertsSilenceArgs) -> anyhow::Result<Exit> {
    let way = Way::to(&args.data)?;
    if args.list {
        return silences(way, args.json).await;
    }
    if let Some(id) = &args.lift {
        return lift(way, id, args.json).await;
    }
    let request = SilenceRequest {
        subject: args.subject.clone(),
        topic: args.topic.clone(),
        rule: args.rule.clone(),
        unit: args.unit.clone(),
        mins: args.mins.unwrap_or_default(),
        reason: args.reason.clone().unwrap_or_default(),
    };
    let made = match way {
        Way::Own(own, desk) => {
            let permit = permit(&own, Matter::ChangeAlert, "silence").await?;
            document::silence(&desk.silence(&permit, request).await?)
        }
        Way::Server(client) => {
            let body = json!({
                "subject": request.subject, "topic": request.topic, "rule": request.rule, "unit": request.unit,
                "mins": request.mins, "reason": request.reason,
            });
            ask(&client, Method::POST, "/api/v1/silences", Some(&body)).await?
        }
    };
    if args.json {
        say_json(&made)?;
    } else {
        let text = |key: &str| made[key].as_str().unwrap_or_default().to_owned();
        say(format!(
            "silence {} until {}; critical and high alerts are not silent",
            text("id"),
            text("ends_at")
        ))?;
    }
    Ok(Exit::Done)
}

async fn silences(way: Way, is_json: bool) -> anyhow::Result<Exit> {
    let listed = match way {
        Way::Own(own, desk) => {
            let found = desk.silences(&permit(&own, Matter::Alerts, "silences").await?).await?;
            json!({"silences": found.iter().map(document::silence).collect::<Vec<_>>()})
        }
        Way::Server(client) => ask(&client, Method::GET, "/api/v1/silences", None).await?,
    };
    if is_json {
        say_json(&listed)?;
        return Ok(Exit::Done);
    }
    print_table(&["id", "subject", "topic", "rule", "unit", "ends_at", "by", "reason"], &listed["silences"])
}

async fn lift(way: Way, id: &str, is_json: bool) -> anyhow::Result<Exit> {
    let done = match way {
        Way::Own(own, desk) => {
            let permit = permit(&own, Matter::ChangeAlert, &format!("silence/{id}")).await?;
            json!({"id": id, "alerts": desk.lift(&permit, id).await?.len()})
        }
        Way::Server(client) => {
            ask(&client, Method::DELETE, &format!("/api/v1/silences/{}", fhir::uri::encode(id)), None).await?
        }
    };
    if is_json {
        say_json(&done)?;
    } else {
        say(format!("silence {id} is lifted"))?;
    }
    Ok(Exit::Done)
}

async fn burden(args: &AlertsBurdenArgs) -> anyhow::Result<Exit> {
    let now = SystemClock.now();
    let from = Instant(now.0 - i64::from(args.days.max(1)) * DAY_MICROS);
    let found = match Way::to(&args.data)? {
        Way::Own(own, desk) => {
            let permit = permit(&own, Matter::Streams, "alert-burden").await?;
            document::burden(&desk.burden(&permit, args.unit.clone(), (from, now)).await?)
        }
        Way::Server(client) => {
            let mut path = format!("/api/v1/alert-burden?from={from}&to={now}");
            if let Some(unit) = &args.unit {
                let _ = write!(path, "&unit={}", fhir::uri::encode(unit));
            }
            ask(&client, Method::GET, &path, None).await?
        }
    };
    if args.json {
        say_json(&found)?;
        return Ok(Exit::Done);
    }
    let number = |key: &str| match &found[key] {
        Value::Null => "unknown".to_owned(),
        value if value.is_u64() => value.to_string(),
        value => value.as_f64().map_or_else(|| value.to_string(), |number| format!("{number:.2}")),
    };
    let keys = [
        ("alerts", "alerts"),
        ("alerts per bed and day", "per_bed_day"),
        ("share acknowledged", "share_acknowledged"),
        ("share overridden", "share_overridden"),
        ("median seconds to acknowledgement", "median_acknowledgement_secs"),
    ];
    for (name, key) in keys {
        say(format!("{name}: {}", number(key)))?;
    }
    Ok(Exit::Done)
}
