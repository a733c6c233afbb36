-- What providers' answers teach: how many of each outcome, for each kind of address. No personal data, and so it outlives the
-- answers.
CREATE TABLE provider_lessons (
    provider     TEXT NOT NULL,
    segment      TEXT NOT NULL,
    -- The fields that were told surely enough, as bits (name 1, age 2, social 4); -1 for no match; -1 - n for no match that has
    -- any of the fields n, where no other would have been told.
    brought      INTEGER NOT NULL CHECK (brought BETWEEN -8 AND 7),
    answers      INTEGER NOT NULL DEFAULT 0,
    cost_micros  INTEGER NOT NULL DEFAULT 0,
    duration_us  INTEGER NOT NULL DEFAULT 0,
    -- Fields that another provider had told alike, and such that the record contradicts.
    agreed       INTEGER NOT NULL DEFAULT 0,
    contradicted INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (provider, segment, brought)
) STRICT, WITHOUT ROWID;

-- `gleaner explain`, and what a person may ask: who was told what about them.
CREATE INDEX lookup_log_member ON lookup_log (member_id);
