-- A provider that fails again and again is left alone for a while (src/enrich/breaker.rs).

-- How often in a row: each time doubles how long; 0 while it works.
ALTER TABLE provider_gates ADD COLUMN trips INTEGER NOT NULL DEFAULT 0;
-- Afterwards one worker tries; until then it alone may.
ALTER TABLE provider_gates ADD COLUMN probe_until INTEGER;
ALTER TABLE provider_gates ADD COLUMN probe_by TEXT;
