//! Somebody who can be told: addresses, whether messages may carry patient data, quiet hours.

use super::{PlanError, Quiet};
use crate::Channel;
use crate::settings::{PushFormat, ReceiverSettings, Settings};

/// A checked receiver.
#[derive(Clone, Debug)]
pub struct Receiver {
    /// Channels and addresses.
    pub addresses: Vec<(Channel, String)>,
    /// May messages say what was measured of whom.
    pub patient_data: bool,
    /// Are they told when it is over.
    pub resolved: bool,
    /// When what is not urgent waits.
    pub quiet: Option<Quiet>,
}

impl Receiver {
    pub(super) fn new(
        name: &str,
        written: &ReceiverSettings,
        settings: &Settings,
    ) -> Result<Receiver, PlanError> {
        let wrong = |why: String| PlanError::Receiver { name: name.to_owned(), why };
        let mut addresses: Vec<(Channel, String)> = Vec::new();
        let emails = written.email.iter().map(|to| (Channel::Email, to.clone()));
        let numbers = written.sms.iter().map(|to| (Channel::Sms, to.clone()));
        let devices = written.push.iter().map(|to| (Channel::Push, to.clone()));
        let systems = written.webhook.iter().map(|to| (Channel::Webhook, to.url.clone()));
        for (channel, address) in emails.chain(numbers).chain(devices).chain(systems) {
            check_address(channel, &address, settings).map_err(wrong)?;
            if !addresses.contains(&(channel, address.clone())) {
                addresses.push((channel, address));
            }
        }
        if addresses.is_empty() {
            return Err(wrong("it has no address: give it `email`, `sms`, `push` or `webhook`".to_owned()));
        }
        let quiet = written.quiet_hours.as_ref().map(Quiet::new).transpose().map_err(wrong)?;
        Ok(Receiver { addresses, patient_data: written.patient_data, resolved: written.resolved, quiet })
    }
}

fn check_address(channel: Channel, address: &str, settings: &Settings) -> Result<(), String> {
    let absent = |section: &str| {
        Err(format!("it has `{}` addresses, and `notify.{section}` is absent", channel.name()))
    };
    match channel {
        Channel::Email if settings.smtp.is_none() => absent("smtp"),
        Channel::Sms if settings.sms.is_none() => absent("sms"),
        Channel::Push if settings.push.is_none() => absent("push"),
        Channel::Email => match address.parse::<lettre::Address>() {
            Ok(_) => Ok(()),
            Err(_) => Err(format!("`{address}` is no e-mail address")),
        },
        Channel::Sms => {
            let digits = address.strip_prefix('+').unwrap_or_default();
            let is_number = (6..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
            is_number.then_some(()).ok_or_else(|| {
                format!("`{address}` is no telephone number: write it as `+` and up to 15 digits")
            })
        }
        Channel::Push if settings.push.as_ref().is_some_and(|push| push.format == PushFormat::Fcm) => {
            (!address.is_empty()).then_some(()).ok_or_else(|| "a push token is empty".to_owned())
        }
        Channel::Push | Channel::Webhook => check_url(address),
    }
}

fn check_url(address: &str) -> Result<(), String> {
    match egress::Url::parse(address) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.host_str().is_some() => Ok(()),
        _ => Err("an address is no absolute `https://` URL".to_owned()),
    }
}
