//! `bmon agent what-leaves`.

use bmon_agent::{
    config::Config as AgentConfig,
    loki::{Sample, sample},
};
use bmon_event::Network;
use serde_json::{Value, json};

use super::local;
use crate::{
    config::Config,
    failure::{Code, Failure, Result},
};

/// A node, and what would leave of its log.
struct Leaving {
    config: AgentConfig,
    network: Network,
    sample: Sample,
}

/// Prints what would leave the host of the last `lines` of each node's log.
pub(super) fn print(config: &Config, lines: usize, json: bool) -> Result {
    let mut all = Vec::new();
    for (agent, _) in local::agents(config)? {
        all.push(look(agent, lines)?);
    }
    let text = if json {
        let documents: Vec<_> = all.iter().map(document).collect();
        serde_json::to_string_pretty(&documents).map_err(anyhow::Error::new)?
    } else {
        all.iter().map(text).collect::<Vec<_>>().join("\n")
    };
    println!("{}", text.trim_end());
    Ok(())
}

fn look(config: AgentConfig, lines: usize) -> Result<Leaving> {
    // The name is one of the configuration's own list.
    let network = config.network.as_deref().and_then(Network::from_chain);
    let network = network.ok_or_else(|| anyhow::anyhow!("find the network of `{}`", config.node))?;
    let sample = sample(&config, network, lines).map_err(|error| {
        let path = config.log.as_ref().map(|log| log.path.display().to_string()).unwrap_or_default();
        Failure::new(Code::Other, anyhow::Error::new(error).context(format!("read the end of `{path}`")))
    })?;
    Ok(Leaving { config, network, sample })
}

fn document(leaving: &Leaving) -> Value {
    let Leaving { config, network, sample } = leaving;
    json!({
        "node": config.node,
        "network": network.to_string(),
        "server": config.server.url,
        "events": sample.events,
        "loki": config.loki.as_ref().map(|loki| &loki.url),
        "push": sample.push,
        "withheld_lines": sample.withheld,
        "lines_with_hidden_addresses": sample.hidden,
    })
}

fn text(leaving: &Leaving) -> String {
    let Leaving { config, network, sample } = leaving;
    let mut text = format!("{} ({network})\n", config.node);
    text += &format!("events for the server {}: {}\n", config.server.url, sample.events.len());
    for event in &sample.events {
        text += &format!("  {event}\n");
    }
    let loki = match &config.loki {
        Some(loki) => format!("entries for Loki {}", loki.url),
        None => "entries for Loki, if agent.loki.url were set".to_owned(),
    };
    text += &format!(
        "{loki}; of lines of wallets, {} stay; addresses are hidden in {}\n",
        sample.withheld, sample.hidden
    );
    for stream in sample.push["streams"].as_array().into_iter().flatten() {
        text += &format!("  {}\n", stream["stream"]);
        for value in stream["values"].as_array().into_iter().flatten() {
            let metadata = value.get(2).map(|metadata| format!(" {metadata}")).unwrap_or_default();
            text += &format!("    {}{metadata}\n", value[1].as_str().unwrap_or_default());
        }
    }
    text
}
