//! What is told, and by which channel. Without patient data, except a text that only some receivers get.

use fhir::Instant;
use rules::Severity;

/// A way to reach somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Channel {
    /// SMTP.
    Email,
    /// Through an HTTP gateway.
    Sms,
    /// To a device, through a push service.
    Push,
    /// To another system, signed.
    Webhook,
}

impl Channel {
    /// Every channel.
    pub const ALL: [Channel; 4] = [Channel::Email, Channel::Sms, Channel::Push, Channel::Webhook];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Channel::Email => "email",
            Channel::Sms => "sms",
            Channel::Push => "push",
            Channel::Webhook => "webhook",
        }
    }

    /// The channel of a name.
    pub fn named(name: &str) -> Option<Channel> {
        Channel::ALL.into_iter().find(|channel| channel.name() == name)
    }
}

/// Why somebody is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Purpose {
    /// It began.
    Raised,
    /// It got worse.
    Worsened,
    /// It came back: a snooze, a silence or an acknowledgement ended and it still holds.
    Reminded,
    /// Nobody answered in time, or a message was not delivered.
    Escalated,
    /// It rests on less than was told before, or belongs to another record.
    Corrected,
    /// It was never true.
    Retracted,
    /// It is over.
    Resolved,
}

impl Purpose {
    const ALL: [Purpose; 7] = [
        Purpose::Raised,
        Purpose::Worsened,
        Purpose::Reminded,
        Purpose::Escalated,
        Purpose::Corrected,
        Purpose::Retracted,
        Purpose::Resolved,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Purpose::Raised => "raised",
            Purpose::Worsened => "worsened",
            Purpose::Reminded => "reminded",
            Purpose::Escalated => "escalated",
            Purpose::Corrected => "corrected",
            Purpose::Retracted => "retracted",
            Purpose::Resolved => "resolved",
        }
    }

    /// The purpose of a name.
    pub fn named(name: &str) -> Option<Purpose> {
        Purpose::ALL.into_iter().find(|purpose| purpose.name() == name)
    }

    /// Does it take back what was told: nobody's quiet hours delay that.
    pub fn is_correction(self) -> bool {
        matches!(self, Purpose::Corrected | Purpose::Retracted)
    }
}

/// What is told about one thing, once.
#[derive(Clone, PartialEq, Eq)]
pub struct Notice {
    /// Whose.
    pub tenant: String,
    /// What it is about: an alert's identifier.
    pub reference: String,
    /// Counts what is told about it: two notices of one thing have different numbers, and one that is put twice is sent once.
    pub number: i64,
    /// Why.
    pub purpose: Purpose,
    /// How bad.
    pub severity: Severity,
    /// When it began.
    pub at: Instant,
    /// Ward or unit.
    pub unit: Option<String>,
    /// What it says, with patient data: only for receivers that are configured to get it.
    pub text: Option<String>,
}

/// Patient data does not print.
impl std::fmt::Debug for Notice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Notice({} {} {})", self.reference, self.number, self.purpose.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for channel in Channel::ALL {
            assert_eq!(Channel::named(channel.name()), Some(channel));
        }
        for purpose in Purpose::ALL {
            assert_eq!(Purpose::named(purpose.name()), Some(purpose));
        }
        assert_eq!(Channel::named("fax"), None);
    }
}
