use bitcoin::{
    Amount, OutPoint as TheirOutPoint, ScriptBuf, Sequence, Transaction as TheirTransaction, TxIn, TxOut,
    Witness, absolute::LockTime, consensus::serialize, constants::genesis_block, hashes::Hash as _,
    transaction::Version,
};
use proptest::{collection::vec, prelude::*, sample::subsequence};

use super::*;
use crate::{body::Body, tree::ProofOfWork};

/// A transaction: the coins it spends, and whom it pays how much.
type Sketch = (Vec<u8>, Vec<(u8, u64)>);

fn sketch(coins: &[u8], pays: &[(u8, u64)]) -> Sketch {
    (coins.to_vec(), pays.to_vec())
}

fn transaction((coins, pays): &Sketch) -> TheirTransaction {
    let input = |coin: &u8| TxIn {
        previous_output: TheirOutPoint { txid: bitcoin::Txid::from_byte_array([*coin; 32]), vout: 0 },
        script_sig: ScriptBuf::new(),
        sequence: Sequence::MAX,
        witness: Witness::new(),
    };
    let output = |(who, value): &(u8, u64)| TxOut {
        value: Amount::from_sat(*value),
        script_pubkey: vec![*who].into(),
    };
    TheirTransaction {
        version: Version::TWO,
        lock_time: LockTime::ZERO,
        input: coins.iter().map(input).collect(),
        output: pays.iter().map(output).collect(),
    }
}

fn txid(sketch: &Sketch) -> Txid {
    transaction(sketch).compute_txid().to_string().parse().unwrap()
}

fn hash(block: u8) -> BlockHash {
    BlockHash::from_bytes([block; 32])
}

fn block(name: u8, sketches: &[Sketch]) -> BlockSummary {
    let mut block = genesis_block(bitcoin::Network::Bitcoin);
    block.txdata.extend(sketches.iter().map(transaction));
    BlockSummary::new(hash(name), &Body::decode(&serialize(&block), ProofOfWork::Sha256d).unwrap())
}

/// Compares branches of one block each, named 0, 1 and so on.
fn compare_blocks(blocks: &[Vec<Sketch>]) -> Vec<Unshared> {
    let blocks: Vec<_> = (0..).zip(blocks).map(|(name, sketches)| block(name, sketches)).collect();
    let branches: Vec<_> = blocks.iter().map(|block| vec![block]).collect();
    compare(&branches).unwrap()
}

/// The fate of the first of two transactions that are in different branches, and what it leaves unpaid.
fn replaced(old: &Sketch, new: &Sketch) -> (Fate, Option<u64>) {
    let told = compare_blocks(&[vec![old.clone()], vec![new.clone()]]);
    assert_eq!(told.len(), 2, "{told:?}");
    let told = told.into_iter().find(|told| told.block == hash(0)).unwrap();
    (told.fate, told.replacements.first().map(|replacement| replacement.unpaid_sat))
}

#[test]
fn a_replacement_that_pays_the_same_is_a_fee_bump() {
    let (shop, change, other) = (1, 2, 3);
    let old = sketch(&[1, 2], &[(shop, 5_000_000), (change, 3_000_000)]);
    for (name, coins, pays, expected, unpaid) in [
        ("less change", &[1, 2][..], &[(shop, 5_000_000), (change, 2_000_000)][..], Fate::FeeBump, 1_000_000),
        (
            "too little change",
            &[1, 2],
            &[(shop, 5_000_000), (change, 1_999_999)],
            Fate::DoubleSpend,
            1_000_001,
        ),
        (
            "outputs in another order",
            &[2, 1],
            &[(change, 2_999_000), (shop, 5_000_000)],
            Fate::FeeBump,
            1_000,
        ),
        ("a small coin more", &[1, 2, 3], &[(shop, 5_000_000), (change, 3_500_000)], Fate::FeeBump, 0),
        ("a large coin more", &[1, 2, 3], &[(shop, 5_000_000), (change, 8_000_000)], Fate::DoubleSpend, 0),
        ("a coin less", &[1], &[(shop, 5_000_000), (change, 2_500_000)], Fate::FeeBump, 500_000),
        ("another coin", &[1, 3], &[(shop, 5_000_000), (change, 2_999_000)], Fate::DoubleSpend, 1_000),
        ("the same from another coin", &[1, 3], &[(shop, 5_000_000), (change, 3_000_000)], Fate::FeeBump, 0),
        (
            "paid in two parts",
            &[2],
            &[(shop, 2_000_000), (change, 3_000_000), (shop, 3_000_000)],
            Fate::FeeBump,
            0,
        ),
        ("change given up", &[1, 2], &[(shop, 5_000_000)], Fate::DoubleSpend, 3_000_000),
        ("change elsewhere", &[1, 2], &[(shop, 5_000_000), (other, 3_000_000)], Fate::DoubleSpend, 3_000_000),
        ("all to the sender", &[1, 2], &[(change, 7_999_000)], Fate::DoubleSpend, 5_000_000),
        ("all elsewhere", &[1], &[(other, 7_999_000)], Fate::DoubleSpend, 8_000_000),
        ("a little less for both", &[1, 2], &[(shop, 4_999_999), (change, 2_999_999)], Fate::DoubleSpend, 2),
    ] {
        assert_eq!(replaced(&old, &sketch(coins, pays)), (expected, Some(unpaid)), "{name}");
        assert_eq!(replaced(&sketch(coins, pays), &old).0, expected, "{name}, the other way");
    }
}

