#![expect(clippy::cast_possible_truncation, reason = "numbers in tests are small")]

use std::ops::RangeInclusive;
use std::path::Path;

use proptest::collection::vec;
use proptest::prelude::*;
use tempfile::TempDir;

use crate::{Limits, Recovery, Spool, SpoolError};

const LIMITS: Limits = Limits { total_bytes: 1 << 20, segment_bytes: 200 };

fn open(dir: &Path) -> (Spool, Recovery) {
    Spool::open(dir, LIMITS).unwrap()
}

/// A spool of `count` records of different lengths, in several segments.
fn filled(count: u8) -> (TempDir, Vec<Vec<u8>>) {
    let dir = tempfile::tempdir().unwrap();
    let (mut spool, _) = open(dir.path());
    let payloads: Vec<Vec<u8>> = (0..count).map(|n| vec![n; usize::from(n % 7) * 11]).collect();
    for payload in &payloads {
        spool.append(payload).unwrap();
    }
    (dir, payloads)
}

type Numbered = Vec<(u64, Vec<u8>)>;

/// What reading gives: the records, and the ranges reported lost.
fn read(spool: &Spool, from: u64) -> (Numbered, Vec<RangeInclusive<u64>>) {
    let (mut records, mut lost) = (Vec::new(), Vec::new());
    for item in spool.iter_from(from) {
        match item {
            Ok(record) => records.push((record.sequence, record.payload)),
            Err(SpoolError::Damaged(range)) => lost.push(range),
            Err(error) => panic!("{error}"),
        }
    }
    (records, lost)
}

fn numbered(payloads: &[Vec<u8>]) -> Numbered {
    (1..).zip(payloads.iter().cloned()).collect()
}

fn segments(dir: &Path) -> Vec<std::path::PathBuf> {
    let paths = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<_> =
        paths.filter(|path| path.extension().is_some_and(|extension| extension == "seg")).collect();
    paths.sort();
    paths
}

#[test]
fn a_new_spool_is_empty_and_keeps_its_epoch() {
    let dir = tempfile::tempdir().unwrap();
    let (mut spool, recovery) = open(&dir.path().join("a/b"));
    assert_eq!((spool.first(), spool.last(), spool.bytes(), recovery), (1, 0, 0, Recovery::default()));
    assert_eq!(spool.get(1).unwrap(), None);
    assert_eq!(read(&spool, 1), (Vec::new(), Vec::new()));
    let epoch = spool.epoch();
    drop(spool);
    assert_eq!(open(&dir.path().join("a/b")).0.epoch(), epoch);
    assert_ne!(open(&dir.path().join("c")).0.epoch(), epoch);
}

#[test]
fn records_are_there_after_opening_again() {
    let (dir, payloads) = filled(40);
    let (mut spool, recovery) = open(dir.path());
    assert_eq!(recovery, Recovery::default());
    assert!(segments(dir.path()).len() > 5);
    assert_eq!(read(&spool, 0), (numbered(&payloads), Vec::new()));
    assert_eq!(read(&spool, 17).0, numbered(&payloads)[16..]);
    assert_eq!(spool.append(b"next").unwrap().sequence, 41);
    for sequence in [41, 1, 2, 3, 40, 20, 21, 41] {
        let expected = payloads.get(sequence as usize - 1).map_or(b"next".as_slice(), Vec::as_slice);
        assert_eq!(spool.get(sequence).unwrap().unwrap(), expected);
    }
    assert_eq!(spool.get(0).unwrap(), None);
    assert_eq!(spool.get(42).unwrap(), None);
}

#[test]
fn only_one_process_has_a_spool_open() {
    let dir = tempfile::tempdir().unwrap();
    let (spool, _) = open(dir.path());
    assert!(matches!(Spool::open(dir.path(), LIMITS), Err(SpoolError::InUse(_))));
    drop(spool);
    open(dir.path());
}

#[test]
fn segments_without_their_name_are_not_given_another() {
    let (dir, _) = filled(3);
    std::fs::remove_file(dir.path().join("spool")).unwrap();
    assert!(matches!(Spool::open(dir.path(), LIMITS), Err(SpoolError::Identity(_))));
    std::fs::write(dir.path().join("spool"), "bmon-spool 9\nepoch 0000000000000001\n").unwrap();
    assert!(matches!(Spool::open(dir.path(), LIMITS), Err(SpoolError::Identity(_))));
}

