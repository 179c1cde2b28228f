//! The pools known without a list.

use super::Pool;

/// Names, as the community's list has them, and tags, as they stand in coinbases of the main network: first of those that
/// mine in 2026, then of those for one's own miner, then of former years. A pool's addresses change more often than its
/// tags, so they are left to the list.
const KNOWN: [(&str, &[&str]); 38] = [
    ("Foundry USA", &["Foundry USA Pool", "/2cDw/"]),
    ("AntPool", &["/AntPool/", "Mined by AntPool", "Mined By AntPool"]),
    ("F2Pool", &["F2Pool", "七彩神仙鱼", "🐟"]),
    ("ViaBTC", &["/ViaBTC/", "viabtc.com deploy"]),
    ("SpiderPool", &["SpiderPool"]),
    ("MARA Pool", &["MARA Pool", "MARA Made in USA"]),
    ("SECPOOL", &["SecPool"]),
    ("Luxor", &["/LUXOR/", "Luxor Tech"]),
    ("OCEAN", &["OCEAN.XYZ"]),
    ("Binance Pool", &["/Binance/", "binance"]),
    ("SBI Crypto", &["SBICrypto", "SBI Crypto"]),
    ("Braiins Pool", &["/slush/"]),
    ("BTC.com", &["/BTC.COM/", "/BTC.com/", "btccom"]),
    ("Poolin", &["/poolin.com", "/poolin/"]),
    ("WhitePool", &["WhitePool"]),
    ("ULTIMUSPOOL", &["/ultimus/"]),
    ("Mining Squared", &["/bsquared/", "MiningSquared", "BSquared Network"]),
    ("NiceHash", &["/NiceHash/", "/NiceHashSolo", "/NiceHashMining/"]),
    ("EMCDPool", &["/EMCD/", "/one_more_mcd/", "get___emcd"]),
    ("BitFuFuPool", &["/BitFuFu/"]),
    ("Innopolis Tech", &["Innopolis.tech", "Innopolis"]),
    ("KanoPool", &["Kano"]),
    ("CKPool", &["/ckpool.org/"]),
    ("Solo CK", &["/solo.ckpool.org/"]),
    ("Braiins Solo", &["/braiinssolo/"]),
    ("Public Pool", &["Public-Pool"]),
    ("FutureBit Apollo Solo", &["/mined by a Solo FutureBit Apollo/"]),
    ("Parasite", &["parasite"]),
    ("Terra Pool", &["terrapool.io", "Validated with Clean Energy"]),
    ("Titan", &["Titan.io"]),
    ("PEGA Pool", &["/pegapool/"]),
    ("Huobi.pool", &["/HuoBi/", "/Huobi/"]),
    ("BTC.TOP", &["/BTC.TOP/"]),
    ("BTCC", &["/BTCC/", "BTCChina Pool"]),
    ("BitFury", &["/BitFury/", "/Bitfury/"]),
    ("GHash.IO", &["ghash.io"]),
    ("Eligius", &["Eligius"]),
    ("BTC Guild", &["BTC Guild"]),
];

/// The pools known without a list, with their tags only.
pub fn known() -> impl Iterator<Item = Pool> {
    KNOWN.into_iter().map(|(name, tags)| Pool {
        name: name.to_owned(),
        tags: tags.iter().map(|&tag| tag.to_owned()).collect(),
        addresses: Vec::new(),
    })
}
