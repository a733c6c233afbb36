//! For probes and for those who write clients: is it alive, is it ready, what does it serve.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use serde_json::json;

use super::Desk;
use super::answer::{self, Problem};

/// What this door serves, in `OpenAPI` 3.1.
const DOCUMENT: &str = include_str!("openapi.json");
/// A probe does not wait longer.
const READY_WITHIN: Duration = Duration::from_secs(2);

/// The process runs and answers.
pub(super) async fn alive() -> impl IntoResponse {
    answer::json(StatusCode::OK, "application/json", &json!({ "status": "alive" }))
}

/// The database answers, so that something can be taken in.
pub(super) async fn ready(State(desk): State<Arc<Desk>>) -> Result<impl IntoResponse, Problem> {
    match tokio::time::timeout(READY_WITHIN, desk.reception.store.backlog(1)).await {
        Ok(Ok(_)) => Ok(answer::json(StatusCode::OK, "application/json", &json!({ "status": "ready" }))),
        Ok(Err(_)) | Err(_) => Err(Problem::unavailable()),
    }
}

pub(super) async fn document() -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], DOCUMENT)
}
