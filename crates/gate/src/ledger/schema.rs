//! Tables of `govern.db`: the audit ledger, tokens, sessions, set-up links, secrets.

/// Numbered migrations, oldest first; one that has been released never changes.
pub(crate) const MIGRATIONS: &[&str] = &["
    CREATE TABLE audit (
        seq          INTEGER PRIMARY KEY,  -- rises by one: nothing is ever deleted
        at           INTEGER NOT NULL,  -- microseconds, UTC
        tenant       TEXT NOT NULL,
        principal    TEXT NOT NULL,
        on_behalf_of TEXT,
        purpose      TEXT NOT NULL,
        action       TEXT NOT NULL,
        kind         TEXT,
        ids          TEXT NOT NULL,
        detail       TEXT,
        count        INTEGER NOT NULL,
        outcome      TEXT NOT NULL,
        request      TEXT NOT NULL,
        patients     TEXT NOT NULL      -- ids, separated by spaces
    ) STRICT;
    -- Finds the records of a patient: accounting of disclosures.
    CREATE TABLE audit_patient (
        patient TEXT NOT NULL,
        seq     INTEGER NOT NULL,
        PRIMARY KEY (patient, seq)
    ) STRICT, WITHOUT ROWID;
    -- Up to where the table above knows the ledger; what is newer is looked through.
    CREATE TABLE audit_indexed (seq INTEGER NOT NULL) STRICT;
    INSERT INTO audit_indexed VALUES (0);
    CREATE TRIGGER audit_update BEFORE UPDATE ON audit
        BEGIN SELECT RAISE(ABORT, 'the audit ledger is append-only'); END;
    CREATE TRIGGER audit_delete BEFORE DELETE ON audit
        BEGIN SELECT RAISE(ABORT, 'the audit ledger is append-only'); END;
    CREATE TRIGGER audit_patient_update BEFORE UPDATE ON audit_patient
        BEGIN SELECT RAISE(ABORT, 'the audit ledger is append-only'); END;
    CREATE TRIGGER audit_patient_delete BEFORE DELETE ON audit_patient
        BEGIN SELECT RAISE(ABORT, 'the audit ledger is append-only'); END;

    -- Keys this server's page links; made with the file and never shown.
    CREATE TABLE secret (
        name  TEXT PRIMARY KEY,
        value BLOB NOT NULL
    ) STRICT, WITHOUT ROWID;
    INSERT INTO secret VALUES ('cursor', randomblob(32));

    CREATE TABLE token (
        id         TEXT PRIMARY KEY,
        hash       BLOB NOT NULL UNIQUE,  -- SHA-256 of the secret
        name       TEXT NOT NULL,
        roles      TEXT NOT NULL,
        scopes     TEXT NOT NULL,
        patient    TEXT,
        tenant     TEXT NOT NULL,
        created    INTEGER NOT NULL,
        created_by TEXT NOT NULL,
        expires    INTEGER,
        revoked    INTEGER
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE setup_link (
        hash    BLOB PRIMARY KEY,
        roles   TEXT NOT NULL,
        name    TEXT NOT NULL,
        tenant  TEXT NOT NULL,
        expires INTEGER NOT NULL,
        used    INTEGER
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE session (
        hash    BLOB PRIMARY KEY,
        id      TEXT NOT NULL UNIQUE,
        csrf    TEXT NOT NULL,
        roles   TEXT NOT NULL,
        name    TEXT NOT NULL,
        tenant  TEXT NOT NULL,
        created INTEGER NOT NULL,
        expires INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
"];
