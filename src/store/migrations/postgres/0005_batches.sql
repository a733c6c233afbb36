-- Imports and replays, followed as one, and what an operator does with dead letters.

CREATE TABLE batches (
    id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name             text NOT NULL UNIQUE,
    kind             text NOT NULL CHECK (kind IN ('import', 'replay', 'renormalize')),
    -- draft: previewed, not approved. filling: members are still being put in. running: all are in.
    state            text NOT NULL CHECK (state IN ('draft', 'filling', 'running', 'paused', 'done', 'cancelled')),
    -- Its own level of the queue, so that it can be held back as a whole; 0 where its members wait among all others.
    priority         smallint NOT NULL DEFAULT 0,
    selection        jsonb NOT NULL DEFAULT '{}',
    -- The members that the preview counted.
    selected         bigint NOT NULL DEFAULT 0,
    -- How far it is filled: the part of the selection and the last member of it that was put in.
    filled_to        text,
    is_filled        boolean NOT NULL DEFAULT FALSE,
    -- Stored answers from before are asked for again, of this provider or of all.
    refresh_before   timestamptz,
    refresh_provider text,
    -- What it may cost, what it has cost, and what lookups under way may cost, in millionths.
    ceiling_micros   bigint,
    spent_micros     bigint NOT NULL DEFAULT 0,
    reserved_micros  bigint NOT NULL DEFAULT 0,
    -- When money was last reserved or booked: what stays reserved long after was lost with its worker, and may have been spent.
    reserved_at      timestamptz,
    -- Why it is paused.
    why              text,
    created_at       timestamptz NOT NULL,
    ended_at         timestamptz
) WITH (fillfactor = 50);

-- What is counted of a batch: a word and a number. In stripes, one chosen by the connection, because every commit would
-- queue for a single row; a reader adds them up.
CREATE TABLE batch_counts (
    batch  bigint NOT NULL,
    what   text NOT NULL,
    stripe smallint NOT NULL,
    count  bigint NOT NULL,
    PRIMARY KEY (batch, what, stripe)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);

-- The members of a selection that was given as a list, until the batch is filled.
CREATE TABLE batch_members (
    member_id text NOT NULL,
    batch     bigint NOT NULL,
    PRIMARY KEY (member_id, batch)
);

-- Which fields of whose record a replay changed, and how. Never the values.
CREATE TABLE batch_changes (
    member_id text NOT NULL,
    batch     bigint NOT NULL,
    field     text NOT NULL,
    change    text NOT NULL,
    PRIMARY KEY (member_id, batch, field)
);

CREATE INDEX batch_changes_batch ON batch_changes (batch, field, change);

-- `batch`: what the member was last handed over with. `replay`: the replay that the job runs for, or that ran last.
ALTER TABLE enrichment_jobs ADD COLUMN batch bigint, ADD COLUMN replay bigint;
ALTER TABLE supplemental_member_information ADD COLUMN batch bigint, ADD COLUMN replay bigint;
ALTER TABLE dead_letters
    ADD COLUMN batch bigint,
    ADD COLUMN replay bigint,
    DROP CONSTRAINT dead_letters_reason_check,
    ADD CONSTRAINT dead_letters_reason_check
        CHECK (reason IN ('malformed', 'attempts_exhausted', 'lease_expired', 'cancelled'));

-- Dead letters that an operator threw away and of which nothing else is left.
ALTER TABLE intake_tally ADD COLUMN purged bigint NOT NULL DEFAULT 0;

ALTER TABLE registration_inbox ADD COLUMN batch text;

-- The same door with a batch's name. (As `gleaner_enqueue(text, text)` in 0004.)
DO $make$
BEGIN
    EXECUTE format($function$
        CREATE FUNCTION gleaner_enqueue(member_id text, email text, batch text) RETURNS void
        LANGUAGE plpgsql
        SECURITY DEFINER
        SET search_path = pg_catalog, pg_temp
        AS $body$
        BEGIN
            INSERT INTO %1$I.registration_inbox (member_id, email, batch)
            VALUES (
                nullif(btrim(left(gleaner_enqueue.member_id, 1000), E' \t\r\n'), ''),
                left(gleaner_enqueue.email, 1000),
                left(gleaner_enqueue.batch, 1000)
            );
            IF coalesce(nullif(current_setting('gleaner.notify', TRUE), ''), 'on') NOT IN ('off', 'false', 'no', '0') THEN
                PERFORM pg_notify('gleaner_inbox', '');
            END IF;
        END
        $body$
    $function$, current_schema());
END
$make$;

REVOKE EXECUTE ON FUNCTION gleaner_enqueue(text, text, text) FROM PUBLIC;
