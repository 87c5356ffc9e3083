//! The ways out: e-mail, SMS, push, webhook. Each takes a rendered message and says whether it was taken, may be later, or never will be.

mod http;
mod push;
mod sign;
mod sms;
mod smtp;
mod vapid;
mod webhook;

use fhir::Instant;

use crate::outbox::{Claimed, Outcome};
use crate::plan::PlanError;
use crate::render::render;
use crate::{Channel, Settings};

pub use sign::sign;

/// The channels of a configuration.
#[derive(Clone, Default)]
pub struct Channels {
    smtp: Option<smtp::Smtp>,
    sms: Option<sms::Sms>,
    push: Option<push::Push>,
    webhooks: webhook::Webhooks,
    link_base: String,
}

impl Channels {
    /// Prepares the channels of a section whose secrets are in place. `link_base` is the address under which people reach the pages.
    ///
    /// # Errors
    /// A channel cannot be used as it is configured.
    pub fn new(settings: &Settings, link_base: &str) -> Result<Channels, PlanError> {
        let wrong = |channel: &'static str| move |why: String| PlanError::Channel { channel, why };
        Ok(Channels {
            smtp: settings.smtp.as_ref().map(smtp::Smtp::new).transpose().map_err(wrong("smtp"))?,
            sms: settings.sms.as_ref().map(sms::Sms::new).transpose().map_err(wrong("sms"))?,
            push: settings.push.as_ref().map(push::Push::new).transpose().map_err(wrong("push"))?,
            webhooks: webhook::Webhooks::new(settings).map_err(wrong("receivers"))?,
            link_base: link_base.to_owned(),
        })
    }

    /// Sends a message. Never fails: what goes wrong is its outcome.
    pub async fn send(&self, message: &Claimed, now: Instant) -> Outcome {
        let rendered = render(message, &self.link_base);
        let absent = || Outcome::Refused(format!("channel `{}` is not configured", message.channel.name()));
        match message.channel {
            Channel::Email => match &self.smtp {
                Some(smtp) => smtp.send(message, &rendered, now).await,
                None => absent(),
            },
            Channel::Sms => match &self.sms {
                Some(sms) => sms.send(message, &rendered, now).await,
                None => absent(),
            },
            Channel::Push => match &self.push {
                Some(push) => push.send(message, &rendered, now).await,
                None => absent(),
            },
            Channel::Webhook => self.webhooks.send(message, &self.link_base, now).await,
        }
    }
}

impl std::fmt::Debug for Channels {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Channels")
    }
}
