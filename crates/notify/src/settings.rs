//! The section `notify` of the configuration, as it is written. What it means is checked by [`crate::Plan::new`].

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

use crate::Secret;

/// Channels, receivers, routes.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// How e-mail is sent.
    pub smtp: Option<SmtpSettings>,
    /// How SMS are sent.
    pub sms: Option<SmsSettings>,
    /// How push messages are sent.
    pub push: Option<PushSettings>,
    /// Who can be told, by name.
    pub receivers: BTreeMap<String, ReceiverSettings>,
    /// Who is told of what.
    pub route: RouteSettings,
    /// Who else is told, step by step, when nobody answers.
    pub escalation: Vec<EscalationStep>,
    /// How long messages that are not urgent wait for others to the same address; default 30 s.
    pub group_wait_secs: Option<u32>,
    /// How many urgent messages one address gets within 5 minutes before they are put together; default 10.
    pub storm_messages_max: Option<u32>,
    /// How often a message is tried; default 6.
    pub attempts_max: Option<u32>,
    /// Wait before the second attempt, doubled each time; default 5 s.
    pub retry_first_secs: Option<u32>,
}

/// A mail server.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmtpSettings {
    /// Its name.
    pub host: String,
    /// Its port; default 587.
    #[serde(default = "smtp_port")]
    pub port: u16,
    /// How the connection is protected; default `starttls`.
    #[serde(default)]
    pub security: SmtpSecurity,
    /// Who signs in; without it nobody does.
    pub username: Option<String>,
    /// With what.
    pub password: Option<Secret>,
    /// The sender's address.
    pub from: String,
    /// A certificate authority that is trusted beside those of the system, PEM.
    pub ca_file: Option<PathBuf>,
    /// Longest wait for each answer; default 20.
    #[serde(default = "timeout_secs")]
    pub timeout_secs: u64,
}

/// How the connection to a mail server is protected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SmtpSecurity {
    /// TLS after `STARTTLS`; a server that does not offer it gets nothing.
    #[default]
    Starttls,
    /// TLS from the first byte.
    Tls,
    /// None: only for a relay on this machine.
    None,
}

/// A gateway for SMS with the API of Twilio.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmsSettings {
    /// Its base, `https://api.twilio.com`.
    pub url: String,
    /// The account.
    pub account: String,
    /// Its token.
    pub token: Secret,
    /// The sender's number.
    pub from: String,
    /// Longest wait for an answer; default 20.
    #[serde(default = "timeout_secs")]
    pub timeout_secs: u64,
}

/// A push service.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PushSettings {
    /// Where messages are sent: of FCM, `https://fcm.googleapis.com/v1/projects/PROJECT/messages:send`. Web push has its address in each receiver.
    pub url: Option<String>,
    /// Whose rules apply; default `fcm`.
    #[serde(default)]
    pub format: PushFormat,
    /// FCM: the bearer token. Web push: the private key of VAPID (PKCS 8, PEM).
    pub token: Secret,
    /// Web push: who sends, `mailto:operations@example.org`.
    pub contact: Option<String>,
    /// Longest wait for an answer; default 20.
    #[serde(default = "timeout_secs")]
    pub timeout_secs: u64,
}

/// Kinds of push services.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PushFormat {
    /// Firebase Cloud Messaging, HTTP v1.
    #[default]
    Fcm,
    /// Web push (RFC 8030) without content, signed by VAPID (RFC 8292): the device wakes and asks the server.
    Webpush,
}

/// Somebody who can be told.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReceiverSettings {
    /// E-mail addresses.
    pub email: Vec<String>,
    /// Telephone numbers, `+4915112345678`.
    pub sms: Vec<String>,
    /// Tokens of devices (FCM), or addresses of subscriptions (web push).
    pub push: Vec<String>,
    /// Other systems.
    pub webhook: Vec<WebhookAddress>,
    /// Whether messages to them may say what was measured of whom; default no: a link.
    pub patient_data: bool,
    /// Whether they are told when it is over; default no.
    pub resolved: bool,
    /// When what is not critical or high waits.
    pub quiet_hours: Option<QuietSettings>,
}

/// Another system.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookAddress {
    /// Where to.
    pub url: String,
    /// What its messages are signed with: `whsec_` and base64, or any text.
    pub secret: Secret,
}

/// Hours of a day.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuietSettings {
    /// `22:00`
    pub from: String,
    /// `06:30`; before `from` when it is on the next day.
    pub to: String,
    /// `+01:00`, or with summer time as POSIX writes it, `CET-1CEST,M3.5.0,M10.5.0/3`; default UTC.
    pub zone: Option<String>,
}

/// A node of the tree: the children are tried in order, and when none matches its own receivers are told.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RouteSettings {
    /// What comes here; everything when it is empty.
    #[serde(rename = "match")]
    pub matching: Match,
    /// Who is told.
    pub receivers: Vec<String>,
    /// Whether the nodes after this one are tried too.
    #[serde(rename = "continue")]
    pub goes_on: bool,
    /// Finer nodes.
    pub routes: Vec<RouteSettings>,
}

/// All that is said must hold; of a list, one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Match {
    /// `critical`, `high`, `medium`, `low`, `info`.
    pub severity: Vec<String>,
    /// Wards or units.
    pub unit: Vec<String>,
    /// Groups of the population.
    pub population: Vec<String>,
    /// Regions.
    pub region: Vec<String>,
    /// Topics of rules.
    pub topic: Vec<String>,
    /// Rules.
    pub rule: Vec<String>,
    /// About a patient (`patient`) or about a population (`population`).
    pub about: Option<String>,
    /// About differences between groups: topics that begin with `disparity` or `equity`.
    pub equity: Option<bool>,
}

/// Who is told after so many unanswered alarms.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EscalationStep {
    /// Who.
    pub receivers: Vec<String>,
}

fn smtp_port() -> u16 {
    587
}

fn timeout_secs() -> u64 {
    20
}

impl Settings {
    /// Puts what `resolve` finds in the place of every reference to a secret.
    ///
    /// # Errors
    /// What `resolve` says of the first that it does not find.
    pub fn resolve<E>(&mut self, resolve: &dyn Fn(&str) -> Result<String, E>) -> Result<(), E> {
        let smtp = self.smtp.iter_mut().filter_map(|smtp| smtp.password.as_mut());
        let sms = self.sms.iter_mut().map(|sms| &mut sms.token);
        let push = self.push.iter_mut().map(|push| &mut push.token);
        let webhooks = self.receivers.values_mut().flat_map(|receiver| &mut receiver.webhook);
        let all = smtp.chain(sms).chain(push).chain(webhooks.map(|webhook| &mut webhook.secret));
        for secret in all {
            secret.resolve(resolve)?;
        }
        Ok(())
    }
}
