//! Tables of `etl.db`.

pub(super) const MIGRATIONS: &[&str] = &["
-- One row per run. `record` is the whole run record as JSON when it has ended; `progress` the last word of a run at work.
CREATE TABLE run (
    id            TEXT PRIMARY KEY,
    pipeline      TEXT NOT NULL,
    pipeline_hash TEXT NOT NULL,
    file          TEXT NOT NULL,
    status        TEXT NOT NULL,
    started_at    INTEGER NOT NULL,
    ended_at      INTEGER,
    n_attempts    INTEGER NOT NULL,
    by            TEXT NOT NULL,
    progress      TEXT,
    record        TEXT
) STRICT;
CREATE INDEX run_by_time ON run (started_at);
CREATE INDEX run_by_pipeline ON run (pipeline, started_at);

-- One row per source of a run: `intent` before its targets are committed, `done` after.
CREATE TABLE run_source (
    run      TEXT NOT NULL,
    source   TEXT NOT NULL,
    pipeline TEXT NOT NULL,
    state    TEXT NOT NULL CHECK (state IN ('intent', 'done')),
    at       INTEGER NOT NULL,
    record   TEXT NOT NULL,
    PRIMARY KEY (run, source)
) STRICT, WITHOUT ROWID;
CREATE INDEX run_source_by_pipeline ON run_source (pipeline, source, at);

-- Rows that were set aside. `raw` is sealed; nothing else holds a value of the row.
CREATE TABLE quarantine (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    run      TEXT NOT NULL,
    pipeline TEXT NOT NULL,
    source   TEXT NOT NULL,
    unit     TEXT NOT NULL,
    line     INTEGER NOT NULL,
    byte     INTEGER,
    rule     TEXT NOT NULL,
    column_name TEXT,
    reason   TEXT NOT NULL,
    message  TEXT NOT NULL,
    raw      BLOB NOT NULL,
    state    TEXT NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'replayed', 'waived')),
    state_at INTEGER,
    state_by TEXT
) STRICT;
CREATE INDEX quarantine_by_run ON quarantine (run, source, id);
CREATE INDEX quarantine_by_pipeline ON quarantine (pipeline, state, id);

-- Who runs a pipeline now: one at a time, in whatever process. A claim whose process is gone, or whose heart stopped, is taken over.
CREATE TABLE claim (
    pipeline TEXT PRIMARY KEY,
    run      TEXT NOT NULL,
    process  INTEGER NOT NULL,
    beat_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The last time of each schedule that was taken.
CREATE TABLE schedule (
    pipeline TEXT PRIMARY KEY,
    taken_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
","
-- What kind of run it is: only loads say something about the whole source. `asked` is what a resumed run must know, as JSON.
ALTER TABLE run ADD COLUMN kind TEXT NOT NULL DEFAULT 'load' CHECK (kind IN ('load', 'dry', 'replay', 'backfill'));
ALTER TABLE run ADD COLUMN asked TEXT;
"];
