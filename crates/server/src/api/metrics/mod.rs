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
use prometheus_client::{
    collector::Collector, encoding::DescriptorEncoder, encoding::text, registry::Registry,
};

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

const OPEN_METRICS: &str = "application/openmetrics-text";

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
    let snapshot = server::snapshot(&api).await?;
    let mut registry = Registry::default();
    registry.register_collector(Box::new(snapshot));
    let mut page = String::new();
    text::encode(&mut page, &registry).expect("a string takes all that is written");
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    Ok(if accept.contains(OPEN_METRICS) {
        ([(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], page)
            .into_response()
    } else {
        ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], classic(&page)).into_response()
    })
}

/// OpenMetrics as the classic text format: there a counter's family has the suffix `_total` too, and the unit and the
/// end are not said.
fn classic(page: &str) -> String {
    let mut counters = std::collections::HashSet::new();
    for line in page.lines() {
        counters.extend(line.strip_prefix("# TYPE ").and_then(|rest| rest.strip_suffix(" counter")));
    }
    let mut classic = String::with_capacity(page.len());
    for line in page.lines().filter(|line| !line.starts_with("# UNIT ") && *line != "# EOF") {
        let mut words = line.splitn(4, ' ');
        match (words.next(), words.next(), words.next(), words.next()) {
            (Some("#"), Some(word), Some(name), Some(rest)) if counters.contains(name) => {
                classic.extend(["# ", word, " ", name, "_total ", rest, "\n"]);
            }
            _ => classic.extend([line, "\n"]),
        }
    }
    classic
}

#[cfg(test)]
mod tests {
    #[test]
    fn classic_text_names_a_counters_family_as_its_samples() {
        let open = "# HELP a A.\n# TYPE a counter\na_total 1\n# HELP b_bytes B.\n# TYPE b_bytes gauge\n\
                    # UNIT b_bytes bytes\nb_bytes 2\n# EOF\n";
        let classic = "# HELP a_total A.\n# TYPE a_total counter\na_total 1\n# HELP b_bytes B.\n# TYPE b_bytes gauge\n\
                       b_bytes 2\n";
        assert_eq!(super::classic(open), classic);
    }
}
