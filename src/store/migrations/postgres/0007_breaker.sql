-- A provider that fails again and again is left alone for a while (src/enrich/breaker.rs).

ALTER TABLE provider_gates
    -- How often in a row: each time doubles how long; 0 while it works.
    ADD COLUMN trips       integer NOT NULL DEFAULT 0,
    -- Afterwards one worker tries; until then it alone may.
    ADD COLUMN probe_until timestamptz,
    ADD COLUMN probe_by    text;
