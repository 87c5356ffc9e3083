-- What was written to the FHIR store beside measurements, so that it is written again only when it changed.

-- Devices, and what each of them measures with its last calibration. The measure is empty for the device itself.
CREATE TABLE device (
    tenant TEXT NOT NULL,
    -- The resource's identifier: UUIDv5 of tenant, source and the device's own.
    id TEXT NOT NULL,
    measure TEXT NOT NULL,
    calibrated_at INTEGER,
    PRIMARY KEY (tenant, id, measure)
) WITHOUT ROWID;

-- Alerts that are written as FHIR: what changes of them is written too, whatever is asked for by then.
CREATE TABLE alert_resource (
    alert INTEGER PRIMARY KEY REFERENCES alert (key),
    -- Flag or DetectedIssue.
    kind TEXT NOT NULL
) STRICT;

-- Labels of the events that moved an alert, as they were sent: a JSON array.
ALTER TABLE alert ADD COLUMN privacy TEXT NOT NULL DEFAULT '[]';
