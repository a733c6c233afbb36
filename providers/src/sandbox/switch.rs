//! The switch for faults: a provider starts to fail, and recovers, while the sandbox runs.
//!
//! Invariant: it changes how often faults are drawn, and nothing that was answered without one.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Json, Response};

use super::service::Service;
use super::settings::FaultRates;
use super::world::World;

pub(super) async fn show(State(world): State<Arc<World>>, Path(provider): Path<String>) -> Response {
    match Service::named(&provider) {
        Some(service) => Json(world.fates.rates(service)).into_response(),
        None => unknown(),
    }
}

pub(super) async fn set(
    State(world): State<Arc<World>>,
    Path(provider): Path<String>,
    body: Bytes,
) -> Response {
    let Some(service) = Service::named(&provider) else { return unknown() };
    let rates: FaultRates = match serde_json::from_slice(&body) {
        Ok(rates) => rates,
        Err(error) => {
            return refusal(&format!("a fault's share a key, such as {{\"server_error\": 1}}: {error}\n"));
        }
    };
    if !rates.are_shares() {
        return refusal("shares are numbers from 0 to 1, and together at most 1\n");
    }
    world.fates.switch(service, Some(rates));
    StatusCode::NO_CONTENT.into_response()
}

pub(super) async fn reset(State(world): State<Arc<World>>, Path(provider): Path<String>) -> Response {
    let Some(service) = Service::named(&provider) else { return unknown() };
    world.fates.switch(service, None);
    StatusCode::NO_CONTENT.into_response()
}

fn unknown() -> Response {
    let known = Service::ALL.map(Service::as_str).join(", ");
    (StatusCode::NOT_FOUND, format!("no such provider here; there are {known}\n")).into_response()
}

fn refusal(why: &str) -> Response {
    (StatusCode::BAD_REQUEST, why.to_owned()).into_response()
}
