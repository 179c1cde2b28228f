//! What a request may say, understood once and refused with words that help.

use std::str::FromStr;

use axum::{
    extract::{FromRequestParts, Path, Query},
    http::request::Parts,
};
use bmon_event::{Network, Subject};
use bmon_store::Cursor;
use serde::Deserialize;

use super::{Parameter, Refusal};

/// Items of a list when the request does not say.
const DEFAULT_LIMIT: u32 = 50;
/// Most items of a list in one reply.
const MAX_LIMIT: u32 = 500;

/// The parameters of every list.
pub(super) const LIST: &[Parameter] = &[
    Parameter { name: "limit", summary: "most items to give, from 1 to 500; 50 when absent" },
    Parameter { name: "before", summary: "`next` of an earlier reply: go on with older items" },
];

/// Which part of a list is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct List {
    pub(super) limit: u32,
    pub(super) before: Option<Cursor>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawList {
    limit: Option<String>,
    before: Option<String>,
}

impl<S: Sync> FromRequestParts<S> for List {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let Query(raw) = Query::<RawList>::try_from_uri(&parts.uri).map_err(|error| {
            Refusal::bad_request(error.body_text(), "the parameters are `limit` and `before`")
        })?;
        Self::parse(raw.limit, raw.before)
    }
}

impl List {
    /// From what was said after `?`.
    pub(super) fn parse(limit: Option<String>, before: Option<String>) -> Result<Self, Refusal> {
        let limit = limit.map_or(Ok(DEFAULT_LIMIT), |text| {
            let limit = text.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit));
            let error = || format!("`limit` cannot be `{}`", shown(&text));
            limit.ok_or_else(|| Refusal::bad_request(error(), "give a number from 1 to 500"))
        })?;
        let before = before.map(|text| {
            let error = |_| format!("`before` cannot be `{}`", shown(&text));
            text.parse()
                .map_err(|reason| Refusal::bad_request(error(reason), "give `next` of an earlier reply"))
        });
        Ok(Self { limit, before: before.transpose()? })
    }
}

/// The parameter of what is about one network.
pub(super) const OF_NETWORK: &[Parameter] = &[Parameter {
    name: "network",
    summary: "the network, as other replies name it; may be absent while the server knows of one only",
}];

/// The network that is asked about, `None` where the request does not say.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OfNetwork {
    network: Option<String>,
}

impl<S: Sync> FromRequestParts<S> for OfNetwork {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let query = Query::<Self>::try_from_uri(&parts.uri);
        let refuse = |error: axum::extract::rejection::QueryRejection| {
            Refusal::bad_request(error.body_text(), "the parameter is `network`")
        };
        query.map(|Query(asked)| asked).map_err(refuse)
    }
}

impl OfNetwork {
    /// The network of this name, or the only one.
    pub(super) const fn named(network: Option<String>) -> Self {
        Self { network }
    }

    /// Whether the request does not say.
    pub(super) const fn is_any(&self) -> bool {
        self.network.is_none()
    }

    /// Which of `networks` is meant.
    pub(super) fn choose(&self, networks: &[Network]) -> Result<Network, Refusal> {
        const HINT: &str = "`/api/v1/status` lists the networks";
        match (&self.network, networks) {
            (None, [only]) => Ok(*only),
            (None, []) => Err(Refusal::not_found("nothing is known of any network yet", "start an agent")),
            (None, _) => Err(Refusal::bad_request("`network` is missing: there are several", HINT)),
            (Some(name), _) => {
                let found = networks.iter().find(|network| network.to_string() == *name).copied();
                found.ok_or_else(|| {
                    Refusal::not_found(format!("nothing is known of network `{}`", shown(name)), HINT)
                })
            }
        }
    }
}

/// The hash that ends the path.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hash<T>(pub(super) T);

impl<S: Send + Sync, T: FromStr> FromRequestParts<S> for Hash<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        const HINT: &str = "give the 64 hexadecimal digits as bitcoin-cli prints them";
        none(parts)?;
        let Path(text) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|error| Refusal::bad_request(error.body_text(), HINT))?;
        let hash = text.parse().map(Self);
        hash.map_err(|_| Refusal::bad_request(format!("`{}` is not a hash", shown(&text)), HINT))
    }
}

/// What ends the path, beside which parameters may be given.
#[derive(Clone, Copy, Debug)]
pub(super) struct Last<T>(pub(super) T);

impl<S: Send + Sync, T: FromStr<Err: std::fmt::Display>> FromRequestParts<S> for Last<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        const HINT: &str = "give the 64 hexadecimal digits as bitcoin-cli prints them, or a height";
        let Path(text) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|error| Refusal::bad_request(error.body_text(), HINT))?;
        let last = text.parse().map(Self);
        last.map_err(|error| Refusal::bad_request(format!("`{}` is {error}", shown(&text)), HINT))
    }
}

/// The block or transaction that ends the path: the word for what it is, and its hash.
#[derive(Clone, Copy, Debug)]
pub(super) struct About(pub(super) Subject);

impl<S: Send + Sync> FromRequestParts<S> for About {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        const HINT: &str = "give `block` or `tx`, and the 64 hexadecimal digits as bitcoin-cli prints them";
        none(parts)?;
        let Path((word, digits)) = Path::<(String, String)>::from_request_parts(parts, state)
            .await
            .map_err(|error| Refusal::bad_request(error.body_text(), HINT))?;
        let subject = Subject::from_parts(&word, &digits).map(Self);
        let error = || format!("`{}/{}` is neither a block nor a transaction", shown(&word), shown(&digits));
        subject.ok_or_else(|| Refusal::bad_request(error(), HINT))
    }
}

/// Nothing: a misspelt parameter must not pass for an answer to it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Nothing;

impl<S: Sync> FromRequestParts<S> for Nothing {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        none(parts).map(|()| Self)
    }
}

fn none(parts: &Parts) -> Result<(), Refusal> {
    match parts.uri.query() {
        None | Some("") => Ok(()),
        Some(_) => {
            Err(Refusal::bad_request("unknown parameter", "this address takes no parameters after `?`"))
        }
    }
}

/// As much of what was sent as an error should repeat.
fn shown(text: &str) -> String {
    text.chars().take(80).collect()
}