#[test]
fn release_frees_whole_segments_but_never_the_last_record() {
    let (dir, payloads) = filled(40);
    let (mut spool, _) = open(dir.path());
    let end = spool.oldest_segment_end().unwrap();
    spool.release(end - 1).unwrap();
    assert_eq!(spool.first(), 1);
    spool.release(end).unwrap();
    assert_eq!(spool.first(), end + 1);
    assert_eq!(spool.get(end).unwrap(), None);
    spool.release(u64::MAX).unwrap();
    assert_eq!((spool.get(40).unwrap().as_ref(), spool.oldest_segment_end()), (payloads.last(), None));
    assert_eq!(segments(dir.path()).len(), 1);
    let bytes = std::fs::metadata(&segments(dir.path())[0]).unwrap().len();
    assert_eq!(spool.bytes(), bytes);
    drop(spool);
    assert_eq!(open(dir.path()).0.last(), 40);
}

#[test]
fn an_empty_newest_segment_does_not_free_the_last_record() {
    let (dir, _) = filled(4);
    std::fs::write(dir.path().join("00000000000000000005.seg"), "").unwrap();
    let (mut spool, _) = open(dir.path());
    assert_eq!(spool.last(), 4);
    spool.release(4).unwrap();
    assert!(spool.get(4).unwrap().is_some());
    assert_eq!(spool.append(b"five").unwrap().sequence, 5);
    assert_eq!(spool.get(5).unwrap().unwrap(), b"five");
    spool.release(4).unwrap();
    assert_eq!(spool.first(), 5);
}

#[test]
fn skipped_numbers_are_never_given_and_count_as_lost() {
    let dir = tempfile::tempdir().unwrap();
    let (mut spool, _) = open(dir.path());
    spool.skip_to(9).unwrap();
    assert_eq!((spool.first(), spool.last(), read(&spool, 0)), (10, 9, (Vec::new(), Vec::new())));
    assert_eq!(spool.append(b"ten").unwrap().sequence, 10);
    spool.skip_to(3).unwrap();
    spool.skip_to(20).unwrap();
    drop(spool);
    let (mut spool, recovery) = open(dir.path());
    assert_eq!((recovery, spool.last()), (Recovery::default(), 20));
    assert_eq!(spool.append(b"twenty-one").unwrap().sequence, 21);
    let (records, lost) = read(&spool, 0);
    assert_eq!(records, [(10, b"ten".to_vec()), (21, b"twenty-one".to_vec())]);
    assert_eq!(lost, vec![11..=20]);
    assert!(matches!(spool.get(12), Err(SpoolError::Damaged(range)) if range == (11..=20)));
    spool.release(20).unwrap();
    assert_eq!(spool.first(), 21);
}

#[test]
fn at_the_bound_the_oldest_records_are_dropped_and_told() {
    let dir = tempfile::tempdir().unwrap();
    let limits = Limits { total_bytes: 1000, segment_bytes: 1000 };
    let (mut spool, _) = Spool::open(dir.path(), limits).unwrap();
    let mut next_dropped = 1;
    for sequence in 1..=200_u64 {
        let cost = spool.cost(34);
        let appended = spool.append(&[7; 34]).unwrap();
        assert_eq!((appended.sequence, &appended.dropped), (sequence, &cost));
        if let Some(dropped) = appended.dropped {
            assert_eq!(*dropped.start(), next_dropped);
            next_dropped = dropped.end() + 1;
        }
        assert_eq!(spool.first(), next_dropped);
        assert!(spool.bytes() <= 1000);
    }
    assert!(next_dropped > 170);
    assert_eq!(read(&spool, 1).0.len() as u64, 201 - next_dropped);
    let too_large = spool.append(&[0; 985]);
    assert!(matches!(too_large, Err(SpoolError::TooLarge { size: 985, limit: 1000 })), "{too_large:?}");
    let cost = spool.cost(984);
    let large = spool.append(&[0; 984]).unwrap();
    assert_eq!(large.dropped, cost);
    assert_eq!((large.sequence, large.dropped), (201, Some(next_dropped..=200)));
}

