use bitcoin::{
    Amount, OutPoint as TheirOutPoint, ScriptBuf, Sequence, Transaction as TheirTransaction, TxIn, TxOut,
    absolute::LockTime,
    consensus::{deserialize, serialize},
    constants::genesis_block,
    hashes::Hash as _,
    transaction::Version,
};
use proptest::{collection::vec, prelude::*};

use super::*;
use crate::tree::Header;

/// Blocks 2 and 3 of a regtest chain of Knots 29.4 with `-testactivationheight=blake2b@3`; `getblock HASH 2` told what
/// the test compares with.
const KNOTS: [(ProofOfWork, &str); 2] = [
    (
        ProofOfWork::Sha256d,
        "000000201ea2d353db5e46fbdd9c66dcfccd8179d130eb7df1bd3d2610b9a0937c9ba764dd0d28cabc7f947a5209856abbde52246f37f874256413a048a73a36893b32f8ba38076bffff7f200100000001020000000001010000000000000000000000000000000000000000000000000000000000000000ffffffff025200ffffffff0200f2052a01000000160014751e76e8199196d454941c45d1b3a323f1433bd60000000000000000266a24aa21a9ede2f61c3f71d1defd3fa999dfa36953755c690689799962b48bebd836974e8cf90120000000000000000000000000000000000000000000000000000000000000000000000000",
    ),
    (
        ProofOfWork::Blake2b,
        "000000a0b964bf7cbec5d362b7446079a1be636101e2e9ee3fe40b2a1c700487da759d5bcfe8fc18d90487f301e5f27bcf8ac1bd01f6fb09d14e3688bcdd0df7bc46706cba38076bffff7f200000000000000000000000000000000000000000000000000000000000000000010000000000000000000000000000000000000003000000000000000000000000000000000000000000000000000000000000000000000001020000000001010000000000000000000000000000000000000000000000000000000000000000ffffffff03530000ffffffff0200f2052a01000000160014751e76e8199196d454941c45d1b3a323f1433bd60000000000000000266a24aa21a9ede2f61c3f71d1defd3fa999dfa36953755c690689799962b48bebd836974e8cf90120000000000000000000000000000000000000000000000000000000000000000000000000",
    ),
];

/// What `getblock HASH 2` tells of the coinbase of each of them: id, id with witness, virtual size, script.
const COINBASES: [(&str, &str, usize, &[u8]); 2] = [
    (
        "f8323b89363aa748a013642574f8376f2452debb6a8509527a947fbcca280ddd",
        "45d2c108ca5185b0914a15bf9dbf0dcb6202d420c0b3132731a6dfbf0eb15fc9",
        140,
        &[0x52, 0],
    ),
    (
        "6c7046bcf70dddbc88364ed109fbf601bdc18acf7bf2e501f38704d918fce8cf",
        "c8b649f43a08b9f19904ac4d7e0e41f66c5486f3f4858b4d0b3104443176a1f3",
        141,
        &[0x53, 0, 0],
    ),
];

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

#[test]
fn the_first_block_of_all_is_taken_apart() {
    let raw = serialize(&genesis_block(bitcoin::Network::Bitcoin));
    let body = Body::decode(&raw, ProofOfWork::Sha256d).unwrap();
    let [coinbase] = body.transactions() else { unreachable!("{body:?}") };
    assert_eq!(
        Header::decode(body.header(), None).unwrap().hash().to_string(),
        "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f"
    );
    assert_eq!(
        coinbase.txid().to_string(),
        "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b"
    );
    assert_eq!(coinbase.wtxid().as_bytes(), coinbase.txid().as_bytes());
    assert_eq!(coinbase.outputs().map(|output| output.value_sat).collect::<Vec<_>>(), [5_000_000_000]);
    assert!(
        coinbase.coinbase_script().unwrap().ends_with(b"Chancellor on brink of second bailout for banks")
    );
}

