//! One POST of JSON, and what can become of it.

use std::time::Duration;

use serde::Serialize;

const TIMEOUT: Duration = Duration::from_secs(10);
/// What of an answer is read.
const LARGEST_ANSWER: u64 = 64 * 1024;
const LONGEST_PROBLEM: usize = 200;

/// Where a notifier is told.
#[derive(Clone, PartialEq, Eq)]
pub struct Target {
    /// Its address, as `http://127.0.0.1:9093`.
    pub url: String,
    /// What the header `Authorization` says, `None` for none. It is a secret.
    pub authorization: Option<String>,
}

/// A notifier was not told.
#[derive(Debug, thiserror::Error)]
pub enum NotifyError {
    /// Nobody answers at its address.
    #[error("reach {address}")]
    Unreachable {
        /// The address, without what may be secret.
        address: String,
        /// Why.
        source: ureq::Error,
    },
    /// It does not take them.
    #[error("have {address} take the alerts: HTTP status {status}: {problem}")]
    Refused {
        /// The address, without what may be secret.
        address: String,
        /// The status of its answer.
        status: u16,
        /// What it says, its beginning.
        problem: String,
    },
}

/// Posts to one address.
#[derive(Clone)]
pub(super) struct Poster {
    target: Target,
    /// The target's address with the path that is called there.
    url: String,
    http: ureq::Agent,
}

impl Poster {
    /// To this path under the target's address, empty for the address itself.
    pub(super) fn new(target: &Target, path: &str) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .proxy(None)
            // Who is told is said in the configuration, not by whoever answers.
            .max_redirects(0)
            .timeout_global(Some(TIMEOUT))
            .max_idle_connections(1);
        let url = match path {
            "" => target.url.clone(),
            path => format!("{}{path}", target.url.trim_end_matches('/')),
        };
        Self { target: target.clone(), url, http: config.build().new_agent() }
    }

    /// Ends the call that another thread waits for, and all that follow.
    pub(super) fn interrupt(&self) {
        self.http.clone().shutdown();
    }

    pub(super) fn post(&self, body: &impl Serialize) -> Result<(), NotifyError> {
        let Self { target, url, http } = self;
        let unreachable = |source| NotifyError::Unreachable { address: target.shown(), source };
        let mut request = http.post(url);
        if let Some(authorization) = &target.authorization {
            request = request.header("Authorization", authorization);
        }
        let mut answer = request.send_json(body).map_err(unreachable)?;
        let status = answer.status();
        // Read to its end: only then can the connection be used again.
        let text = answer.body_mut().with_config().limit(LARGEST_ANSWER).read_to_string();
        let text = text.map_err(unreachable)?;
        if status.is_success() {
            return Ok(());
        }
        let problem = text.trim().chars().take(LONGEST_PROBLEM).collect();
        Err(NotifyError::Refused { address: target.shown(), status: status.as_u16(), problem })
    }
}

impl std::fmt::Debug for Poster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Poster").field("target", &self.target).finish_non_exhaustive()
    }
}

impl Target {
    /// The address without its path, which may be secret.
    pub fn shown(&self) -> String {
        let (scheme, rest) = self.url.split_once("://").unwrap_or(("", &self.url));
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        format!("{scheme}://{host}")
    }
}

impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Target").field("url", &self.shown()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_what_may_be_secret() {
        for url in ["http://a.example:1", "http://a.example:1/hooks/secret", "http://a.example:1?key=secret"]
        {
            let target = Target { url: url.to_owned(), authorization: Some("Bearer secret".to_owned()) };
            assert_eq!(target.shown(), "http://a.example:1");
            assert!(!format!("{target:?}").contains("secret"));
        }
    }
}
