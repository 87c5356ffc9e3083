//! Outbox and channels: e-mail, SMS, push, webhook. Idempotency keys, retries, delivery records. Carries no patient data unless configured.
