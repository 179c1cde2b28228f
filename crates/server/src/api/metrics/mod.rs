//! The same numbers for Prometheus.
//!
//! Names are `bmon_<part>_<noun>_<unit>[_total]` in seconds and bytes. Labels are bounded: network, node, source, kind,
//! table, direction and bmon's own version; never an address, a hash or a node's user agent.

mod chain;
mod delay;
mod family;
mod node;
mod server;

use std::fmt;

use axum::{
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
    routing::get,
};
use prometheus_client::{collector::Collector, encoding::DescriptorEncoder};

use self::server::Snapshot;
use super::{Api, Endpoint, Refusal, parameter::Nothing};

pub(super) const ENDPOINT: Endpoint = Endpoint {
    path: "/metrics",
    summary: "Everything that is a number, for Prometheus: as OpenMetrics when the request's `Accept` asks for that, \
              else in the classic text format.",
    parameters: &[],
    example: "",
    route: || get(answer),
};

impl Collector for Snapshot {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        for family in server::FAMILIES {
            family.encode(&mut encoder, [self].into_iter())?;
        }
        for family in chain::FAMILIES {
            family.encode(&mut encoder, self.chains.iter())?;
        }
        delay::encode(&mut encoder, &self.delays)?;
        for family in node::FAMILIES {
            family.encode(&mut encoder, self.nodes.iter())?;
        }
        Ok(())
    }
}

async fn answer(State(api): State<Api>, headers: HeaderMap, _: Nothing) -> Result<Response, Refusal> {
    let page = bmon_metric::open_metrics(Box::new(server::snapshot(&api).await?));
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    Ok(if accept.contains("application/openmetrics-text") {
        ([(header::CONTENT_TYPE, bmon_metric::OPEN_METRICS)], page).into_response()
    } else {
        ([(header::CONTENT_TYPE, bmon_metric::CLASSIC)], bmon_metric::classic(&page)).into_response()
    })
}
