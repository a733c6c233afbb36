//! The integration tests: one binary, so that they link once.

// `cfg(test)`, so that clippy knows helpers for tests and lets them unwrap.
#[cfg(test)]
mod support;

#[cfg(all(feature = "nats", feature = "rabbitmq"))]
#[cfg(test)]
mod brokers;
#[cfg(test)]
mod chaos;
#[cfg(test)]
mod commands;
#[cfg(test)]
mod declared;
#[cfg(test)]
mod failing;
#[cfg(test)]
mod faulty;
#[cfg(test)]
mod fleet;
#[cfg(test)]
mod game_day;
#[cfg(test)]
mod gates;
#[cfg(test)]
mod http_door;
#[cfg(test)]
mod kill;
#[cfg(test)]
mod merge;
#[cfg(test)]
mod messages;
#[cfg(test)]
mod metrics;
#[cfg(test)]
mod normalize;
#[cfg(test)]
mod postgres;
#[cfg(test)]
mod privacy;
#[cfg(test)]
mod readme;
#[cfg(test)]
mod reconcile;
#[cfg(test)]
mod replay;
#[cfg(test)]
mod sql_door;
#[cfg(test)]
mod store;
#[cfg(test)]
mod switching;
#[cfg(test)]
mod tidy;
#[cfg(test)]
mod vendors;
#[cfg(test)]
mod waterfall;
#[cfg(test)]
mod wild;
#[cfg(test)]
mod worker;
