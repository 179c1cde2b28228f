//! Lines of no interest allocate nothing, and neither does reading a message.

#![expect(unsafe_code, reason = "a global allocator is an unsafe trait; this one counts and forwards")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

use bmon_corelog::{Line, Message, Reader};

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: every call is forwarded unchanged to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: `pointer` came from `System` with this layout.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations(work: impl FnOnce()) -> u64 {
    let before = ALLOCATIONS.get();
    work();
    ALLOCATIONS.get() - before
}

const LOGS: [&[u8]; 2] = [include_bytes!("data/core-31.99.log"), include_bytes!("data/knots-29.4.3.log")];

#[test]
fn reading_lines_and_messages_allocates_nothing() {
    for log in LOGS {
        let mut messages = 0;
        let count = allocations(|| {
            for line in log.split(|byte| *byte == b'\n') {
                messages += u32::from(Message::parse(&Line::parse(line)).is_some());
            }
        });
        assert_eq!(count, 0);
        assert!(messages > 20, "{messages}");
    }
}

#[test]
fn a_reader_allocates_nothing_for_lines_of_no_interest() {
    for log in LOGS {
        let boring: Vec<u8> = log
            .split_inclusive(|byte| *byte == b'\n')
            .filter(|line| Message::parse(&Line::parse(line)).is_none())
            .flatten()
            .copied()
            .collect();
        let mut reader = Reader::new(0, None);
        assert_eq!(allocations(|| reader.read(&boring, None, |_| unreachable!())), 0);
        assert!(reader.counts().lines > 100);
    }
}

#[test]
fn the_count_counts() {
    assert_eq!(allocations(|| drop(std::hint::black_box(vec![0_u8; 16]))), 1);
}