#[test]
fn small_change_may_be_given_up() {
    let old = sketch(&[1], &[(1, 5_000_000), (2, 4_000)]);
    let new = sketch(&[1], &[(1, 5_000_000)]);
    assert_eq!(replaced(&old, &new), (Fate::FeeBump, Some(4_000)));
    assert_eq!(replaced(&new, &old), (Fate::FeeBump, Some(0)));
}

#[test]
fn an_output_that_pays_nothing_is_looked_at_too() {
    let old = sketch(&[1], &[(1, 5), (2, 0)]);
    assert_eq!(replaced(&old, &sketch(&[1], &[(1, 5), (3, 0)])), (Fate::DoubleSpend, Some(0)));
    assert_eq!(replaced(&old, &sketch(&[1], &[(1, 5)])), (Fate::FeeBump, Some(0)));
}

#[test]
fn what_both_have_is_not_told() {
    let shared = sketch(&[1], &[(1, 5)]);
    let told = compare_blocks(&[vec![shared.clone()], vec![shared]]);
    assert_eq!(told, []);
}

#[test]
fn what_spends_from_a_replaced_one_is_only_here() {
    let (old, new) = (sketch(&[1], &[(1, 5)]), sketch(&[1], &[(2, 5)]));
    // No sketch can name it as its coin, so that the child stands for itself.
    let mut child = transaction(&sketch(&[9], &[(3, 4)]));
    child.input[0].previous_output = TheirOutPoint { txid: transaction(&old).compute_txid(), vout: 0 };
    let mut left = genesis_block(bitcoin::Network::Bitcoin);
    left.txdata.extend([transaction(&old), child.clone()]);
    let left = serialize(&left);
    let left = BlockSummary::new(hash(0), &Body::decode(&left, ProofOfWork::Sha256d).unwrap());
    let right = block(1, &[new]);

    let told = compare(&[vec![&left], vec![&right]]).unwrap();
    let child = told.iter().find(|told| told.txid.to_string() == child.compute_txid().to_string()).unwrap();
    assert_eq!((child.fate, child.block, &child.replacements[..]), (Fate::OnlyHere, hash(0), &[][..]));
    assert_eq!(told.iter().filter(|told| told.fate == Fate::DoubleSpend).count(), 2);
}

#[test]
fn two_that_replace_one_are_both_told() {
    let old = sketch(&[1, 2], &[(1, 5), (2, 7)]);
    let (one, other) = (sketch(&[1], &[(1, 5), (2, 7)]), sketch(&[2], &[(3, 9)]));
    let told = compare_blocks(&[vec![old.clone()], vec![one.clone(), other.clone()]]);
    let by_txid = |sketch: &Sketch| told.iter().find(|told| told.txid == txid(sketch)).unwrap();
    assert_eq!(by_txid(&old).fate, Fate::DoubleSpend);
    let mut expected = [txid(&one), txid(&other)];
    expected.sort_unstable();
    assert_eq!(by_txid(&old).replacements.iter().map(|other| other.txid).collect::<Vec<_>>(), expected);
    // One of the two would have been a change of the fee alone.
    assert_eq!(by_txid(&one).fate, Fate::FeeBump);
    assert_eq!(by_txid(&other).fate, Fate::DoubleSpend);
}

