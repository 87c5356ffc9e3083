-- An alert: what one or more rules say of one patient (or population) about one topic, from its opening until it ends. The tables of the outbox
-- come with the crate `notify`, as the next migration.
CREATE TABLE alert (
    -- In the order in which alerts were opened: pages are cut by it.
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    -- UUIDv5 of tenant, rule, subject and opening event.
    id TEXT NOT NULL UNIQUE,
    tenant TEXT NOT NULL,
    subject TEXT NOT NULL,
    topic TEXT NOT NULL,
    -- The rule whose finding decides severity and message now.
    rule TEXT NOT NULL,
    version TEXT NOT NULL,
    opening TEXT NOT NULL,
    event TEXT NOT NULL,
    -- 0 info to 4 critical: now, and the worst there was.
    severity INTEGER NOT NULL,
    peak INTEGER NOT NULL,
    is_immediate INTEGER NOT NULL,
    -- open, acknowledged, escalated, snoozed, silenced, resolved, retracted
    state TEXT NOT NULL,
    message TEXT NOT NULL,
    -- JSON: what it rests on.
    seen TEXT NOT NULL,
    -- When it happened, when the alert was opened, when its state last changed, when it ended.
    at INTEGER NOT NULL,
    raised_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    ended_at INTEGER,
    -- When somebody must have answered, in the present episode of severity.
    respond_by INTEGER,
    -- First acknowledgement, and who holds it now.
    acknowledged_at INTEGER,
    owner TEXT,
    is_overridden INTEGER NOT NULL DEFAULT 0,
    -- When something happens by itself next: escalation, end of a snooze, silence or acknowledgement.
    timer_at INTEGER,
    level INTEGER NOT NULL DEFAULT 0,
    repeats INTEGER NOT NULL DEFAULT 0,
    silence TEXT,
    inhibited_by TEXT,
    unit TEXT,
    encounter TEXT,
    organization TEXT,
    region TEXT,
    -- JSON array.
    population TEXT NOT NULL,
    -- Its last row in `alert_change`.
    seq INTEGER NOT NULL
);
-- One live alert per topic of a patient.
CREATE UNIQUE INDEX alert_live ON alert (tenant, subject, topic) WHERE ended_at IS NULL;
CREATE INDEX alert_subject ON alert (tenant, subject, key);
CREATE INDEX alert_queue ON alert (tenant, severity, key) WHERE ended_at IS NULL;
CREATE INDEX alert_tenant ON alert (tenant, key);
CREATE INDEX alert_timer ON alert (timer_at) WHERE timer_at IS NOT NULL;
CREATE INDEX alert_inhibited ON alert (inhibited_by) WHERE inhibited_by IS NOT NULL;
CREATE INDEX alert_raised ON alert (tenant, raised_at);

-- What one rule says within an alert. Once per rule, subject and opening event, whatever is replayed.
CREATE TABLE alert_part (
    tenant TEXT NOT NULL,
    subject TEXT NOT NULL,
    rule TEXT NOT NULL,
    opening TEXT NOT NULL,
    version TEXT NOT NULL,
    alert INTEGER NOT NULL REFERENCES alert (key),
    severity INTEGER NOT NULL,
    is_immediate INTEGER NOT NULL,
    -- active, cleared, retracted
    state TEXT NOT NULL,
    message TEXT NOT NULL,
    seen TEXT NOT NULL,
    at INTEGER NOT NULL,
    event TEXT NOT NULL,
    PRIMARY KEY (tenant, subject, rule, opening)
) WITHOUT ROWID;
CREATE INDEX alert_part_of ON alert_part (alert);

-- Every transition of every alert: the audit trail, and the sequence that live pages follow. Only appended to.
CREATE TABLE alert_change (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    alert INTEGER NOT NULL REFERENCES alert (key),
    tenant TEXT NOT NULL,
    what TEXT NOT NULL,
    -- States; `before` is null for the first.
    before TEXT,
    after TEXT NOT NULL,
    severity INTEGER NOT NULL,
    at INTEGER NOT NULL,
    -- A principal, or `rule:NAME`, `service:NAME`.
    by TEXT NOT NULL,
    reason TEXT
);
CREATE INDEX alert_change_of ON alert_change (alert, seq);

-- Until when alerts that match tell nobody. Never applies to high or critical.
CREATE TABLE silence (
    id TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    subject TEXT,
    topic TEXT,
    rule TEXT,
    unit TEXT,
    begins_at INTEGER NOT NULL,
    ends_at INTEGER NOT NULL,
    by TEXT NOT NULL,
    reason TEXT NOT NULL,
    lifted_at INTEGER,
    lifted_by TEXT
) WITHOUT ROWID;
CREATE INDEX silence_of ON silence (tenant, ends_at);

-- What a rule could not judge of a patient, and why: shown, never taken as normal.
CREATE TABLE unjudged (
    tenant TEXT NOT NULL,
    subject TEXT NOT NULL,
    rule TEXT NOT NULL,
    version TEXT NOT NULL,
    reason TEXT NOT NULL,
    since INTEGER NOT NULL,
    PRIMARY KEY (tenant, subject, rule)
) WITHOUT ROWID;
