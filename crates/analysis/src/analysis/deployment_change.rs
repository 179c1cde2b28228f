//! Soft forks that came into another state at a node.

use std::collections::BTreeMap;

use bmon_event::{Kind, event::Deployment};

use super::{Analysis, Declaration};
use crate::{
    finding::{Body, DeploymentChange, Finding, FindingId},
    row::Row,
    state::{Change, NodeState},
};

const ID: &str = "deployment-change";

pub(super) const DECLARATION: Declaration = Declaration {
    id: ID,
    about: "Which soft fork came into which state at which node.",
    make: |_| Box::new(Deployments { known: None }),
};

/// What was told last; what is told first is no change.
#[derive(Debug)]
struct Deployments {
    known: Option<BTreeMap<String, Deployment>>,
}

impl Analysis for Deployments {
    fn apply(&mut self, node: &NodeState, change: &Change<'_>, out: &mut Vec<Row>) {
        let Change::Told(event) = change else { return };
        let Kind::Deployments(told) = &event.kind else { return };
        let now: BTreeMap<_, _> = told.iter().map(|told| (told.name.clone(), told.clone())).collect();
        let Some(before) = self.known.replace(now) else { return };
        for told in told {
            let last = before.get(&told.name);
            if last.is_some_and(|last| state(last) == state(told)) {
                continue;
            }
            let body = DeploymentChange {
                deployment: told.name.clone(),
                before: last.map(|last| state(last).to_owned()),
                now: state(told).to_owned(),
                bit: told.bit,
                since_height: told.since.or(told.height),
            };
            // A deployment goes through its states once; a reorg over the boundary of a period may take it back.
            let subject = [node.name.as_str().as_bytes(), told.name.as_bytes(), state(told).as_bytes()];
            out.push(Row::Finding(Box::new(Finding {
                id: FindingId::new(&node.network, ID, &subject),
                revision: 1,
                network: node.network,
                node: Some(node.name.clone()),
                sighted: node.sighted(event.time()),
                sources: vec![event.source],
                body: Body::DeploymentChange(body),
            })));
        }
    }
}

/// The word for where it is: that of BIP 9, or whether a buried one holds.
fn state(deployment: &Deployment) -> &str {
    match (&deployment.status, deployment.active) {
        (Some(status), _) => status,
        (None, true) => "active",
        (None, false) => "inactive",
    }
}
