use bitcoin::{
    Address, Amount, Network, OutPoint, ScriptBuf, Sequence, Transaction as TheirTransaction, TxIn, TxOut,
    Witness, absolute::LockTime, consensus::serialize, constants::genesis_block, transaction::Version,
};
use proptest::{collection::vec, prelude::*};

use super::*;

/// As the community's list is written: with fields of no interest, and without some of interest.
const LIST: &str = r#"[
    {"id": 36, "name": "F2Pool", "addresses": ["1KFHE7w8BhaENAswwryaoccDb6qcT6DbYY"], "tags": ["🐟"], "link": "x"},
    {"id": 121, "name": "BTC Nuggets", "addresses": ["1BwZeHJo7b7M2op7VDfYnsmcpXsUYEcVHm"], "regexes": [1]},
    {"name": "Solo CK", "tags": ["/solo.ckpool.org/"]}
]"#;

const OLDER_LIST: &str = r#"{
    "payout_addresses": {"1KFHE7w8BhaENAswwryaoccDb6qcT6DbYY": {"name": "F2Pool", "link": "x"}},
    "coinbase_tags": {
        "七彩神仙鱼": {"name": "F2Pool", "link": "x"},
        "🐟": {"name": "F2Pool"},
        "/BTCC/": {"name": "BTCC Pool"}
    }
}"#;

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

fn pay(address: &str) -> ScriptBuf {
    address.parse::<Address<_>>().unwrap().require_network(Network::Bitcoin).unwrap().script_pubkey()
}

/// The bytes of a coinbase with this script and these outputs.
fn coinbase(script_sig: &[u8], outputs: &[(u64, ScriptBuf)]) -> Vec<u8> {
    let input = TxIn {
        previous_output: OutPoint::null(),
        script_sig: ScriptBuf::from_bytes(script_sig.to_vec()),
        sequence: Sequence::MAX,
        witness: Witness::new(),
    };
    let output = |(value, script): &(u64, ScriptBuf)| TxOut {
        value: Amount::from_sat(*value),
        script_pubkey: script.clone(),
    };
    serialize(&TheirTransaction {
        version: Version::ONE,
        lock_time: LockTime::ZERO,
        input: vec![input],
        output: outputs.iter().map(output).collect(),
    })
}

fn miner(pools: &Pools, script_sig: &[u8], outputs: &[(u64, ScriptBuf)]) -> Miner {
    pools.miner(&Transaction::decode(&coinbase(script_sig, outputs)).unwrap())
}

/// The name of the pool that wrote this script, by its tag alone.
fn tagged(pools: &Pools, script_sig: impl AsRef<[u8]>) -> Option<String> {
    miner(pools, script_sig.as_ref(), &[(1, ScriptBuf::new())]).pool.map(|pool| pool.name)
}

fn pool(name: &str, tags: &[&str], addresses: &[&str]) -> Pool {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    Pool { name: name.to_owned(), tags: texts(tags), addresses: texts(addresses) }
}

#[test]
fn the_first_block_of_all_is_of_no_pool_and_has_its_headline() {
    let raw = serialize(&genesis_block(Network::Bitcoin).txdata[0]);
    let miner = Pools::new(known()).miner(&Transaction::decode(&raw).unwrap());
    let headline = "The Times 03/Jan/2009 Chancellor on brink of second bailout for banks";
    assert_eq!(miner, Miner { pool: None, coinbase_text: headline.to_owned() });
}

#[test]
fn a_text_is_what_can_be_read() {
    for (script, expected) in [
        (&b""[..], ""),
        (b"\x04\xff\xff\0\x1d\x01\x04", ""),
        (b"\x03abc\x09\x0d/ViaBTC/abcd\0", "/ViaBTC/abcd"),
        (b"\x03\x10\x20\x0e< OCEAN.XYZ >\xfa\xbe one two  \xf0\x9f\x90\x9f", "< OCEAN.XYZ > one two"),
        (b"\x1b[31mred\x07 \x7fand so on\r\n", "[31mred and so on"),
        // A blank and one `!` are lengths of 32 and 33, but only of what is so long.
        (b" 12345678901234567890123456789012", "12345678901234567890123456789012"),
        (b"!12345678901234567890123456789012", "!12345678901234567890123456789012"),
    ] {
        assert_eq!(text(script), expected, "{script:?}");
    }
}

#[test]
fn an_address_goes_before_a_tag() {
    let pools = Pools::new(parse(LIST).unwrap().into_iter().chain(known()));
    let paid = [(5, pay("1KFHE7w8BhaENAswwryaoccDb6qcT6DbYY"))];
    let by = Mark::Address { address: "1KFHE7w8BhaENAswwryaoccDb6qcT6DbYY".to_owned() };
    let miner = miner(&pools, b"\x03ab\x0e/ViaBTC/", &paid);
    assert_eq!(miner.pool, Some(Recognised { name: "F2Pool".to_owned(), by }));
    assert_eq!(miner.coinbase_text, "/ViaBTC/");
}

