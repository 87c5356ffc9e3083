-- One message to one address. It takes more items until its first attempt; from then on it is what it is, under one idempotency key.
CREATE TABLE outbox (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant TEXT NOT NULL,
    idempotency TEXT NOT NULL UNIQUE,
    receiver TEXT NOT NULL,
    channel TEXT NOT NULL,
    address TEXT NOT NULL,
    -- Severity of its worst item, 0 to 4.
    severity INTEGER NOT NULL,
    -- pending, delivered, dead, cancelled
    state TEXT NOT NULL,
    put_at INTEGER NOT NULL,
    not_before INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    ended_at INTEGER,
    -- How the gateway names it.
    provider TEXT,
    -- Dead, and whoever put it knows.
    is_known INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX outbox_due ON outbox (not_before) WHERE state = 'pending';
CREATE INDEX outbox_dead ON outbox (key) WHERE state = 'dead' AND is_known = 0;
CREATE INDEX outbox_address ON outbox (tenant, channel, address, put_at);

-- What a message tells.
CREATE TABLE outbox_item (
    reference TEXT NOT NULL,
    number INTEGER NOT NULL,
    outbox INTEGER NOT NULL REFERENCES outbox (key),
    purpose TEXT NOT NULL,
    severity INTEGER NOT NULL,
    at INTEGER NOT NULL,
    unit TEXT,
    -- Patient data: only for receivers that are configured to get it; emptied after delivery.
    text TEXT,
    PRIMARY KEY (reference, number, outbox)
) WITHOUT ROWID;
CREATE INDEX outbox_item_of ON outbox_item (outbox);

-- One attempt. It is begun before anything is sent, so that an attempt that was cut off is seen.
CREATE TABLE delivery (
    outbox INTEGER NOT NULL REFERENCES outbox (key),
    attempt INTEGER NOT NULL,
    begun_at INTEGER NOT NULL,
    ended_at INTEGER,
    -- delivered, failed, refused; null while it is under way or was cut off
    outcome TEXT,
    detail TEXT,
    PRIMARY KEY (outbox, attempt)
) WITHOUT ROWID;
