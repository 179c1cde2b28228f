//! Any bytes are a block or an error, of either length of header; and what was read of a block is all of its bytes, in
//! their order.

#![cfg_attr(fuzzing, no_main)]

use bmon_analysis::{
    body::{Body, BodyError, Transaction},
    pool::{self, Pools},
    tree::ProofOfWork,
};

pub(crate) fn check(data: &[u8]) {
    for proof_of_work in [ProofOfWork::Sha256d, ProofOfWork::Blake2b] {
        if let Ok(coinbase) = Body::coinbase_in(data, proof_of_work) {
            read(&coinbase);
        }
        if let Ok(body) = Body::decode(data, proof_of_work) {
            whole(data, &body, proof_of_work);
        }
    }
}

/// The transactions are what follows the header, without a gap; without its last byte the block is none.
fn whole(data: &[u8], body: &Body<'_>, proof_of_work: ProofOfWork) {
    assert_eq!(Some(body.header()), data.get(..proof_of_work.header_length()));
    let _ = body.is_of_header();
    let transactions = body.transactions();
    let mut rest = &data[body.header().len() + compact_size(transactions.len())..];
    for transaction in transactions {
        let (bytes, after) = rest.split_at(transaction.size_bytes());
        let again = Transaction::decode(bytes).expect("a transaction of a block is one by itself");
        assert_eq!(told(&again), told(transaction));
        read(transaction);
        rest = after;
    }
    assert!(rest.is_empty(), "{} bytes of the block were not read", rest.len());
    assert!(Body::decode(&data[..data.len() - 1], proof_of_work).is_err(), "a block without its end");
    front(data, body, proof_of_work);
}

/// The coinbase is read from as much as holds it, and from nothing less.
fn front(data: &[u8], body: &Body<'_>, proof_of_work: ProofOfWork) {
    let before = body.header().len() + compact_size(body.transactions().len());
    let front = &data[..before + body.coinbase().size_bytes()];
    let coinbase = Body::coinbase_in(front, proof_of_work).expect("the whole coinbase is there");
    assert_eq!(told(&coinbase), told(body.coinbase()));
    let short = Body::coinbase_in(&front[..front.len() - 1], proof_of_work);
    assert!(matches!(short, Err(BodyError::Short { .. })), "{short:?}");
}

/// What is told of a transaction, wherever its bytes stand.
fn told(transaction: &Transaction<'_>) -> String {
    let ids = (transaction.txid(), transaction.wtxid());
    let sizes = (transaction.size_bytes(), transaction.weight());
    let inputs: Vec<_> = transaction.inputs().collect();
    let outputs: Vec<_> = transaction.outputs().collect();
    format!("{ids:?} {sizes:?} {inputs:?} {outputs:?}")
}

/// Goes through all that a transaction tells.
fn read(transaction: &Transaction<'_>) {
    assert!(transaction.inputs().count() > 0 && transaction.outputs().count() > 0);
    assert!(transaction.virtual_size() <= transaction.size_bytes());
    let mut addresses = transaction.outputs().filter_map(|output| pool::address(output.script_pubkey));
    assert!(addresses.all(|address| address.bytes().all(|byte| byte.is_ascii_alphanumeric())));
    let miner = Pools::new(pool::known()).miner(transaction);
    assert!(!miner.coinbase_text.contains(char::is_control), "{:?}", miner.coinbase_text);
}

/// Bytes in which a count is written (`WriteCompactSize` in `src/serialize.h@v30`).
const fn compact_size(count: usize) -> usize {
    match count {
        0..0xfd => 1,
        0xfd..=0xffff => 3,
        _ => 5,
    }
}

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| check(data));