#[test]
fn after_a_failed_rotation_only_a_rotation_follows() {
    let dir = tempfile::tempdir().unwrap();
    let (mut spool, _) = open(dir.path());
    spool.append(&[1; 100]).unwrap();
    let next = dir.path().join("00000000000000000002.seg");
    std::fs::create_dir(&next).unwrap();
    for size in [100, 1, 0] {
        let refused = spool.append(&vec![2; size]);
        assert!(matches!(&refused, Err(SpoolError::Io { action: "create", .. })), "{refused:?}");
    }
    std::fs::remove_dir(&next).unwrap();
    std::fs::write(&next, "remains").unwrap();
    assert_eq!(spool.append(b"two").unwrap().sequence, 2);
    assert_eq!(spool.append(b"three").unwrap().sequence, 3);
    drop(spool);
    let (spool, recovery) = open(dir.path());
    assert_eq!(recovery, Recovery::default());
    let payloads = [vec![1; 100], b"two".to_vec(), b"three".to_vec()];
    assert_eq!(read(&spool, 1), (numbered(&payloads), Vec::new()));
    assert_eq!(segments(dir.path()).len(), 2);
}

#[test]
fn the_records_of_a_segment_that_is_gone_are_lost() {
    let (dir, payloads) = filled(40);
    let (mut spool, _) = open(dir.path());
    let end = spool.oldest_segment_end().unwrap();
    std::fs::remove_file(&segments(dir.path())[0]).unwrap();
    assert!(matches!(spool.get(1), Err(SpoolError::Damaged(range)) if range == (1..=end)));
    assert_eq!(read(&spool, 1), (numbered(&payloads)[end as usize..].to_vec(), vec![1..=end]));
}

#[test]
fn a_segment_that_is_gone_counts_as_removed() {
    let (dir, _) = filled(40);
    let (mut spool, _) = open(dir.path());
    std::fs::remove_file(&segments(dir.path())[0]).unwrap();
    spool.release(u64::MAX).unwrap();
    assert_eq!((spool.oldest_segment_end(), segments(dir.path()).len()), (None, 1));
}

#[test]
fn what_cannot_be_dropped_does_not_fail_the_record_that_was_written() {
    let dir = tempfile::tempdir().unwrap();
    let limits = Limits { total_bytes: 1000, segment_bytes: 250 };
    let (mut spool, _) = Spool::open(dir.path(), limits).unwrap();
    spool.append(&[1; 184]).unwrap();
    // A directory cannot be removed as a file is.
    let oldest = segments(dir.path()).pop().unwrap();
    std::fs::remove_file(&oldest).unwrap();
    std::fs::create_dir(&oldest).unwrap();
    for sequence in 2..=5 {
        assert!(spool.append(&[1; 184]).unwrap().over_bound.is_none(), "{sequence}");
    }
    let appended = spool.append(&[1; 184]).unwrap();
    assert_eq!((appended.sequence, appended.dropped), (6, None));
    assert!(
        matches!(appended.over_bound, Some(SpoolError::Io { action: "remove", path, .. }) if path == oldest)
    );
    std::fs::remove_dir(&oldest).unwrap();
    let appended = spool.append(&[1; 184]).unwrap();
    assert_eq!((appended.sequence, appended.dropped), (7, Some(1..=2)));
    assert!(appended.over_bound.is_none() && spool.bytes() <= 1000);
}

#[test]
fn a_torn_tail_is_cut_off_at_every_length() {
    let (dir, payloads) = filled(13);
    let newest = segments(dir.path()).pop().unwrap();
    let whole = std::fs::read(&newest).unwrap();
    let last = 16 + payloads[12].len();
    assert!(last > 16);
    for cut in 1..=last {
        std::fs::write(&newest, &whole[..whole.len() - cut]).unwrap();
        let (mut spool, recovery) = open(dir.path());
        assert_eq!(recovery, Recovery { torn_bytes: (last - cut) as u64, lost: Vec::new() });
        assert_eq!(read(&spool, 1), (numbered(&payloads[..12]), Vec::new()));
        assert_eq!(spool.append(b"again").unwrap().sequence, 13);
        assert_eq!(spool.get(13).unwrap().unwrap(), b"again");
    }
}

#[test]
fn what_is_found_is_synced_before_it_counts() {
    let (dir, _) = filled(1);
    let newest = segments(dir.path()).pop().unwrap();
    std::fs::remove_file(&newest).unwrap();
    // Can be read and written, but not synced.
    std::os::unix::fs::symlink("/dev/null", &newest).unwrap();
    let opened = Spool::open(dir.path(), LIMITS);
    assert!(matches!(opened, Err(SpoolError::Io { action: "sync", path, .. }) if path == newest));
}

