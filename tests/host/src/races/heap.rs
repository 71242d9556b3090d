// SPDX-License-Identifier: GPL-2.0

//! Freed memory is filled with garbage, and reused late.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::Mutex,
};

/// The value of each byte of it.
pub(super) const RUBBISH: u8 = 0xa5;

/// How many blocks wait to be reused.
const WAITING: usize = 512;

/// Larger blocks, in bytes, are freed at once.
const LARGEST: usize = 1 << 15;

struct Heap;

/// Blocks that wait, and the index of the latest.
struct Freed([Option<(usize, Layout)>; WAITING], usize);

static FREED: Mutex<Freed> = Mutex::new(Freed([None; WAITING], 0));

#[global_allocator]
static HEAP: Heap = Heap;

// SAFETY: All memory is the system's.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        if !kernel::races::is_running() || layout.size() > LARGEST {
            return unsafe { System.dealloc(memory, layout) };
        }
        unsafe { memory.write_bytes(RUBBISH, layout.size()) };
        let longest = {
            let mut freed = FREED.lock().unwrap();
            let Freed(pieces, next) = &mut *freed;
            *next = (*next + 1) % WAITING;
            pieces[*next].replace((memory as usize, layout))
        };
        if let Some((memory, layout)) = longest {
            unsafe { System.dealloc(memory as *mut u8, layout) };
        }
    }
}
