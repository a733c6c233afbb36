-- The door for a service whose tables are in this database: it calls `gleaner_enqueue` inside its own transaction.

-- What services handed over and no worker has read yet: some milliseconds long as a rule. The key behind the keyed hashes
-- is not in the database, so that only a worker can make a job of a row. Personal data: `email`, in clear until then.
CREATE TABLE registration_inbox (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    member_id text,
    email     text,
    at        timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (
    -- Every row is deleted soon after it was written.
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 5000,
    autovacuum_vacuum_cost_delay = 0
);

-- Whether an older row of the same member is still there.
CREATE INDEX registration_inbox_member ON registration_inbox (member_id, id) WHERE member_id IS NOT NULL;

-- Hands a member over. Visible to workers exactly when the caller's transaction commits, and gone with it when it does not.
-- It never fails for what it is given: what cannot be a registration becomes a dead letter. (Cut to a length that no
-- valid id or address has, so that nobody can fill the table with one row.)
--
-- Runs with the rights of its owner, so that a service needs the right to call it and no other; and with a search path of its
-- own (its schema's is filled in), so that a caller's temporary table or function of the same name is never taken for ours.
DO $make$
BEGIN
    EXECUTE format($function$
        CREATE FUNCTION gleaner_enqueue(member_id text, email text) RETURNS void
        LANGUAGE plpgsql
        SECURITY DEFINER
        SET search_path = pg_catalog, pg_temp
        AS $body$
        BEGIN
            INSERT INTO %1$I.registration_inbox (member_id, email)
            VALUES (
                nullif(btrim(left(gleaner_enqueue.member_id, 1000), E' \t\r\n'), ''),
                left(gleaner_enqueue.email, 1000)
            );
            -- Wakes a worker when the transaction commits; equal messages of one transaction are one. A commit that sends
            -- one takes a lock that all such commits of the database share, one after the other: a service with thousands
            -- of transactions a second may `SET gleaner.notify = off`, and its members wait for the next look instead.
            IF coalesce(nullif(current_setting('gleaner.notify', TRUE), ''), 'on') NOT IN ('off', 'false', 'no', '0') THEN
                PERFORM pg_notify('gleaner_inbox', '');
            END IF;
        END
        $body$
    $function$, current_schema());
END
$make$;

REVOKE EXECUTE ON FUNCTION gleaner_enqueue(text, text) FROM PUBLIC;
