-- 4_surveillance

-- Messages of HL7 v2 that were kept: a sender that did not get its answer sends again.
CREATE TABLE mllp_seen (
    tenant     TEXT NOT NULL,
    source     TEXT NOT NULL, -- MSH-3@MSH-4
    control_id TEXT NOT NULL, -- MSH-10
    hash       BLOB NOT NULL, -- SHA-256 of the message
    at         INTEGER NOT NULL,
    kept       INTEGER NOT NULL, -- 1: its events are durable
    PRIMARY KEY (tenant, source, control_id)
) WITHOUT ROWID;
CREATE INDEX mllp_seen_at ON mllp_seen (at);
