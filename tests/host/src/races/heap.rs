// SPDX-License-Identifier: GPL-2.0

//! Memory that was freed is filled with rubbish, and used again late.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::Mutex,
};

/// What every byte of it is.
pub(super) const RUBBISH: u8 = 0xa5;

/// How many pieces wait to be used again.
const WAITING: usize = 512;

/// Larger ones are freed at once.
const LARGEST: usize = 1 << 15;

struct Heap;

/// What waits, and the place of the one that has waited longest.
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
