//! Which Bitcoin network a node is on, identified by its genesis block.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::BlockHash;

/// A network, named by the hash of its genesis block. Part of every key: nodes of different networks are never
/// compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Network {
    /// Hash of block 0.
    pub genesis: BlockHash,
}

/// The public networks and regtest, with the name that RPC `getblockchaininfo` gives each in `chain`, and the hash
/// of block 0 (`src/kernel/chainparams.cpp@v30`, asserted there).
const KNOWN: [(&str, &str); 5] = [
    ("main", "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f"),
    ("test", "000000000933ea01ad0ee984209779baaec3ced90fa3f408719526f8d77f4943"),
    ("testnet4", "00000000da84f2bafbbc53dee25a72ae507ff4914b867c565be350b0da8bf043"),
    ("signet", "00000008819873e925422c1ff0f99f7cc9bbb232af63a077a480a3633bee1ef6"),
    ("regtest", "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206"),
];

impl Network {
    /// The network whose block 0 has this hash.
    pub const fn from_genesis(genesis: BlockHash) -> Self {
        Self { genesis }
    }

    /// The network that `getblockchaininfo` calls `chain`, `None` for a name this crate does not know.
    pub fn from_chain(chain: &str) -> Option<Self> {
        let (_, genesis) = KNOWN.iter().find(|(name, _)| *name == chain)?;
        genesis.parse().ok().map(Self::from_genesis)
    }

    /// The name that `getblockchaininfo` gives this network, `None` for one this crate does not know.
    pub fn chain(&self) -> Option<&'static str> {
        let genesis = self.genesis.to_string();
        KNOWN.iter().find(|(_, hash)| *hash == genesis).map(|(name, _)| *name)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.chain() {
            Some(chain) => f.write_str(chain),
            None => self.genesis.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_network_is_found_by_name_and_by_genesis() {
        for (name, genesis) in KNOWN {
            let network = Network::from_chain(name).unwrap();
            assert_eq!(network.genesis.to_string(), genesis);
            assert_eq!(network.to_string(), name);
        }
        assert_eq!(Network::from_chain("mainnet"), None);
    }
}