#[test]
fn of_three_branches_two_may_agree() {
    let (old, new, lone, agreed) =
        (sketch(&[1], &[(1, 5)]), sketch(&[1], &[(2, 5)]), sketch(&[2], &[(1, 5)]), sketch(&[3], &[(1, 5)]));
    let told = compare_blocks(&[
        vec![old.clone(), agreed.clone()],
        vec![old.clone(), agreed],
        vec![new.clone(), lone.clone()],
    ]);
    let told: BTreeSet<_> = told.iter().map(|told| (told.txid, told.block, told.fate)).collect();
    let expected = BTreeSet::from([
        (txid(&old), hash(0), Fate::DoubleSpend),
        (txid(&old), hash(1), Fate::DoubleSpend),
        (txid(&new), hash(2), Fate::DoubleSpend),
        (txid(&lone), hash(2), Fate::OnlyHere),
    ]);
    assert_eq!(told, expected);
}

#[test]
fn a_block_of_two_branches_is_told_once() {
    let (old, new) = (sketch(&[1], &[(1, 5)]), sketch(&[1], &[(2, 5)]));
    let (shared, left, right) = (block(0, std::slice::from_ref(&old)), block(1, &[]), block(2, &[]));
    let third = block(3, std::slice::from_ref(&new));
    let told = compare(&[vec![&shared, &left], vec![&shared, &right], vec![&third]]).unwrap();
    assert_eq!(told.iter().filter(|told| told.txid == txid(&old)).count(), 1);
    let new = told.iter().find(|told| told.txid == txid(&new)).unwrap();
    assert_eq!(new.replacements.len(), 1);
}

#[test]
fn too_many_or_too_few_are_refused() {
    let block = block(0, &[]);
    let compare = |branches, blocks| compare(&vec![vec![&block; blocks]; branches]);
    for (branches, blocks, expected) in [
        (0, 1, Err(BranchError::Branches(0))),
        (1, 1, Err(BranchError::Branches(1))),
        (2, 0, Ok(vec![])),
        (MAX_BRANCHES, MAX_BLOCKS, Ok(vec![])),
        (MAX_BRANCHES + 1, 1, Err(BranchError::Branches(5))),
        (2, MAX_BLOCKS + 1, Err(BranchError::Blocks(7))),
    ] {
        assert_eq!(compare(branches, blocks), expected);
    }
}