#[test]
fn of_several_addresses_the_one_that_is_paid_most_counts() {
    let (f2pool, nuggets) =
        (pay("1KFHE7w8BhaENAswwryaoccDb6qcT6DbYY"), pay("1BwZeHJo7b7M2op7VDfYnsmcpXsUYEcVHm"));
    let other = pay("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa");
    let pools = Pools::new(parse(LIST).unwrap());
    for (outputs, expected) in [
        (vec![(1, &f2pool), (2, &nuggets), (3, &other)], Some("BTC Nuggets")),
        (vec![(2, &f2pool), (2, &nuggets)], Some("F2Pool")),
        (vec![(2, &nuggets), (2, &f2pool), (1, &f2pool)], Some("BTC Nuggets")),
        (vec![(0, &f2pool), (3, &other)], None),
    ] {
        let outputs: Vec<_> = outputs.into_iter().map(|(value, script)| (value, script.clone())).collect();
        assert_eq!(miner(&pools, b"", &outputs).pool.map(|pool| pool.name).as_deref(), expected);
    }
}

#[test]
fn of_several_tags_the_longest_counts_then_the_first() {
    let pools = Pools::new([
        pool("short", &["Kano", "", "same"], &["a"]),
        pool("long", &["/Kano/", "asme", "same"], &["a"]),
    ]);
    for (script, expected) in [
        ("Kano", Some("short")),
        ("Kano and /Kano/", Some("long")),
        ("asme, same", Some("short")),
        ("asme", Some("long")),
        ("kano", None),
        ("", None),
    ] {
        assert_eq!(tagged(&pools, script).as_deref(), expected, "{script}");
    }
    assert_eq!(pools.addresses["a"], 0);
}

#[test]
fn a_tag_counts_within_the_longest_script_only() {
    let pools = Pools::new([pool("late", &["Kano"], &[])]);
    let mut script = vec![0; 96];
    script.extend(b"Kano");
    assert_eq!(tagged(&pools, &script).as_deref(), Some("late"));
    script.insert(0, 0);
    assert_eq!(tagged(&pools, &script), None);
}

#[test]
fn every_known_pool_is_found_by_each_of_its_tags() {
    let pools = Pools::new(known());
    for pool in known() {
        assert!(pool.addresses.is_empty() && !pool.tags.is_empty(), "{}", pool.name);
        for tag in pool.tags {
            let script = [b"\x03\x40\x0d\x0e", tag.as_bytes(), b"\xfa\xbe"].concat();
            assert_eq!(tagged(&pools, &script), Some(pool.name.clone()), "{tag}");
        }
    }
}

#[test]
fn both_lists_are_read() {
    let fish = ["1KFHE7w8BhaENAswwryaoccDb6qcT6DbYY"];
    assert_eq!(
        parse(LIST).unwrap(),
        [
            pool("F2Pool", &["🐟"], &fish),
            pool("BTC Nuggets", &[], &["1BwZeHJo7b7M2op7VDfYnsmcpXsUYEcVHm"]),
            pool("Solo CK", &["/solo.ckpool.org/"], &[]),
        ]
    );
    assert_eq!(
        parse(OLDER_LIST).unwrap(),
        [pool("BTCC Pool", &["/BTCC/"], &[]), pool("F2Pool", &["七彩神仙鱼", "🐟"], &fish)]
    );
    assert_eq!(parse("[]").unwrap(), []);
}