#[test]
fn headers_of_both_lengths_are_followed_by_the_same() {
    for ((proof_of_work, hex), (txid, wtxid, virtual_size, script)) in KNOTS.into_iter().zip(COINBASES) {
        let raw = bytes(hex);
        let body = Body::decode(&raw, proof_of_work).unwrap();
        assert_eq!(body.header().len(), proof_of_work.header_length());
        let coinbase = body.coinbase();
        assert_eq!(coinbase.txid().to_string(), txid);
        assert_eq!(coinbase.wtxid().to_string(), wtxid);
        assert_eq!(coinbase.virtual_size(), virtual_size);
        assert_eq!(coinbase.coinbase_script(), Some(script));
        assert_eq!(coinbase.outputs().len(), 2);
    }
}

#[test]
fn a_header_of_another_length_than_told_is_noticed() {
    for ((_, hex), told) in KNOTS.into_iter().zip([ProofOfWork::Blake2b, ProofOfWork::Sha256d]) {
        assert!(Body::decode(&bytes(hex), told).is_err(), "{told:?}");
    }
}

#[test]
fn every_byte_too_few_or_too_many_is_an_error() {
    for (proof_of_work, hex) in KNOTS {
        let mut raw = bytes(hex);
        for length in 0..raw.len() {
            assert!(Body::decode(&raw[..length], proof_of_work).is_err(), "{length}");
        }
        raw.push(0);
        assert_eq!(Body::decode(&raw, proof_of_work).unwrap_err(), BodyError::Trailing(1));
    }
}

/// A transaction of one input and one output with empty scripts, its parts changed.
fn odd(marker: &str, inputs: &str, outputs: &str, witness: &str) -> Result<(), BodyError> {
    let raw = format!("02000000{marker}{inputs}{outputs}{witness}00000000");
    Transaction::decode(&bytes(&raw)).map(|_| ())
}

#[test]
fn what_no_node_takes_is_refused() {
    let outpoint = "11".repeat(32) + "00000000";
    let inputs = format!("01{outpoint}00ffffffff");
    let outputs = "01010000000000000000";
    assert_eq!(odd("", &inputs, outputs, ""), Ok(()));
    assert_eq!(odd("0001", &inputs, outputs, "0100"), Ok(()));
    for (marker, inputs, outputs, witness, error) in [
        ("", "00", "", "", BodyError::NoInputs { at: 6 }),
        ("0001", "00", "", "", BodyError::NoInputs { at: 7 }),
        ("", &*inputs, "00", "", BodyError::NoOutputs { at: 47 }),
        ("0002", &inputs, outputs, "", BodyError::Flags { at: 6, flags: 2 }),
        ("0003", &inputs, outputs, "0100", BodyError::Flags { at: 6, flags: 3 }),
        ("0001", &inputs, outputs, "00", BodyError::EmptyWitness { at: 59 }),
        ("", "fd0100", "", "", BodyError::NonCanonical { at: 7 }),
        ("", "fe01000000", "", "", BodyError::NonCanonical { at: 9 }),
        ("", "ffffffffff00000000", "", "", BodyError::NonCanonical { at: 13 }),
        ("", "ffffffffffffffffff", "", "", BodyError::Short { at: 13, wanted: 32 }),
        ("", &format!("01{outpoint}fe00000100"), "", "", BodyError::Short { at: 46, wanted: 0x1_0000 }),
    ] {
        assert_eq!(
            odd(marker, inputs, outputs, witness),
            Err(error),
            "{marker} {inputs} {outputs} {witness}"
        );
    }
}

