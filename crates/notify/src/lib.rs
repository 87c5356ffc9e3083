//! Outbox and channels: e-mail, SMS, push, webhook. Idempotency keys, retries, delivery records. Carries no patient data unless configured.
//!
//! A [`Notice`] is put into the outbox in the transaction of what it tells ([`outbox::put`]), for the receivers that a [`Plan`] names. A [`Worker`]
//! delivers: at least once, each time with the same idempotency key. What cannot be delivered stays as *dead* and is handed back to whoever
//! put it ([`outbox::dead`]), so that somebody else is told.

mod channel;
mod notice;
pub mod outbox;
mod plan;
mod render;
mod secret;
mod settings;
mod worker;

pub use channel::{Channels, sign};
pub use notice::{Channel, Notice, Purpose};
pub use plan::{Facts, Plan, PlanError, Quiet, Receiver};
pub use render::{Rendered, render};
pub use secret::Secret;
pub use settings::{
    EscalationStep, Match, PushFormat, PushSettings, QuietSettings, ReceiverSettings, RouteSettings,
    Settings, SmsSettings, SmtpSecurity, SmtpSettings, WebhookAddress,
};
pub use worker::{Counts, Worker};
