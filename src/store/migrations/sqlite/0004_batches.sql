-- Imports and replays, followed as one, and what an operator does with dead letters.

CREATE TABLE batches (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    name             TEXT NOT NULL UNIQUE,
    kind             TEXT NOT NULL CHECK (kind IN ('import', 'replay', 'renormalize')),
    -- draft: previewed, not approved. filling: members are still being put in. running: all are in.
    state            TEXT NOT NULL CHECK (state IN ('draft', 'filling', 'running', 'paused', 'done', 'cancelled')),
    -- Its own level of the queue, so that it can be held back as a whole; 0 where its members wait among all others.
    priority         INTEGER NOT NULL DEFAULT 0,
    selection        TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(selection)),
    -- The members that the preview counted.
    selected         INTEGER NOT NULL DEFAULT 0,
    -- How far it is filled: the part of the selection and the last member of it that was put in.
    filled_to        TEXT,
    is_filled        INTEGER NOT NULL DEFAULT FALSE,
    -- Stored answers from before are asked for again, of this provider or of all.
    refresh_before   INTEGER,
    refresh_provider TEXT,
    -- What it may cost, what it has cost, and what lookups under way may cost, in millionths.
    ceiling_micros   INTEGER,
    spent_micros     INTEGER NOT NULL DEFAULT 0,
    reserved_micros  INTEGER NOT NULL DEFAULT 0,
    -- When money was last reserved or booked: what stays reserved long after was lost with its worker, and may have been spent.
    reserved_at      INTEGER,
    -- Why it is paused.
    why              TEXT,
    created_at       INTEGER NOT NULL,
    ended_at         INTEGER
) STRICT;

-- What is counted of a batch: a word and a number.
CREATE TABLE batch_counts (
    batch INTEGER NOT NULL,
    what  TEXT NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (batch, what)
) STRICT, WITHOUT ROWID;

-- The members of a selection that was given as a list, until the batch is filled.
CREATE TABLE batch_members (
    member_id TEXT NOT NULL,
    batch     INTEGER NOT NULL,
    PRIMARY KEY (member_id, batch)
) STRICT, WITHOUT ROWID;

-- Which fields of whose record a replay changed, and how. Never the values.
CREATE TABLE batch_changes (
    member_id TEXT NOT NULL,
    batch     INTEGER NOT NULL,
    field     TEXT NOT NULL,
    change    TEXT NOT NULL,
    PRIMARY KEY (member_id, batch, field)
) STRICT, WITHOUT ROWID;

CREATE INDEX batch_changes_batch ON batch_changes (batch, field, change);

-- `batch`: what the member was last handed over with. `replay`: the replay that the job runs for, or that ran last.
ALTER TABLE enrichment_jobs ADD COLUMN batch INTEGER;
ALTER TABLE enrichment_jobs ADD COLUMN replay INTEGER;
ALTER TABLE supplemental_member_information ADD COLUMN batch INTEGER;
ALTER TABLE supplemental_member_information ADD COLUMN replay INTEGER;

-- Made anew, because a reason was added and SQLite cannot change a check.
CREATE TABLE dead_letters_new (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    member_id TEXT,
    subject   BLOB CHECK (length(subject) = 32),
    email     TEXT,
    origin    TEXT,
    reason    TEXT NOT NULL CHECK (reason IN ('malformed', 'attempts_exhausted', 'lease_expired', 'cancelled')),
    error     TEXT NOT NULL,
    attempts  INTEGER NOT NULL,
    queued_at INTEGER,
    at        INTEGER NOT NULL,
    batch     INTEGER,
    replay    INTEGER,
    CHECK (subject IS NULL OR (member_id IS NOT NULL AND email IS NOT NULL))
) STRICT;

INSERT INTO dead_letters_new (id, member_id, subject, email, origin, reason, error, attempts, queued_at, at)
SELECT id, member_id, subject, email, origin, reason, error, attempts, queued_at, at FROM dead_letters;

DROP TABLE dead_letters;
ALTER TABLE dead_letters_new RENAME TO dead_letters;
CREATE UNIQUE INDEX dead_letters_member ON dead_letters (member_id) WHERE subject IS NOT NULL;
CREATE INDEX dead_letters_subject ON dead_letters (subject) WHERE subject IS NOT NULL;

-- Dead letters that an operator threw away and of which nothing else is left.
ALTER TABLE intake_tally ADD COLUMN purged INTEGER NOT NULL DEFAULT 0;
