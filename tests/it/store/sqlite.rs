//! What only the embedded store has: a file, its key, its views, other processes beside it.
