mod model;
mod order;

use std::cmp::Ordering;

use bmon_event::AgentTime;

use super::*;

/// The first blocks of the main network, as `getblockheader HASH false` gives them.
const FIRST: [&str; 3] = [
    "0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a29ab5f49ffff001d1dac2b7c",
    "010000006fe28c0ab6f1b372c1a6a246ae63f74f931e8365e15a089c68d6190000000000982051fd1e4ba744bbbe680e1fee14677ba1a3c3540bf7b1cdb606e857233e0e61bc6649ffff001d01e36299",
    "010000004860eb18bf1b1620e37e9490fc8a427514416fd75159ab86688e9a8300000000d5fdcc541e25de1c7a5addedf24858b8bb665c9f36ef744ee42c316022c90f9bb0bc6649ffff001d08d2bd61",
];

/// Blocks 961632 to 961639 of a branch of the main network that became stale, each the parent of the next.
const STALE: [&str; 8] = [
    "1000d6278ace279314a28a2fbb9ed7260491672a4417c99d7f80000000000000000000009b527fba6703332cdb7ba0e442dc6c77cc197ecf5378a49812651f3d900140d49c8d776a3d350217d28d6bbf",
    "10e00b2016bc8dc7e713db0c18627baf43f3dad0db1d816feb6901000000000000000000d3493b0dde87e1ce2e9212a97624cd855fe47f36a82c9793aa26701fe9f39d8f66a4776a3d35021701c486da",
    "10a00a2068093dd192079f44a86b05b60cd82e4ba85898a1ed3901000000000000000000995ed821d73b185b2e70ee6ea0ae760aebbd0908c59bd94fce4b796bf85a236ea4047c6a3d350217861b9ab6",
    "10e00b200c456c686f54d02e3343171c878750c2416360356d8a01000000000000000000400c1eda44b7e42ef4ac80085ebc79312736f61f7857fe9abfe9140ab06df108633a7c6a3d3502175c1aaec6",
    "1040072051a67f61dddfa3ce201b4ada733d71d247a8a0b705c7000000000000000000009b7b1a9639de9e0b51b213c4daf4874c2abc5593749ca8c6996fadca76b7549c5f65836a3d3502176e750f5f",
    "10200a20c0b91f36e50f8c4ecf3161ceb075227b2b8b1f69a2160200000000000000000067662c5e7a746eca3516ffdbbc58f8a47f198dabbe5022eb00fc3a3e535f9664909d886a3d35021721d3547a",
    "10000f209dbccc4277e519529bd4c2eae9bd40d0b92943aaf72101000000000000000000d0831fd958a64cf0f8c1a67537cd5b0cec5c6e432431f373efef41ded91af496797f8a6a3d35021792b753af",
    "10000a205fca17a6566978303e989d163e1aa9dc6715eef5542e0000000000000000000080fe52c98f1c1f8484213dff5a88315f7c334d0705f7d79579b289781868c0dff5c1916a3d350217510c87ed",
];

/// Blocks 4 to 6 of a regtest chain of Knots 29.4 with `-testactivationheight=blake2b@5`, and their hashes.
const KNOTS: [(&str, &str); 3] = [
    (
        "34800463ea808e682d4309d8041c841e47961abbdf7eba17f0d710f65ee4bcfd",
        "000000202d61673e493472d2ca7f64df17af9edc5fb8b3d7721bbe5549d069905c38873ff61481f6dd7fd84294cb76fd431c0da9bf6a7cec93cc31c1381e7871bcd9868ca11b036bffff7f2000000000",
    ),
    (
        "4cfc4164c57e9a3628e44d1a3e9a4b25c6766221a7bad0f192b5d0ead9456e2f",
        "000000a0fdbce45ef610d7f017ba7edfbb1a96471e841c04d809432d688e80ea630480349cc875263a61ce83c73008b28b046634d07f3eda1ead70a5a2fae165e9f59114a11b036bffff7f2004000000000000000000000000000000000000000000000000000000000000000100000000000000000000000000000000000000050000000000000000000000000000000000000000000000000000000000000000000000",
    ),
    (
        "61e7cd26257a9063c23a06443faace594795d8400be9ff11e8368c96a4bedf18",
        "000000a02f6e45d9ead0b592f1d0baa7216276c6254b9a3e1a4de428369a7ec56441fc4c5c1aeebc0b6acf8d58421cd0445143687605c1bbb9107ba9b72148ddddb9c10ca11b036bffff7f2002000000000000000000000000000000000000000000000000000000000000000100000000000000000000000000000000000000060000000000000000000000000000000000000000000000000000000000000000000000",
    ),
];

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

