// SPDX-License-Identifier: GPL-2.0

//! The buckets of a hash table. Each has a sequence count, which doubles as its lock, and the head
//! of a chain.
//!
//! Readers take no lock: they walk the chain and check at the end whether a writer interfered.
//! Writers lock one bucket, which keeps its count odd until they unlock it.
//!
//! `seqlock_t` would do the same at a cost of some 30 more instructions per remembered packet. With
//! many buckets there is hardly any contention on one, so the count alone is enough, as are the bit
//! locks of `include/linux/rhashtable.h`; lockdep is told in the same way. Where all CPUs count
//! packets in one entry, waiters queue up.
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
    /// Odd while a writer holds the bucket; two higher afterwards.
    sequence: Word,
    head: Word,
}

impl Bucket {
    /// Returns the count once there is no writer (`read_seqcount_begin`).
    fn read_begin(&self) -> u32 {
        loop {
            let sequence = self.sequence.load_acquire();
            if sequence & 1 == 0 {
                return sequence;
            }
            cpu_relax();
        }
    }

    /// Reads without the lock; `None` if a writer was there meanwhile.
    #[inline]
    fn try_read<R>(&self, read: &mut impl FnMut(u32, &Attempt<'_>) -> R) -> Option<R> {
        let attempt = Attempt {
            bucket: self,
            start: Some(self.read_begin()),
        };
        let result = read(self.head.load(), &attempt);
        (!attempt.is_disturbed()).then_some(result)
    }

    /// Makes the count odd. Returns whether it was even.
    #[inline]
    fn try_lock(&self) -> bool {
        !self.sequence.test_and_set_bit::<0>()
    }

    /// Makes the count odd once no other writer holds the bucket (`bit_spin_lock`).
    #[inline]
    fn lock(&self, queue: &Queue) {
        if !self.try_lock() {
            self.lock_when_free(queue);
        }
        // Order the count before the stores that follow (`write_seqcount_begin`).
        smp_wmb();
    }

    #[cold]
    #[inline(never)]
    fn lock_when_free(&self, queue: &Queue) {
        queue.wait(|| loop {
            // Only load while waiting, so that the cache line stays with the writer.
            self.read_begin();
            if self.try_lock() {
                return;
            }
        });
    }

    /// Makes the count even again; the caller has made it odd.
    #[inline]
    fn unlock(&self) {
        let sequence = self.sequence.load();
        self.sequence.store_release(sequence.wrapping_add(1));
    }
}

/// A fixed number of buckets.
///
/// # Invariants
///
/// There is at least one bucket, the number of buckets is a power of two, and `mask` is that number
/// minus one.
///
/// # Examples
///
/// ```ignore
/// let buckets = Buckets::new(1024, NONE, GFP_KERNEL)?;
/// let index = buckets.index(hash);
///
/// // Read side: `find` may run several times.
/// let found = buckets.read(index, |head, attempt| find(head, attempt));
///
/// // Write side.
/// let mut guard = buckets.lock(index);
/// guard.set_head(entry);
/// ```
pub(crate) struct Buckets {
    buckets: KVVec<Bucket>,
    mask: u32,
    /// The waiters for a bucket, whichever bucket it is.
    queue: Queue,
    lockdep: LockdepMap,
}

impl Buckets {
    /// Creates `count` buckets, rounded up to a power of two, with `head` as the head of each
    /// chain.
    ///
    /// # Errors
    ///
    /// `ENOMEM` when there is no memory, `EINVAL` when `count` cannot be rounded up.
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
        // INVARIANT: `count` is a power of two, `count` buckets were pushed, and `mask` is `count -
        // 1`.
        Ok(Self {
            buckets,
            mask: count.wrapping_sub(1),
            queue: Queue::new()?,
            lockdep: LockdepMap::new()?,
        })
    }

    /// The index of the bucket for `hash`.
    #[inline]
    pub(crate) fn index(&self, hash: u32) -> u32 {
        hash & self.mask
    }

    #[inline]
    fn bucket(&self, index: u32) -> &Bucket {
        // Masking accepts any index; the compiler cannot tell that the result is in range.
        let index = self.index(index) as usize;
        // SAFETY: By the type invariant, `mask` is one less than the number of buckets, so a masked
        // index is in bounds.
        unsafe { self.buckets.get_unchecked(index) }
    }

    /// Begins a lockless read of a bucket: the head of its chain, and the attempt to check
    /// afterwards. None while a writer holds the bucket.
    ///
    /// A writer may change the chain meanwhile, so a walk has to check the attempt as well, or it
    /// may loop.
    #[inline]
    pub(crate) fn attempt(&self, index: u32) -> Option<(u32, Attempt<'_>)> {
        let bucket = self.bucket(index);
        let start = bucket.sequence.load();
        if start & 1 != 0 {
            return None;
        }
        // Order the count before the loads that follow.
        smp_rmb();
        let attempt = Attempt {
            bucket,
            start: Some(start),
        };
        Some((bucket.head.load(), attempt))
    }

    /// Runs `read` on the head of a bucket until no writer interfered, and discards the earlier
    /// results. Unlike [`Buckets::attempt`], it waits for writers.
    #[cold]
    #[inline(never)]
    pub(crate) fn read<R>(&self, index: u32, mut read: impl FnMut(u32, &Attempt<'_>) -> R) -> R {
        let bucket = self.bucket(index);
        if cfg!(CONFIG_LOCKDEP) {
            let _softirqs = BhDisabled::new();
            self.lockdep.might_wait();
        }
        for _ in 0..LOCKLESS_ATTEMPTS {
            if let Some(result) = bucket.try_read(&mut read) {
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

    /// As [`Buckets::read`], but never takes the lock, so the caller may hold a bucket of another
    /// table. For buckets that rarely change, and only under writers that need no other bucket:
    /// this waits for them without telling lockdep, which has one class for all buckets.
    #[inline]
    pub(crate) fn read_without_lock<R>(
        &self,
        index: u32,
        mut read: impl FnMut(u32, &Attempt<'_>) -> R,
    ) -> R {
        let bucket = self.bucket(index);
        loop {
            if let Some(result) = bucket.try_read(&mut read) {
                return result;
            }
        }
    }

    /// The number of buckets.
    pub(crate) fn count(&self) -> u32 {
        self.buckets.len() as u32
    }

    /// Locks a bucket, with softirqs off.
    #[inline]
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

/// An attempt to read a bucket without its lock.
pub(crate) struct Attempt<'a> {
    bucket: &'a Bucket,
    /// The sequence count when the attempt began; none if the bucket is locked.
    start: Option<u32>,
}

impl Attempt<'_> {
    /// Whether a writer interfered since the attempt began, which makes what was read meaningless.
    #[inline]
    pub(crate) fn is_disturbed(&self) -> bool {
        self.start.is_some_and(|start| {
            // As `read_seqretry`: order the earlier loads before the count.
            smp_rmb();
            self.bucket.sequence.load() != start
        })
    }
}

/// A locked bucket. Concurrent readers retry.
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
    #[inline]
    fn drop(&mut self) {
        self.lockdep.release();
        self.bucket.unlock();
    }
}
