//! Short retries inside a lookup. The only file that names `backoff`.
