// SPDX-License-Identifier: GPL-2.0

//! The buckets of a hash table: a lock, a sequence count and the head of a chain each.
//!
//! Readers take no lock: they read what the bucket leads to and ask at the end whether a writer was
//! there meanwhile. Writers take the lock of one bucket.
//!
//! C header: [`include/linux/seqlock.h`](srctree/include/linux/seqlock.h)

use super::{
    bindings,
    words::Word, //
};
use core::sync::atomic::{
    fence,
    Ordering::Acquire, //
};
use kernel::{
    alloc::Flags,
    prelude::*,
    types::Opaque, //
};

/// How often a reader tries without the lock before it takes it.
const LOCKLESS_ATTEMPTS: usize = 8;

struct Bucket {
    lock: Opaque<bindings::seqlock_t>,
    head: Word,
}

// SAFETY: A `seqlock_t` is there to be used by several threads.
unsafe impl Sync for Bucket {}
// SAFETY: An unlocked `seqlock_t` belongs to no thread.
unsafe impl Send for Bucket {}

impl Bucket {
    /// The count of the lock, which is odd while a writer is there.
    #[inline(always)]
    fn sequence(&self) -> u32 {
        // SAFETY: The pointer is valid; the count is a word that changes under us, as for `READ_ONCE`.
        unsafe { (&raw const (*self.lock.get()).seqcount.seqcount.sequence).read_volatile() }
    }
}

/// A fixed number of buckets, a power of two.
///
/// # Invariants
///
/// There is at least one bucket, their number is a power of two, the mask is one less, and every lock is
/// initialised.
pub(crate) struct Buckets {
    buckets: KVVec<Bucket>,
    mask: u32,
}

impl Buckets {
    /// Makes `count` buckets, rounded up to a power of two, whose heads are `head`.
    ///
    /// # Errors
    ///
    /// `ENOMEM` when there is no memory.
    pub(crate) fn new(count: u32, head: u32, flags: Flags) -> Result<Self> {
        let count = count.checked_next_power_of_two().ok_or(EINVAL)?;
        let mut buckets = KVVec::with_capacity(count as usize, flags)?;
        for _ in 0..count {
            let bucket = Bucket {
                lock: Opaque::zeroed(),
                head: Word::new(head),
            };
            buckets.push_within_capacity(bucket).map_err(|_| ENOMEM)?;
        }
        for bucket in &buckets {
            // SAFETY: The lock is at its final place, since the vector does not grow any more, and
            // nobody uses it yet.
            unsafe { bindings::palisade_seqlock_init(bucket.lock.get()) };
        }
        // INVARIANT: `count` is a power of two, and all locks were just initialised.
        Ok(Self {
            buckets,
            mask: count.wrapping_sub(1),
        })
    }

    /// The bucket that `hash` belongs to.
    #[inline(always)]
    pub(crate) fn index(&self, hash: u32) -> u32 {
        hash & self.mask
    }

    #[inline(always)]
    fn bucket(&self, index: u32) -> &Bucket {
        // The mask keeps an index from anywhere in range, which the compiler cannot know.
        let index = self.index(index) as usize;
        // SAFETY: By the invariant the mask is one less than the number of buckets, a power of two, so that
        // the index was just masked to be below that.
        unsafe { self.buckets.get_unchecked(index) }
    }

    /// Begins to read a bucket: the head of its chain, and the attempt, which has to be asked in the end
    /// whether it was disturbed. None while a writer is there.
    ///
    /// The chain may be changed meanwhile, so that whoever goes along it should ask that, too, lest it goes
    /// round in circles.
    #[inline(always)]
    pub(crate) fn attempt(&self, index: u32) -> Option<(u32, Attempt<'_>)> {
        let bucket = self.bucket(index);
        let start = bucket.sequence();
        if start & 1 != 0 {
            return None;
        }
        // What is read from now on is read after the count.
        fence(Acquire);
        let attempt = Attempt {
            bucket,
            start: Some(start),
        };
        Some((bucket.head.load(), attempt))
    }