fn header(hex: &str) -> Header {
    Header::decode(&bytes(hex), None).unwrap()
}

fn knots() -> [Header; 3] {
    KNOTS.map(|(hash, hex)| Header::decode(&bytes(hex), Some(hash.parse().unwrap())).unwrap())
}

/// A block of regtest: the first nonce that does the work, so twice tried on average.
fn mine(parent: BlockHash, which: u32) -> Header {
    let mut raw = vec![0; 80];
    let mut parent = *parent.as_bytes();
    parent.reverse();
    raw[4..36].copy_from_slice(&parent);
    raw[68..72].copy_from_slice(&which.to_le_bytes());
    raw[72..76].copy_from_slice(&0x207f_ffff_u32.to_le_bytes());
    (0..u32::MAX)
        .find_map(|nonce| {
            raw[76..80].copy_from_slice(&nonce.to_le_bytes());
            Header::decode(&raw, None).ok()
        })
        .unwrap()
}

/// A block with the other proof of work and an invented hash.
fn mine_blake2b(parent: BlockHash, which: u32) -> Header {
    let mut raw = mine(parent, which).to_raw();
    raw.resize(164, 7);
    let mut hash = *mine(parent, which).hash().as_bytes();
    hash[31] ^= 0xff;
    Header::decode(&raw, Some(BlockHash::from_bytes(hash))).unwrap()
}

/// Blocks above `parent`, lowest first.
fn chain(parent: BlockHash, length: u32, which: u32) -> Vec<Header> {
    let mut parent = parent;
    let mut headers = Vec::new();
    for _ in 0..length {
        headers.push(mine(parent, which));
        parent = headers.last().unwrap().hash();
    }
    headers
}

fn stamp(at: i64) -> Stamp {
    Stamp { at: AgentTime::from_micros(at), serial: 0 }
}

fn node(name: &str) -> NodeName {
    name.parse().unwrap()
}

#[test]
fn the_first_blocks_of_the_main_network_hang_together_and_have_their_hashes() {
    let headers = FIRST.map(header);
    let mut tree = Tree::new(headers[0].clone(), 0);
    for header in &headers[1..] {
        assert_eq!(tree.insert(header.clone()), [header.hash()]);
    }
    let second = "000000006a625f06636b8bb6ac7b960a8d03705d1ace08b1a19da3fdcc99ddbd".parse().unwrap();
    assert_eq!(tree.tips(), [second]);
    assert_eq!(tree.height(second), Some(2));
    assert_eq!((headers[2].version(), headers[2].time(), headers[2].bits()), (1, 1_231_469_744, 0x1d00_ffff));
    let genesis = headers[0].hash();
    assert_eq!(tree.root(), (genesis, 0));
    let (_, work) = tree.compare(genesis, second).unwrap().right.work.unwrap();
    assert_eq!(work.to_string(), format!("{:064x}", 2 * 4_295_032_833_u64));
}

#[test]
fn headers_come_out_byte_by_byte_as_they_went_in() {
    for hex in FIRST.iter().chain(&STALE) {
        assert_eq!(header(hex).to_raw(), bytes(hex));
        let theirs: bitcoin::block::Header = bitcoin::consensus::encode::deserialize(&bytes(hex)).unwrap();
        assert_eq!(theirs.block_hash().to_string(), header(hex).hash().to_string());
    }
    let [root, first, second] = knots();
    let mut tree = Tree::new(root, 4);
    tree.insert(first.clone());
    tree.insert(second.clone());
    for (header, (_, hex)) in [first, second].into_iter().zip(&KNOTS[1..]) {
        assert_eq!(tree.get(header.hash()), Some(header.clone()));
        assert_eq!(tree.get(header.hash()).unwrap().to_raw(), bytes(hex));
    }
}

