//! `kill -9` loses nothing that `append` returned for.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use bmon_spool::{Limits, Spool, SpoolError};

const LIMITS: Limits = Limits { total_bytes: 1 << 24, segment_bytes: 10_000 };
const DIR: &str = "BMON_SPOOL_KILL_DIR";

fn payload(sequence: u64) -> Vec<u8> {
    sequence.to_le_bytes().repeat(usize::from(sequence.to_le_bytes()[0] % 50))
}

/// In the child: appends for ever and says the number of each record after it was appended.
fn append_for_ever(dir: &Path) -> Result<(), SpoolError> {
    let (mut spool, _) = Spool::open(dir, LIMITS)?;
    loop {
        let sequence = spool.append(&payload(spool.last() + 1))?.sequence;
        println!("appended {sequence}");
    }
}

#[test]
fn every_record_appended_before_a_kill_is_there_after_it() {
    if let Some(dir) = std::env::var_os(DIR) {
        append_for_ever(dir.as_ref()).unwrap();
    }
    let dir = tempfile::tempdir().unwrap();
    let mut appended = 0;
    for round in 1..=10 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "every_record_appended_before_a_kill_is_there_after_it", "--nocapture"])
            .env(DIR, dir.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let said = BufReader::new(child.stdout.take().unwrap()).lines();
        let numbers = said
            .filter_map(|line| line.unwrap().strip_prefix("appended ").map(|n| n.parse::<u64>().unwrap()));
        appended = numbers.take(37 * round).last().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        let (spool, recovery) = Spool::open(dir.path(), LIMITS).unwrap();
        assert!(spool.last() >= appended && recovery.lost.is_empty());
        let records: Result<Vec<_>, SpoolError> = spool.iter_from(1).collect();
        let records = records.unwrap();
        assert_eq!(records.len() as u64, spool.last());
        assert!(records.iter().all(|record| record.payload == payload(record.sequence)));
    }
    assert!(appended >= 370);
}