#[test]
fn a_number_of_transactions_is_not_believed() {
    let mut raw = vec![0; 80];
    raw.extend([0xff; 9]);
    raw.extend([0; 600]);
    assert!(Body::decode(&raw, ProofOfWork::Sha256d).is_err());
    assert_eq!(Reader::new(&[0; 600]).fitting(u64::MAX, Transaction::MIN_LENGTH), 10);
    // What is allocated is thus less than three times what is read.
    assert!(size_of::<Transaction<'_>>() < 3 * Transaction::MIN_LENGTH);
}

#[test]
fn a_block_begins_with_a_coinbase() {
    let mut block = genesis_block(bitcoin::Network::Bitcoin);
    block.txdata[0].input[0].previous_output.vout = 0;
    let raw = serialize(&block);
    assert_eq!(Body::decode(&raw, ProofOfWork::Sha256d).unwrap_err(), BodyError::NoCoinbase);
    block.txdata.clear();
    assert_eq!(Body::decode(&serialize(&block), ProofOfWork::Sha256d).unwrap_err(), BodyError::NoCoinbase);
}

fn script() -> impl Strategy<Value = ScriptBuf> {
    prop_oneof![4 => vec(any::<u8>(), 0..40), 1 => vec(any::<u8>(), 250..256)].prop_map(ScriptBuf::from)
}

fn input() -> impl Strategy<Value = TxIn> {
    let witness = prop_oneof![Just(Vec::new()), vec(vec(any::<u8>(), 0..80), 0..4)];
    (any::<[u8; 32]>(), any::<u32>(), script(), any::<u32>(), witness).prop_map(
        |(txid, vout, script_sig, sequence, witness)| TxIn {
            previous_output: TheirOutPoint { txid: bitcoin::Txid::from_byte_array(txid), vout },
            script_sig,
            sequence: Sequence(sequence),
            witness: witness.into(),
        },
    )
}

fn output() -> impl Strategy<Value = TxOut> {
    (any::<u64>(), script())
        .prop_map(|(value, script_pubkey)| TxOut { value: Amount::from_sat(value), script_pubkey })
}

fn transaction() -> impl Strategy<Value = TheirTransaction> {
    (any::<i32>(), any::<u32>(), vec(input(), 1..5), vec(output(), 1..5)).prop_map(
        |(version, lock_time, input, output)| TheirTransaction {
            version: Version(version),
            lock_time: LockTime::from_consensus(lock_time),
            input,
            output,
        },
    )
}

fn is_same(ours: &Transaction<'_>, theirs: &TheirTransaction) -> Result<(), TestCaseError> {
    prop_assert_eq!(ours.txid().to_string(), theirs.compute_txid().to_string());
    prop_assert_eq!(ours.wtxid().to_string(), theirs.compute_wtxid().to_string());
    prop_assert_eq!(ours.size_bytes(), theirs.total_size());
    prop_assert_eq!(ours.weight() as u64, theirs.weight().to_wu());
    prop_assert_eq!(ours.virtual_size(), theirs.vsize());
    prop_assert_eq!(ours.is_coinbase(), theirs.is_coinbase());
    prop_assert_eq!(ours.inputs().len(), theirs.input.len());
    for (ours, theirs) in ours.inputs().zip(&theirs.input) {
        prop_assert_eq!(ours.outpoint.txid.to_string(), theirs.previous_output.txid.to_string());
        prop_assert_eq!(ours.outpoint.vout, theirs.previous_output.vout);
        prop_assert_eq!(ours.script_sig, theirs.script_sig.as_bytes());
        prop_assert_eq!(ours.sequence, theirs.sequence.0);
    }
    prop_assert_eq!(ours.outputs().len(), theirs.output.len());
    for (ours, theirs) in ours.outputs().zip(&theirs.output) {
        prop_assert_eq!(ours.value_sat, theirs.value.to_sat());
        prop_assert_eq!(ours.script_pubkey, theirs.script_pubkey.as_bytes());
    }
    Ok(())
}

proptest! {
    #[test]
    fn a_block_has_the_transactions_that_another_reader_finds(others in vec(transaction(), 0..6)) {
        let mut block = genesis_block(bitcoin::Network::Bitcoin);
        block.txdata.extend(others);
        let raw = serialize(&block);
        let body = Body::decode(&raw, ProofOfWork::Sha256d).unwrap();
        prop_assert_eq!(body.transactions().len(), block.txdata.len());
        for (ours, theirs) in body.transactions().iter().zip(&block.txdata) {
            is_same(ours, theirs)?;
        }
    }

    /// Bytes changed anywhere are refused by both readers or by none, but for a transaction without outputs.
    #[test]
    fn a_damaged_transaction_is_what_another_reader_takes_it_for(
        transaction in transaction(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        cut in 0_usize..3,
    ) {
        let mut raw = serialize(&transaction);
        let at = at.index(raw.len());
        raw[at] = byte;
        raw.drain(at..raw.len().min(at + cut));
        let theirs = deserialize::<TheirTransaction>(&raw).ok().filter(|theirs| !theirs.output.is_empty());
        match (Transaction::decode(&raw), theirs) {
            (Ok(ours), Some(theirs)) => is_same(&ours, &theirs)?,
            (ours, theirs) => prop_assert!(ours.is_err() && theirs.is_none(), "{:?} {:?}", ours, theirs),
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(raw in vec(any::<u8>(), 0..400)) {
        let _ = Transaction::decode(&raw);
        for proof_of_work in [ProofOfWork::Sha256d, ProofOfWork::Blake2b] {
            let _ = Body::decode(&raw, proof_of_work);
        }
    }
}

/// A block with the coinbase of block 0 and so many other transactions.
fn block_of(others: u8) -> Vec<u8> {
    let mut block = genesis_block(bitcoin::Network::Bitcoin);
    for number in 0..others {
        let mut transaction = block.txdata[0].clone();
        transaction.input[0].previous_output =
            TheirOutPoint { txid: bitcoin::Txid::from_byte_array([number; 32]), vout: 0 };
        block.txdata.push(transaction);
    }
    block.header.merkle_root = block.compute_merkle_root().unwrap();
    serialize(&block)
}

#[test]
fn transactions_are_those_of_the_header_or_not() {
    for others in 0..9 {
        let mut raw = block_of(others);
        assert!(Body::decode(&raw, ProofOfWork::Sha256d).unwrap().is_of_header(), "{others}");
        raw[36] ^= 1;
        assert!(!Body::decode(&raw, ProofOfWork::Sha256d).unwrap().is_of_header());
    }
    for (proof_of_work, hex) in KNOTS {
        assert!(Body::decode(&bytes(hex), proof_of_work).unwrap().is_of_header());
    }
}

#[test]
fn a_block_with_its_last_transactions_twice_is_not_that_of_the_header() {
    let mut block: bitcoin::Block = deserialize(&block_of(5)).unwrap();
    let twice = block.txdata[4..].to_vec();
    block.txdata.extend(twice);
    assert!(block.check_merkle_root());
    assert!(!Body::decode(&serialize(&block), ProofOfWork::Sha256d).unwrap().is_of_header());
}

#[test]
fn a_coinbase_is_read_as_soon_as_its_last_byte_is_there() {
    for (proof_of_work, raw) in [
        (ProofOfWork::Sha256d, block_of(3)),
        (KNOTS[0].0, bytes(KNOTS[0].1)),
        (KNOTS[1].0, bytes(KNOTS[1].1)),
    ] {
        let body = Body::decode(&raw, proof_of_work).unwrap();
        let end = proof_of_work.header_length() + 1 + body.coinbase().size_bytes();
        for length in 0..raw.len() {
            match Body::coinbase_in(&raw[..length], proof_of_work) {
                Ok(coinbase) => assert!(length >= end && coinbase.txid() == body.coinbase().txid()),
                Err(error) => assert!(length < end && matches!(error, BodyError::Short { .. }), "{error}"),
            }
        }
    }
    let mut without = block_of(0);
    without[80] = 0;
    assert_eq!(Body::coinbase_in(&without, ProofOfWork::Sha256d).unwrap_err(), BodyError::NoCoinbase);
}
