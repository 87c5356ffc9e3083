-- Files of rules as they stood when a version in them was used, by the hash of their text: many versions share one.
CREATE TABLE rule_source (
    hash TEXT PRIMARY KEY,
    path TEXT NOT NULL,
    text TEXT NOT NULL,
    since INTEGER NOT NULL
) WITHOUT ROWID;
ALTER TABLE rule_version ADD COLUMN source TEXT REFERENCES rule_source (hash);
