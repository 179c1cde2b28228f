//! The client of the server's JSON API, with which every query command works.

use std::{io::Read, time::Duration};

use serde::{Deserialize, de::DeserializeOwned};
use ureq::{Agent, Body, http::Response};

use crate::failure::{Code, Failure, Result};

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

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
        let config = Agent::config_builder().http_status_as_error(false).timeout_global(Some(PATIENCE));
        Self { base: base.trim_end_matches('/').to_owned(), http: config.build().into() }
    }

    /// The reply to GET `/api/v1/{path}`.
    pub(crate) fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        let mut response = self.call(path)?;
        let body = response.body_mut().read_to_string().map_err(|error| self.unreachable(error))?;
        serde_json::from_str(&body).map_err(|error| {
            let error = anyhow::Error::new(error).context(format!("read the reply of `{}`", self.url(path)));
            Failure::new(Code::Other, error)
        })
    }

    /// What can be read of the reply to GET `/api/v1/{path}`, as it comes.
    pub(crate) fn read(&self, path: &str) -> Result<impl Read + use<>> {
        Ok(self.call(path)?.into_body().into_reader())
    }

    /// The same of a reply that may take as long as it has to, once it has begun.
    pub(crate) fn read_long(&self, path: &str) -> Result<impl Read + use<>> {
        let request = self.http.get(self.url(path)).config().timeout_global(None);
        let request = request.timeout_connect(Some(PATIENCE)).timeout_recv_response(Some(PATIENCE)).build();
        Ok(self.take(path, request.call())?.into_body().into_reader())
    }

    fn url(&self, path: &str) -> String {
        format!("{}/api/v1/{path}", self.base)
    }

    /// A reply that is none of a failure.
    fn call(&self, path: &str) -> Result<Response<Body>> {
        self.take(path, self.http.get(self.url(path)).call())
    }

    /// What was answered, if it is no failure.
    fn take(
        &self,
        path: &str,
        answer: std::result::Result<Response<Body>, ureq::Error>,
    ) -> Result<Response<Body>> {
        let url = self.url(path);
        let mut response = answer.map_err(|error| self.unreachable(error))?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let body = response.body_mut().read_to_string().map_err(|error| self.unreachable(error))?;
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

/// `text` as it may stand in an address.
pub(crate) fn encoded(text: &str) -> String {
    let written = |byte: u8| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    };
    text.bytes().map(written).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_something_in_an_address_is_encoded() {
        assert_eq!(
            encoded("2026-05-31T18:00:00+02:00&a ä"),
            "2026-05-31T18%3A00%3A00%2B02%3A00%26a%20%C3%A4"
        );
    }
}