#[test]
fn a_real_stale_branch_that_comes_backwards_joins_when_its_first_block_comes() {
    let headers = STALE.map(header);
    let mut tree = Tree::new(headers[0].clone(), 961_632);
    for header in headers[2..].iter().rev() {
        assert!(tree.insert(header.clone()).is_empty());
    }
    assert_eq!(tree.missing(), [Missing { block: headers[1].hash(), height: None, nodes: vec![] }]);
    assert_eq!(tree.insert(headers[1].clone()), headers[1..].iter().map(Header::hash).collect::<Vec<_>>());
    assert_eq!(tree.missing(), []);
    assert_eq!(tree.height(headers[7].hash()), Some(961_639));
    assert_eq!(
        tree.blocks_between(headers[5].hash(), headers[7].hash()).unwrap(),
        [6, 7].map(|at: usize| headers[at].hash())
    );
    let side = tree.compare(headers[0].hash(), headers[7].hash()).unwrap().right;
    // Seven times 2^256 / (0x02353d * 2^160 + 1).
    let work = headers[0].work().to_f64();
    assert!((work / (2_f64.powi(96) / f64::from(0x02_353d)) - 1.0).abs() < 1e-12);
    assert!((side.work.unwrap().1.to_f64() / work - 7.0).abs() < 1e-12);
}

#[test]
fn bytes_that_are_no_header_are_refused() {
    let raw = bytes(FIRST[1]);
    let hash = header(FIRST[1]).hash();
    assert_eq!(Header::decode(&raw[..79], None), Err(HeaderError::Length(79)));
    assert_eq!(Header::decode(&[&raw[..], &[0]].concat(), Some(hash)), Err(HeaderError::Length(81)));
    assert_eq!(Header::decode(&raw, Some(header(FIRST[2]).hash())), Err(HeaderError::OtherBlock(hash)));
    assert_eq!(Header::decode(&bytes(KNOTS[1].1), None), Err(HeaderError::Unnamed));
    let mut bad = raw.clone();
    bad[76] ^= 1;
    assert!(matches!(Header::decode(&bad, None), Err(HeaderError::HighHash(_))));
    bad[72..76].fill(0);
    assert_eq!(Header::decode(&bad, None), Err(HeaderError::Bits(BitsError::Zero)));
}

#[test]
fn work_is_not_compared_with_that_of_another_kind() {
    let [root, first, second] = knots();
    let mut tree = Tree::new(root.clone(), 4);
    let core = chain(root.hash(), 1, 1);
    for header in [first.clone(), second.clone(), core[0].clone()] {
        tree.insert(header);
    }
    let (blake2b, sha256d) = (second.hash(), core[0].hash());
    assert_eq!(first.proof_of_work(), ProofOfWork::Blake2b);
    let split = tree.compare(blake2b, sha256d).unwrap();
    assert_eq!(
        (split.fork, split.fork_height, split.left.length, split.right.length),
        (root.hash(), 4, 2, 1)
    );
    assert_eq!(split.by_work(), None);
    assert_eq!(tree.compare(blake2b, first.hash()).unwrap().by_work(), Some(Ordering::Greater));
    let mut best = tree.best_tips();
    best.sort_unstable();
    assert_eq!(best, if blake2b < sha256d { [blake2b, sha256d] } else { [sha256d, blake2b] });

    // A race among blocks of the one kind leaves out the shorter side, and nothing else.
    let race = mine_blake2b(root.hash(), 9);
    tree.insert(race.clone());
    assert_eq!(tree.compare(race.hash(), blake2b).unwrap().by_work(), Some(Ordering::Less));
    assert!(tree.tips().contains(&race.hash()) && !tree.best_tips().contains(&race.hash()));
}