#[test]
fn a_bad_list_is_refused_with_the_place() {
    for (list, expected) in [
        ("", "the list is not JSON: EOF while parsing a value at line 1 column 0"),
        ("[", "the list is not JSON: EOF while parsing a list at line 1 column 1"),
        ("7", "the list is neither an array nor an object with `coinbase_tags` or `payout_addresses`"),
        ("{}", "the list is neither an array nor an object with `coinbase_tags` or `payout_addresses`"),
        (r#"[{"name": "a"}, {}]"#, "entry 1 of the list is not a pool: missing field `name`"),
        (r"[7]", "entry 0 of the list is not a pool: invalid type: integer `7`, expected struct Entry"),
        (
            r#"[{"name": "a", "tags": "b"}]"#,
            "entry 0 of the list is not a pool: invalid type: string \"b\", expected a sequence",
        ),
        (
            r#"[{"name": "a", "tags": [""]}]"#,
            "entry 0 of the list is not a pool: \"\" is empty or has control characters",
        ),
        (
            r#"[{"name": "\u001b[2J"}]"#,
            "entry 0 of the list is not a pool: \"\\u{1b}[2J\" is empty or has control characters",
        ),
        (r#"{"coinbase_tags": []}"#, "`coinbase_tags` of the list is not an object"),
        (
            r#"{"payout_addresses": {"a": {}}}"#,
            "`a` in `payout_addresses` of the list does not belong to a pool: missing field `name`",
        ),
        (
            r#"{"coinbase_tags": {"": {"name": "a"}}}"#,
            "`` in `coinbase_tags` of the list does not belong to a pool: \"\" is empty or has control characters",
        ),
    ] {
        let error = parse(list).unwrap_err();
        let source = std::error::Error::source(&error).map(|source| format!(": {source}"));
        assert_eq!(format!("{error}{}", source.unwrap_or_default()), expected, "{list}");
    }
}

#[test]
fn addresses_are_those_of_the_proposals() {
    for (script, expected) in [
        ("76a91462e907b15cbf27d5425399ebf6f0fb50ebb88f1888ac", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"),
        // BIP 16's first use stands for BIP 13.
        ("a914748284390f9e263a4b766a75d0633c50426eb87587", "3CK4fEwbMP7heJarmU4eqA3sMbVJyEnU3V"),
        ("0014751e76e8199196d454941c45d1b3a323f1433bd6", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"),
        (
            "512079be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
            "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
        ),
        ("6002751e", "bc1sw50qgdz25j"),
        ("5210751e76e8199196d454941c45d1b3a323", "bc1zw508d6qejxtdg4y5r3zarvaryvaxxpcs"),
    ] {
        assert_eq!(address(&bytes(script)).as_deref(), Some(expected), "{script}");
    }
    for script in [
        "",
        "00",
        "0000",
        "0001aa",
        "5001aabb",
        "6114751e76e8199196d454941c45d1b3a323f1433bd6",
        "6a0461626364",
    ] {
        assert_eq!(address(&bytes(script)), None, "{script}");
    }
}

#[test]
fn a_miner_goes_to_json_and_back() {
    let miner = miner(&Pools::new(known()), b"\x03ab\x0e/ViaBTC/", &[(1, ScriptBuf::new())]);
    let json = serde_json::to_string(&miner).unwrap();
    assert_eq!(
        json,
        r#"{"pool":{"name":"ViaBTC","by":{"kind":"tag","tag":"/ViaBTC/"}},"coinbase_text":"/ViaBTC/"}"#
    );
    assert_eq!(serde_json::from_str::<Miner>(&json).unwrap(), miner);
}

/// Scripts that are addresses, nearly are, or are not at all.
fn script() -> impl Strategy<Value = Vec<u8>> {
    let framed = |before: &'static [u8], lengths, after: &'static [u8]| {
        vec(any::<u8>(), lengths).prop_map(move |hash| [before, &hash, after].concat())
    };
    let program = (prop_oneof![Just(0), 0x4f_u8..0x63], vec(any::<u8>(), 0..44), 0..8_usize);
    prop_oneof![
        framed(&[0x76, 0xa9, 20], 19..=21, &[0x88, 0xac]),
        framed(&[0xa9, 20], 19..=21, &[0x87]),
        framed(&[0, 20], 19..=21, &[]),
        framed(&[0, 32], 31..=33, &[]),
        program.prop_map(|(version, program, odd)| {
            let length = u8::try_from(program.len()).unwrap() + u8::from(odd == 0);
            [&[version, length], &program[..]].concat()
        }),
        vec(any::<u8>(), 0..60),
    ]
}

proptest! {
    #[test]
    fn an_address_is_what_another_library_makes_of_the_script(script in script()) {
        let theirs = Address::from_script(&ScriptBuf::from_bytes(script.clone()), Network::Bitcoin).ok();
        prop_assert_eq!(address(&script), theirs.map(|address| address.to_string()));
    }

    #[test]
    fn any_coinbase_has_a_miner_and_a_harmless_text(
        script_sig in vec(any::<u8>(), 0..200),
        outputs in vec((any::<u64>(), script().prop_map(ScriptBuf::from)), 1..4),
    ) {
        let pools = Pools::new(parse(LIST).unwrap().into_iter().chain(known()));
        let miner = miner(&pools, &script_sig, &outputs);
        prop_assert!(miner.coinbase_text.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
        prop_assert!(miner.coinbase_text.len() <= MAX_SCRIPT);
    }

    #[test]
    fn any_text_is_a_list_or_is_refused(text in "[\\[\\]{}\",:a-c0-2 ]{0,40}|\\PC{0,40}") {
        let _ = parse(&text);
    }
}
