//! The client of the server's JSON API, with which every query command works.

use std::time::Duration;

use serde::{Deserialize, de::DeserializeOwned};
use ureq::Agent;

use crate::failure::{Code, Failure, Result};

/// A server's API.
pub(crate) struct Client {
    base: String,
    http: Agent,
}

/// How the API answers what it cannot do.
#[derive(Deserialize)]
struct Refusal {
    error: String,
    hint: Option<String>,
}

impl Client {
    /// A client of the server at `base`, for example `http://127.0.0.1:8890`.
    pub(crate) fn new(base: &str) -> Self {
        let config =
            Agent::config_builder().http_status_as_error(false).timeout_global(Some(Duration::from_secs(30)));
        Self { base: base.trim_end_matches('/').to_owned(), http: config.build().into() }
    }

    /// The reply to GET `/api/v1/{path}`.
    pub(crate) fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        let url = format!("{}/api/v1/{path}", self.base);
        let mut response = self.http.get(&url).call().map_err(|error| self.unreachable(error))?;
        let status = response.status();
        let body = response.body_mut().read_to_string().map_err(|error| self.unreachable(error))?;
        if status.is_success() {
            let parsed = serde_json::from_str(&body);
            return parsed.map_err(|error| {
                Failure::new(
                    Code::Other,
                    anyhow::Error::new(error).context(format!("read the reply of `{url}`")),
                )
            });
        }
        let code = if status == 404 { Code::NotFound } else { Code::Unreachable };
        let refusal: Refusal = serde_json::from_str(&body)
            .unwrap_or(Refusal { error: format!("the server answered {status}"), hint: None });
        let failure = Failure::message(code, format!("get `{url}`: {}", refusal.error));
        Err(match refusal.hint {
            Some(hint) => failure.hint(hint),
            None => failure,
        })
    }

    fn unreachable(&self, error: ureq::Error) -> Failure {
        let error = anyhow::Error::new(error).context(format!("reach the server at `{}`", self.base));
        Failure::new(Code::Unreachable, error)
            .hint("is `bmon server` or `bmon run` up? --server names another address")
    }
}
