//! RPC `getdeploymentinfo`, which there is from 23.0 on.

use std::{collections::BTreeMap, time::Duration};

use bmon_event::{Kind, event::Deployment};
use serde::Deserialize;

use super::Poller;
use crate::config::IntervalConfig;

pub(super) struct Deployments;

#[derive(Deserialize)]
struct Reply {
    #[serde(default)]
    deployments: BTreeMap<String, DeploymentReply>,
}

#[derive(Deserialize)]
struct DeploymentReply {
    active: Option<bool>,
    height: Option<u32>,
    bip9: Option<Bip9>,
}

#[derive(Deserialize)]
struct Bip9 {
    bit: Option<u32>,
    status: Option<String>,
    since: Option<u32>,
}

impl Poller for Deployments {
    fn method(&self) -> &'static str {
        "getdeploymentinfo"
    }

    fn interval(&self, intervals: &IntervalConfig) -> Duration {
        Duration::from_millis(intervals.deployment_info_ms)
    }

    fn is_everywhere(&self) -> bool {
        false
    }

    fn read(&self, reply: &str) -> serde_json::Result<Kind> {
        let reply: Reply = serde_json::from_str(reply)?;
        let read = |(name, deployment): (String, DeploymentReply)| {
            let (bit, status, since) =
                deployment.bip9.map_or((None, None, None), |bip9| (bip9.bit, bip9.status, bip9.since));
            Deployment {
                name,
                active: deployment.active.unwrap_or_default(),
                height: deployment.height,
                bit,
                status,
                since,
            }
        };
        Ok(Kind::Deployments(reply.deployments.into_iter().map(read).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buried_and_signalled_deployments_are_read() {
        let reply = r#"{"hash":"00","height":144,"deployments":{
            "segwit":{"type":"buried","active":true,"height":0},
            "testdummy":{"type":"bip9","bip9":{"bit":28,"start_time":0,"timeout":9223372036854775807,
                "min_activation_height":0,"status":"started","since":144,"status_next":"started"},"active":false}}}"#;
        let Kind::Deployments(told) = Deployments.read(reply).unwrap() else { panic!("another kind") };
        let segwit =
            Deployment { name: "segwit".to_owned(), active: true, height: Some(0), ..Deployment::default() };
        let testdummy = Deployment {
            name: "testdummy".to_owned(),
            active: false,
            height: None,
            bit: Some(28),
            status: Some("started".to_owned()),
            since: Some(144),
        };
        assert_eq!(told, [segwit, testdummy]);
        assert_eq!(Deployments.read("{}").unwrap(), Kind::Deployments(vec![]));
        assert!(Deployments.read("7").is_err());
    }
}
