-- The first layout. Every key leads with the tenant: `t` is given out per tenant and resource type, `p` per tenant, index generation,
-- type and parameter.

CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE tenant (tenant INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
-- n: how many of the type are there, deleted ones not counted.
CREATE TABLE kind (t INTEGER PRIMARY KEY, tenant INTEGER NOT NULL, name TEXT NOT NULL, n INTEGER NOT NULL DEFAULT 0, UNIQUE (tenant, name));

-- Current versions. Version 0: nothing was ever stored, but something refers to it. Ids that are UUIDs are kept in 16 bytes.
CREATE TABLE resource (
    rid INTEGER PRIMARY KEY, t INTEGER NOT NULL, id BLOB NOT NULL,
    version INTEGER NOT NULL, seq INTEGER NOT NULL, updated INTEGER NOT NULL, op INTEGER NOT NULL, body BLOB
);
-- k: the time of a UUID of version 7 and 16 bits of a keyed hash, else 64 bits of the hash; type and id are compared in `resource`.
CREATE TABLE key (k INTEGER NOT NULL, rid INTEGER NOT NULL, PRIMARY KEY (k, rid)) WITHOUT ROWID;
-- What references point at is the row number, except for resources that were referred to before they were stored: the number that was
-- given out then is their target, so that row numbers rise with the order in which resources are first stored, whoever refers to them.
CREATE TABLE alias (target INTEGER PRIMARY KEY, rid INTEGER NOT NULL UNIQUE);
-- Earlier versions, by their position in the change log.
CREATE TABLE past (
    seq INTEGER PRIMARY KEY, rid INTEGER NOT NULL, t INTEGER NOT NULL,
    version INTEGER NOT NULL, updated INTEGER NOT NULL, op INTEGER NOT NULL, body BLOB
);
CREATE UNIQUE INDEX past_of ON past (rid, version);
CREATE INDEX past_kind ON past (t, seq);

-- The change log, and who wrote: the audit record of each write.
CREATE TABLE actor (
    actor INTEGER PRIMARY KEY, principal TEXT NOT NULL, purpose TEXT NOT NULL, decision TEXT NOT NULL, on_behalf_of TEXT NOT NULL,
    UNIQUE (principal, purpose, decision, on_behalf_of)
);
CREATE TABLE request (request INTEGER PRIMARY KEY, tenant INTEGER NOT NULL, actor INTEGER NOT NULL, at INTEGER NOT NULL, id TEXT NOT NULL);
CREATE TABLE log (seq INTEGER PRIMARY KEY, rid INTEGER NOT NULL, version INTEGER NOT NULL, op INTEGER NOT NULL, request INTEGER NOT NULL);

-- The search index: derived, can be built anew. state 0: being built, 1: serves.
CREATE TABLE generation (g INTEGER PRIMARY KEY, state INTEGER NOT NULL, definitions TEXT NOT NULL);
CREATE TABLE param (
    p INTEGER PRIMARY KEY, tenant INTEGER NOT NULL, g INTEGER NOT NULL, kind TEXT NOT NULL, code TEXT NOT NULL,
    UNIQUE (tenant, g, kind, code)
);
CREATE TABLE name (n INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);
CREATE TABLE unit (
    u INTEGER PRIMARY KEY, system TEXT NOT NULL, code TEXT NOT NULL, text TEXT NOT NULL, canonical INTEGER NOT NULL,
    UNIQUE (system, code, text, canonical)
);

-- Resources that are there, by type; and the last version of each, deletions too, in the order of the change log.
CREATE TABLE live (t INTEGER NOT NULL, rid INTEGER NOT NULL, PRIMARY KEY (t, rid)) WITHOUT ROWID;
CREATE TABLE latest (t INTEGER NOT NULL, seq INTEGER NOT NULL, rid INTEGER NOT NULL, PRIMARY KEY (t, seq)) WITHOUT ROWID;
-- All index rows of a resource in one piece: to test further filters of a search, and to know what an update must remove.
CREATE TABLE fwd (g INTEGER NOT NULL, rid INTEGER NOT NULL, rows BLOB NOT NULL, PRIMARY KEY (g, rid)) WITHOUT ROWID;

-- h: keyed 64-bit hash. sys: the name of the code's system, 0 for none.
CREATE TABLE token (p INTEGER NOT NULL, h INTEGER NOT NULL, rid INTEGER NOT NULL, sys INTEGER NOT NULL, PRIMARY KEY (p, h, rid, sys)) WITHOUT ROWID;
CREATE TABLE ref (p INTEGER NOT NULL, target INTEGER NOT NULL, rid INTEGER NOT NULL, PRIMARY KEY (p, target, rid)) WITHOUT ROWID;
CREATE TABLE uri (p INTEGER NOT NULL, n INTEGER NOT NULL, rid INTEGER NOT NULL, PRIMARY KEY (p, n, rid)) WITHOUT ROWID;
-- exact: empty when it is the same as the folded text.
CREATE TABLE string (p INTEGER NOT NULL, text TEXT NOT NULL, rid INTEGER NOT NULL, exact TEXT NOT NULL, PRIMARY KEY (p, text, rid, exact)) WITHOUT ROWID;
-- w: width class (0 at most a day, 1 at most 366 days, 2 longer or open). e: how long it lasts; in class 2 where it ends.
CREATE TABLE date (p INTEGER NOT NULL, w INTEGER NOT NULL, lo INTEGER NOT NULL, e INTEGER NOT NULL, rid INTEGER NOT NULL, PRIMARY KEY (p, w, lo, e, rid)) WITHOUT ROWID;
-- w: 0 a point (hi is empty), 1 a range. Numbers are bytes that sort as the numbers do.
CREATE TABLE number (p INTEGER NOT NULL, w INTEGER NOT NULL, lo BLOB NOT NULL, hi BLOB NOT NULL, rid INTEGER NOT NULL, PRIMARY KEY (p, w, lo, hi, rid)) WITHOUT ROWID;
CREATE TABLE quantity (p INTEGER NOT NULL, u INTEGER NOT NULL, w INTEGER NOT NULL, lo BLOB NOT NULL, hi BLOB NOT NULL, rid INTEGER NOT NULL, PRIMARY KEY (p, u, w, lo, hi, rid)) WITHOUT ROWID;
-- h: hash of the first part's code; parts: the others, then what remains of the first.
CREATE TABLE composite (p INTEGER NOT NULL, h INTEGER NOT NULL, parts BLOB NOT NULL, rid INTEGER NOT NULL, PRIMARY KEY (p, h, parts, rid)) WITHOUT ROWID;
-- Facts about patients (region, population, risk) with the time they hold; rid states them.
CREATE TABLE relation (
    p INTEGER NOT NULL, patient INTEGER NOT NULL, h INTEGER NOT NULL, sys INTEGER NOT NULL, lo INTEGER NOT NULL, hi INTEGER NOT NULL, rid INTEGER NOT NULL,
    PRIMARY KEY (p, patient, h, sys, lo, hi, rid)
) WITHOUT ROWID;
CREATE INDEX relation_value ON relation (p, h);