#[test]
fn zeros_and_garbage_behind_the_last_record_are_a_torn_tail() {
    for garbage in [vec![0; 5000], vec![0xff; 5000], b"0123456789abcdef".repeat(300)] {
        let (dir, payloads) = filled(5);
        let newest = segments(dir.path()).pop().unwrap();
        let mut bytes = std::fs::read(&newest).unwrap();
        bytes.extend_from_slice(&garbage);
        std::fs::write(&newest, bytes).unwrap();
        let (spool, recovery) = open(dir.path());
        assert_eq!(recovery.torn_bytes, garbage.len() as u64);
        assert_eq!(read(&spool, 1), (numbered(&payloads), Vec::new()));
    }
}

#[test]
fn every_flipped_bit_costs_exactly_the_record_it_hits() {
    let (dir, payloads) = filled(12);
    let paths = segments(dir.path());
    let newest = paths.last().unwrap();
    let mut record = 0;
    for path in &paths {
        let whole = std::fs::read(path).unwrap();
        let mut end = 0;
        for offset in 0..whole.len() {
            if offset == end {
                end += 16 + payloads[record].len();
                record += 1;
            }
            let mut bytes = whole.clone();
            bytes[offset] ^= 1 << (offset % 8);
            std::fs::write(path, bytes).unwrap();
            assert_lost(dir.path(), &payloads, record as u64);
            std::fs::write(path, &whole).unwrap();
        }
    }
    assert_eq!(record, payloads.len(), "{}", newest.display());
}

/// Opens a spool in which record `hit` is damaged: it is reported, or cut off if it is the last.
fn assert_lost(dir: &Path, payloads: &[Vec<u8>], hit: u64) {
    let (mut spool, recovery) = open(dir);
    let mut expected = numbered(payloads);
    expected.remove(hit as usize - 1);
    let (records, lost) = read(&spool, 1);
    assert_eq!(records, expected);
    if hit == payloads.len() as u64 {
        assert!(recovery.torn_bytes > 0 && lost.is_empty());
        assert_eq!(spool.last(), hit - 1);
    } else {
        assert_eq!((recovery.torn_bytes, lost), (0, vec![hit..=hit]));
        assert!(matches!(spool.get(hit), Err(SpoolError::Damaged(range)) if range == (hit..=hit)));
        assert_eq!(spool.get(hit + 1).unwrap().as_ref(), Some(&payloads[hit as usize]));
    }
}

#[test]
fn damage_over_several_records_and_a_missing_end_are_reported_as_ranges() {
    let (dir, payloads) = filled(40);
    let paths = segments(dir.path());
    let ends: Vec<u64> = paths[1..]
        .iter()
        .map(|path| path.file_stem().unwrap().to_str().unwrap().parse::<u64>().unwrap() - 1)
        .collect();
    let middle = std::fs::read(&paths[1]).unwrap();
    std::fs::write(&paths[1], &middle[..middle.len() / 2]).unwrap();
    std::fs::write(&paths[3], "").unwrap();
    let (spool, recovery) = open(dir.path());
    assert_eq!(recovery, Recovery::default());
    let (records, lost) = read(&spool, 1);
    assert_eq!(lost.len(), 2);
    assert_eq!((*lost[0].end(), lost[1].clone()), (ends[1], ends[2] + 1..=ends[3]));
    let expected: Vec<_> = numbered(&payloads)
        .into_iter()
        .filter(|(sequence, _)| !lost.iter().any(|range| range.contains(sequence)))
        .collect();
    assert_eq!(records, expected);
    assert_eq!(read(&spool, ends[3]).1, [ends[3]..=ends[3]]);
}

#[test]
fn records_of_another_spool_are_not_taken_for_ours() {
    let (ours, payloads) = filled(12);
    let (theirs, _) = filled(12);
    let (from, to) = (segments(theirs.path()), segments(ours.path()));
    std::fs::copy(&from[0], &to[0]).unwrap();
    let (spool, _) = open(ours.path());
    let (records, lost) = read(&spool, 1);
    assert_eq!((*lost[0].start(), records.len() as u64), (1, 12 - lost[0].end()));
    assert_eq!(records, numbered(&payloads)[*lost[0].end() as usize..]);
}

