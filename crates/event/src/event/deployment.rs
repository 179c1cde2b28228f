/// A soft fork as RPC `getdeploymentinfo` tells it (23.0 and later).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deployment {
    /// Its name, for example `taproot`.
    pub name: String,
    /// Whether its rules hold for the next block.
    pub active: bool,
    /// Height of the first block to which its rules apply, `None` while that is not known.
    pub height: Option<u32>,
    /// The bit of the block version that signals it (BIP 9), `None` but while it is `started` or `locked_in`.
    pub bit: Option<u32>,
    /// Its state by BIP 9 (`defined`, `started`, `locked_in`, `active`, `failed`), `None` if it is buried (BIP 90).
    pub status: Option<String>,
    /// Height of the first block to which that state applies, `None` if it is buried.
    pub since: Option<u32>,
}
