use std::{
    fs::{self, File, OpenOptions},
    io::Write,
    path::Path,
};

use proptest::prelude::*;

use super::*;
use crate::{clock, source::log::file::KNOWN_BY};

/// A node's log as the node and the tools around it treat it.
struct Log {
    dir: tempfile::TempDir,
    /// Where the node writes, until it is told to open the log anew.
    handle: File,
    /// Every complete line, in order.
    written: Vec<String>,
    /// A line whose end is still to come.
    torn: Option<String>,
}

impl Log {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let handle = append_to(&dir.path().join("debug.log"));
        Self { dir, handle, written: Vec::new(), torn: None }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("debug.log")
    }

    fn sibling(&self, number: u32) -> PathBuf {
        self.dir.path().join(format!("debug.log.{number}"))
    }

    fn next_line(&self) -> String {
        let number = self.written.len();
        format!("2026-01-02T03:04:05.{number:06}Z {}\n", "line ".repeat(1 + number % 7))
    }

    fn write(&mut self, lines: u32) {
        for _ in 0..lines {
            let line = self.next_line();
            let rest = line.strip_prefix(self.torn.take().unwrap_or_default().as_str()).unwrap().to_owned();
            self.handle.write_all(rest.as_bytes()).unwrap();
            self.written.push(line);
        }
    }

    fn tear(&mut self) {
        if self.torn.is_none() {
            let begun = self.next_line()[..9].to_owned();
            self.handle.write_all(begun.as_bytes()).unwrap();
            self.torn = Some(begun);
        }
    }

    fn shift_siblings(&self) {
        for number in (1..20).rev() {
            if self.sibling(number).exists() {
                fs::rename(self.sibling(number), self.sibling(number + 1)).unwrap();
            }
        }
    }

    fn rename(&self) {
        self.shift_siblings();
        fs::rename(self.path(), self.sibling(1)).unwrap();
    }

    fn reopen(&mut self) {
        self.write(1);
        self.handle = append_to(&self.path());
    }

    fn copy_truncate(&self) {
        self.copy();
        self.truncate();
    }

    fn copy(&self) {
        self.shift_siblings();
        fs::copy(self.path(), self.sibling(1)).unwrap();
    }

    fn truncate(&self) {
        self.handle.set_len(0).unwrap();
    }

    /// What bitcoind does at start, with less than 10 MB.
    fn shrink(&self, removed: usize) {
        let content = fs::read(self.path()).unwrap();
        fs::write(self.path(), &content[removed..]).unwrap();
    }

    fn follower(&self, position: Option<LogPosition>) -> Follower {
        Follower::new(self.path(), u64::MAX, position)
    }
}

fn append_to(path: &Path) -> File {
    OpenOptions::new().append(true).create(true).open(path).unwrap()
}

/// Steps until there is nothing to do. Returns how often the place was lost.
fn follow(follower: &mut Follower, lines: &mut Vec<String>) -> usize {
    let (mut lost, mut idle, mut now) = (0, 0, clock::instant());
    while idle < 2 {
        match follower.step(now).unwrap() {
            Step::Lines(bytes) => collect(bytes, lines),
            Step::Lost => lost += 1,
            Step::Moved => {}
            Step::Idle | Step::Missing => {
                idle += 1;
                now += PATIENCE;
            }
        }
    }
    lost
}

fn collect(bytes: &[u8], lines: &mut Vec<String>) {
    lines.extend(String::from_utf8(bytes.to_vec()).unwrap().split_inclusive('\n').map(str::to_owned));
}

/// Lets `rotate` happen between some lines, with the agent running or away meanwhile, and expects every line once.
fn check(rotate: impl Fn(&mut Log)) {
    for away in [false, true] {
        let mut log = Log::new();
        let (mut follower, mut got) = (log.follower(None), Vec::new());
        log.write(20);
        assert_eq!(follow(&mut follower, &mut got), 0);
        log.write(5);
        rotate(&mut log);
        log.write(30);
        if away {
            follower = log.follower(follower.position());
        }
        assert_eq!(follow(&mut follower, &mut got), 0);
        assert_eq!(got, log.written, "away: {away}");
    }
}

#[test]
fn a_renamed_log_is_read_to_its_end_before_the_new_one() {
    check(|log| {
        log.rename();
        log.write(3);
        log.reopen();
    });
}

#[test]
fn an_empty_successor_does_not_end_the_old_log() {
    check(|log| {
        log.rename();
        drop(append_to(&log.path()));
        log.write(7);
        log.reopen();
    });
}

#[test]
fn several_rotations_at_once_are_read_in_order() {
    check(|log| {
        for _ in 0..3 {
            log.rename();
            log.reopen();
            log.write(4);
        }
        log.copy_truncate();
        log.write(2);
        log.copy_truncate();
    });
}

#[test]
fn siblings_whose_numbers_count_up_are_read_in_order_too() {
    check(|log| {
        for number in 1..4 {
            let rotated = log.sibling(number);
            fs::rename(log.path(), &rotated).unwrap();
            log.reopen();
            let changed = std::time::UNIX_EPOCH + Duration::from_secs(number.into());
            File::options().append(true).open(rotated).unwrap().set_modified(changed).unwrap();
            log.write(4);
        }
    });
}

#[test]
fn a_copied_and_truncated_log_is_read_to_its_end_in_the_copy() {
    check(|log| log.copy_truncate());
}

