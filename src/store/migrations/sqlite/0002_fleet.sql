-- What workers share beyond the queue: a provider's quota and whether it may be asked at all, what was spent, who is there.

-- One row a provider. Unix milliseconds as elsewhere, but for `next_slot`: nanoseconds, because a quota of thousands a second
-- is a line of slots less than a millisecond apart.
CREATE TABLE provider_gates (
    provider      TEXT PRIMARY KEY,
    -- How far the line of slots is given away. It outlives every worker, so that no restart begins a new burst.
    next_slot     INTEGER NOT NULL DEFAULT 0,
    -- Who was given slots last, and when somebody else wanted some too.
    holder        TEXT,
    contended_at  INTEGER NOT NULL DEFAULT 0,
    -- Raised by `gleaner provider resume`.
    epoch         INTEGER NOT NULL DEFAULT 0,
    -- By the provider's word: a Retry-After, a spent quota, a refused key.
    blocked_until INTEGER,
    blocked_why   TEXT,
    -- By an operator; `paused_until` is null until somebody resumes.
    paused_at     INTEGER,
    paused_until  INTEGER,
    paused_why    TEXT,
    -- The calls that were given leave in the UTC day (days since 1970) and month (months since year 0).
    day           INTEGER NOT NULL DEFAULT 0,
    day_calls     INTEGER NOT NULL DEFAULT 0,
    month         INTEGER NOT NULL DEFAULT 0,
    month_calls   INTEGER NOT NULL DEFAULT 0
) STRICT;

-- What every provider was asked on each UTC day, and what it cost, written with the lookup's log. A call that was given leave and
-- is not here yet is under way (or was lost with its worker), and may cost as much as a call can.
CREATE TABLE provider_usage (
    provider    TEXT NOT NULL,
    -- Days since 1970.
    day         INTEGER NOT NULL,
    lookups     INTEGER NOT NULL DEFAULT 0,
    calls       INTEGER NOT NULL DEFAULT 0,
    cost_micros INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (provider, day)
) STRICT, WITHOUT ROWID;

-- The workers that beat. A clean stop removes the row.
CREATE TABLE workers (
    incarnation TEXT PRIMARY KEY,
    host        TEXT NOT NULL,
    pid         INTEGER NOT NULL,
    version     TEXT NOT NULL,
    started_at  INTEGER NOT NULL,
    beat_at     INTEGER NOT NULL,
    in_flight   INTEGER NOT NULL,
    finished    INTEGER NOT NULL
) STRICT;
