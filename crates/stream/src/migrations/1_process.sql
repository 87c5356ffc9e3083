-- Processing: how far each group is, what is known of each patient, what could not be processed. Written in one transaction with the effects.

-- The next offset that a group wants.
CREATE TABLE position (
    grp TEXT NOT NULL,
    kind TEXT NOT NULL,
    partition INTEGER NOT NULL,
    next INTEGER NOT NULL,
    PRIMARY KEY (grp, kind, partition)
) WITHOUT ROWID;

-- How far followers of other sequences are: the store's change log. Under `board`, the end of the sequence of changes of patients.
CREATE TABLE cursor (
    name TEXT PRIMARY KEY,
    seq INTEGER NOT NULL
) WITHOUT ROWID;

-- Identifiers of events that were processed, where the log does not know them (Kafka).
CREATE TABLE seen (
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    content BLOB NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (tenant, id)
) WITHOUT ROWID;
CREATE INDEX seen_at ON seen (at);

-- One row per patient: what the rules remember, and the latest values for people (JSON, see process/board.rs). Written with every batch that
-- touches the patient: a row of a table with its own key stays within a page, where one of a table without would flow over into others.
CREATE TABLE patient_state (
    key INTEGER PRIMARY KEY,
    tenant TEXT NOT NULL,
    patient TEXT NOT NULL,
    partition INTEGER NOT NULL,
    -- Goes up with each change: a batch that was planned on another version is planned again.
    version INTEGER NOT NULL,
    state BLOB NOT NULL,
    board TEXT NOT NULL,
    unit TEXT,
    -- When the rules could say something without an event.
    due INTEGER,
    at INTEGER NOT NULL,
    -- Its place in the sequence of changes of all patients: what live pages follow.
    changed INTEGER NOT NULL,
    UNIQUE (tenant, patient)
) STRICT;
CREATE INDEX patient_changed ON patient_state (changed);
CREATE INDEX patient_due ON patient_state (partition, due) WHERE due IS NOT NULL;
CREATE INDEX patient_unit ON patient_state (tenant, unit) WHERE unit IS NOT NULL;

-- Names of patients that were merged into others.
CREATE TABLE merged (
    tenant TEXT NOT NULL,
    patient TEXT NOT NULL,
    into_patient TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (tenant, patient)
) WITHOUT ROWID;

-- What was measured, one row per event, for charts and provenance. Kept as long as events are.
CREATE TABLE measured (
    tenant TEXT NOT NULL,
    patient TEXT NOT NULL,
    at INTEGER NOT NULL,
    source TEXT NOT NULL,
    event TEXT NOT NULL,
    kind TEXT NOT NULL,
    partition INTEGER NOT NULL,
    "offset" INTEGER NOT NULL,
    -- on_time, late, too_late
    lateness TEXT NOT NULL,
    -- JSON: [name, value, unit, flags] of each.
    body TEXT NOT NULL,
    PRIMARY KEY (tenant, patient, at, source, event)
) WITHOUT ROWID;

-- Resources on their way into the FHIR store: Observations, notes, devices, alerts.
CREATE TABLE observation (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant TEXT NOT NULL,
    -- UUIDv5 of tenant and event: written twice, it is the same resource.
    id TEXT NOT NULL,
    resource TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    next_at INTEGER NOT NULL
) STRICT;

-- What could not be read or processed, with its original bytes: sealed with the keys of the data folder, when there are any.
CREATE TABLE dead_letter (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant TEXT NOT NULL,
    at INTEGER NOT NULL,
    -- Which door or group refused it: http, mllp, store, alerts, observations.
    door TEXT NOT NULL,
    source TEXT,
    event TEXT,
    patient TEXT,
    -- Where it is in the log, when it came so far.
    kind TEXT,
    partition INTEGER,
    "offset" INTEGER,
    -- One word, and a sentence without values.
    cause TEXT NOT NULL,
    place TEXT NOT NULL,
    message TEXT NOT NULL,
    sealed INTEGER NOT NULL,
    body BLOB NOT NULL,
    -- open, queued, replayed, waived
    state TEXT NOT NULL DEFAULT 'open',
    state_at INTEGER,
    state_by TEXT
) STRICT;
CREATE INDEX dead_letter_state ON dead_letter (tenant, state, id);
CREATE INDEX dead_letter_queued ON dead_letter (partition, id) WHERE state = 'queued';

-- Patients whose events are held behind one that could not be processed.
CREATE TABLE parked (
    tenant TEXT NOT NULL,
    key TEXT NOT NULL,
    dead_letter INTEGER NOT NULL,
    PRIMARY KEY (tenant, key)
) WITHOUT ROWID;

-- Events whose measurements become Observations because an alert rests on them; read back from the log.
CREATE TABLE observation_of (
    tenant TEXT NOT NULL,
    patient TEXT NOT NULL,
    at INTEGER NOT NULL,
    source TEXT NOT NULL,
    event TEXT NOT NULL,
    next_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, patient, at, source, event)
) WITHOUT ROWID;