#[test]
fn what_is_found_goes_to_json_and_back() {
    let told = compare_blocks(&[vec![sketch(&[1], &[(1, 5)])], vec![sketch(&[1], &[(2, 5)])]]);
    let json = serde_json::to_string(&told).unwrap();
    assert!(json.contains(r#""fate":"double-spend","replacements":[{"txid":""#), "{json}");
    assert_eq!(serde_json::from_str::<Vec<Unshared>>(&json).unwrap(), told);
}

/// Up to six transactions over few coins and few scripts, so that many conflict and some pay nearly the same.
fn sketches() -> impl Strategy<Value = Vec<Sketch>> {
    let coins = subsequence((0..6).collect::<Vec<u8>>(), 1..4);
    let value = prop_oneof![Just(5), Just(6), Just(2_000_000)];
    vec((coins, vec((0..3_u8, value), 1..4)), 1..12)
}

/// Some of the sketches in blocks, no two of which spend the same coin: a branch that a node could find valid.
fn branch(sketches: Vec<Sketch>) -> impl Strategy<Value = Vec<Vec<Sketch>>> {
    let length = sketches.len();
    let chosen = subsequence(sketches, 0..=length).prop_shuffle();
    (chosen, 1..=3_usize).prop_map(|(chosen, blocks)| {
        let mut spent = BTreeSet::new();
        let mut branch = vec![Vec::new(); blocks];
        for (place, sketch) in chosen.into_iter().enumerate() {
            if sketch.0.iter().all(|coin| !spent.contains(coin)) {
                spent.extend(sketch.0.iter().copied());
                branch[place % blocks].push(sketch);
            }
        }
        branch
    })
}

fn branches() -> impl Strategy<Value = Vec<Vec<Vec<Sketch>>>> {
    (sketches(), 2..=MAX_BRANCHES)
        .prop_flat_map(|(sketches, count)| (0..count).map(|_| branch(sketches.clone())).collect::<Vec<_>>())
}

fn summaries(branches: &[Vec<Vec<Sketch>>]) -> Vec<Vec<BlockSummary>> {
    let names = (0..).step_by(10).zip(branches);
    names
        .map(|(name, branch)| (name..).zip(branch).map(|(name, block_of)| block(name, block_of)).collect())
        .collect()
}

fn compare_summaries(branches: &[Vec<BlockSummary>]) -> Vec<Unshared> {
    compare(&branches.iter().map(|branch| branch.iter().collect()).collect::<Vec<_>>()).unwrap()
}

/// Which of the branches have it.
fn which_have(branches: &[Vec<Vec<Sketch>>], sketch: &Sketch) -> Vec<bool> {
    branches.iter().map(|branch| branch.iter().flatten().any(|other| other == sketch)).collect()
}

/// As one would say it: what is in other branches only, and shares a coin, replaces.
fn expected(branches: &[Vec<Vec<Sketch>>]) -> BTreeMap<(Txid, BlockHash), Vec<(Txid, BlockHash)>> {
    let places = || {
        let branches = (0_u8..).step_by(10).zip(branches);
        branches.flat_map(|(name, branch)| {
            (name..).zip(branch).flat_map(|(name, block)| block.iter().map(move |sketch| (name, sketch)))
        })
    };
    let mut expected = BTreeMap::new();
    for (name, sketch) in places() {
        let mine = which_have(branches, sketch);
        let is_replacement = |other: &Sketch| {
            let theirs = which_have(branches, other);
            let is_apart = !mine.iter().zip(theirs).any(|(mine, theirs)| *mine && theirs);
            is_apart && sketch.0.iter().any(|coin| other.0.contains(coin))
        };
        let replacements = places().filter(|(_, other)| is_replacement(other));
        let mut replacements: Vec<_> = replacements.map(|(name, other)| (txid(other), hash(name))).collect();
        replacements.sort_unstable();
        let is_everywhere = mine.iter().all(|mine| *mine);
        let is_alone = mine.iter().filter(|mine| **mine).count() == 1;
        if !is_everywhere && (is_alone || !replacements.is_empty()) {
            expected.insert((txid(sketch), hash(name)), replacements);
        }
    }
    expected
}

proptest! {
    #[test]
    fn what_replaces_is_what_shares_a_coin_and_no_branch(branches in branches()) {
        let told = compare_summaries(&summaries(&branches));
        let found: BTreeMap<_, _> = told.iter().map(|told| {
            let replacements = told.replacements.iter().map(|other| (other.txid, other.block)).collect();
            ((told.txid, told.block), replacements)
        }).collect();
        prop_assert_eq!(found.len(), told.len());
        prop_assert_eq!(found, expected(&branches));
        for told in &told {
            prop_assert_eq!(told.fate == Fate::OnlyHere, told.replacements.is_empty());
            let is_bump = told.replacements.iter().all(|replacement| replacement.pays_the_same);
            prop_assert_eq!(told.fate == Fate::DoubleSpend, !is_bump);
        }
    }

    #[test]
    fn a_replacement_says_the_same_of_what_it_replaces(branches in branches()) {
        let told = compare_summaries(&summaries(&branches));
        let find = |txid, block| told.iter().find(|told| (told.txid, told.block) == (txid, block)).unwrap();
        for one in &told {
            for replacement in &one.replacements {
                let other = find(replacement.txid, replacement.block);
                let back = other.replacements.iter().find(|back| (back.txid, back.block) == (one.txid, one.block));
                prop_assert_eq!(back.map(|back| back.pays_the_same), Some(replacement.pays_the_same));
            }
        }
    }

    #[test]
    fn the_order_of_branches_and_blocks_does_not_matter(
        (branches, shuffled) in branches().prop_flat_map(|branches| {
            let summaries = summaries(&branches);
            let reversed: Vec<Vec<_>> =
                summaries.iter().map(|branch| branch.iter().rev().cloned().collect()).collect();
            (Just(summaries), Just(reversed).prop_shuffle())
        }),
    ) {
        prop_assert_eq!(compare_summaries(&branches), compare_summaries(&shuffled));
    }
}
