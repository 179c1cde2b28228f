//! Any text is a list of pools or an error; a list that was read is read again as it is, and each of its tags is
//! recognised in a coinbase.

#![cfg_attr(fuzzing, no_main)]

use bmon_analysis::{
    body::Transaction,
    pool::{self, Mark, Pool, Pools},
};

/// Of so many tags at most it is asked whether they are recognised: more would only make the fuzzer slow.
const TAGS: usize = 16;

/// The longest script of a coinbase (`bad-cb-length` in `src/consensus/tx_check.cpp@v30`).
const MAX_SCRIPT: usize = 100;

pub(crate) fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(pools) = pool::parse(text) else { return };
    for pool in &pools {
        let texts = pool.tags.iter().chain(&pool.addresses).chain([&pool.name]);
        assert!(
            texts.into_iter().all(|text| !text.is_empty() && !text.contains(char::is_control)),
            "{pool:?}"
        );
    }
    assert_eq!(pool::parse(&written(&pools)).expect("what was written is a list"), pools);
    let tags: Vec<_> = pools.iter().flat_map(|pool| &pool.tags).cloned().collect();
    let table = Pools::new(pools);
    tags.iter().filter(|tag| tag.len() <= MAX_SCRIPT).take(TAGS).for_each(|tag| recognised(&table, tag));
}

/// The list as `pools-v2.json` has it.
fn written(pools: &[Pool]) -> String {
    let entry = |pool: &Pool| {
        let Pool { name, tags, addresses } = pool;
        serde_json::json!({ "name": name, "tags": tags, "addresses": addresses })
    };
    pools.iter().map(entry).collect::<serde_json::Value>().to_string()
}

/// Nothing in the script is longer than the tag, so that it is what the pool is known by.
fn recognised(table: &Pools, tag: &str) {
    let raw = coinbase(tag.as_bytes());
    let miner = table.miner(&Transaction::decode(&raw).expect("it is a transaction"));
    let by = miner.pool.map(|pool| pool.by);
    assert_eq!(by, Some(Mark::Tag { tag: tag.to_owned() }));
}

/// A coinbase with this script that pays nobody.
fn coinbase(script: &[u8]) -> Vec<u8> {
    let length = u8::try_from(script.len()).expect("it is no longer than a script may be");
    let mut raw = vec![1, 0, 0, 0, 1];
    raw.extend_from_slice(&[0; 32]);
    raw.extend_from_slice(&[0xff; 4]);
    raw.push(length);
    raw.extend_from_slice(script);
    raw.extend_from_slice(&[0xff; 4]);
    raw.push(1);
    raw.extend_from_slice(&[0; 8 + 1 + 4]);
    raw
}

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| check(data));
