// SPDX-License-Identifier: GPL-2.0

//! The buckets of a hash table: a sequence count, which is a lock as well, and the head of a chain each.
//!
//! Readers take no lock: they read what the bucket leads to and ask at the end whether a writer was
//! there meanwhile. Writers take the lock of one bucket, which makes its count odd until they go.
//!
//! The kernel's `seqlock_t` would do the same, with some 30 instructions more for each packet that is
//! remembered. Hardly anybody ever waits for one bucket of many, so that the count alone will do, as the bit
//! locks of `include/linux/rhashtable.h` do; lockdep is told of it in the same way. Where all CPUs count
//! packets in one entry, those that wait do so in a queue.
//!
//! C headers: [`include/linux/seqlock.h`](srctree/include/linux/seqlock.h),
//! [`include/linux/lockdep.h`](srctree/include/linux/lockdep.h)

use super::{
    bh::BhDisabled,
    lkmm::{
        smp_rmb,
        smp_wmb, //
    },
    lockdep::LockdepMap,
    queue::Queue,
    words::Word, //
};
use kernel::{
    alloc::Flags,
    prelude::*,
    processor::cpu_relax, //
};

/// How often a reader tries without the lock before it takes it.
const LOCKLESS_ATTEMPTS: usize = 8;

struct Bucket {
    /// Odd while a writer is there; two more afterwards.
    sequence: Word,
    head: Word,
}

impl Bucket {
    /// The count, once there is no writer (`read_seqcount_begin`).
    fn begin(&self) -> u32 {
        loop {
            let sequence = self.sequence.load_acquire();
            if sequence & 1 == 0 {
                return sequence;
            }
            cpu_relax();
        }
    }

    /// Makes the count odd; whether it was even.
    #[inline(always)]
    fn try_lock(&self) -> bool {
        !self.sequence.test_and_set_bit::<0>()
    }

    /// Makes the count odd, once there is no other writer (`bit_spin_lock`).
    #[inline(always)]
    fn lock(&self, queue: &Queue) {
        if !self.try_lock() {
            self.lock_when_free(queue);
        }
        // What is written from now on is written after the count (`write_seqcount_begin`).
        smp_wmb();
    }

    #[cold]
    #[inline(never)]
    fn lock_when_free(&self, queue: &Queue) {
        queue.wait(|| loop {
            // Who waits only looks, lest the writer has to wait for the memory.
            self.begin();
            if self.try_lock() {
                return;
            }
        });
    }

    /// Makes the count even again; it was odd.
    #[inline(always)]
    fn unlock(&self) {
        let sequence = self.sequence.load();
        self.sequence.store_release(sequence.wrapping_add(1));
    }
}

/// A fixed number of buckets, a power of two.
///
/// # Invariants
///
/// There is at least one bucket, their number is a power of two, and the mask is one less.
pub(crate) struct Buckets {
    buckets: KVVec<Bucket>,
    mask: u32,
    /// Who waits for a bucket, whichever it is.
    queue: Queue,
    lockdep: LockdepMap,
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
                sequence: Word::new(0),
                head: Word::new(head),
            };
            buckets.push_within_capacity(bucket).map_err(|_| ENOMEM)?;
        }
        // INVARIANT: `count` is a power of two.
        Ok(Self {
            buckets,
            mask: count.wrapping_sub(1),
            queue: Queue::new()?,
            lockdep: LockdepMap::new()?,
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
        let start = bucket.sequence.load();
        if start & 1 != 0 {
            return None;
        }
        // What is read from now on is read after the count.
        smp_rmb();
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
        if cfg!(CONFIG_LOCKDEP) {
            let _softirqs = BhDisabled::new();
            self.lockdep.might_wait();
        }
        for _ in 0..LOCKLESS_ATTEMPTS {
            let attempt = Attempt {
                bucket,
                start: Some(bucket.begin()),
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
                start: Some(bucket.begin()),
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
        let bh = BhDisabled::new();
        self.lockdep.acquire();
        let bucket = self.bucket(index);
        bucket.lock(&self.queue);
        BucketGuard {
            bucket,
            lockdep: &self.lockdep,
            bh,
        }
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
            smp_rmb();
            self.bucket.sequence.load() != start
        })
    }
}

/// A locked bucket; readers notice that it was locked.
#[must_use = "the bucket unlocks when the guard is dropped"]
pub(crate) struct BucketGuard<'a> {
    bucket: &'a Bucket,
    lockdep: &'a LockdepMap,
    /// Dropped last.
    #[expect(dead_code, reason = "it is there to be dropped")]
    bh: BhDisabled,
}

impl BucketGuard<'_> {
    /// The head of the bucket's chain.
    #[inline]
    pub(crate) fn head(&self) -> u32 {
        self.lockdep.assert_held();
        self.bucket.head.load()
    }

    /// Sets the head of the bucket's chain.
    #[inline]
    pub(crate) fn set_head(&mut self, head: u32) {
        self.lockdep.assert_held();
        self.bucket.head.store(head);
    }
}

impl Drop for BucketGuard<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        self.lockdep.release();
        self.bucket.unlock();
    }
}
