-- What workers share beyond the queue: a provider's quota and whether it may be asked at all, what was spent, who is there.

-- One row a provider, written with every grant: some dozens of times a second, by all workers.
CREATE TABLE provider_gates (
    provider      text PRIMARY KEY,
    -- How far the line of slots is given away, in unix nanoseconds: a quota of thousands a second is a line of slots less than a
    -- millisecond apart. It outlives every worker, so that no restart begins a new burst.
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
    -- The calls that were given leave in the UTC day and month (its first day).
    day           date NOT NULL DEFAULT 'epoch',
    day_calls     bigint NOT NULL DEFAULT 0,
    month         date NOT NULL DEFAULT 'epoch',
    month_calls   bigint NOT NULL DEFAULT 0
-- No indexed column changes: with room in the page, a grant is a new version beside the old one and nothing else.
) WITH (fillfactor = 10, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);

-- What every provider was asked on each UTC day, and what it cost, written with the lookup's log. A call that was given leave and
-- is not here yet is under way (or was lost with its worker), and may cost as much as a call can. In stripes, one chosen by the
-- connection, because every commit would queue for a single row; a reader adds them up.
CREATE TABLE provider_usage (
    provider    text NOT NULL,
    day         date NOT NULL,
    stripe      smallint NOT NULL,
    lookups     bigint NOT NULL DEFAULT 0,
    calls       bigint NOT NULL DEFAULT 0,
    cost_micros bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (provider, day, stripe)
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

-- Reserves slots of a provider's line: the decision of src/store/fleet/gate.rs, made where the row is, so that it takes one round
-- trip and no worker can stand still while it holds the row. Durations are nanoseconds, money is millionths.
CREATE FUNCTION gleaner_grant(
    of_provider text, asker text, wanted bigint, unused bigint, notice bigint, pace bigint, tolerance bigint, horizon bigint,
    daily_calls bigint, monthly_calls bigint, daily_micros bigint, monthly_micros bigint, call_micros bigint,
    given_now timestamptz,
    OUT decided_at timestamptz, OUT first_slot bigint, OUT granted bigint, OUT none_before bigint, OUT refusal text,
    OUT contended boolean
)
LANGUAGE plpgsql AS $$
DECLARE
    gate provider_gates;
    now_ns bigint;
    today date;
    this_month date;
    calls_today bigint := 0;
    calls_this_month bigint := 0;
    micros_today bigint := 0;
    micros_this_month bigint := 0;
    left_over bigint := wanted;
    again timestamptz;
    start_ns bigint;
    room bigint;
BEGIN
    SELECT * INTO gate FROM provider_gates WHERE provider = of_provider FOR UPDATE;
    IF NOT FOUND THEN
        INSERT INTO provider_gates (provider) VALUES (of_provider) ON CONFLICT (provider) DO NOTHING;
        SELECT * INTO gate FROM provider_gates WHERE provider = of_provider FOR UPDATE;
    END IF;
    -- Only now, because the row may have been waited for.
    decided_at := coalesce(given_now, clock_timestamp());
    now_ns := (extract(epoch FROM decided_at) * 1000000)::bigint * 1000;
    today := (decided_at AT TIME ZONE 'UTC')::date;
    this_month := date_trunc('month', today)::date;
    granted := 0;

    IF gate.day < today THEN
        gate.day := today;
        gate.day_calls := 0;
    END IF;
    IF gate.month < this_month THEN
        gate.month := this_month;
        gate.month_calls := 0;
    END IF;
    -- They may have been granted yesterday, and must not make room today.
    IF decided_at AT TIME ZONE 'UTC' >= today + interval '10 seconds' THEN
        gate.day_calls := greatest(gate.day_calls - unused, 0);
        gate.month_calls := greatest(gate.month_calls - unused, 0);
    END IF;
    IF gate.holder <> asker AND gate.next_slot > now_ns - 1000000000 THEN
        gate.contended_at := decided_at;
    END IF;
    contended := decided_at - gate.contended_at < interval '5 seconds';

    IF daily_micros IS NOT NULL OR monthly_micros IS NOT NULL THEN
        SELECT
            coalesce(sum(calls) FILTER (WHERE day = today), 0), coalesce(sum(cost_micros) FILTER (WHERE day = today), 0),
            coalesce(sum(calls), 0), coalesce(sum(cost_micros), 0)
        INTO calls_today, micros_today, calls_this_month, micros_this_month
        FROM provider_usage
        WHERE provider = of_provider AND day BETWEEN this_month AND today;
    END IF;

    IF gate.paused_at IS NOT NULL AND (gate.paused_until IS NULL OR gate.paused_until > decided_at) THEN
        refusal := 'paused';
        again := gate.paused_until;
    ELSIF gate.blocked_until > decided_at THEN
        refusal := 'blocked';
        again := gate.blocked_until;
    ELSE
        -- `least` passes over what is null: a budget that is not set.
        left_over := least(left_over, monthly_calls - gate.month_calls,
            (monthly_micros - micros_this_month - greatest(gate.month_calls - calls_this_month, 0) * call_micros)
                / nullif(call_micros, 0));
        IF left_over <= 0 AND wanted > 0 THEN
            refusal := 'monthly_budget';
            again := (this_month + interval '1 month') AT TIME ZONE 'UTC';
        ELSE
            left_over := least(left_over, daily_calls - gate.day_calls,
                (daily_micros - micros_today - greatest(gate.day_calls - calls_today, 0) * call_micros)
                    / nullif(call_micros, 0));
            IF left_over <= 0 AND wanted > 0 THEN
                refusal := 'daily_budget';
                again := (today + interval '1 day') AT TIME ZONE 'UTC';
            END IF;
        END IF;
    END IF;

    IF refusal IS NOT NULL THEN
        none_before := (extract(epoch FROM again) * 1000000)::bigint * 1000;
    ELSE
        start_ns := greatest(gate.next_slot, now_ns + notice);
        room := now_ns + horizon - (start_ns - tolerance);
        IF room < 0 THEN
            refusal := 'given_away';
            -- The clock has microseconds: not a moment too early.
            none_before := (start_ns - tolerance - horizon + 999) / 1000 * 1000;
        ELSE
            granted := least(left_over, room / pace + 1);
            first_slot := start_ns - tolerance;
            gate.next_slot := start_ns + granted * pace;
            gate.holder := asker;
            gate.day_calls := gate.day_calls + granted;
            gate.month_calls := gate.month_calls + granted;
        END IF;
    END IF;

    UPDATE provider_gates SET
        next_slot = gate.next_slot, holder = gate.holder, contended_at = gate.contended_at,
        day = gate.day, day_calls = gate.day_calls, month = gate.month, month_calls = gate.month_calls
    WHERE provider = of_provider;
END
$$;
