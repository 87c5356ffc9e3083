-- Surveillance: counts as they were reported, cases counted from events, who reported when, and episodes that are open.

-- What a source reported for a day (or a week) of a series; the newest report holds.
CREATE TABLE surv_count (
    tenant                TEXT NOT NULL,
    measure               TEXT NOT NULL,
    region                TEXT NOT NULL, -- empty: everywhere
    stratum               TEXT NOT NULL, -- empty: all people
    days                  INTEGER NOT NULL, -- 1 or 7
    day                   INTEGER NOT NULL, -- first day, days since 1970
    source                TEXT NOT NULL,
    count                 INTEGER NOT NULL,
    denominator           INTEGER,
    reference_count       INTEGER,
    reference_denominator INTEGER,
    event                 TEXT NOT NULL,
    at                    INTEGER NOT NULL,
    received_at           INTEGER NOT NULL,
    PRIMARY KEY (tenant, measure, region, stratum, days, day, source)
) WITHOUT ROWID;

-- A result that is a case by a configured condition.
CREATE TABLE surv_case (
    tenant  TEXT NOT NULL,
    measure TEXT NOT NULL,
    result  TEXT NOT NULL, -- source and the sender's identifier of the result: a correction has the same
    region  TEXT NOT NULL,
    day     INTEGER NOT NULL,
    patient TEXT NOT NULL,
    source  TEXT NOT NULL,
    counted INTEGER NOT NULL, -- 0: the patient is counted by another result
    event   TEXT NOT NULL,
    PRIMARY KEY (tenant, measure, result)
) WITHOUT ROWID;
CREATE INDEX surv_case_day ON surv_case (tenant, measure, region, day);
CREATE INDEX surv_case_patient ON surv_case (tenant, measure, patient, day);

-- A day of which a source has said something: without a count it is zero then. `*`: of all measures.
CREATE TABLE surv_report (
    tenant  TEXT NOT NULL,
    measure TEXT NOT NULL,
    region  TEXT NOT NULL,
    source  TEXT NOT NULL,
    day     INTEGER NOT NULL,
    PRIMARY KEY (tenant, measure, region, source, day)
) WITHOUT ROWID;

-- What a rule has raised and not ended.
CREATE TABLE surv_episode (
    tenant    TEXT NOT NULL,
    rule      TEXT NOT NULL,
    measure   TEXT NOT NULL,
    region    TEXT NOT NULL,
    stratum   TEXT NOT NULL,
    opening   TEXT NOT NULL, -- the event that opened it
    first_day INTEGER NOT NULL,
    last_day  INTEGER NOT NULL,
    PRIMARY KEY (tenant, rule, measure, region, stratum)
) WITHOUT ROWID;

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
