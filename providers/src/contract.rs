//! The kit of checks that every provider must survive.
