//! The bytes of a block that was left behind.

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
    routing::get,
};
use bmon_event::BlockHash;

use super::{Api, Endpoint, Parameter, Refusal, parameter::Hash};

pub(super) const ENDPOINT: Endpoint = Endpoint {
    path: "/api/v1/blocks/{hash}/raw",
    summary: "The bytes of a block that was left behind, as `getblock HASH 0` gives them, but not in digits: \
              `application/octet-stream`. Such blocks are kept for ever; of every other one the answer is 404.",
    parameters: &[Parameter { name: "hash", summary: "the block's hash, 64 hexadecimal digits" }],
    example: "",
    route: || get(answer),
};

async fn answer(State(api): State<Api>, Hash(hash): Hash<BlockHash>) -> Result<Response, Refusal> {
    let raw = api.read(move |reader| reader.raw_block(&hash)).await?;
    let refusal = || {
        let hint = "only blocks beside the main chain are kept whole; ask a node for the others";
        Refusal::not_found(format!("the bytes of block `{hash}` are not kept"), hint)
    };
    let raw = raw.ok_or_else(refusal)?;
    Ok(([(header::CONTENT_TYPE, "application/octet-stream")], raw).into_response())
}
