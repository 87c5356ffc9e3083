-- The event log. Entries of one partition that were committed together are one row, as they stand in `log/embedded/record.rs`.

CREATE TABLE log_state (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    n_partitions INTEGER NOT NULL,
    -- Entries so far, over all partitions; and when the last was appended, UTC microseconds.
    next_seq INTEGER NOT NULL,
    last_at INTEGER NOT NULL
) STRICT;

CREATE TABLE log_topic (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL UNIQUE
) STRICT;

-- A slot is a partition of a topic: topic << 10 | partition. It has the offsets from `start_offset` up to `end_offset`.
CREATE TABLE log_slot (
    slot INTEGER PRIMARY KEY,
    start_offset INTEGER NOT NULL,
    end_offset INTEGER NOT NULL,
    n_bytes INTEGER NOT NULL
) STRICT;

-- id is slot << 44 | the first entry's offset: a partition is read from one place of the file.
CREATE TABLE log_batch (
    id INTEGER PRIMARY KEY,
    n_entries INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    body BLOB NOT NULL
) STRICT;

-- Which identifiers were appended lately, 48 bytes each: hash of tenant and identifier, hash of the content, position. Append only, so that it costs
-- a page per commit and not a page per entry; the index is in memory and is read from here when the log is opened.
CREATE TABLE log_seen (
    first_seq INTEGER PRIMARY KEY,
    body BLOB NOT NULL
) STRICT;