#[derive(Clone, Debug)]
enum Op {
    Append(usize),
    Sync,
    Get(prop::sample::Index),
    Release(prop::sample::Index),
    Reopen,
    /// Cuts this share of the last record off, as a crash would, and opens again.
    Tear(u8),
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        8 => (0..150_usize).prop_map(Op::Append),
        1 => Just(Op::Sync),
        4 => any::<prop::sample::Index>().prop_map(Op::Get),
        1 => any::<prop::sample::Index>().prop_map(Op::Release),
        1 => Just(Op::Reopen),
        1 => any::<u8>().prop_map(Op::Tear),
    ]
}

/// What the spool should hold: every payload ever appended, and how many of them are gone.
#[derive(Default)]
struct Model {
    payloads: Vec<Vec<u8>>,
    gone: u64,
}

impl Model {
    fn step(&mut self, dir: &Path, limits: Limits, spool: &mut Option<Spool>, op: &Op) {
        let open = spool.as_mut().unwrap();
        match op {
            Op::Append(length) => {
                let payload = vec![self.payloads.len() as u8; *length];
                let cost = open.cost(*length);
                let appended = open.append(&payload).unwrap();
                self.payloads.push(payload);
                assert_eq!((appended.sequence, &appended.dropped), (self.payloads.len() as u64, &cost));
                if let Some(dropped) = appended.dropped {
                    assert_eq!(*dropped.start(), self.gone + 1);
                    self.gone = *dropped.end();
                }
            }
            Op::Sync => open.sync().unwrap(),
            Op::Get(index) => {
                let sequence = index.index(self.payloads.len() + 2) as u64;
                let expected =
                    (sequence > self.gone).then(|| self.payloads.get(sequence as usize - 1)).flatten();
                assert_eq!(open.get(sequence).unwrap().as_ref(), expected);
            }
            Op::Release(index) => {
                let sequence = index.index(self.payloads.len() + 1) as u64;
                open.release(sequence).unwrap();
                assert!(open.first() > self.gone && open.first() <= self.gone.max(sequence) + 1);
                self.gone = open.first() - 1;
            }
            Op::Reopen => {
                *spool = None;
                let (again, recovery) = Spool::open(dir, limits).unwrap();
                assert_eq!(recovery, Recovery::default());
                *spool = Some(again);
            }
            Op::Tear(share) => self.tear(dir, limits, spool, *share),
        }
    }

    fn tear(&mut self, dir: &Path, limits: Limits, spool: &mut Option<Spool>, share: u8) {
        let newest = segments(dir).pop().unwrap();
        let length = std::fs::metadata(&newest).unwrap().len();
        *spool = None;
        let mut torn = 0;
        if length > 0 {
            let record = 16 + self.payloads.pop().unwrap().len() as u64;
            torn = record * u64::from(share) / 256;
            std::fs::File::options()
                .write(true)
                .open(&newest)
                .unwrap()
                .set_len(length - record + torn)
                .unwrap();
        }
        let (again, recovery) = Spool::open(dir, limits).unwrap();
        assert_eq!(recovery, Recovery { torn_bytes: torn, lost: Vec::new() });
        *spool = Some(again);
    }

    fn check(&self, spool: &Spool) {
        let (records, lost) = read(spool, 0);
        assert_eq!(records, numbered(&self.payloads)[self.gone as usize..]);
        assert_eq!(lost, []);
        assert_eq!((spool.first(), spool.last()), (self.gone + 1, self.payloads.len() as u64));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn any_run_of_operations_leaves_what_a_vector_would(ops in vec(op(), 1..80), total in 600..4000_u64) {
        let dir = tempfile::tempdir().unwrap();
        let limits = Limits { total_bytes: total, segment_bytes: 300 };
        let (spool, _) = Spool::open(dir.path(), limits).unwrap();
        let (mut spool, mut model) = (Some(spool), Model::default());
        for op in &ops {
            model.step(dir.path(), limits, &mut spool, op);
        }
        model.check(spool.as_ref().unwrap());
    }

    #[test]
    fn any_bytes_as_segments_never_panic(first in vec(any::<u8>(), 0..400), second in vec(any::<u8>(), 0..400)) {
        let (dir, _) = filled(1);
        std::fs::write(dir.path().join("00000000000000000001.seg"), first).unwrap();
        std::fs::write(dir.path().join("00000000000000000004.seg"), second).unwrap();
        let (mut spool, _) = open(dir.path());
        prop_assert_eq!(read(&spool, 1), (Vec::new(), vec![1..=3]));
        prop_assert_eq!(spool.append(b"on").unwrap().sequence, 4);
    }
}
