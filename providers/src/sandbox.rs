//! A local server that speaks every built-in's wire format over an invented, seeded population.
