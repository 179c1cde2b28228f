use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Serialize;

/// How the API says that it does not answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// 400 the request is wrong, 404 it is about something unknown, 405 it is not a GET, 500 the server is at fault,
    /// 503 it cannot now.
    pub status: StatusCode,
    /// What is wrong.
    pub error: String,
    /// What to do about it.
    pub hint: &'static str,
}

/// The body of a refusal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Body {
    error: String,
    hint: &'static str,
}

impl Refusal {
    /// The request is wrong.
    pub(crate) fn bad_request(error: impl Into<String>, hint: &'static str) -> Self {
        Self { status: StatusCode::BAD_REQUEST, error: error.into(), hint }
    }

    /// What was asked for is not known.
    pub(crate) fn not_found(error: impl Into<String>, hint: &'static str) -> Self {
        Self { status: StatusCode::NOT_FOUND, error: error.into(), hint }
    }

    /// It cannot be answered now.
    pub(crate) fn unavailable(error: impl Into<String>, hint: &'static str) -> Self {
        Self { status: StatusCode::SERVICE_UNAVAILABLE, error: error.into(), hint }
    }

    /// The store failed. The reason goes to the log, where the operator is, and not to whoever asked.
    pub(crate) fn internal(error: &(dyn std::error::Error + 'static)) -> Self {
        tracing::error!(error, "failed to answer a request");
        Self {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            error: "the server failed to read its store".to_owned(),
            hint: "the server's log has the reason",
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.status, Json(Body { error: self.error, hint: self.hint })).into_response()
    }
}
