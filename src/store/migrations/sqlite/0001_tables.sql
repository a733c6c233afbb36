-- The first tables. What other programs read (`supplemental_*`) holds times as RFC 3339 text in UTC with
-- milliseconds, which sorts; our own tables hold unix milliseconds.

-- What belongs to the database as a whole, such as the fingerprint of the key it was written with.
CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- The product: one row a member. Personal data.
CREATE TABLE supplemental_member_information (
    member_id       TEXT PRIMARY KEY,
    email           TEXT NOT NULL,
    -- The keyed hash of the mailbox: what an erasure finds the row by.
    subject         BLOB NOT NULL CHECK (length(subject) = 32),
    full_name       TEXT,
    given_name      TEXT,
    family_name     TEXT,
    -- Completed years on the day `age_as_of`; `age` only where the interval allows one value.
    age             INTEGER,
    age_min         INTEGER,
    age_max         INTEGER,
    age_as_of       TEXT,
    birth_earliest  TEXT,
    birth_latest    TEXT,
    -- [{network, handle, url, confidence, provider, assurance, sources}]
    social_profiles TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(social_profiles)),
    status          TEXT NOT NULL CHECK (status IN ('complete', 'partial', 'no_match')),
    -- {name, age}: 0 to 1 each
    confidence      TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(confidence)),
    -- {name, age}: {assurance, sources: [{provider, fetched_at, evidence}]} each
    provenance      TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(provenance)),
    policy_version  TEXT NOT NULL,
    collected_at    TEXT NOT NULL,
    updated_at      TEXT NOT NULL,
    expires_at      TEXT NOT NULL
) STRICT;

CREATE INDEX supplemental_member_information_subject ON supplemental_member_information (subject);

-- One row a profile.
CREATE VIEW supplemental_profiles AS
SELECT
    member.member_id,
    profile.value ->> 'network'    AS network,
    profile.value ->> 'handle'     AS handle,
    profile.value ->> 'url'        AS url,
    profile.value ->> 'confidence' AS confidence,
    profile.value ->> 'assurance'  AS assurance,
    profile.value ->> 'provider'   AS provider,
    member.status,
    member.updated_at,
    member.expires_at
FROM supplemental_member_information AS member
CROSS JOIN json_each(member.social_profiles) AS profile;

-- The age in completed years on the day of the query (UTC): the youngest and the oldest that the interval allows.
CREATE VIEW supplemental_age_today AS
SELECT
    member_id,
    iif(youngest = oldest, youngest, NULL) AS age,
    youngest AS age_min,
    oldest   AS age_max,
    today    AS age_as_of
FROM (
    SELECT
        member_id,
        today,
        substr(today, 1, 4) - substr(birth_latest, 1, 4)
            - (substr(today, 6) < substr(birth_latest, 6)) AS youngest,
        substr(today, 1, 4) - substr(birth_earliest, 1, 4)
            - (substr(today, 6) < substr(birth_earliest, 6)) AS oldest
    FROM supplemental_member_information
    CROSS JOIN (SELECT date('now') AS today)
    WHERE birth_earliest IS NOT NULL AND birth_latest IS NOT NULL
);

-- Work to do. Small and hot: finished jobs leave it. AUTOINCREMENT, because a row number that came back would
-- make an old hold good again. Personal data: `email`.
CREATE TABLE enrichment_jobs (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    member_id   TEXT NOT NULL UNIQUE,
    email       TEXT NOT NULL,
    subject     BLOB NOT NULL CHECK (length(subject) = 32),
    state       TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'running')),
    -- Lower is more urgent.
    priority    INTEGER NOT NULL DEFAULT 0,
    attempt     INTEGER NOT NULL DEFAULT 0 CHECK (attempt >= 0),
    snoozes     INTEGER NOT NULL DEFAULT 0,
    fence       INTEGER NOT NULL DEFAULT 0,
    run_at      INTEGER NOT NULL,
    queued_at   INTEGER NOT NULL,
    lease_until INTEGER,
    lease_owner TEXT,
    last_error  TEXT,
    CHECK ((state = 'running') = (lease_until IS NOT NULL))
) STRICT;

CREATE INDEX enrichment_jobs_due ON enrichment_jobs (priority, run_at, id) WHERE state = 'waiting';
CREATE INDEX enrichment_jobs_lease ON enrichment_jobs (lease_until) WHERE state = 'running';
CREATE INDEX enrichment_jobs_subject ON enrichment_jobs (subject);

-- What a provider said of a subject: cache, provenance and replay source in one. Personal data: `finding`. With a
-- rowid, so that findings are appended and only the small index is written all over the place (keys are random).
CREATE TABLE provider_answers (
    subject     BLOB NOT NULL CHECK (length(subject) = 32),
    provider    TEXT NOT NULL,
    outcome     TEXT NOT NULL CHECK (outcome IN ('match', 'no_match', 'pending')),
    finding     TEXT CHECK ((outcome = 'match') = (finding IS NOT NULL)),
    handle      TEXT CHECK ((outcome = 'pending') = (handle IS NOT NULL)),
    ready_at    INTEGER CHECK ((outcome = 'pending') = (ready_at IS NOT NULL)),
    cost_micros INTEGER NOT NULL,
    fetched_at  INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    PRIMARY KEY (subject, provider)
) STRICT;

-- Every call to a provider, append-only: who was told what, and what it cost.
CREATE TABLE lookup_log (
    id          INTEGER PRIMARY KEY,
    job_id      INTEGER NOT NULL,
    member_id   TEXT NOT NULL,
    provider    TEXT NOT NULL,
    told        TEXT NOT NULL,
    outcome     TEXT NOT NULL,
    duration_us INTEGER NOT NULL,
    cost_micros INTEGER NOT NULL,
    at          INTEGER NOT NULL
) STRICT;

-- Jobs that stopped for good (these have a subject), and rows that never became one (these have none).
-- Personal data: `email`, without which a job could not be replayed.
CREATE TABLE dead_letters (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    member_id TEXT,
    subject   BLOB CHECK (length(subject) = 32),
    email     TEXT,
    origin    TEXT,
    reason    TEXT NOT NULL CHECK (reason IN ('malformed', 'attempts_exhausted', 'lease_expired')),
    error     TEXT NOT NULL,
    attempts  INTEGER NOT NULL,
    queued_at INTEGER,
    at        INTEGER NOT NULL,
    CHECK (subject IS NULL OR (member_id IS NOT NULL AND email IS NOT NULL))
) STRICT;

CREATE UNIQUE INDEX dead_letters_member ON dead_letters (member_id) WHERE subject IS NOT NULL;
CREATE INDEX dead_letters_subject ON dead_letters (subject) WHERE subject IS NOT NULL;

-- People who must not be looked up: a keyed hash, never the address.
CREATE TABLE suppressions (
    subject    BLOB PRIMARY KEY CHECK (length(subject) = 32),
    reason     TEXT NOT NULL CHECK (reason IN ('erased', 'objected', 'minor')),
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What went through the door, counted there and then. Never derived from the other tables: a job that got lost
-- shows as a difference. `suppressed` counts the members of whom nothing is kept.
CREATE TABLE intake_tally (
    only_row   INTEGER PRIMARY KEY CHECK (only_row = 1),
    taken_in   INTEGER NOT NULL DEFAULT 0,
    repeated   INTEGER NOT NULL DEFAULT 0,
    suppressed INTEGER NOT NULL DEFAULT 0
) STRICT;

INSERT INTO intake_tally (only_row) VALUES (1);
