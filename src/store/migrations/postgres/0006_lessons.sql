-- What providers' answers teach: how many of each outcome, for each kind of address. No personal data, and so it outlives the
-- answers. In stripes, one chosen by the connection, because every commit would queue for a single row; a reader adds them up.
CREATE TABLE provider_lessons (
    provider     text NOT NULL,
    segment      text NOT NULL,
    -- The fields that were told surely enough, as bits (name 1, age 2, social 4); -1 for no match; -1 - n for no match that has
    -- any of the fields n, where no other would have been told.
    brought      smallint NOT NULL CHECK (brought BETWEEN -8 AND 7),
    stripe       smallint NOT NULL,
    answers      bigint NOT NULL DEFAULT 0,
    cost_micros  bigint NOT NULL DEFAULT 0,
    duration_us  bigint NOT NULL DEFAULT 0,
    -- Fields that another provider had told alike, and such that the record contradicts.
    agreed       bigint NOT NULL DEFAULT 0,
    contradicted bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (provider, segment, brought, stripe)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);

-- `gleaner explain`, and what a person may ask: who was told what about them.
CREATE INDEX lookup_log_member ON lookup_log (member_id);