    /// Runs `read` on the head of a bucket until no writer interfered; what it returns before is thrown
    /// away. Waits for writers, unlike [`Buckets::attempt`].
    #[cold]
    #[inline(never)]
    pub(crate) fn read<R>(&self, index: u32, mut read: impl FnMut(u32, &Attempt<'_>) -> R) -> R {
        let bucket = self.bucket(index);
        for _ in 0..LOCKLESS_ATTEMPTS {
            let attempt = Attempt {
                bucket,
                // SAFETY: By the invariant of `Buckets` the lock is initialised.
                start: Some(unsafe { bindings::palisade_read_seqbegin(bucket.lock.get()) }),
            };
            let result = read(bucket.head.load(), &attempt);
            if !attempt.is_disturbed() {
                return result;
            }
        }
        let guard = self.lock(index);
        let attempt = Attempt {
            bucket,
            start: None,
        };
        read(guard.head(), &attempt)
    }

    /// As [`Buckets::read`], but never takes the lock, so that the bucket of another table may be locked
    /// meanwhile. For buckets that are hardly ever changed, and only by who needs no other bucket for it:
    /// this waits for them, of which lockdep is not told, since it takes all buckets for the same.
    #[inline]
    pub(crate) fn read_without_lock<R>(
        &self,
        index: u32,
        mut read: impl FnMut(u32, &Attempt<'_>) -> R,
    ) -> R {
        let bucket = self.bucket(index);
        loop {
            let attempt = Attempt {
                bucket,
                // SAFETY: By the type invariant the lock is initialised.
                start: Some(unsafe { bindings::palisade_raw_read_seqbegin(bucket.lock.get()) }),
            };
            let result = read(bucket.head.load(), &attempt);
            if !attempt.is_disturbed() {
                return result;
            }
        }
    }

    /// How many buckets there are.
    pub(crate) fn count(&self) -> u32 {
        self.buckets.len() as u32
    }

    /// Locks a bucket, also against softirqs of this CPU.
    #[inline(always)]
    pub(crate) fn lock(&self, index: u32) -> BucketGuard<'_> {
        let bucket = self.bucket(index);
        // SAFETY: By the type invariant the lock is initialised.
        unsafe { bindings::palisade_write_seqlock_bh(bucket.lock.get()) };
        BucketGuard(bucket)
    }
}

/// One attempt to read a bucket.
pub(crate) struct Attempt<'a> {
    bucket: &'a Bucket,
    /// The sequence count when the attempt began; none while the bucket is locked.
    start: Option<u32>,
}

impl Attempt<'_> {
    /// Whether a writer was there since the attempt began, so that what was read is worth nothing.
    #[inline(always)]
    pub(crate) fn is_disturbed(&self) -> bool {
        self.start.is_some_and(|start| {
            // As `read_seqretry` does: what was read before is read before the count.
            fence(Acquire);
            self.bucket.sequence() != start
        })
    }
}

/// A locked bucket; readers notice that it was locked.
#[must_use = "the bucket unlocks when the guard is dropped"]
pub(crate) struct BucketGuard<'a>(&'a Bucket);

impl BucketGuard<'_> {
    /// The head of the bucket's chain.
    #[inline]
    pub(crate) fn head(&self) -> u32 {
        self.assert_held();
        self.0.head.load()
    }

    /// Sets the head of the bucket's chain.
    #[inline]
    pub(crate) fn set_head(&mut self, head: u32) {
        self.assert_held();
        self.0.head.store(head);
    }

    /// Has lockdep, where there is one, make sure that the guard does what it says.
    #[inline(always)]
    fn assert_held(&self) {
        // SAFETY: By the type invariant of `Buckets` the lock is initialised.
        #[cfg(CONFIG_LOCKDEP = "y")]
        unsafe {
            bindings::palisade_assert_seqlock_held(self.0.lock.get())
        };
    }
}

impl Drop for BucketGuard<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        // SAFETY: The guard exists, so this thread holds the lock.
        unsafe { bindings::palisade_write_sequnlock_bh(self.0.lock.get()) };
    }
}