#[test]
fn branches_are_told_with_fork_and_length() {
    let root = mine(BlockHash::from_bytes([1; 32]), 0);
    let trunk = chain(root.hash(), 6, 1);
    let short = chain(trunk[3].hash(), 1, 2);
    let long = chain(trunk[0].hash(), 3, 3);
    let mut tree = Tree::new(root, 100);
    for header in trunk.iter().chain(&short).chain(&long) {
        tree.insert(header.clone());
    }
    let [top, short_tip, long_tip] = [&trunk, &short, &long].map(|branch| branch.last().unwrap().hash());
    assert_eq!(tree.best_tips(), [top]);
    assert_eq!(tree.tips(), [top, short_tip, long_tip]);
    let branch =
        |tip, tip_height, fork: &Header, length| Branch { tip, tip_height, fork: fork.hash(), length };
    assert_eq!(
        tree.branches_from(top, 0).unwrap(),
        [branch(short_tip, 105, &trunk[3], 1), branch(long_tip, 104, &trunk[0], 3)]
    );
    assert_eq!(tree.branches_from(top, 105).unwrap(), [branch(short_tip, 105, &trunk[3], 1)]);
    assert_eq!(tree.branches_from(trunk[4].hash(), 0).unwrap()[0], branch(top, 106, &trunk[4], 1));
    assert_eq!(tree.fork(short_tip, long_tip), Some(trunk[0].hash()));
    assert_eq!(tree.blocks_between(short_tip, long_tip), None);
    assert_eq!(tree.compare(short_tip, top).unwrap().by_work(), Some(Ordering::Less));
}

#[test]
fn a_block_below_the_root_moves_the_root_down_and_is_asked_for_if_something_needs_it() {
    let below = chain(BlockHash::from_bytes([1; 32]), 40, 1);
    let stale = chain(below[20].hash(), 2, 2);
    let mut tree = Tree::new(below[30].clone(), 1_030);
    assert_eq!(tree.missing(), []);
    tree.insert(stale[1].clone());
    tree.height_told(stale[1].hash(), 1_022);
    let wanted = |tree: &Tree| {
        tree.missing().into_iter().map(|missing| (missing.block, missing.height)).collect::<BTreeSet<_>>()
    };
    assert_eq!(
        wanted(&tree),
        BTreeSet::from([(stale[0].hash(), Some(1_021)), (below[29].hash(), Some(1_029))])
    );
    tree.insert(stale[0].clone());
    while let Some((block, height)) = wanted(&tree).into_iter().max_by_key(|(_, height)| *height) {
        let header = below.iter().find(|header| header.hash() == block).unwrap();
        assert_eq!(
            tree.root(),
            (below[usize::try_from(height.unwrap() - 1_000).unwrap() + 1].hash(), height.unwrap() + 1)
        );
        tree.insert(header.clone());
    }
    assert_eq!(tree.root(), (below[20].hash(), 1_020));
    assert_eq!(tree.fork(stale[1].hash(), below[30].hash()), Some(below[20].hash()));
    assert_eq!(tree.contradictions(), 0);
    tree.height_told(stale[1].hash(), 5);
    assert_eq!(tree.contradictions(), 1);
}

#[test]
fn far_ancestors_and_forks_are_found_although_the_root_came_from_the_middle() {
    let trunk = chain(BlockHash::from_bytes([1; 32]), 1_500, 1);
    let side = chain(trunk[300].hash(), 700, 2);
    let mut tree = Tree::new(trunk[800].clone(), 10_800);
    for header in side.iter().chain(&trunk[801..]).chain(trunk[..800].iter().rev()) {
        tree.insert(header.clone());
    }
    assert_eq!((tree.root(), tree.headers()), ((trunk[0].hash(), 10_000), 2_200));
    let heights = 10_000..;
    let [top, side_top] = [&trunk, &side].map(|branch| branch.last().unwrap().hash());
    for (height, header) in heights.clone().zip(&trunk) {
        assert_eq!(tree.ancestor(top, height), Some(header.hash()));
    }
    for (height, header) in heights.zip(trunk[..=300].iter().chain(&side)) {
        assert_eq!(tree.ancestor(side_top, height), Some(header.hash()));
    }
    for place in 0..700 {
        let fork = trunk[place.min(300)].hash();
        assert_eq!(tree.fork(trunk[place].hash(), side[699 - place].hash()), Some(fork));
    }
    assert_eq!((tree.ancestor(top, 11_500), tree.ancestor(top, 9_999)), (None, None));
    assert_eq!(tree.compare(top, side_top).unwrap().by_work(), Some(Ordering::Greater));
}

