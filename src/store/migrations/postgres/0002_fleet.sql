-- What workers share beyond the queue: a provider's quota and whether it may be asked at all, what was spent, who is there.

-- One row a provider.
CREATE TABLE provider_gates (
    provider      text PRIMARY KEY,
    -- How far the line of slots is given away. It outlives every worker, so that no restart begins a new burst. In unix
    -- nanoseconds, because a quota of thousands a second is a line of slots less than a millisecond apart.
    next_slot     bigint NOT NULL DEFAULT 0,
    -- Who was given slots last, and when somebody else wanted some too.
    holder        text,
    contended_at  timestamptz NOT NULL DEFAULT 'epoch',
    -- Raised by `gleaner provider resume`.
    epoch         bigint NOT NULL DEFAULT 0,
    -- By the provider's word: a Retry-After, a spent quota, a refused key.
    blocked_until timestamptz,
    blocked_why   text,
    -- By an operator; `paused_until` is null until somebody resumes.
    paused_at     timestamptz,
    paused_until  timestamptz,
    paused_why    text,
    -- The budgets of the UTC day (days since 1970) and month (months since year 0): calls given leave, those whose lookup is
    -- in the log, and what these cost.
    day           bigint NOT NULL DEFAULT 0,
    day_calls     bigint NOT NULL DEFAULT 0,
    day_settled   bigint NOT NULL DEFAULT 0,
    day_micros    bigint NOT NULL DEFAULT 0,
    month         bigint NOT NULL DEFAULT 0,
    month_calls   bigint NOT NULL DEFAULT 0,
    month_settled bigint NOT NULL DEFAULT 0,
    month_micros  bigint NOT NULL DEFAULT 0
-- A few rows that change all the time, in no indexed column: with room in the page, a change is a new version beside the
-- old one and nothing else. The same holds for the two tables below.
) WITH (fillfactor = 10, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);

-- What every provider was asked on each UTC day, and what it cost: the sum of `lookup_log`, which may be thrown away sooner.
CREATE TABLE provider_usage (
    provider    text NOT NULL,
    -- Days since 1970.
    day         bigint NOT NULL,
    lookups     bigint NOT NULL DEFAULT 0,
    calls       bigint NOT NULL DEFAULT 0,
    cost_micros bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (provider, day)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);

-- The workers that beat. A clean stop removes the row.
CREATE TABLE workers (
    incarnation text PRIMARY KEY,
    host        text NOT NULL,
    pid         bigint NOT NULL,
    version     text NOT NULL,
    started_at  timestamptz NOT NULL,
    beat_at     timestamptz NOT NULL,
    in_flight   bigint NOT NULL,
    finished    bigint NOT NULL
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);
