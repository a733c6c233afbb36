-- What was taken in and is known again when it comes again: requests by the key that their caller gave them, events by
-- source and id. Keyed hashes only, never a body or an address. Forgotten after `retention.request_hours`.
CREATE TABLE seen_requests (
    key        bytea PRIMARY KEY CHECK (length(key) = 32),
    -- What the request said; an event has none: its id says it.
    content    bytea CHECK (length(content) = 32),
    -- What became of each registration of the request, one letter each.
    outcomes   text CHECK ((outcomes IS NULL) = (content IS NULL)),
    expires_at timestamptz NOT NULL
);

CREATE INDEX seen_requests_expiry ON seen_requests (expires_at);