#[test]
fn what_waits_is_bounded_and_what_is_dropped_is_counted() {
    let mut tree = Tree::new(header(FIRST[0]), 0);
    for which in 0..10_000 {
        tree.insert(mine(BlockHash::from_bytes([9; 32]), which));
    }
    assert_eq!((tree.headers(), tree.dropped()), (1, 10_000 - 64));
    for which in 0..10_000_u32 {
        let mut hash = [8; 32];
        hash[..4].copy_from_slice(&which.to_le_bytes());
        tree.said(&node("alice"), BlockHash::from_bytes(hash), Word::Header, stamp(0));
    }
    assert!(
        (10_000 - 64 + 10_000 - 8_064..10_000 - 64 + 10_000 - 4_000).contains(&tree.dropped()),
        "{}",
        tree.dropped()
    );
    assert!(tree.missing().len() <= 8_065);
}

#[test]
fn a_node_that_reorganises_keeps_the_old_branch_as_valid() {
    let root = mine(BlockHash::from_bytes([1; 32]), 0);
    let (old, new) = (chain(root.hash(), 2, 1), chain(root.hash(), 3, 2));
    let mut tree = Tree::new(root.clone(), 10);
    for header in old.iter().chain(&new) {
        tree.insert(header.clone());
    }
    let alice = node("alice");
    tree.said(&alice, old[1].hash(), Word::Active, stamp(1));
    tree.said(&alice, new[1].hash(), Word::Header, stamp(2));
    let status = |tree: &Tree, header: &Header| tree.status(&alice, header.hash());
    assert_eq!(
        [&old[0], &new[1], &new[2]].map(|block| status(&tree, block)),
        [Status::Active, Status::HeaderOnly, Status::Unknown]
    );
    tree.said(&alice, new[2].hash(), Word::Active, stamp(3));
    assert_eq!(
        [&root, &old[0], &old[1], &new[1]].map(|block| status(&tree, block)),
        [Status::Active, Status::Valid, Status::Valid, Status::Active]
    );
    assert_eq!(tree.active_tip(&alice), Some(new[2].hash()));
    // A poll that was answered late.
    tree.said(&alice, old[1].hash(), Word::Active, stamp(2));
    assert_eq!(tree.active_tip(&alice), Some(new[2].hash()));
    assert_eq!(tree.status(&node("bob"), root.hash()), Status::Unknown);
}

#[test]
fn an_invalid_block_makes_those_above_it_invalid_until_it_is_reconsidered() {
    let root = mine(BlockHash::from_bytes([1; 32]), 0);
    let blocks = chain(root.hash(), 3, 1);
    let mut tree = Tree::new(root.clone(), 10);
    for header in &blocks {
        tree.insert(header.clone());
    }
    let alice = node("alice");
    let said = |tree: &mut Tree, header: &Header, word, at| tree.said(&alice, header.hash(), word, stamp(at));
    let status = |tree: &Tree| [0, 1, 2].map(|at: usize| tree.status(&alice, blocks[at].hash()));
    said(&mut tree, &blocks[2], Word::Active, 1);
    said(&mut tree, &blocks[1], Word::Invalid, 2);
    said(&mut tree, &blocks[0], Word::Active, 3);
    assert_eq!(status(&tree), [Status::Active, Status::Invalid, Status::Invalid]);
    said(&mut tree, &blocks[1], Word::Active, 4);
    assert_eq!(status(&tree), [Status::Active, Status::Active, Status::Valid]);
}

#[test]
fn words_about_branches_without_end_are_bounded() {
    let root = mine(BlockHash::from_bytes([1; 32]), 0);
    let mut tree = Tree::new(root.clone(), 10);
    for which in 1..=600 {
        let block = mine(root.hash(), which);
        tree.said(&node("alice"), block.hash(), Word::Invalid, stamp(which.into()));
        tree.insert(block);
    }
    assert_eq!(tree.dropped(), 600 - 256);
}

#[test]
fn a_tip_that_goes_up_and_down_without_end_takes_no_room() {
    let root = mine(BlockHash::from_bytes([1; 32]), 0);
    let blocks = chain(root.hash(), 2, 1);
    let mut tree = Tree::new(root, 10);
    for header in &blocks {
        tree.insert(header.clone());
    }
    for at in 0..1_000 {
        for (serial, header) in (0..).zip(&blocks) {
            let stamp = Stamp { at: AgentTime::from_micros(at), serial };
            tree.said(&node("alice"), header.hash(), Word::Active, stamp);
        }
        assert_eq!(tree.active_tip(&node("alice")), Some(blocks[1].hash()));
    }
    assert_eq!(tree.dropped(), 0);
}
