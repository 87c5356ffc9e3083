-- Cards that decision support gave, and what people did with them.
CREATE TABLE decision_card (
    tenant TEXT NOT NULL,
    uuid TEXT NOT NULL,
    service TEXT NOT NULL,
    -- The call that it answered.
    instance TEXT NOT NULL,
    -- Who saw it, as the client names them: `Practitioner/abc`.
    person TEXT NOT NULL,
    subject TEXT NOT NULL,
    -- The rule that it speaks for; empty for what could not be judged.
    rule TEXT NOT NULL,
    version TEXT NOT NULL,
    severity TEXT NOT NULL,
    at INTEGER NOT NULL,
    by TEXT NOT NULL,
    PRIMARY KEY (tenant, uuid)
) WITHOUT ROWID;

-- The same card can be acted on more than once.
CREATE TABLE decision_feedback (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant TEXT NOT NULL,
    card TEXT NOT NULL,
    -- accepted, overridden
    outcome TEXT NOT NULL,
    suggestions TEXT NOT NULL,
    reason_system TEXT,
    reason_code TEXT,
    comment TEXT,
    at INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    by TEXT NOT NULL
) STRICT;
CREATE INDEX decision_feedback_card ON decision_feedback (tenant, card);

-- Versions of rules that were ever used here, and what they said.
CREATE TABLE rule_version (
    rule TEXT NOT NULL,
    version TEXT NOT NULL,
    hash TEXT NOT NULL,
    text TEXT NOT NULL,
    since INTEGER NOT NULL,
    PRIMARY KEY (rule, version)
) WITHOUT ROWID;