#[test]
fn a_line_read_between_copy_and_truncation_is_not_missed_afterwards() {
    let mut log = Log::new();
    let (mut follower, mut got) = (log.follower(None), Vec::new());
    log.write(20);
    log.copy();
    log.write(1);
    assert_eq!(follow(&mut follower, &mut got), 0);
    log.truncate();
    log.write(3);
    assert_eq!(follow(&mut follower, &mut got), 0);
    assert_eq!(got, log.written);
}

#[test]
fn a_log_that_grew_past_the_place_after_truncation_is_noticed() {
    check(|log| {
        log.copy_truncate();
        log.write(200);
    });
}

#[test]
fn a_shrunk_log_is_read_on_from_where_its_content_stood() {
    check(|log| log.shrink(333));
}

#[test]
fn a_log_shrunk_and_then_renamed_is_found_too() {
    check(|log| {
        log.shrink(333);
        log.handle = append_to(&log.path());
        log.write(2);
        log.rename();
        log.reopen();
    });
}

#[test]
fn a_log_that_is_not_there_yet_is_awaited() {
    let mut log = Log::new();
    fs::remove_file(log.path()).unwrap();
    let (mut follower, mut got) = (log.follower(None), Vec::new());
    assert_eq!(follower.step(clock::instant()).unwrap(), Step::Missing);
    log.handle = append_to(&log.path());
    log.write(3);
    follow(&mut follower, &mut got);
    assert_eq!(got, log.written);
}

#[test]
fn the_first_read_of_a_long_log_is_bounded() {
    let mut log = Log::new();
    log.write(100);
    let mut got = Vec::new();
    let mut follower = Follower::new(log.path(), 90, None);
    follow(&mut follower, &mut got);
    assert!((1..=90).contains(&got.concat().len()));
    assert!(log.written.ends_with(&got));
}

#[test]
fn a_replaced_log_loses_the_place_even_if_the_inode_number_came_back() {
    let mut log = Log::new();
    let (mut follower, mut got) = (log.follower(None), Vec::new());
    log.write(20);
    follow(&mut follower, &mut got);
    let position = follower.position();
    drop(follower);
    fs::remove_file(log.path()).unwrap();
    log.handle = append_to(&log.path());
    log.write(40);
    let mut follower = log.follower(position);
    assert_eq!(follow(&mut follower, &mut got), 1);
    assert_eq!(got, log.written);
}

#[test]
fn a_log_emptied_for_a_moment_is_not_given_up() {
    let mut log = Log::new();
    let (mut follower, mut got) = (log.follower(None), Vec::new());
    log.write(40);
    follow(&mut follower, &mut got);
    let content = fs::read(log.path()).unwrap();
    fs::write(log.path(), "").unwrap();
    let start = clock::instant();
    assert_eq!(follower.step(start).unwrap(), Step::Moved);
    assert_eq!(follower.step(start).unwrap(), Step::Idle);
    fs::write(log.path(), &content[400..]).unwrap();
    log.write(1);
    assert_eq!(follow(&mut follower, &mut got), 0);
    assert_eq!(got, log.written);
}

#[derive(Clone, Debug)]
enum Act {
    Write(u32),
    Tear,
    Rename { create: bool },
    CopyTruncate { read_between: bool },
    Shrink(usize),
    Follow,
    Step,
    Restart,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (1..40u32).prop_map(Act::Write),
        1 => Just(Act::Tear),
        1 => any::<bool>().prop_map(|create| Act::Rename { create }),
        1 => any::<bool>().prop_map(|read_between| Act::CopyTruncate { read_between }),
        1 => (1..2000usize).prop_map(Act::Shrink),
        2 => Just(Act::Follow),
        2 => Just(Act::Step),
        2 => Just(Act::Restart),
    ]
}

/// How many bytes of the log may go without losing the place: `None` while the place is in another file.
fn removable(log: &Log, follower: &Follower) -> Option<usize> {
    let content = fs::read(log.path()).unwrap();
    let position = follower.position()?;
    let place = LogFile::open_same(&log.path(), &position).ok()??.position()?;
    usize::try_from(place.offset).unwrap().min(content.len()).checked_sub(KNOWN_BY)
}

proptest! {
    #[test]
    fn every_line_comes_exactly_once(acts in prop::collection::vec(act(), 1..60)) {
        let mut log = Log::new();
        log.write(2);
        let (mut follower, mut got) = (log.follower(None), Vec::new());
        follow(&mut follower, &mut got);
        for act in acts {
            match act {
                Act::Write(lines) => log.write(lines),
                Act::Tear => log.tear(),
                Act::Rename { create } => {
                    log.write(1);
                    log.rename();
                    if create {
                        drop(append_to(&log.path()));
                    }
                    log.write(2);
                    log.reopen();
                }
                // A copy is only known for the file it is of once something of it was read.
                Act::CopyTruncate { read_between } if removable(&log, &follower).is_some() => {
                    log.write(1);
                    log.copy();
                    if read_between {
                        log.write(1);
                        follow(&mut follower, &mut got);
                    }
                    log.truncate();
                }
                Act::Shrink(wanted) => if let Some(most @ 1..) = removable(&log, &follower) {
                    log.shrink(wanted.min(most));
                },
                Act::Follow => prop_assert_eq!(follow(&mut follower, &mut got), 0),
                Act::Step => if let Step::Lines(bytes) = follower.step(clock::instant()).unwrap() {
                    collect(bytes, &mut got);
                },
                Act::Restart => follower = log.follower(follower.position()),
                Act::CopyTruncate { .. } => {}
            }
        }
        log.write(1);
        prop_assert_eq!(follow(&mut follower, &mut got), 0);
        prop_assert_eq!(got, log.written);
    }
}
